//! Stores that live across the runs of a world, and that can be told to refuse.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use keyfob::clock::SystemClock;
use keyfob::random::Random;
use keyfob::secret::Secret;
use keyfob::store::file::{FileKey, FileStore};

use keyfob::store::lock::Lock;
use keyfob::store::memory::MemoryStore;
use keyfob::store::{EntryName, Store, StoreError, StoreKind};
use keyfob::system::{Home, Stores};

/// What a store does instead of its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Its work.
    None,
    /// There is no keychain.
    Absent,
    /// The keychain is locked.
    Locked,
    /// It is full: reads, but writes nothing more after that many writes.
    Full {
        /// Writes that still succeed.
        after: u32,
    },
    /// It keeps nothing of what it is given.
    Forgetful,
    /// What it gives is no entry.
    Damaged,
    /// A newer program wrote the entry.
    Newer,
}

/// What happens whenever a keychain is asked.
type Asked = Box<dyn Fn() + Send>;

/// One shelf for all kinds of stores but the sealed file, which is the real one.
#[derive(Clone)]
pub struct Shelf {
    entries: MemoryStore,
    trouble: Arc<Mutex<Trouble>>,
    reads: Arc<AtomicU32>,
    asked: Arc<Mutex<Option<Asked>>>,
    key: Option<String>,
    home: Home,
    random: Arc<dyn Random>,
}

impl Shelf {
    /// An empty one of a home; `key` opens its sealed files.
    pub fn new(home: Home, key: Option<String>, random: Arc<dyn Random>) -> Self {
        Self {
            entries: MemoryStore::new(),
            trouble: Arc::new(Mutex::new(Trouble::None)),
            reads: Arc::default(),
            asked: Arc::default(),
            key,
            home,
            random,
        }
    }

    /// Lets it refuse from now on.
    pub fn trouble(&self, trouble: Trouble) {
        *self.trouble.lock().unwrap() = trouble;
    }

    /// Does this whenever a keychain is asked for anything.
    pub fn whenever_asked(&self, act: impl Fn() + Send + 'static) {
        *self.asked.lock().unwrap() = Some(Box::new(act));
    }

    /// How often it was read since this was last asked.
    pub fn reads(&self) -> u32 {
        self.reads.swap(0, Ordering::Relaxed)
    }

    /// The entry of a profile as it is kept.
    pub fn entry(&self, profile: &str) -> Option<String> {
        let name = EntryName { profile: profile.into(), home: self.home.identity.clone() };
        self.entries.read(&name).unwrap().map(|entry| entry.expose().to_owned())
    }

    /// Puts another entry in its place, as a process does that goes on without the lock.
    pub fn put(&self, profile: &str, entry: &str) {
        let name = EntryName { profile: profile.into(), home: self.home.identity.clone() };
        let path = self.home.locks().join("of-another-process.lock");
        let lock = Lock::try_take(&path, &SystemClock).unwrap().unwrap();
        self.entries.write(&lock, &name, &Secret::new(entry)).unwrap();
        drop(lock);
        std::fs::remove_file(&path).unwrap();
    }

    fn file_store(&self) -> FileStore {
        let key = self.key.as_ref().map_or(FileKey::None, |key| FileKey::Text(Secret::new(key)));
        FileStore::new(self.home.sealed(), key, self.random.clone())
    }
}

impl Stores for Shelf {
    fn open(&self, kind: StoreKind) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match kind {
            StoreKind::File => Arc::new(self.file_store()),
            StoreKind::Keychain | StoreKind::Memory => {
                Arc::new(Shelved { kind, shelf: self.clone() })
            }
        })
    }

    fn worker_key(&self, kind: StoreKind, name: &EntryName) -> Result<Option<Secret>, StoreError> {
        match kind {
            StoreKind::File => self.file_store().worker_key(name).map(Some),
            StoreKind::Keychain | StoreKind::Memory => Ok(None),
        }
    }
}

/// The shelf as a store of one kind.
struct Shelved {
    kind: StoreKind,
    shelf: Shelf,
}

impl Shelved {
    fn reachable(&self) -> Result<Trouble, StoreError> {
        if let Some(act) = &*self.shelf.asked.lock().unwrap() {
            act();
        }
        let trouble = *self.shelf.trouble.lock().unwrap();
        match trouble {
            Trouble::Absent => {
                Err(StoreError::KeychainAbsent { detail: "no session bus answers".into() })
            }
            Trouble::Locked => Err(StoreError::KeychainLocked),
            other => Ok(other),
        }
    }
}

impl Store for Shelved {
    fn kind(&self) -> StoreKind {
        self.kind
    }

    fn read(&self, name: &EntryName) -> Result<Option<Secret>, StoreError> {
        self.shelf.reads.fetch_add(1, Ordering::Relaxed);
        match self.reachable()? {
            Trouble::Damaged => Ok(Some(Secret::new("no entry at all"))),
            Trouble::Newer => Ok(Some(Secret::new(r#"{"version":99}"#))),
            _ => self.shelf.entries.read(name),
        }
    }

    fn write(&self, lock: &Lock, name: &EntryName, entry: &Secret) -> Result<(), StoreError> {
        match self.reachable()? {
            Trouble::Full { after: 0 } => Err(StoreError::Unwritable {
                action: "write".into(),
                path: PathBuf::from("the keychain"),
                source: io::ErrorKind::StorageFull.into(),
            }),
            Trouble::Full { after } => {
                self.shelf.trouble(Trouble::Full { after: after - 1 });
                self.shelf.entries.write(lock, name, entry)
            }
            Trouble::Forgetful => Ok(()),
            _ => self.shelf.entries.write(lock, name, entry),
        }
    }

    fn remove(&self, lock: &Lock, name: &EntryName) -> Result<(), StoreError> {
        self.reachable()?;
        self.shelf.entries.remove(lock, name)
    }

    fn prove(&self) -> Result<(), StoreError> {
        self.reachable().map(|_| ())
    }
}
