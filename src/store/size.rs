//! Entries too large for a keychain: the text lies in a sealed file, its key in the keychain.
//!
//! Each large entry has a key and a file of its own. The keychain's entry names both, so what it
//! says and what the file holds are of one generation, whatever was interrupted.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::durable::Folder;
use super::file_name::file_stem;
use super::key::Key;
use super::lock::Lock;
use super::{EntryName, Store, StoreError, StoreKind, seal};
use crate::random::Random;
use crate::secret::Secret;

/// The largest entry the platform's keychain is given, in bytes: Windows ends at 2,560.
pub const KEYCHAIN_LIMIT: usize = if cfg!(windows) { 2_400 } else { 65_536 };

/// How every pointer to a file begins.
const POINTER: &str = "{\"keyfob_spill\":";
/// How often a reader follows a pointer that a writer has just replaced.
const TRIES: usize = 4;

/// Wraps a store, and keeps what is too large for it in sealed files.
pub struct Spill<S> {
    inner: S,
    limit: usize,
    folder: PathBuf,
    random: Arc<dyn Random>,
}

/// What the inner store holds in the place of a large entry.
#[derive(Serialize, Deserialize)]
struct Pointer {
    keyfob_spill: u64,
    #[serde(with = "crate::secret::stored")]
    key: Secret,
    file: String,
}

impl<S: Store> Spill<S> {
    /// Wraps a store whose entries may have at most `limit` bytes; files go to `folder`.
    pub fn new(inner: S, limit: usize, folder: PathBuf, random: Arc<dyn Random>) -> Self {
        Self { inner, limit, folder, random }
    }

    /// The store inside.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    fn is_too_large(&self, entry: &Secret) -> bool {
        entry.expose().len() > self.limit || is_pointer(entry)
    }

    /// Puts a large entry into a new file, and gives what the inner store shall hold.
    fn spill(&self, name: &EntryName, entry: &Secret) -> Result<(Secret, String), StoreError> {
        let folder = Folder::make(&self.folder)?;
        let file = self.new_file_name(name);
        let key = Key::random(&*self.random);
        let sealed =
            seal::seal(&key, &*self.random, &about(name, &file), entry.expose().as_bytes());
        folder.replace(&file, &sealed)?;
        let pointer = Pointer { keyfob_spill: 1, key: key.encode(), file: file.clone() };
        let text = Secret::json(&pointer)
            .map_err(|error| StoreError::Damaged { detail: error.to_string() })?;
        Ok((text, file))
    }

    fn new_file_name(&self, name: &EntryName) -> String {
        let mut mark = [0; 8];
        self.random.fill(&mut mark);
        format!("{}.{:016x}.spill", file_stem(&name.in_keychain()), u64::from_le_bytes(mark))
    }

    /// Follows a pointer; `None` where its file is gone.
    fn follow(&self, name: &EntryName, pointer: &Secret) -> Result<Option<Secret>, StoreError> {
        let damaged = |detail: &str| StoreError::Damaged { detail: detail.to_owned() };
        let pointer: Pointer = serde_json::from_str(pointer.expose())
            .map_err(|_| damaged("it names no file that can be read"))?;
        if pointer.keyfob_spill > 1 {
            return Err(StoreError::Newer { version: pointer.keyfob_spill });
        }
        if !is_file_of(name, &pointer.file) {
            return Err(damaged("it names a file that is not its own"));
        }
        let Some(folder) = Folder::open(&self.folder)? else {
            return Ok(None);
        };
        let Some(sealed) = folder.read(&pointer.file)? else {
            return Ok(None);
        };
        let key = Key::decode(&pointer.key)?;
        let text = seal::open(&key, &about(name, &pointer.file), &sealed)
            .map_err(|error| error.at(&folder.path_of(&pointer.file)))?;
        let text = std::str::from_utf8(&text).map_err(|_| damaged("the entry is no text"))?;
        Ok(Some(Secret::new(text)))
    }

    /// Deletes the files of this entry but the one that is in use.
    fn sweep(&self, name: &EntryName, in_use: Option<&str>) -> Result<(), StoreError> {
        let Some(folder) = Folder::open(&self.folder)? else {
            return Ok(());
        };
        for file in folder.names()? {
            // A temporary file that a crash left goes with the name it was meant for.
            let file = match file.strip_prefix('.').and_then(|file| file.strip_suffix(".new")) {
                Some(meant) => meant.to_owned(),
                None => file,
            };
            if is_file_of(name, &file) && Some(file.as_str()) != in_use {
                folder.remove(&file)?;
            }
        }
        Ok(())
    }

    /// Deletes the new file of a write that failed, if the inner store surely does not name it.
    fn take_back(&self, name: &EntryName, file: Option<&str>) {
        let (Some(file), Ok(kept)) = (file, self.inner.read(name)) else {
            return;
        };
        if !kept.is_some_and(|kept| kept.expose().contains(file))
            && let Ok(Some(folder)) = Folder::open(&self.folder)
        {
            // It is sealed under a key that nobody has; the next write sweeps again.
            let _ = folder.remove(file);
        }
    }
}

