//! Files that keyfob believes: nobody else may write to them, whatever the umask of who runs the tests.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::path::Path;

/// Writes a file for this user alone, and makes its folder.
pub fn private_file(path: &Path, text: impl AsRef<[u8]>) {
    private_folder(path.parent().unwrap());
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).unwrap().write_all(text.as_ref()).unwrap();
}

/// Makes a folder and those above it, for this user alone.
pub fn private_folder(path: &Path) {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).unwrap();
}
