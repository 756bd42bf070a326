//! The sealed file store: one file an entry in a private folder, under a key of the user's.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use super::durable::{self, Folder};
use super::file_name::file_stem;
use super::key::{Key, Opener, Origin};
use super::lock::Lock;
use super::seal;
use super::{EntryName, Store, StoreError, StoreKind};
use crate::random::Random;
use crate::secret::Secret;

/// A key file holds one line; more than this is something else, in bytes.
const LONGEST_KEY_FILE: u64 = 4096;
/// How the name of every sealed entry ends.
const EXTENSION: &str = ".sealed";

/// Where a sealed entry lies, and its bytes.
type SealedFile = (PathBuf, Zeroizing<Vec<u8>>);

/// Where the key of the store comes from.
#[derive(Debug, Clone)]
pub enum FileKey {
    /// A text with the randomness of a key, from the environment.
    Text(Secret),
    /// A file that holds such a text, for this user alone.
    KeyFile(PathBuf),
    /// What a person typed.
    Passphrase(Secret),
    /// A key that another process derived and sent over a pipe.
    Derived(Key),
    /// None was given.
    None,
}

/// Whether any entry is sealed in the folder.
pub fn holds_any(folder: &Path) -> Result<bool, StoreError> {
    let names = Folder::open(folder)?.map(|folder| folder.names()).transpose()?;
    Ok(names.unwrap_or_default().iter().any(|name| name.ends_with(EXTENSION)))
}

/// Keeps each entry in a sealed file of its own.
pub struct FileStore {
    folder: PathBuf,
    key: FileKey,
    random: Arc<dyn Random>,
    /// The keys that were derived so far: a passphrase takes long, and may have several salts.
    derived: Mutex<Vec<Key>>,
}

impl FileStore {
    /// Opens the store in a folder; neither folder nor key is touched before they are needed.
    pub fn new(folder: PathBuf, key: FileKey, random: Arc<dyn Random>) -> Self {
        Self { folder, key, random, derived: Mutex::default() }
    }

    /// The key that this entry is or will be sealed under, as text for a worker's pipe ([`Key::decode`] reads it).
    pub fn worker_key(&self, name: &EntryName) -> Result<Secret, StoreError> {
        let sealed = match Folder::open(&self.folder)? {
            Some(folder) => folder.read(&file_name(name))?,
            None => None,
        };
        let key = match sealed {
            Some(sealed) => self.key_of(&sealed, &self.path(name))?,
            None => self.key_for_new()?,
        };
        Ok(key.encode())
    }

    fn path(&self, name: &EntryName) -> PathBuf {
        self.folder.join(file_name(name))
    }

    /// The key that opens a sealed file; checks only that it can be the one.
    fn key_of(&self, sealed: &[u8], path: &Path) -> Result<Key, StoreError> {
        let origin = seal::origin(sealed).map_err(|error| error.at(path))?;
        if let Some(key) = self.derived().iter().find(|key| key.origin() == origin) {
            return Ok(key.clone());
        }
        let key = match (&self.key, origin) {
            (FileKey::Passphrase(passphrase), Origin::Passphrase { salt, cost }) => {
                Key::from_passphrase(passphrase, salt, cost)?
            }
            (FileKey::Passphrase(_), Origin::Direct) => {
                return Err(StoreError::WrongKey {
                    path: path.to_owned(),
                    sealed_with: Opener::Key,
                    tried: Opener::Passphrase,
                });
            }
            _ => {
                return self.direct_key().map_err(|error| match error {
                    StoreError::KeyMissing => StoreError::KeyNotGiven {
                        path: path.to_owned(),
                        sealed_with: origin.opener(),
                    },
                    other => other,
                });
            }
        };
        self.derived().push(key.clone());
        Ok(key)
    }

    /// The key for an entry that is not there yet.
    fn key_for_new(&self) -> Result<Key, StoreError> {
        if let Some(key) = self.derived().first() {
            return Ok(key.clone());
        }
        let FileKey::Passphrase(passphrase) = &self.key else {
            return self.direct_key();
        };
        let key = match self.neighbour()? {
            // A slip of the finger must not give one entry a passphrase of its own.
            Some((path, sealed)) => {
                let key = self.key_of(&sealed, &path)?;
                seal::recognise(&key, &sealed).map_err(|error| error.at(&path))?;
                key
            }
            None => Key::from_new_passphrase(passphrase, &*self.random)?,
        };
        self.derived().push(key.clone());
        Ok(key)
    }