impl<S: Store> Store for Spill<S> {
    fn kind(&self) -> StoreKind {
        self.inner.kind()
    }

    /// A file may go between the look at the pointer and the look at the file: look again then.
    fn read(&self, name: &EntryName) -> Result<Option<Secret>, StoreError> {
        for _ in 0..TRIES {
            let Some(entry) = self.inner.read(name)? else {
                return Ok(None);
            };
            if !is_pointer(&entry) {
                return Ok(Some(entry));
            }
            if let Some(text) = self.follow(name, &entry)? {
                return Ok(Some(text));
            }
        }
        let folder = self.folder.display();
        Err(StoreError::Damaged { detail: format!("its file in {folder} is missing") })
    }

    fn write(&self, lock: &Lock, name: &EntryName, entry: &Secret) -> Result<(), StoreError> {
        let (kept, file) = match self.is_too_large(entry) {
            true => self.spill(name, entry).map(|(pointer, file)| (pointer, Some(file)))?,
            false => (entry.clone(), None),
        };
        self.inner
            .write(lock, name, &kept)
            .inspect_err(|_| self.take_back(name, file.as_deref()))?;
        match self.read(name)? {
            Some(read) if read == *entry => {}
            _ => return Err(StoreError::NotKept),
        }
        // The entry is safe now. An old file that stays is found by the next sweep.
        let _ = self.sweep(name, file.as_deref());
        Ok(())
    }

    fn remove(&self, lock: &Lock, name: &EntryName) -> Result<(), StoreError> {
        self.inner.remove(lock, name)?;
        self.sweep(name, None)
    }

    fn prove(&self) -> Result<(), StoreError> {
        self.inner.prove()?;
        Folder::make(&self.folder)?.prove(&*self.random)
    }
}

fn is_pointer(entry: &Secret) -> bool {
    entry.expose().starts_with(POINTER)
}

fn about<'a>(name: &'a EntryName, file: &'a str) -> [&'a str; 4] {
    ["keyfob spill", &name.profile, &name.home, file]
}

