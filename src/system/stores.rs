//! Opens the stores of a home.

use std::path::PathBuf;
use std::sync::Arc;

use super::environment::Environment;
use super::home::Home;
use super::person::Person;
use crate::random::Random;
use crate::secret::Secret;
use crate::store::file::{FileKey, FileStore};
use crate::store::key::Key;
use crate::store::keychain::{SessionBus, keychain};
use crate::store::memory::MemoryStore;
use crate::store::{EntryName, Store, StoreError, StoreKind};

/// Opens stores by kind.
pub trait Stores {
    /// Opens a store; it is spoken to only when an entry is.
    fn open(&self, kind: StoreKind) -> Result<Arc<dyn Store>, StoreError>;

    /// No person is asked for a passphrase from now on; nothing changes where none ever is.
    fn ask_nobody(&mut self) {}

    /// The key that a worker needs for an entry of that kind of store.
    fn worker_key(&self, kind: StoreKind, name: &EntryName) -> Result<Option<Secret>, StoreError>;
}

/// The real stores of a home.
pub struct RealStores {
    /// Where their files are.
    pub home: Home,
    /// Where the file store's key comes from, and which bus the keychain is on.
    pub environment: Environment,
    /// Who can be asked for a passphrase.
    pub person: Option<Arc<dyn Person>>,
    /// For nonces and keys.
    pub random: Arc<dyn Random>,
    /// Asked for once.
    pub passphrase: std::cell::OnceCell<Secret>,
}

impl Stores for RealStores {
    fn open(&self, kind: StoreKind) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match kind {
            StoreKind::Keychain => {
                let bus = session_bus(|name| self.environment.get(name).map(str::to_owned));
                Arc::new(keychain(bus, spilled(&self.home), self.random.clone()))
            }
            StoreKind::File => Arc::new(self.file_store()?),
            StoreKind::Memory => Arc::new(MemoryStore::new()),
        })
    }

    fn ask_nobody(&mut self) {
        self.person = None;
    }

    fn worker_key(&self, kind: StoreKind, name: &EntryName) -> Result<Option<Secret>, StoreError> {
        match kind {
            StoreKind::File => self.file_store()?.worker_key(name).map(Some),
            StoreKind::Keychain | StoreKind::Memory => Ok(None),
        }
    }
}

impl RealStores {
    fn file_store(&self) -> Result<FileStore, StoreError> {
        Ok(FileStore::new(self.home.sealed(), self.file_key()?, self.random.clone()))
    }

    /// The key's text, its file, or a passphrase from a terminal, in this order.
    fn file_key(&self) -> Result<FileKey, StoreError> {
        if let Some(text) = self.environment.get("KEYFOB_STORE_KEY") {
            return Ok(FileKey::Text(Secret::new(text)));
        }
        if let Some(path) = self.environment.get("KEYFOB_STORE_KEY_FILE") {
            return Ok(FileKey::KeyFile(PathBuf::from(path)));
        }
        let Some(person) = &self.person else {
            return Ok(FileKey::None);
        };
        if let Some(passphrase) = self.passphrase.get() {
            return Ok(FileKey::Passphrase(passphrase.clone()));
        }
        let asked = person.ask_secret("Passphrase of the keyfob file store");
        match asked {
            Ok(passphrase) if !passphrase.is_empty() => {
                Ok(FileKey::Passphrase(self.passphrase.get_or_init(|| passphrase).clone()))
            }
            _ => Ok(FileKey::None),
        }
    }
}

/// The store as a worker opens it, with the key that came on its pipe.
pub fn for_worker(
    kind: StoreKind,
    home: &Home,
    key: Option<Secret>,
    random: Arc<dyn Random>,
) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match kind {
        StoreKind::Keychain => {
            // The worker inherits the caller's session, and with it the bus.
            let bus = session_bus(super::real::variable);
            Arc::new(keychain(bus, spilled(home), random))
        }
        StoreKind::File => {
            let key = key.as_ref().map(Key::decode).transpose()?;
            let key = key.map_or(FileKey::None, FileKey::Derived);
            Arc::new(FileStore::new(home.sealed(), key, random))
        }
        StoreKind::Memory => Arc::new(MemoryStore::new()),
    })
}

fn session_bus(variable: impl Fn(&str) -> Option<String>) -> SessionBus {
    SessionBus {
        address: variable("DBUS_SESSION_BUS_ADDRESS").map(Into::into),
        runtime_folder: variable("XDG_RUNTIME_DIR").map(Into::into),
    }
}

/// Where entries lie that are too large for the keychain.
fn spilled(home: &Home) -> PathBuf {
    home.state.join("entries")
}
