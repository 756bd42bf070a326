//! What every store must do, run over each of them.

#[cfg(unix)]
mod on_unix;

use std::path::PathBuf;
use std::sync::Arc;

use super::durable::LONGEST_FILE;
use super::file::{FileKey, FileStore};
use super::key::Key;
use super::lock::Lock;
use super::memory::MemoryStore;
use super::size::Spill;
use super::{EntryName, Store, StoreError};
use crate::clock::SystemClock;
use crate::random::SystemRandom;
use crate::secret::Secret;

struct Desk {
    folder: tempfile::TempDir,
    lock: Lock,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lock = Lock::try_take(&folder.path().join("lock"), &SystemClock).unwrap().unwrap();
        Self { folder, lock }
    }

    fn sealed(&self) -> PathBuf {
        self.folder.path().join("sealed")
    }

    fn file_store(&self) -> FileStore {
        self.file_store_with(FileKey::Text(secret_key("one")))
    }

    fn file_store_with(&self, key: FileKey) -> FileStore {
        FileStore::new(self.sealed(), key, Arc::new(SystemRandom))
    }

    fn spill(&self) -> Spill<MemoryStore> {
        let folder = self.folder.path().join("spill");
        Spill::new(MemoryStore::new(), 16, folder, Arc::new(SystemRandom))
    }
}

fn secret_key(mark: &str) -> Secret {
    Secret::new(format!("{mark:0>44}"))
}

fn name(profile: &str) -> EntryName {
    EntryName { profile: profile.to_owned(), home: String::new() }
}

fn each_store(check: impl Fn(&dyn Store, &Lock)) {
    let desk = Desk::new();
    check(&MemoryStore::new(), &desk.lock);
    check(&desk.file_store(), &desk.lock);
    check(&desk.spill(), &desk.lock);
}

#[test]
fn an_entry_is_read_as_it_was_written_until_it_is_removed() {
    each_store(|store, lock| {
        assert_eq!(store.read(&name("shop")).unwrap(), None);
        store.write(lock, &name("shop"), &Secret::new("first")).unwrap();
        assert_eq!(store.read(&name("shop")).unwrap(), Some(Secret::new("first")));
        store.write(lock, &name("shop"), &Secret::new("second, and longer")).unwrap();
        assert_eq!(store.read(&name("shop")).unwrap(), Some(Secret::new("second, and longer")));
        store.write(lock, &name("shop"), &Secret::new("3")).unwrap();
        assert_eq!(store.read(&name("shop")).unwrap(), Some(Secret::new("3")));
        store.remove(lock, &name("shop")).unwrap();
        assert_eq!(store.read(&name("shop")).unwrap(), None);
        store.remove(lock, &name("shop")).unwrap();
    });
}

#[test]
fn two_names_are_two_entries() {
    each_store(|store, lock| {
        let names = ["shop", "shop2", "shop.2", "sho"];
        for profile in names {
            store.write(lock, &name(profile), &Secret::new(profile.repeat(9))).unwrap();
        }
        store.remove(lock, &name("shop2")).unwrap();
        for profile in names {
            let kept = (profile != "shop2").then(|| Secret::new(profile.repeat(9)));
            assert_eq!(store.read(&name(profile)).unwrap(), kept, "{profile}");
        }
        assert_eq!(store.read(&name("never")).unwrap(), None);
    });
}

#[test] // ST4, TS13
fn entries_of_every_size_come_back() {
    each_store(|store, lock| {
        for size in [0, 1, 15, 16, 17, 2_400, 2_401, 2_560, 9_000, 65_536, 65_537, 70_000] {
            let entry = Secret::new("ä".repeat(size / 2) + &"x".repeat(size % 2));
            store.write(lock, &name("shop"), &entry).unwrap();
            assert_eq!(store.read(&name("shop")).unwrap(), Some(entry), "{size}");
        }
    });
}

#[test] // ST3
fn a_store_that_works_proves_it_and_leaves_nothing_behind() {
    each_store(|store, _| store.prove().unwrap());
    let desk = Desk::new();
    desk.file_store().prove().unwrap();
    assert_eq!(std::fs::read_dir(desk.sealed()).unwrap().count(), 0);
}

#[test]
fn an_entry_outlives_the_store_that_wrote_it() {
    let desk = Desk::new();
    desk.file_store().write(&desk.lock, &name("shop"), &Secret::new("kept")).unwrap();
    assert_eq!(desk.file_store().read(&name("shop")).unwrap(), Some(Secret::new("kept")));
}

