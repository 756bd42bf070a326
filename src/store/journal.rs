//! The refresh journal: the provider's answer, on the disk before anybody looks at it.
//!
//! The file is made at its full size before the old token is spent, so that writing the answer
//! asks the disk for nothing new: no name, no block. One file a profile and generation.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::StoreError;
use super::durable::{Folder, refuse_too_long};
use super::file_name::file_stem;
use super::key::Key;
use super::seal;
use crate::random::Random;

/// Room for an answer, in bytes; a longer one is written too, but needs the disk to have room.
pub const ROOM: usize = 64 * 1024;

/// A journal that was made, and waits for its answer.
#[derive(Debug)]
pub struct Journal {
    file: File,
    folder: Folder,
    name: String,
    profile: String,
    generation: u64,
}

impl Drop for Journal {
    /// It is free at once, whoever else may hold a copy of its descriptor for a moment.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// What a journal held.
#[derive(Debug, PartialEq, Eq)]
pub enum Recovered {
    /// There is none.
    Absent,
    /// It was made, and no answer was written.
    Empty,
    /// What was written does not open: it was cut off, or another key sealed it.
    Torn,
    /// The whole answer, byte by byte.
    Answer(Zeroizing<Vec<u8>>),
}

impl Journal {
    /// Takes the file for this process alone, as it is; `None` while another process writes it.
    ///
    /// One generation has one writer, also where the lock file was taken away from under its holder.
    pub fn claim(
        folder: &Path,
        profile: &str,
        generation: u64,
    ) -> Result<Option<Claimed>, StoreError> {
        let folder = Folder::make(folder)?;
        let name = file_name(profile, generation);
        let file = folder.claim(&name)?;
        let profile = profile.to_owned();
        Ok(file.map(|file| Claimed(Self { file, folder, name, profile, generation })))
    }

    /// Seals an answer into the file, durable when it returns; a second one takes the first one's place.
    pub fn record(
        &mut self,
        key: &Key,
        random: &dyn Random,
        answer: &[u8],
    ) -> Result<(), StoreError> {
        let generation = self.generation.to_string();
        let sealed = seal::seal(key, random, &about(&self.profile, &generation), answer);
        refuse_too_long(&sealed)
            .and_then(|()| self.file.rewind())
            .and_then(|()| self.file.write_all(&sealed))
            .and_then(|()| self.file.sync_all())
            .map_err(StoreError::unwritable("write", self.path()))
    }

    /// Reads what the journal of this profile and generation holds.
    pub fn recover(
        folder: &Path,
        profile: &str,
        generation: u64,
        key: &Key,
    ) -> Result<Recovered, StoreError> {
        let Some(folder) = Folder::open(folder)? else {
            return Ok(Recovered::Absent);
        };
        let name = file_name(profile, generation);
        let Some(bytes) = folder.read(&name)? else {
            return Ok(Recovered::Absent);
        };
        let generation = generation.to_string();
        read(&bytes, key, &about(profile, &generation))
            .map_err(|newer| newer.at(&folder.path_of(&name)))
    }

    /// Where the file is.
    pub fn path(&self) -> PathBuf {
        self.folder.path_of(&self.name)
    }

    /// Removes the file: its answer is in the store.
    pub fn discard(self) -> Result<(), StoreError> {
        self.folder.remove(&self.name)
    }

    /// Removes every journal of a profile, whatever its generation.
    pub fn discard_all(folder: &Path, profile: &str) -> Result<(), StoreError> {
        let Some(folder) = Folder::open(folder)? else {
            return Ok(());
        };
        for name in folder.names()? {
            if generation_in(&name, profile).is_some() {
                folder.remove(&name)?;
            }
        }
        Ok(())
    }
}

/// A journal that is this process's, and holds what it held: another writer's answer may be all there is.
#[derive(Debug)]
pub struct Claimed(Journal);

impl Claimed {
    /// Reads what an earlier writer left in it.
    pub fn held(&mut self, key: &Key) -> Result<Recovered, StoreError> {
        let Journal { file, folder, name, profile, generation } = &mut self.0;
        let bytes = folder.read_claimed(name, file)?;
        let generation = generation.to_string();
        read(&bytes, key, &about(profile, &generation))
            .map_err(|newer| newer.at(&folder.path_of(name)))
    }

