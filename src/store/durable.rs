//! The one place that puts a file on the disk so that it is there after a power cut.
//!
//! A folder is opened once and checked: it is a real folder of this user that nobody else may
//! write to. Everything in it is then reached from that open folder and never through a link.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as system;

#[cfg(not(unix))]
mod portable;
#[cfg(not(unix))]
use portable as system;

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::StoreError;
use crate::random::{Random, token_256};

/// No file of ours is longer, in bytes.
///
/// The longest answer that is taken of a token endpoint has one MiB, and a received token is never
/// lost: in an entry its numbers may be written out four times as long, beside a refresh token of
/// an earlier answer, and a sealed copy of that is longer by half.
pub const LONGEST_FILE: u64 = 16 << 20;

/// Why a file or folder is refused that somebody else could change.
pub const OTHERS_MAY_WRITE: &str = "others may write to it";

/// A folder that was checked and is held open.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    handle: system::Handle,
}

impl Folder {
    /// Opens a folder; `None` where there is none.
    pub fn open(path: &Path) -> Result<Option<Self>, StoreError> {
        match system::Handle::open(path) {
            Ok(handle) => Ok(Some(Self { path: path.to_owned(), handle })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::unwritable("open", path)(error)),
        }
    }

    /// Opens a folder, and makes it and those above it where they are missing, for this user alone.
    pub fn make(path: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = Self::open(path)? {
            return Ok(folder);
        }
        system::make_folder(path).map_err(StoreError::unwritable("make", path))?;
        let handle = system::Handle::open(path).map_err(StoreError::unwritable("open", path))?;
        Ok(Self { path: path.to_owned(), handle })
    }

