//! Files where the standard library is all there is (Windows): a user's folders are private there by their access lists.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// A folder that was found to be one.
#[derive(Debug)]
pub struct Handle(PathBuf);

impl Handle {
    /// Refuses what is no real folder.
    pub fn open(path: &Path) -> io::Result<Self> {
        match std::fs::symlink_metadata(path)? {
            facts if facts.is_symlink() => Err(refused("it is a symbolic link")),
            facts if !facts.is_dir() => Err(refused("it is no folder")),
            _ => Ok(Self(path.to_owned())),
        }
    }

    /// Opens a plain file to read it.
    pub fn open_file(&self, name: &str) -> io::Result<File> {
        self.refuse_odd_file(name)?;
        File::open(self.0.join(name))
    }

    /// Refuses a name at which something else than a plain file stands.
    pub fn refuse_odd_file(&self, name: &str) -> io::Result<()> {
        match std::fs::symlink_metadata(self.0.join(name)) {
            Ok(facts) if facts.is_symlink() => Err(refused("it is a symbolic link")),
            Ok(facts) if !facts.is_file() => Err(refused("it is no plain file")),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Makes a file that did not exist.
    pub fn create_new(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).open(self.0.join(name))
    }

    /// Opens a plain file to write it, and makes it where there is none.
    pub fn open_or_create(&self, name: &str) -> io::Result<File> {
        self.refuse_odd_file(name)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).open(self.0.join(name))
    }

    /// A file that is open is not removed here.
    pub fn is_at(&self, _: &File, _: &str) -> io::Result<bool> {
        Ok(true)
    }

    /// Gives a file the place of another at one stroke.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.0.join(from), self.0.join(to))
    }

    /// Removes a file.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.0.join(name))
    }

    /// Nothing to do: the file system's own log keeps names, and a folder cannot be flushed.
    pub fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    /// The names of everything in the folder.
    pub fn names(&self) -> io::Result<Vec<String>> {
        std::fs::read_dir(&self.0)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }
}

/// Makes a folder and those above it.
pub fn make_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

/// Opens a plain file.
pub fn open_private(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(refused("it is no plain file")),
    }
}

fn refused(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why)
}
