//! Keychain on macOS and Credential Manager on Windows, through keyring-core's stores.

use std::sync::Arc;
use std::time::Duration;

use keyring_core::api::CredentialStoreApi as _;
use keyring_core::{Entry, Error};

use super::clerk::Caller;
use super::{SERVICE, SessionBus, text};
use crate::secret::Secret;
use crate::store::StoreError;

#[cfg(target_os = "macos")]
use apple_native_keyring_store::keychain::Store;
#[cfg(target_os = "windows")]
use windows_native_keyring_store::Store;

/// How long a question may take. macOS itself may ask the person who sits there, and waits for them.
pub const PATIENCE: Duration = Duration::from_secs(if cfg!(target_os = "macos") { 60 } else { 2 });

/// macOS: the keychain is locked, and nobody can be asked (errSecInteractionNotAllowed).
const INTERACTION_NOT_ALLOWED: &str = "-25308";

/// A conversation with the system.
pub struct Session(Arc<Store>);

impl Session {
    /// Opens the store of the user who runs this.
    pub fn open(_: &SessionBus) -> Result<Self, StoreError> {
        Store::new().map(Self).map_err(meaning)
    }

    /// Reads the entry of this name.
    pub fn read(&self, user: &str) -> Result<Option<Secret>, StoreError> {
        match self.entry(SERVICE, user)?.get_secret() {
            Ok(bytes) => text(bytes).map(Some),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(meaning(error)),
        }
    }

    /// Writes the entry in the place of any of the same name.
    ///
    /// As bytes: as a password, Windows would store two bytes a character and end at half the size.
    pub fn write(&self, user: &str, entry: &Secret, caller: &Caller) -> Result<(), StoreError> {
        let place = self.entry(SERVICE, user)?;
        caller.still_waits()?;
        place.set_secret(entry.expose().as_bytes()).map_err(meaning)
    }

    /// Removes the entry of this name.
    pub fn remove(&self, user: &str, caller: &Caller) -> Result<(), StoreError> {
        let place = self.entry(SERVICE, user)?;
        caller.still_waits()?;
        match place.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(meaning(error)),
        }
    }

    /// Makes an entry without content, reads it, and removes it.
    pub fn prove(&self, caller: &Caller) -> Result<(), StoreError> {
        let probe = self.entry("keyfob probe", &format!("process {}", std::process::id()))?;
        caller.still_waits()?;
        probe.set_secret(b"probe").map_err(meaning)?;
        let kept = probe.get_secret();
        probe.delete_credential().map_err(meaning)?;
        match kept.map_err(meaning)?.as_slice() {
            b"probe" => Ok(()),
            _ => Err(StoreError::NotKept),
        }
    }

    /// On Windows an entry stays on this machine: the store's own default roams with the profile.
    fn entry(&self, service: &str, user: &str) -> Result<Entry, StoreError> {
        #[cfg(target_os = "windows")]
        let modifiers = Some(&std::collections::HashMap::from([("persistence", "Local")]));
        #[cfg(target_os = "macos")]
        let modifiers = None;
        self.0.build(service, user, modifiers).map_err(meaning)
    }
}

fn meaning(error: Error) -> StoreError {
    let detail = error.to_string();
    match error {
        Error::PlatformFailure(cause) if format!("{cause:?}").contains(INTERACTION_NOT_ALLOWED) => {
            StoreError::KeychainLocked
        }
        Error::NoStorageAccess(_) => StoreError::KeychainAbsent { detail },
        // Its own words would show the bytes.
        Error::BadEncoding(_) | Error::BadDataFormat(..) => {
            StoreError::Damaged { detail: "the keychain's entry is no text".to_owned() }
        }
        _ => StoreError::KeychainRefused { detail },
    }
}