#[test] // ST12
fn a_put_that_is_refused_changes_nothing() {
    let desk = Desk::new();
    let store = desk.file_store();
    store.write(&desk.lock, &name("shop"), &Secret::new("old")).unwrap();
    // A folder at the place of the temporary file stops the write, even for root.
    let obstacle = desk.sealed().join(".shop.sealed.new");
    std::fs::create_dir(&obstacle).unwrap();
    let refused = store.write(&desk.lock, &name("shop"), &Secret::new("new"));
    assert!(matches!(refused, Err(StoreError::Unwritable { .. })), "{refused:?}");
    assert_eq!(store.read(&name("shop")).unwrap(), Some(Secret::new("old")));
    std::fs::remove_dir(&obstacle).unwrap();
    store.write(&desk.lock, &name("shop"), &Secret::new("new")).unwrap();
}

#[test]
fn an_entry_too_long_to_be_read_again_is_not_written() {
    let desk = Desk::new();
    let store = desk.file_store();
    store.write(&desk.lock, &name("shop"), &Secret::new("old")).unwrap();
    let long = Secret::new("x".repeat(LONGEST_FILE as usize));
    let refused = store.write(&desk.lock, &name("shop"), &long);
    assert!(matches!(refused, Err(StoreError::Unwritable { .. })), "{refused:?}");
    assert_eq!(store.read(&name("shop")).unwrap(), Some(Secret::new("old")));
}

#[test] // ST5, ST10
fn what_a_crash_left_is_cleared_by_the_next_write_or_removal() {
    let desk = Desk::new();
    let store = desk.file_store();
    store.write(&desk.lock, &name("shop"), &Secret::new("old")).unwrap();
    let left = desk.sealed().join(".shop.sealed.new");
    std::fs::write(&left, "half of an entr").unwrap();
    assert_eq!(store.read(&name("shop")).unwrap(), Some(Secret::new("old")));
    store.write(&desk.lock, &name("shop"), &Secret::new("new")).unwrap();
    assert!(!left.exists());
    std::fs::write(&left, "half of an entr").unwrap();
    store.remove(&desk.lock, &name("shop")).unwrap();
    assert_eq!(std::fs::read_dir(desk.sealed()).unwrap().count(), 0);
}

#[test] // ST5, A22
fn two_writers_of_one_entry_at_once_leave_it_whole_each_time() {
    let desk = Desk::new();
    let store = desk.file_store();
    let entries = ["one", "another"].map(|word| Secret::new(word.repeat(20_000)));
    store.write(&desk.lock, &name("shop"), &entries[0]).unwrap();
    std::thread::scope(|scope| {
        for entry in &entries {
            let (store, lock, entries) = (&store, &desk.lock, &entries);
            scope.spawn(move || {
                for _ in 0..20 {
                    store.write(lock, &name("shop"), entry).unwrap();
                    let found = store.read(&name("shop")).unwrap().unwrap();
                    assert!(entries.contains(&found), "{} characters", found.expose().len());
                }
            });
        }
    });
    let left = std::fs::read_dir(desk.sealed()).unwrap();
    let left: Vec<_> = left.map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left, ["shop.sealed"]);
}

#[test] // ST16
fn profiles_written_at_once_are_all_kept() {
    let desk = Desk::new();
    let store = desk.file_store();
    std::thread::scope(|scope| {
        for index in 0..8 {
            let (store, lock) = (&store, &desk.lock);
            scope.spawn(move || {
                for round in 0..5 {
                    let entry = Secret::new(format!("{index} {round}"));
                    store.write(lock, &name(&format!("shop-{index}")), &entry).unwrap();
                }
            });
        }
    });
    for index in 0..8 {
        let kept = store.read(&name(&format!("shop-{index}"))).unwrap();
        assert_eq!(kept, Some(Secret::new(format!("{index} 4"))));
    }
}

#[test]
fn a_reader_without_the_lock_meets_the_old_entry_or_the_new_one() {
    let desk = Desk::new();
    let store = desk.file_store();
    let entries = ["a", "b"].map(|mark| Secret::new(mark.repeat(5_000)));
    store.write(&desk.lock, &name("shop"), &entries[0]).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 0..20 {
                store.write(&desk.lock, &name("shop"), &entries[round % 2]).unwrap();
            }
        });
        while !writer.is_finished() {
            let met = store.read(&name("shop")).unwrap().unwrap();
            assert!(entries.contains(&met));
        }
    });
}

#[test] // ST3, ST12
fn a_file_in_the_place_of_the_folder_fails_the_proof_and_the_put() {
    let desk = Desk::new();
    std::fs::write(desk.sealed(), "in the way").unwrap();
    let below = FileStore::new(
        desk.sealed().join("deeper"),
        FileKey::Text(secret_key("one")),
        Arc::new(SystemRandom),
    );
    let spill =
        Spill::new(MemoryStore::new(), 3, desk.sealed().join("deeper"), Arc::new(SystemRandom));
    for store in [&desk.file_store() as &dyn Store, &below, &spill] {
        let refused = store.prove();
        assert!(matches!(refused, Err(StoreError::Unwritable { .. })), "{refused:?}");
        let refused = store.write(&desk.lock, &name("shop"), &Secret::new("entry"));
        assert!(matches!(refused, Err(StoreError::Unwritable { .. })), "{refused:?}");
    }
    assert_eq!(std::fs::read_to_string(desk.sealed()).unwrap(), "in the way");
}

