//! Where connections and client secrets are kept, and the locks that writers hold.
//!
//! One trait for every store. It knows bytes and names; what an entry means is `connection`'s.

#[cfg(test)]
mod contract;
pub mod durable;
pub mod file;
mod file_name;
pub mod journal;
pub mod key;
pub mod keychain;
pub mod lock;
pub mod memory;
pub mod seal;
pub mod size;
pub mod tally;

use std::borrow::Cow;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::secret::Secret;
use key::Opener;
use lock::Lock;

/// Names an entry: the profile's name, and the identity of a home that is not the default one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EntryName {
    /// The profile.
    pub profile: String,
    /// Empty for the default home, else the identity of `KEYFOB_HOME`.
    pub home: String,
}

impl EntryName {
    /// The name in a keychain: `shop`, or `shop@` and the home's identity.
    pub fn in_keychain(&self) -> String {
        match self.home.as_str() {
            "" => self.profile.clone(),
            home => format!("{}@{home}", self.profile),
        }
    }
}

/// Names a kind of store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreKind {
    /// The operating system's.
    #[default]
    Keychain,
    /// Sealed files in the state folder.
    File,
    /// This process's memory.
    Memory,
}

impl StoreKind {
    /// Every kind, in the order of preference.
    pub const ALL: [Self; 3] = [Self::Keychain, Self::File, Self::Memory];

    /// As it is typed after `--store`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keychain => "keychain",
            Self::File => "file",
            Self::Memory => "memory",
        }
    }
}

/// Keeps one entry a profile.
pub trait Store: Send + Sync {
    /// Which kind this is.
    fn kind(&self) -> StoreKind;

    /// Reads an entry; `None` only where the store could be read and holds none of that name.
    fn read(&self, name: &EntryName) -> Result<Option<Secret>, StoreError>;

    /// Writes an entry whole or not at all, durable when it returns.
    fn write(&self, lock: &Lock, name: &EntryName, entry: &Secret) -> Result<(), StoreError>;

    /// Removes an entry; one that is not there is no error.
    fn remove(&self, lock: &Lock, name: &EntryName) -> Result<(), StoreError>;

    /// Proves that an entry could be written now, and leaves nothing behind.
    fn prove(&self) -> Result<(), StoreError>;
}

/// Why a store did not do what it was asked.
#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
pub enum StoreError {
    /// There is no keychain service.
    #[error("there is no keychain to talk to: {detail}")]
    KeychainAbsent {
        /// What was found instead.
        detail: String,
    },
    /// The service runs but has no collection to keep entries in.
    #[error("the keychain has no default collection yet")]
    KeychainWithoutCollection,
    /// The keychain is locked.
    #[error("the keychain is locked")]
    KeychainLocked,
    /// The keychain did not answer in time.
    #[error("the keychain did not answer within {seconds} seconds")]
    KeychainSilent {
        /// The limit.
        seconds: u64,
    },
    /// The service ended between a question and its answer.
    #[error("the keychain ended before it answered: {detail}")]
    KeychainEnded {
        /// The bus's words.
        detail: String,
    },
    /// The keychain refused for another reason.
    #[error("the keychain refused: {detail}")]
    KeychainRefused {
        /// Its own words.
        detail: String,
    },
    /// The sealed file store has no key.
    #[error("the sealed file store has no key")]
    KeyMissing,
    /// An entry is there, and no key was given that could open it.
    #[error("there is no key to open {}", path.display())]
    KeyNotGiven {
        /// The sealed file.
        path: PathBuf,
        /// What opens it.
        sealed_with: Opener,
    },
    /// A new passphrase was not typed twice alike.
    #[error("the two passphrases differ")]
    PassphrasesDiffer,
    /// The key is too short to be one.
    #[error("the store key holds {length} bytes; at least 32 are needed")]
    KeyTooShort {
        /// Bytes found.
        length: usize,
    },
    /// The key file is readable by others, or is no plain file of this user.
    #[error("the key file {} {why}", path.display())]
    KeyFileUnsafe {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The entry does not open under this key.
    #[error("the entry does not open under this key: {}", path.display())]
    WrongKey {
        /// The sealed file.
        path: PathBuf,
        /// What opens it.
        sealed_with: Opener,
        /// What was tried.
        tried: Opener,
    },
    /// The entry is not one that keyfob wrote, or was cut off.
    #[error("the stored entry is damaged: {detail}")]
    Damaged {
        /// What was found.
        detail: String,
    },
    /// A newer keyfob wrote the entry.
    #[error("the entry was written by a newer keyfob (version {version})")]
    Newer {
        /// Its version.
        version: u64,
    },
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Unwritable {
        /// What was tried, as a verb.
        action: Cow<'static, str>,
        /// Where.
        path: PathBuf,
        /// Why.
        #[serde(with = "io_error")]
        source: std::io::Error,
    },
    /// What was read back is not what was written.
    #[error("the store gave back something else than was written")]
    NotKept,
}

/// An I/O error as it crosses from a worker to its caller: the system's number, else its words.
mod io_error {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(
        error: &std::io::Error,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        (error.raw_os_error(), error.to_string()).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<std::io::Error, D::Error> {
        let (number, words) = <(Option<i32>, String)>::deserialize(deserializer)?;
        Ok(number.map_or_else(|| std::io::Error::other(words), std::io::Error::from_raw_os_error))
    }
}

impl StoreError {
    /// Makes the closure that turns an I/O error into `Unwritable`.
    pub fn unwritable(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Unwritable { action: action.into(), path, source }
    }
}
