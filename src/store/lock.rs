//! One writer a connection: a kernel lock on a file of its own, never renamed and never deleted.
//!
//! The kernel ends it with the last process that holds the descriptor, so there is nothing to
//! expire and nothing to steal. A second file names the holder, for people.

use std::convert::Infallible;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::Clock;

/// Proof that this process may write; ends when it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
    /// Whether another process may hold the same descriptor on purpose.
    is_shared: AtomicBool,
}

impl Drop for Lock {
    /// A child that is just being started holds a copy of every descriptor for a moment; it shall hold up nobody.
    fn drop(&mut self) {
        if !self.is_shared.load(Ordering::Relaxed) {
            let _ = self.file.unlock();
        }
    }
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub process: u32,
    /// Since when.
    pub since: Timestamp,
}

/// Why a lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process held it all the time.
    #[error("another keyfob holds the lock {}", path.display())]
    Held {
        /// The lock file.
        path: PathBuf,
        /// Who, where it could be read.
        holder: Option<Holder>,
        /// How long was waited, in seconds.
        waited: u64,
    },
    /// The file system does not lock.
    #[error("locks do not work at {}: {source}", path.display())]
    Unusable {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The first pause between two tries; each next is twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);
/// After this long the holder is named.
const NAMED_AFTER: Duration = Duration::from_secs(1);

/// What came of waiting for a lock.
#[derive(Debug)]
pub enum Taken<T> {
    /// The lock.
    Lock(Lock),
    /// What the lock was wanted for was done meanwhile.
    Settled(T),
}

impl Lock {
    /// Waits for the lock at `path` for at most `patience`; `waiting` hears once, after a second, who holds it.
    pub async fn take(
        path: &Path,
        patience: Duration,
        clock: &dyn Clock,
        waiting: impl FnMut(Option<&Holder>),
    ) -> Result<Self, LockError> {
        match Self::take_unless(path, patience, clock, waiting, || None::<Infallible>).await? {
            Taken::Lock(lock) => Ok(lock),
            Taken::Settled(never) => match never {},
        }
    }

    /// The same; whoever had to wait asks `settled` first when the lock is free again.
    ///
    /// So a crowd that waits for one result need not take the lock one by one to see that it is there.
    pub async fn take_unless<T>(
        path: &Path,
        patience: Duration,
        clock: &dyn Clock,
        mut waiting: impl FnMut(Option<&Holder>),
        mut settled: impl FnMut() -> Option<T>,
    ) -> Result<Taken<T>, LockError> {
        let mut waited = Duration::ZERO;
        let mut pause = FIRST_PAUSE;
        let mut named = false;
        loop {
            if !waited.is_zero()
                && Self::is_free(path)?
                && let Some(result) = settled()
            {
                return Ok(Taken::Settled(result));
            }
            if let Some(lock) = Self::try_take(path, clock)? {
                return Ok(Taken::Lock(lock));
            }
            if waited >= patience {
                return Err(LockError::Held {
                    path: path.to_owned(),
                    holder: holder(path),
                    waited: waited.as_secs(),
                });
            }
            if waited >= NAMED_AFTER && !named {
                named = true;
                waiting(holder(path).as_ref());
            }
            clock.sleep(pause).await;
            waited += pause;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Tells whether nobody holds the lock at this moment; those who ask do not keep each other out.
    fn is_free(path: &Path) -> Result<bool, LockError> {
        let unusable = |source| LockError::Unusable { path: path.to_owned(), source };
        match open(path).map_err(unusable)?.try_lock_shared() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Takes the lock if nobody holds it.
    pub fn try_take(path: &Path, clock: &dyn Clock) -> Result<Option<Self>, LockError> {
        let unusable = |source| LockError::Unusable { path: path.to_owned(), source };
        let file = open(path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        let proved = prove_exclusive(path);
        // A lock on a file that was removed or replaced meanwhile keeps nobody out: the next look takes the new one.
        if !is_at(&file, path).map_err(unusable)? {
            return Ok(None);
        }
        proved.map_err(unusable)?;
        let lock = Self { file, path: path.to_owned(), is_shared: AtomicBool::new(false) };
        lock.name_holder(std::process::id(), clock.now());
        Ok(Some(lock))
    }

    /// Takes over a lock whose descriptor was inherited locked.
    pub fn inherited(file: File, path: PathBuf) -> Self {
        Self { file, path, is_shared: AtomicBool::new(true) }
    }

    /// A second descriptor of the same lock, for a process that shall hold it too.
    pub fn share(&self) -> io::Result<File> {
        self.is_shared.store(true, Ordering::Relaxed);
        self.file.try_clone()
    }

    /// Ends the lock for every process that shares it; only who has done the work may say so.
    pub fn release(self) {
        // Where the system refuses, the lock ends with the last descriptor.
        let _ = self.file.unlock();
    }

    /// Where the lock file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names the holder for people who wait; the lock does not depend on it.
    pub fn name_holder(&self, process: u32, since: Timestamp) {
        let line = serde_json::to_string(&Holder { process, since }).unwrap_or_default();
        let _ = write_private(&holder_path(&self.path), &line);
    }
}

/// Where locks do nothing, a second descriptor gets one as well: say so rather than trust it.
fn prove_exclusive(path: &Path) -> io::Result<()> {
    match open(path)?.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(source)) => Err(source),
        Ok(()) => Err(io::Error::other("this file system grants one lock to two holders")),
    }
}

/// Tells whether the path still leads to this open file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let ours = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// A file that is open is not removed here.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

pub(super) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // A link in its place would have another file locked, or the holder's name written over it.
        let no_link = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        options.mode(0o600).custom_flags(no_link);
    }
    options.open(path).map_err(|error| match std::fs::symlink_metadata(path) {
        Ok(facts) if facts.is_symlink() => {
            io::Error::new(io::ErrorKind::PermissionDenied, "it is a symbolic link")
        }
        _ => error,
    })
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = open(path)?;
    file.set_len(0)?;
    file.write_all(text.as_bytes())
}