fn is_wrong_key<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::WrongKey { .. })), "{result:?}");
}

#[test] // ST11
fn a_wrong_key_neither_opens_an_entry_nor_writes_over_it() {
    let desk = Desk::new();
    desk.file_store().write(&desk.lock, &name("shop"), &Secret::new("mine")).unwrap();
    let others = [
        FileKey::Text(secret_key("two")),
        FileKey::Passphrase(Secret::new("open sesame")),
        FileKey::Derived(Key::random(&SystemRandom)),
    ];
    for key in others {
        let other = desk.file_store_with(key);
        is_wrong_key(other.read(&name("shop")));
        is_wrong_key(other.write(&desk.lock, &name("shop"), &Secret::new("theirs")));
    }
    assert_eq!(desk.file_store().read(&name("shop")).unwrap(), Some(Secret::new("mine")));
}

#[test] // ST11
fn an_entry_cut_anywhere_or_of_a_newer_version_is_said_so_and_stays() {
    let desk = Desk::new();
    let store = desk.file_store();
    store.write(&desk.lock, &name("shop"), &Secret::new("an entry of some length")).unwrap();
    let path = desk.sealed().join("shop.sealed");
    let whole = std::fs::read(&path).unwrap();
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        let read = store.read(&name("shop"));
        assert!(matches!(read, Err(StoreError::Damaged { .. })), "{length}: {read:?}");
    }
    store.write(&desk.lock, &name("shop"), &Secret::new("over it")).unwrap_err();
    let mut newer = whole.clone();
    newer[4] = 9;
    std::fs::write(&path, &newer).unwrap();
    assert!(matches!(store.read(&name("shop")), Err(StoreError::Newer { version: 9 })));
    store.write(&desk.lock, &name("shop"), &Secret::new("over it")).unwrap_err();
    assert_eq!(std::fs::read(&path).unwrap(), newer);
    store.remove(&desk.lock, &name("shop")).unwrap();
    assert_eq!(store.read(&name("shop")).unwrap(), None);
}

#[test]
fn a_sealed_file_under_another_name_does_not_open() {
    let desk = Desk::new();
    let store = desk.file_store();
    store.write(&desk.lock, &name("shop"), &Secret::new("mine")).unwrap();
    let path = desk.sealed().join("shop.sealed");
    std::fs::copy(&path, path.with_file_name("other.sealed")).unwrap();
    assert!(matches!(store.read(&name("other")), Err(StoreError::Damaged { .. })));
}

#[test]
fn without_a_key_nothing_is_written_and_an_absent_entry_is_absent() {
    let desk = Desk::new();
    let store = desk.file_store_with(FileKey::None);
    assert_eq!(store.read(&name("shop")).unwrap(), None);
    assert!(matches!(store.prove(), Err(StoreError::KeyMissing)));
    let refused = store.write(&desk.lock, &name("shop"), &Secret::new("entry"));
    assert!(matches!(refused, Err(StoreError::KeyMissing)), "{refused:?}");
    desk.file_store().write(&desk.lock, &name("shop"), &Secret::new("entry")).unwrap();
    assert!(matches!(store.read(&name("shop")), Err(StoreError::KeyNotGiven { .. })));
}

#[test]
fn a_passphrase_opens_again_and_a_worker_keeps_it_valid() {
    let desk = Desk::new();
    let typed = || FileKey::Passphrase(Secret::new("correct horse"));
    let store = desk.file_store_with(typed());
    let key = store.worker_key(&name("shop")).unwrap();
    store.write(&desk.lock, &name("shop"), &Secret::new("typed")).unwrap();
    assert_eq!(store.worker_key(&name("shop")).unwrap(), key);

    let worker = desk.file_store_with(FileKey::Derived(Key::decode(&key).unwrap()));
    assert_eq!(worker.read(&name("shop")).unwrap(), Some(Secret::new("typed")));
    worker.write(&desk.lock, &name("shop"), &Secret::new("rolled")).unwrap();

    let later = desk.file_store_with(typed());
    assert_eq!(later.read(&name("shop")).unwrap(), Some(Secret::new("rolled")));
    let slipped = desk.file_store_with(FileKey::Passphrase(Secret::new("corect horse")));
    is_wrong_key(slipped.read(&name("shop")));
    let slipped = desk.file_store_with(FileKey::Passphrase(Secret::new("corect horse")));
    is_wrong_key(slipped.write(&desk.lock, &name("second"), &Secret::new("entry")));
    is_wrong_key(desk.file_store_with(FileKey::Text(secret_key("one"))).read(&name("shop")));
}
