//! `-o FILE`: a plain file is replaced whole or not at all; a device or a pipe is written into.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::super::report::{Exit, Report};
use crate::http::printable::printable;

/// A file that is being written.
pub struct OutputFile {
    path: PathBuf,
    way: Way,
}

/// How what is written comes to be in the file.
enum Way {
    /// Written beside it, and renamed when it is whole.
    Beside { beside: NamedTempFile, target: PathBuf },
    /// Written into it: nothing can be renamed over a device, a pipe or a terminal.
    Into(File),
}

impl OutputFile {
    /// Opens what the path leads to; a link is followed, and stays.
    pub fn open(path: &Path) -> Result<Self, Report> {
        let way = way(path).map_err(|error| {
            Report::usage(format!("{} cannot be written", path.display()))
                .cause(printable(&std::io::Error::from(error.kind()).to_string()))
                .hint("nothing was sent; name a place that can be written")
        })?;
        Ok(Self { path: path.to_owned(), way })
    }

    /// Whether nothing of it is there before all of it is.
    pub fn is_replaced_whole(&self) -> bool {
        matches!(self.way, Way::Beside { .. })
    }

    /// Writes some of it; the reader of a pipe who has gone is no error.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Report> {
        let written = match &mut self.way {
            Way::Beside { beside, .. } => beside.write_all(bytes),
            Way::Into(file) => match file.write_all(bytes) {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
                written => written,
            },
        };
        written.map_err(|error| refused(&self.path, &error))
    }

    /// Puts the whole in its place.
    pub fn close(self) -> Result<(), Report> {
        let done = match self.way {
            Way::Beside { beside, target } => beside
                .as_file()
                .sync_all()
                .and_then(|()| beside.persist(target).map(drop).map_err(|error| error.error)),
            Way::Into(mut file) => file.flush(),
        };
        done.map_err(|error| refused(&self.path, &error))
    }
}

fn way(path: &Path) -> std::io::Result<Way> {
    let target = match std::fs::metadata(path) {
        Ok(found) if found.is_file() => std::fs::canonicalize(path)?,
        Err(error) if error.kind() == ErrorKind::NotFound && !path.is_symlink() => path.to_owned(),
        _ => {
            return File::options()
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)
                .map(Way::Into);
        }
    };
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    Ok(Way::Beside { beside: NamedTempFile::new_in(folder)?, target })
}

fn refused(path: &Path, error: &std::io::Error) -> Report {
    let message = format!("{} cannot be written", path.display());
    Report::new(Exit::Unexpected, "output-file", message)
        .cause(printable(&error.to_string()))
        .hint("the request was carried out; only its answer was not kept")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) -> Result<(), Report> {
        let mut file = OutputFile::open(path)?;
        file.write(text.as_bytes())?;
        file.close()
    }

    #[test]
    fn a_plain_file_is_replaced_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        write(&path, "one").unwrap();
        let mut unfinished = OutputFile::open(&path).unwrap();
        unfinished.write(b"two").unwrap();
        drop(unfinished);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write(folder.path(), "x").is_err(), "a folder is no file");
    }

    #[cfg(unix)]
    #[test]
    fn a_device_and_a_link_stay_what_they_are() {
        use std::os::unix::fs::FileTypeExt as _;
        write(Path::new("/dev/null"), "gone").unwrap();
        assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        for text in ["made", "replaced"] {
            write(&link, text).unwrap();
            assert!(link.is_symlink());
            assert_eq!(std::fs::read_to_string(&target).unwrap(), text);
        }
    }
}