    /// Makes it empty and of its full size, durable when it returns; what it held is gone.
    pub fn fill(self) -> Result<Journal, StoreError> {
        let Self(mut journal) = self;
        // Real zeros: a hole would take its blocks only when the answer is written.
        journal.folder.fill(&journal.name, &mut journal.file, &vec![0; ROOM])?;
        Ok(journal)
    }
}

/// What these bytes are; an error where a newer keyfob wrote them.
fn read(bytes: &[u8], key: &Key, about: &[&str]) -> Result<Recovered, seal::SealError> {
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(Recovered::Empty);
    }
    let opened = seal::extent(bytes)
        .map(|extent| bytes.get(..extent).unwrap_or(bytes))
        .and_then(|sealed| seal::open(key, about, sealed));
    match opened {
        Ok(answer) => Ok(Recovered::Answer(answer)),
        Err(newer @ seal::SealError::Newer(_)) => Err(newer),
        Err(_) => Ok(Recovered::Torn),
    }
}

fn file_name(profile: &str, generation: u64) -> String {
    format!("{}.{generation}.journal", file_stem(profile))
}

/// The generation in the name of a journal of this profile; a profile `a.1` has other names than `a`.
fn generation_in(name: &str, profile: &str) -> Option<u64> {
    let rest = name.strip_prefix(&file_stem(profile))?.strip_prefix('.')?;
    rest.strip_suffix(".journal")?.parse().ok()
}