fn holder_path(path: &Path) -> PathBuf {
    path.with_extension("holder")
}

/// Reads who holds the lock at `path`.
pub fn holder(path: &Path) -> Option<Holder> {
    serde_json::from_str(&std::fs::read_to_string(holder_path(path)).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::clock::{SystemClock, Wait};

    #[test] // RF18
    fn a_second_taker_waits_no_longer_than_its_patience_and_names_the_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.lock");
        let first = Lock::try_take(&path, &SystemClock).unwrap().unwrap();
        assert!(Lock::try_take(&path, &SystemClock).unwrap().is_none());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let patience = Duration::from_millis(5);
        let refused = runtime.block_on(Lock::take(&path, patience, &SystemClock, |_| {}));
        let Err(LockError::Held { holder: Some(holder), .. }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(holder.process, std::process::id());
        drop(first);
        // With patience: a child that another test is just starting may hold a copy for a moment.
        let patience = Duration::from_secs(10);
        assert!(runtime.block_on(Lock::take(&path, patience, &SystemClock, |_| {})).is_ok());
    }

    /// A clock whose first pause is the moment at which the holder lets go.
    struct LettingGo(Mutex<Option<Lock>>);

    impl Clock for LettingGo {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        fn sleep(&self, _: Duration) -> Wait<'_> {
            self.0.lock().unwrap().take();
            Box::pin(std::future::ready(()))
        }
    }

    #[test] // RF18
    fn whoever_waited_takes_the_result_where_it_is_there_and_else_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.lock");
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let take = |clock: &LettingGo, settled: &mut dyn FnMut() -> Option<u8>| {
            let patience = Duration::from_secs(60);
            runtime.block_on(Lock::take_unless(&path, patience, clock, |_| {}, settled)).unwrap()
        };
        let nobody = LettingGo(Mutex::new(None));
        let first = take(&nobody, &mut || panic!("asked before anybody waited"));
        let Taken::Lock(first) = first else { panic!("{first:?}") };
        let clock = LettingGo(Mutex::new(Some(first)));
        assert!(matches!(take(&clock, &mut || Some(7)), Taken::Settled(7)));
        let Taken::Lock(second) = take(&nobody, &mut || None) else { panic!("nobody holds it") };
        let clock = LettingGo(Mutex::new(Some(second)));
        assert!(matches!(take(&clock, &mut || None), Taken::Lock(_)));
    }

    #[test] // RF18
    fn those_who_look_whether_the_lock_is_free_keep_nobody_from_looking() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.lock");
        let held = Lock::try_take(&path, &SystemClock).unwrap().unwrap();
        assert!(!Lock::is_free(&path).unwrap());
        drop(held);
        let looking = open(&path).unwrap();
        looking.try_lock_shared().unwrap();
        assert!(Lock::is_free(&path).unwrap());
    }

    #[test] // A22, ST6
    fn the_lock_file_stays_when_the_lock_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.lock");
        drop(Lock::try_take(&path, &SystemClock).unwrap());
        assert!(path.exists());
    }
}
