//! A few bytes that processes count with: read and replaced under a kernel lock that is held for
//! the moment of it.
//!
//! The file is never renamed or deleted, and nothing in it is a secret. It is not made durable:
//! after a power cut no process counts either.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::StoreError;
use super::durable::Folder;
use super::lock::open;
use crate::clock::Clock;

/// No tally is longer, in bytes.
const LONGEST: u64 = 64 << 10;
/// The first pause between two tries; each next is twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);
/// A holder that keeps it longer was stopped by somebody.
const PATIENCE: Duration = Duration::from_secs(3);

/// One such file, open.
#[derive(Debug)]
pub struct Tally {
    file: File,
    path: PathBuf,
}

impl Tally {
    /// Opens it, and makes it and its folder where they are missing.
    pub fn open(folder: &Path, name: &str) -> Result<Self, StoreError> {
        let path = Folder::make(folder)?.path_of(name);
        let file = open(&path).map_err(StoreError::unwritable("open", &path))?;
        Ok(Self { file, path })
    }

    /// Replaces what is in it; `change` is given what is there, nothing at first. Where it fails, nothing is written.
    pub async fn change<T>(
        &self,
        clock: &dyn Clock,
        change: impl FnOnce(&[u8]) -> io::Result<(Vec<u8>, T)>,
    ) -> Result<T, StoreError> {
        let failed = || StoreError::unwritable("write", &self.path);
        self.lock(clock).await.map_err(failed())?;
        let changed = self.exchange(change);
        // Where the system refuses, the lock ends with this process.
        let _ = self.file.unlock();
        changed.map_err(failed())
    }

    /// The same without waiting; `None` where another process is at it, or the system refuses.
    pub fn change_now<T>(
        &self,
        change: impl FnOnce(&[u8]) -> io::Result<(Vec<u8>, T)>,
    ) -> Option<T> {
        self.file.try_lock().ok()?;
        let changed = self.exchange(change);
        // Where the system refuses, the lock ends with this process.
        let _ = self.file.unlock();
        changed.ok()
    }

    async fn lock(&self, clock: &dyn Clock) -> io::Result<()> {
        let (mut waited, mut pause) = (Duration::ZERO, FIRST_PAUSE);
        loop {
            match self.file.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) if waited < PATIENCE => {}
                Err(error) => return Err(error.into()),
            }
            clock.sleep(pause).await;
            waited += pause;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn exchange<T>(&self, change: impl FnOnce(&[u8]) -> io::Result<(Vec<u8>, T)>) -> io::Result<T> {
        let mut file = &self.file;
        let mut found = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.take(LONGEST).read_to_end(&mut found)?;
        let (text, result) = change(&found)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&text)?;
        if text.len() < found.len() {
            file.set_len(text.len() as u64)?;
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    fn now<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(future)
    }

    #[test]
    fn what_one_wrote_the_other_reads_and_shorter_text_leaves_no_rest() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Tally::open(&folder.path().join("t"), "a.json").unwrap();
        for (before, after) in [("", "a long text"), ("a long text", "short"), ("short", "")] {
            let heard = now(open().change(&SystemClock, |found| {
                Ok((after.into(), String::from_utf8(found.to_vec()).unwrap()))
            }));
            assert_eq!(heard.unwrap(), before);
        }
    }

    #[test]
    fn a_change_that_fails_leaves_what_was_there_and_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let tally = Tally::open(folder.path(), "a.json").unwrap();
        now(tally.change(&SystemClock, |_| Ok((b"kept".to_vec(), ())))).unwrap();
        let refused = |_: &[u8]| Err::<(Vec<u8>, ()), _>(io::ErrorKind::InvalidData.into());
        assert!(now(tally.change(&SystemClock, refused)).is_err());
        assert_eq!(std::fs::read(folder.path().join("a.json")).unwrap(), b"kept");
    }

    #[test]
    fn forty_writers_at_once_lose_no_count() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..40 {
                scope.spawn(|| {
                    let tally = Tally::open(folder.path(), "count").unwrap();
                    let more = |found: &[u8]| Ok((vec![b'x'; found.len() + 1], ()));
                    now(tally.change(&SystemClock, more)).unwrap();
                });
            }
        });
        assert_eq!(std::fs::read(folder.path().join("count")).unwrap().len(), 40);
    }

    #[test]
    fn a_holder_that_was_stopped_is_not_waited_for_without_end() {
        struct Hurried;
        impl Clock for Hurried {
            fn now(&self) -> jiff::Timestamp {
                jiff::Timestamp::UNIX_EPOCH
            }
            fn sleep(&self, _: Duration) -> crate::clock::Wait<'_> {
                Box::pin(std::future::ready(()))
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let tally = Tally::open(folder.path(), "count").unwrap();
        let other = open(&folder.path().join("count")).unwrap();
        other.lock().unwrap();
        assert!(now(tally.change(&Hurried, |_| Ok((Vec::new(), ())))).is_err());
    }
}