fn about<'a>(profile: &'a str, generation: &'a str) -> [&'a str; 3] {
    ["keyfob journal", profile, generation]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    struct Desk {
        folder: tempfile::TempDir,
        key: Key,
    }

    impl Desk {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().unwrap(), key: Key::random(&SystemRandom) }
        }

        fn journals(&self) -> PathBuf {
            self.folder.path().join("journal")
        }

        fn create(&self, generation: u64) -> Journal {
            self.claim(generation).unwrap().fill().unwrap()
        }

        fn claim(&self, generation: u64) -> Option<Claimed> {
            Journal::claim(&self.journals(), "shop", generation).unwrap()
        }

        fn recover(&self, generation: u64) -> Recovered {
            Journal::recover(&self.journals(), "shop", generation, &self.key).unwrap()
        }
    }

    fn answer(text: &[u8]) -> Recovered {
        Recovered::Answer(Zeroizing::new(text.to_vec()))
    }

    #[test] // RF4
    fn an_answer_that_was_recorded_is_found_again_by_another_process() {
        let desk = Desk::new();
        assert_eq!(desk.recover(7), Recovered::Absent);
        let mut journal = desk.create(7);
        assert_eq!(desk.recover(7), Recovered::Empty);
        journal.record(&desk.key, &SystemRandom, b"{\"access_token\":\"mark\"}").unwrap();
        assert_eq!(desk.recover(7), answer(b"{\"access_token\":\"mark\"}"));
        let bytes = std::fs::read(journal.path()).unwrap();
        assert!(!bytes.windows(4).any(|window| window == b"mark"));
        journal.discard().unwrap();
        assert_eq!(desk.recover(7), Recovered::Absent);
    }

    #[test]
    fn recording_makes_no_new_file_and_takes_no_new_room() {
        let desk = Desk::new();
        let mut journal = desk.create(1);
        let before = std::fs::metadata(journal.path()).unwrap();
        journal.record(&desk.key, &SystemRandom, &[b'x'; 20_000]).unwrap();
        let after = std::fs::metadata(journal.path()).unwrap();
        assert_eq!((after.len(), before.len()), (ROOM as u64, ROOM as u64));
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            assert_eq!(before.ino(), after.ino());
            assert!(before.blocks() * 512 >= ROOM as u64, "the file has holes");
            assert_eq!(before.mode() & 0o777, 0o600);
        }
    }

    #[test] // A22, RF18
    fn one_generation_has_one_writer_until_he_ends() {
        let desk = Desk::new();
        let mut first = desk.create(1);
        assert!(desk.claim(1).is_none());
        first.record(&desk.key, &SystemRandom, b"first").unwrap();
        assert!(desk.claim(1).is_none());
        assert_eq!(desk.recover(1), answer(b"first"), "the second one touched nothing");
        drop(first);
        let second = desk.claim(1).unwrap();
        second.fill().unwrap();
        assert_eq!(desk.recover(1), Recovered::Empty);
    }

    #[test] // A22, RF4
    fn a_second_writer_takes_the_journal_as_it_is_and_leaves_it_so() {
        let desk = Desk::new();
        desk.create(1).record(&desk.key, &SystemRandom, b"all there is").unwrap();
        let mut second = desk.claim(1).unwrap();
        assert_eq!(second.held(&desk.key).unwrap(), answer(b"all there is"));
        drop(second);
        assert_eq!(desk.recover(1), answer(b"all there is"));
        let mut third = desk.claim(1).unwrap();
        third.held(&desk.key).unwrap();
        let mut third = third.fill().unwrap();
        assert_eq!(std::fs::metadata(third.path()).unwrap().len(), ROOM as u64);
        third.record(&desk.key, &SystemRandom, b"another").unwrap();
        assert_eq!(desk.recover(1), answer(b"another"));
    }

    #[test]
    fn a_shorter_second_answer_hides_the_first() {
        let desk = Desk::new();
        let mut journal = desk.create(1);
        journal.record(&desk.key, &SystemRandom, &[b'x'; 3000]).unwrap();
        journal.record(&desk.key, &SystemRandom, b"short").unwrap();
        assert_eq!(desk.recover(1), answer(b"short"));
    }

    #[test]
    fn an_answer_larger_than_the_room_is_kept_all_the_same() {
        let desk = Desk::new();
        let large = vec![b'y'; ROOM + 10_000];
        desk.create(1).record(&desk.key, &SystemRandom, &large).unwrap();
        assert_eq!(desk.recover(1), answer(&large));
    }

    #[test]
    fn an_answer_cut_anywhere_is_torn() {
        let desk = Desk::new();
        let mut journal = desk.create(1);
        journal.record(&desk.key, &SystemRandom, b"whole").unwrap();
        let path = journal.path();
        let whole = std::fs::read(&path).unwrap();
        let sealed = seal::overhead(&desk.key) + b"whole".len();
        for kept in 1..sealed {
            let mut torn = vec![0; ROOM];
            torn[..kept].copy_from_slice(&whole[..kept]);
            // A byte of the tag that is zero by chance tears nothing.
            if torn != whole {
                std::fs::write(&path, torn).unwrap();
                assert_eq!(desk.recover(1), Recovered::Torn, "{kept} bytes");
            }
        }
    }

    #[test]
    fn a_journal_of_another_generation_or_key_gives_no_answer() {
        let desk = Desk::new();
        let mut journal = desk.create(1);
        journal.record(&desk.key, &SystemRandom, b"first").unwrap();
        let path = journal.path();
        std::fs::rename(&path, path.with_file_name("shop.2.journal")).unwrap();
        assert_eq!(desk.recover(2), Recovered::Torn);
        assert_eq!(desk.recover(1), Recovered::Absent);
    }

    #[test] // ST10
    fn every_journal_of_a_profile_goes_and_those_of_its_namesakes_stay() {
        let desk = Desk::new();
        desk.create(1);
        desk.create(2);
        Journal::claim(&desk.journals(), "shop.1", 5).unwrap();
        Journal::discard_all(&desk.journals(), "shop").unwrap();
        let left = Folder::open(&desk.journals()).unwrap().unwrap().names().unwrap();
        assert_eq!(left, ["shop.1.5.journal"]);
    }

    #[test] // ST12
    fn a_journal_that_cannot_be_made_says_so_before_anything_is_spent() {
        let desk = Desk::new();
        std::fs::write(desk.journals(), "a file in the folder's place").unwrap();
        let refused = Journal::claim(&desk.journals(), "shop", 1);
        assert!(matches!(refused, Err(StoreError::Unwritable { .. })), "{refused:?}");
    }
}
