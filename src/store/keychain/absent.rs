//! Systems whose keychain keyfob does not know: it says so.

use std::time::Duration;

use super::SessionBus;
use super::clerk::Caller;
use crate::secret::Secret;
use crate::store::StoreError;

/// Nothing is waited for.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// A conversation that never begins.
pub enum Session {}

impl Session {
    /// Says that there is no keychain.
    pub fn open(_: &SessionBus) -> Result<Self, StoreError> {
        Err(StoreError::KeychainAbsent { detail: "keyfob knows none on this system".to_owned() })
    }

    /// Cannot be reached.
    pub fn read(&self, _: &str) -> Result<Option<Secret>, StoreError> {
        match *self {}
    }

    /// Cannot be reached.
    pub fn write(&self, _: &str, _: &Secret, _: &Caller) -> Result<(), StoreError> {
        match *self {}
    }

    /// Cannot be reached.
    pub fn remove(&self, _: &str, _: &Caller) -> Result<(), StoreError> {
        match *self {}
    }

    /// Cannot be reached.
    pub fn prove(&self, _: &Caller) -> Result<(), StoreError> {
        match *self {}
    }
}