    /// Another entry of the store, where there is one.
    fn neighbour(&self) -> Result<Option<SealedFile>, StoreError> {
        let Some(folder) = Folder::open(&self.folder)? else {
            return Ok(None);
        };
        let names = folder.names()?;
        let Some(name) = names.iter().find(|name| name.ends_with(EXTENSION)) else {
            return Ok(None);
        };
        Ok(folder.read(name)?.map(|sealed| (folder.path_of(name), sealed)))
    }

    /// The one key that does not depend on the entry.
    fn direct_key(&self) -> Result<Key, StoreError> {
        if let Some(key) = self.derived().first() {
            return Ok(key.clone());
        }
        let key = match &self.key {
            FileKey::Text(text) => Key::from_secret_text(text)?,
            FileKey::KeyFile(path) => key_from_file(path)?,
            FileKey::Derived(key) => key.clone(),
            FileKey::Passphrase(_) | FileKey::None => return Err(StoreError::KeyMissing),
        };
        self.derived().push(key.clone());
        Ok(key)
    }

    /// Nothing leaves the list half changed, so a thread that panicked elsewhere does not spoil it.
    fn derived(&self) -> MutexGuard<'_, Vec<Key>> {
        self.derived.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, name: &EntryName, sealed: &[u8]) -> Result<(Key, Secret), StoreError> {
        let path = self.path(name);
        let key = self.key_of(sealed, &path)?;
        let entry = seal::open(&key, &about(name), sealed).map_err(|error| error.at(&path))?;
        Ok((key, text(entry)?))
    }
}

impl Store for FileStore {
    fn kind(&self) -> StoreKind {
        StoreKind::File
    }

    fn read(&self, name: &EntryName) -> Result<Option<Secret>, StoreError> {
        let Some(folder) = Folder::open(&self.folder)? else {
            return Ok(None);
        };
        let Some(sealed) = folder.read(&file_name(name))? else {
            return Ok(None);
        };
        self.open(name, &sealed).map(|(_, entry)| Some(entry))
    }

    /// An entry that does not open is not written over: it may be all that is left of a connection.
    fn write(&self, _lock: &Lock, name: &EntryName, entry: &Secret) -> Result<(), StoreError> {
        let folder = Folder::make(&self.folder)?;
        let file = file_name(name);
        let key = match folder.read(&file)? {
            Some(sealed) => self.open(name, &sealed)?.0,
            None => self.key_for_new()?,
        };
        let sealed = seal::seal(&key, &*self.random, &about(name), entry.expose().as_bytes());
        folder.replace(&file, &sealed)?;
        match folder.read(&file)? {
            Some(kept) if *kept == sealed => Ok(()),
            // Where the lock file was taken away, another writer's may be there already: whole, and not ours to judge.
            Some(kept) => self.open(name, &kept).map(|_| ()),
            None => Err(StoreError::NotKept),
        }
    }

    fn remove(&self, _lock: &Lock, name: &EntryName) -> Result<(), StoreError> {
        match Folder::open(&self.folder)? {
            Some(folder) => folder.remove(&file_name(name)),
            None => Ok(()),
        }
    }

    fn prove(&self) -> Result<(), StoreError> {
        self.key_for_new()?;
        Folder::make(&self.folder)?.prove(&*self.random)
    }
}

fn file_name(name: &EntryName) -> String {
    format!("{}{EXTENSION}", file_stem(&name.profile))
}

/// The home is left out: a folder may be moved, and holds one home only.
fn about(name: &EntryName) -> [&str; 2] {
    ["keyfob entry", &name.profile]
}

fn text(bytes: Zeroizing<Vec<u8>>) -> Result<Secret, StoreError> {
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Secret::new(text)),
        Err(_) => Err(StoreError::Damaged { detail: "the entry is no text".to_owned() }),
    }
}

/// Reads a key from a file that only this user can read.
pub fn key_from_file(path: &Path) -> Result<Key, StoreError> {
    let is_unsafe = |why: String| StoreError::KeyFileUnsafe { path: path.to_owned(), why };
    let bytes = durable::read_private(path, LONGEST_KEY_FILE)
        .map_err(|error| is_unsafe(format!("cannot be used: {error}")))?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Key::from_secret_text(&Secret::new(text)),
        Err(_) => Err(is_unsafe("does not hold text".to_owned())),
    }
}