/// The names of an entry's files end in sixteen hexadecimal digits, so those of `a.b` are not of `a`.
fn is_file_of(name: &EntryName, file: &str) -> bool {
    file.strip_prefix(&file_stem(&name.in_keychain()))
        .and_then(|rest| rest.strip_prefix('.'))
        .and_then(|rest| rest.strip_suffix(".spill"))
        .is_some_and(|mark| mark.len() == 16 && mark.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::random::SystemRandom;
    use crate::store::memory::MemoryStore;

    struct Desk {
        folder: tempfile::TempDir,
        memory: MemoryStore,
        lock: Lock,
    }

    impl Desk {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let lock = Lock::try_take(&folder.path().join("lock"), &SystemClock).unwrap().unwrap();
            Self { folder, memory: MemoryStore::new(), lock }
        }

        fn spill(&self) -> Spill<MemoryStore> {
            self.over(self.memory.clone())
        }

        fn over<S: Store>(&self, inner: S) -> Spill<S> {
            Spill::new(inner, 40, self.folder.path().join("spill"), Arc::new(SystemRandom))
        }

        fn files(&self) -> Vec<String> {
            match Folder::open(&self.folder.path().join("spill")).unwrap() {
                Some(folder) => folder.names().unwrap(),
                None => Vec::new(),
            }
        }
    }

    fn name(profile: &str) -> EntryName {
        EntryName { profile: profile.to_owned(), home: String::new() }
    }

    fn large(mark: char) -> Secret {
        Secret::new(mark.to_string().repeat(9_000))
    }

    #[test] // TS12, RF4
    fn what_the_largest_answer_becomes_lies_in_a_file_of_its_own() {
        let desk = Desk::new();
        let store = desk.spill();
        // The largest answer of a token endpoint, with its numbers written out.
        let entry = Secret::new("x".repeat(5 << 20));
        store.write(&desk.lock, &name("shop"), &entry).unwrap();
        assert_eq!(store.read(&name("shop")).unwrap(), Some(entry));
    }

    #[test] // ST4
    fn a_large_entry_lies_in_one_sealed_file_and_leaves_none_when_it_shrinks() {
        let desk = Desk::new();
        let store = desk.spill();
        for mark in ['a', 'b', 'c'] {
            store.write(&desk.lock, &name("shop"), &large(mark)).unwrap();
            assert_eq!(store.read(&name("shop")).unwrap(), Some(large(mark)));
            assert_eq!(desk.files().len(), 1);
            assert!(desk.memory.read(&name("shop")).unwrap().unwrap().expose().len() < 300);
        }
        store.write(&desk.lock, &name("shop"), &Secret::new("small")).unwrap();
        assert_eq!(desk.files(), [""; 0]);
        assert_eq!(store.read(&name("shop")).unwrap(), Some(Secret::new("small")));
    }

    #[test]
    fn the_files_of_a_namesake_stay() {
        let desk = Desk::new();
        let store = desk.spill();
        let namesake = name("shop.0123456789abcdef");
        store.write(&desk.lock, &namesake, &large('n')).unwrap();
        store.write(&desk.lock, &name("shop"), &large('s')).unwrap();
        store.remove(&desk.lock, &name("shop")).unwrap();
        assert_eq!(store.read(&namesake).unwrap(), Some(large('n')));
    }

    #[test]
    fn an_entry_that_looks_like_a_pointer_is_kept_as_it_is() {
        let desk = Desk::new();
        let store = desk.spill();
        let entry = Secret::new("{\"keyfob_spill\":1}");
        store.write(&desk.lock, &name("shop"), &entry).unwrap();
        assert_eq!(store.read(&name("shop")).unwrap(), Some(entry));
    }

    #[test]
    fn a_file_that_is_missing_or_changed_is_damage_and_not_an_absent_entry() {
        let desk = Desk::new();
        let store = desk.spill();
        store.write(&desk.lock, &name("shop"), &large('a')).unwrap();
        let file = desk.folder.path().join("spill").join(&desk.files()[0]);
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() - 1]).unwrap();
        assert!(matches!(store.read(&name("shop")), Err(StoreError::Damaged { .. })));
        std::fs::remove_file(&file).unwrap();
        assert!(matches!(store.read(&name("shop")), Err(StoreError::Damaged { .. })));
    }

    /// Gives these entries, one a read: what a reader meets while another process writes.
    struct Moving(std::sync::Mutex<Vec<Secret>>);

    impl Store for Moving {
        fn kind(&self) -> StoreKind {
            StoreKind::Keychain
        }
        fn read(&self, _: &EntryName) -> Result<Option<Secret>, StoreError> {
            Ok(self.0.lock().unwrap().pop())
        }
        fn write(&self, _: &Lock, _: &EntryName, _: &Secret) -> Result<(), StoreError> {
            Err(StoreError::KeychainLocked)
        }
        fn remove(&self, _: &Lock, _: &EntryName) -> Result<(), StoreError> {
            Err(StoreError::KeychainLocked)
        }
        fn prove(&self) -> Result<(), StoreError> {
            Err(StoreError::KeychainLocked)
        }
    }

    #[test]
    fn a_reader_whose_file_is_replaced_under_it_follows_the_new_pointer() {
        let desk = Desk::new();
        let store = desk.spill();
        let pointer = |mark| {
            store.write(&desk.lock, &name("shop"), &large(mark)).unwrap();
            desk.memory.read(&name("shop")).unwrap().unwrap()
        };
        let (old, new) = (pointer('a'), pointer('b'));
        let reader = desk.over(Moving(std::sync::Mutex::new(vec![new, old])));
        assert_eq!(reader.read(&name("shop")).unwrap(), Some(large('b')));
    }

    /// Refuses every write, having stored the entry or not.
    struct Refusing {
        memory: MemoryStore,
        stores_first: bool,
    }

    impl Store for Refusing {
        fn kind(&self) -> StoreKind {
            StoreKind::Keychain
        }
        fn read(&self, name: &EntryName) -> Result<Option<Secret>, StoreError> {
            self.memory.read(name)
        }
        fn write(&self, lock: &Lock, name: &EntryName, entry: &Secret) -> Result<(), StoreError> {
            if self.stores_first {
                self.memory.write(lock, name, entry)?;
            }
            Err(StoreError::KeychainSilent { seconds: 2 })
        }
        fn remove(&self, lock: &Lock, name: &EntryName) -> Result<(), StoreError> {
            self.memory.remove(lock, name)
        }
        fn prove(&self) -> Result<(), StoreError> {
            Ok(())
        }
    }

    #[test] // RF4
    fn a_refused_write_leaves_the_old_entry_whole_and_no_file_of_the_new_one() {
        let desk = Desk::new();
        desk.spill().write(&desk.lock, &name("shop"), &large('a')).unwrap();
        let store = desk.over(Refusing { memory: desk.memory.clone(), stores_first: false });
        let refused = store.write(&desk.lock, &name("shop"), &large('b'));
        assert!(matches!(refused, Err(StoreError::KeychainSilent { .. })));
        assert_eq!(store.read(&name("shop")).unwrap(), Some(large('a')));
        assert_eq!(desk.files().len(), 1);
    }

    #[test] // RF4
    fn a_write_that_took_place_after_all_keeps_its_file() {
        let desk = Desk::new();
        desk.spill().write(&desk.lock, &name("shop"), &large('a')).unwrap();
        let store = desk.over(Refusing { memory: desk.memory.clone(), stores_first: true });
        store.write(&desk.lock, &name("shop"), &large('b')).unwrap_err();
        assert_eq!(store.read(&name("shop")).unwrap(), Some(large('b')));
    }
}
