//! The operating system's keychain: the Secret Service on Linux, Keychain on macOS, Credential Manager on Windows.
//!
//! Entries are named by `service` `keyfob` and the profile as `username`, as other keyring
//! programs do, so that a person can find them from outside. Nothing here ever opens a prompt.

mod clerk;

#[cfg(target_os = "linux")]
mod secret_service;
#[cfg(target_os = "linux")]
use secret_service as platform;

#[cfg(any(target_os = "macos", target_os = "windows"))]
mod native;
#[cfg(any(target_os = "macos", target_os = "windows"))]
use native as platform;

#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "windows")))]
mod absent;
#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "windows")))]
use absent as platform;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use super::lock::Lock;
use super::size::{KEYCHAIN_LIMIT, Spill};
use super::{EntryName, Store, StoreError, StoreKind};
use crate::random::Random;
use crate::secret::Secret;
use clerk::Clerk;

/// The service under which every entry is kept.
const SERVICE: &str = "keyfob";

/// What the environment says about the session bus; only Linux looks at it.
#[derive(Debug, Clone, Default)]
pub struct SessionBus {
    /// `DBUS_SESSION_BUS_ADDRESS`.
    pub address: Option<OsString>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime_folder: Option<PathBuf>,
}

/// The keychain, without its limit of size.
pub struct PlatformKeychain {
    clerk: Clerk<platform::Session>,
}

/// The keychain; entries too large for it lie in sealed files.
pub type Keychain = Spill<PlatformKeychain>;

/// Opens the keychain; the service itself is not spoken to before the first entry is.
pub fn keychain(bus: SessionBus, spill_folder: PathBuf, random: Arc<dyn Random>) -> Keychain {
    Spill::new(PlatformKeychain::new(bus), KEYCHAIN_LIMIT, spill_folder, random)
}

impl PlatformKeychain {
    /// Makes the store; one connection serves the process, opened at its first use.
    pub fn new(bus: SessionBus) -> Self {
        Self { clerk: Clerk::new(platform::PATIENCE, move || platform::Session::open(&bus)) }
    }
}

impl Store for PlatformKeychain {
    fn kind(&self) -> StoreKind {
        StoreKind::Keychain
    }

    fn read(&self, name: &EntryName) -> Result<Option<Secret>, StoreError> {
        let user = name.in_keychain();
        self.clerk.ask(move |session, _| session.read(&user))
    }

    fn write(&self, _lock: &Lock, name: &EntryName, entry: &Secret) -> Result<(), StoreError> {
        let (user, entry) = (name.in_keychain(), entry.clone());
        self.clerk.ask(move |session, caller| {
            session.write(&user, &entry, caller)?;
            match session.read(&user)? {
                Some(kept) if kept == entry => Ok(()),
                _ => Err(StoreError::NotKept),
            }
        })
    }

    fn remove(&self, _lock: &Lock, name: &EntryName) -> Result<(), StoreError> {
        let user = name.in_keychain();
        self.clerk.ask(move |session, caller| session.remove(&user, caller))
    }

    fn prove(&self) -> Result<(), StoreError> {
        self.clerk.ask(|session, caller| session.prove(caller))
    }
}

/// Takes what a keychain holds for text; its bytes are wiped either way.
#[cfg(any(target_os = "linux", target_os = "macos", target_os = "windows"))]
fn text(bytes: Vec<u8>) -> Result<Secret, StoreError> {
    let bytes = zeroize::Zeroizing::new(bytes);
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Secret::new(text)),
        Err(_) => Err(StoreError::Damaged { detail: "the keychain's entry is no text".to_owned() }),
    }
}