    /// Where a file of this folder is.
    pub fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Reads a whole file; `None` where there is none.
    pub fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let path = self.path_of(name);
        let file = match self.handle.open_file(name) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::unwritable("read", path)(error)),
        };
        read_bounded(&file, LONGEST_FILE).map(Some).map_err(StoreError::unwritable("read", path))
    }

    /// Replaces a file whole: after any interruption it holds the old bytes or the new ones.
    ///
    /// The temporary names are the same each time, so that nothing piles up after crashes. Two who
    /// write at once (the lock file was taken away, or there is none for this file) take two names:
    /// no file that is half written gets into place.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let failed = || StoreError::unwritable("write", self.path_of(name));
        refuse_too_long(bytes).map_err(failed())?;
        self.handle.refuse_odd_file(name).map_err(failed())?;
        let (temporary, mut file) = self.temporary(name).map_err(failed())?;
        overwrite(&mut file, bytes)
            .and_then(|()| self.handle.rename(&temporary, name))
            .inspect_err(|_| {
                // What is left is sealed, and the next write clears it again.
                let _ = self.handle.remove(&temporary);
            })
            .map_err(failed())?;
        drop(file);
        self.handle.sync().map_err(failed())
    }

    /// A new file beside `name` that no other process writes.
    fn temporary(&self, name: &str) -> io::Result<(String, File)> {
        for temporary in temporary_names(name) {
            self.clear_left(&temporary)?;
            let file = match self.handle.create_new(&temporary) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            };
            // Where nothing can be locked, the new name alone keeps others out.
            let is_ours = !matches!(file.try_lock(), Err(TryLockError::WouldBlock));
            if is_ours && self.handle.is_at(&file, &temporary)? {
                return Ok((temporary, file));
            }
        }
        Err(io::Error::new(io::ErrorKind::WouldBlock, "other processes are writing it"))
    }

    /// Removes what a crash left at a temporary name; what another process is writing stays.
    fn clear_left(&self, temporary: &str) -> io::Result<()> {
        let Ok(left) = self.handle.open_file(temporary) else {
            return self.clear(temporary);
        };
        let is_left = !matches!(left.try_lock(), Err(TryLockError::WouldBlock));
        match is_left && self.handle.is_at(&left, temporary)? {
            true => self.clear(temporary),
            false => Ok(()),
        }
    }

    /// Makes a new file in the place of any that was there, durable with its bytes.
    pub fn create(&self, name: &str, bytes: &[u8]) -> Result<File, StoreError> {
        self.put(name, bytes)
            .and_then(|file| self.handle.sync().map(|()| file))
            .map_err(StoreError::unwritable("make", self.path_of(name)))
    }

    /// Opens a file, or makes an empty one, for this process alone; `None` while another process has it.
    ///
    /// It is this process's as long as the file is open. What it holds is not touched.
    pub fn claim(&self, name: &str) -> Result<Option<File>, StoreError> {
        let failed = || StoreError::unwritable("make", self.path_of(name));
        loop {
            let file = self.handle.open_or_create(name).map_err(failed())?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(failed()(error)),
            }
            // Between opening and locking, whoever had it may have removed it.
            if self.handle.is_at(&file, name).map_err(failed())? {
                return Ok(Some(file));
            }
        }
    }

    /// Reads a claimed file whole, through the descriptor that holds it.
    pub fn read_claimed(
        &self,
        name: &str,
        file: &mut File,
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        file.rewind()
            .and_then(|()| read_bounded(file, LONGEST_FILE))
            .map_err(StoreError::unwritable("read", self.path_of(name)))
    }

    /// Fills a claimed file with these bytes in the place of any others; durable when it returns.
    pub fn fill(&self, name: &str, file: &mut File, bytes: &[u8]) -> Result<(), StoreError> {
        overwrite(file, bytes)
            .and_then(|()| file.rewind())
            .and_then(|()| self.handle.sync())
            .map_err(StoreError::unwritable("make", self.path_of(name)))
    }

    /// Removes a file; one that is not there is no error.
    pub fn remove(&self, name: &str) -> Result<(), StoreError> {
        temporary_names(name)
            .try_for_each(|temporary| self.clear(&temporary))
            .and_then(|()| self.clear(name))
            .and_then(|()| self.handle.sync())
            .map_err(StoreError::unwritable("remove", self.path_of(name)))
    }

    /// The names of everything in the folder.
    pub fn names(&self) -> Result<Vec<String>, StoreError> {
        self.handle.names().map_err(StoreError::unwritable("list", &self.path))
    }

    /// Proves that a file could be written now: makes one, and removes it.
    pub fn prove(&self, random: &dyn Random) -> Result<(), StoreError> {
        let name = format!(".probe-{}", token_256(random));
        self.put(&name, &[0; 4096])
            .and_then(|_| self.handle.remove(&name))
            .inspect_err(|_| {
                let _ = self.handle.remove(&name);
            })
            .map_err(StoreError::unwritable("write to", &self.path))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<File> {
        self.clear(name)?;
        let mut file = self.handle.create_new(name)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(file)
    }

    fn clear(&self, name: &str) -> io::Result<()> {
        match self.handle.remove(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }
}

/// Gives an open file these bytes and no others, on the disk when it returns.
fn overwrite(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.rewind()?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}

/// What a file is called until it takes its place: the first that no other process is writing.
fn temporary_names(name: &str) -> impl Iterator<Item = String> {
    let others = (2..=4).map(move |number| format!(".{name}.{number}.new"));
    std::iter::once(format!(".{name}.new")).chain(others)
}

/// Reads a private file somewhere else, such as a key: of this user, for this user alone.
pub fn read_private(path: &Path, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    read_bounded(&system::open_private(path)?, limit)
}

/// Refuses to write what could not be read again.
pub(super) fn refuse_too_long(bytes: &[u8]) -> io::Result<()> {
    match bytes.len() as u64 {
        0..=LONGEST_FILE => Ok(()),
        _ => Err(too_long()),
    }
}

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, "it is longer than it may be")
}

fn read_bounded(file: &File, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let length = file.metadata()?.len();
    if length > limit {
        return Err(too_long());
    }
    // Room for all of it at once: a buffer that grows would leave unwiped copies behind.
    let room = usize::try_from(length).map_err(|_| too_long())?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room + 1));
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_long());
    }
    Ok(bytes)
}
