//! Opens the stores of a home.

use std::path::PathBuf;
use std::sync::Arc;

use super::environment::Environment;
use super::home::Home;
use super::person::Person;
use crate::random::Random;
use crate::secret::Secret;
use crate::store::file::{self, FileKey, FileStore};
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
        match person.ask_secret("Passphrase of the keyfob file store") {
            Ok(passphrase) if !passphrase.is_empty() => {
                self.confirm(&passphrase, &**person)?;
                Ok(FileKey::Passphrase(self.passphrase.get_or_init(|| passphrase).clone()))
            }
            _ => Ok(FileKey::None),
        }
    }

    /// Where nothing is sealed that could show a slip, it would seal the first entry for ever.
    fn confirm(&self, passphrase: &Secret, person: &dyn Person) -> Result<(), StoreError> {
        if file::holds_any(&self.home.sealed())? {
            return Ok(());
        }
        let again = person.ask_secret("The same again, for nothing is sealed with it yet");
        match again.is_ok_and(|again| again == *passphrase) {
            true => Ok(()),
            false => Err(StoreError::PassphrasesDiffer),
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

#[cfg(test)]
mod tests {
    use std::cell::OnceCell;
    use std::io;
    use std::sync::Mutex;

    use super::*;
    use crate::clock::SystemClock;
    use crate::random::SystemRandom;
    use crate::store::durable::Folder;
    use crate::store::lock::Lock;

    /// Types these one after the other, and counts the questions.
    struct Typing(Mutex<Vec<&'static str>>);

    impl Person for Typing {
        fn ask(&self, _: &str) -> io::Result<String> {
            Err(io::ErrorKind::UnexpectedEof.into())
        }

        fn ask_secret(&self, _: &str) -> io::Result<Secret> {
            match self.0.lock().unwrap().pop() {
                Some(typed) => Ok(Secret::new(typed)),
                None => Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }

    /// The file store of a person who types this, and what was not asked for.
    fn opened(
        home: &Home,
        mut types: Vec<&'static str>,
    ) -> (Result<Arc<dyn Store>, StoreError>, usize) {
        types.reverse();
        let person = Arc::new(Typing(Mutex::new(types)));
        let stores = RealStores {
            home: home.clone(),
            environment: Environment::default(),
            person: Some(person.clone()),
            random: Arc::new(SystemRandom),
            passphrase: OnceCell::new(),
        };
        let store = stores.open(StoreKind::File);
        assert!(store.is_err() || stores.open(StoreKind::File).is_ok(), "asked for once a command");
        let left = person.0.lock().unwrap().len();
        (store, left)
    }

    #[tokio::test] // ST11
    async fn a_passphrase_is_asked_for_twice_until_something_is_sealed_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::under(folder.path());
        for types in [vec!["one", "oen"], vec!["one"], vec!["one", ""]] {
            let (store, _) = opened(&home, types);
            assert!(matches!(store.err(), Some(StoreError::PassphrasesDiffer)));
        }
        let (store, left) = opened(&home, vec!["one", "one", "more"]);
        assert_eq!(left, 1);
        Folder::make(&home.sealed()).unwrap();
        let lock = Lock::try_take(&home.sealed().join("shop.lock"), &SystemClock).unwrap().unwrap();
        let name = EntryName { profile: "shop".into(), home: "h".into() };
        store.unwrap().write(&lock, &name, &Secret::new("entry")).unwrap();
        let (store, left) = opened(&home, vec!["one", "more"]);
        assert_eq!(left, 1, "a slip shows at what is sealed");
        assert_eq!(store.unwrap().read(&name).unwrap().unwrap().expose(), "entry");
    }
}
