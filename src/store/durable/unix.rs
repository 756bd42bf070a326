//! Files on Unix, reached from an open folder; a link is never followed.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};

use super::OTHERS_MAY_WRITE;

/// Write permission for the group and for others.
const WRITABLE_BY_OTHERS: u32 = 0o022;
/// Any permission for the group and for others.
const OPEN_TO_OTHERS: u32 = 0o077;
/// Who may read and change everything anyway.
const ROOT: u32 = 0;

/// An open folder.
#[derive(Debug)]
pub struct Handle(File);

impl Handle {
    /// Opens a folder and refuses one that others could change.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(folder) => File::from(folder),
            Err(error) => return Err(not_a_folder(path, error.into())),
        };
        let facts = folder.metadata()?;
        refuse_owner(&facts, &[user()])?;
        refuse_open(&facts, WRITABLE_BY_OTHERS)?;
        Ok(Self(folder))
    }

    /// Opens a plain file of this user to read it.
    pub fn open_file(&self, name: &str) -> io::Result<File> {
        self.refuse_odd_file(name)?;
        // Should a pipe have come in its place meanwhile, then the open must not wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&self.0, name, flags, Mode::empty())?);
        let facts = file.metadata()?;
        refuse_other_than_file(&facts)?;
        refuse_owner(&facts, &[user()])?;
        refuse_open(&facts, WRITABLE_BY_OTHERS)?;
        Ok(file)
    }

    /// Refuses a name at which something else than a plain file stands.
    pub fn refuse_odd_file(&self, name: &str) -> io::Result<()> {
        let facts = match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(facts) => facts,
            Err(rustix::io::Errno::NOENT) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        match FileType::from_raw_mode(facts.st_mode) {
            FileType::RegularFile => Ok(()),
            FileType::Symlink => Err(refused("it is a symbolic link")),
            _ => Err(refused("it is no plain file")),
        }
    }

    /// Makes a file that did not exist, for this user alone from its first moment.
    pub fn create_new(&self, name: &str) -> io::Result<File> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        Ok(File::from(rustix::fs::openat(&self.0, name, flags, mode)?))
    }

    /// Opens a plain file of this user to write it, and makes it where there is none.
    pub fn open_or_create(&self, name: &str) -> io::Result<File> {
        self.refuse_odd_file(name)?;
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = File::from(rustix::fs::openat(&self.0, name, flags, mode)?);
        let facts = file.metadata()?;
        refuse_other_than_file(&facts)?;
        refuse_owner(&facts, &[user()])?;
        refuse_open(&facts, WRITABLE_BY_OTHERS)?;
        if facts.mode() & OPEN_TO_OTHERS != 0 {
            rustix::fs::fchmod(&file, mode)?;
        }
        Ok(file)
    }

    /// Tells whether the name still leads to this open file.
    pub fn is_at(&self, file: &File, name: &str) -> io::Result<bool> {
        let facts = file.metadata()?;
        match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(there) => Ok((there.st_dev, there.st_ino) == (facts.dev(), facts.ino())),
            Err(rustix::io::Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives a file the place of another at one stroke.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, from, &self.0, to)?)
    }

    /// Removes the name; what a link points to is not touched.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Makes what was done to the folder's names outlast a power cut.
    pub fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    /// The names of everything in the folder.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        Ok(names)
    }
}

/// Makes a folder and those above it, for this user alone.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    match path.parent() {
        Some(above) if !above.as_os_str().is_empty() => File::open(above)?.sync_all(),
        _ => Ok(()),
    }
}

/// Opens a plain file that this user or root owns and nobody else may read.
///
/// A link on the way is followed (a mounted secret is one); what counts is the file that opened.
pub fn open_private(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    let facts = file.metadata()?;
    refuse_other_than_file(&facts)?;
    refuse_owner(&facts, &[user(), ROOT])?;
    refuse_open(&facts, OPEN_TO_OTHERS)?;
    Ok(file)
}

/// Tells a link and a plain file from the other reasons why no folder opened.
fn not_a_folder(path: &Path, error: io::Error) -> io::Error {
    match std::fs::symlink_metadata(path) {
        Ok(facts) if facts.is_symlink() => refused("it is a symbolic link"),
        Ok(facts) if !facts.is_dir() => refused("it is no folder"),
        _ => error,
    }
}

fn refuse_other_than_file(facts: &Metadata) -> io::Result<()> {
    match facts.is_file() {
        true => Ok(()),
        false => Err(refused("it is no plain file")),
    }
}

fn refuse_owner(facts: &Metadata, trusted: &[u32]) -> io::Result<()> {
    match trusted.contains(&facts.uid()) {
        true => Ok(()),
        false => Err(refused("it belongs to another user")),
    }
}

fn refuse_open(facts: &Metadata, bits: u32) -> io::Result<()> {
    match facts.mode() & bits {
        0 => Ok(()),
        found if found & WRITABLE_BY_OTHERS != 0 => Err(refused(OTHERS_MAY_WRITE)),
        _ => Err(refused("others may read it")),
    }
}

fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn refused(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why)
}
