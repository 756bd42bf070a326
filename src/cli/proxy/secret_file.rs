//! `--secret-file`: the secret for this user alone, for as long as it opens something.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::super::report::{self, Report};
use crate::secret::Secret;

/// A file that holds the secret for as long as it opens something.
pub struct SecretFile {
    path: PathBuf,
    line: Secret,
}

impl SecretFile {
    /// Written beside it and renamed: nobody reads half of it, and no link is followed.
    pub fn write(path: &Path, secret: &Secret) -> Result<Self, Report> {
        let refused = |error: io::Error| report::secret_file(&error, path);
        // A folder of the caller's that is left later must still find it.
        let path = std::path::absolute(path).map_err(refused)?;
        let line = Secret::new(format!("{}\n", secret.expose()));
        let folder = path.parent().unwrap_or(Path::new("/"));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(refused)?;
        file.write_all(line.expose().as_bytes()).map_err(refused)?;
        file.persist(&path).map_err(|error| refused(error.error))?;
        Ok(Self { path, line })
    }
}

impl Drop for SecretFile {
    /// Another proxy may have put its own secret there meanwhile, which stays.
    fn drop(&mut self) {
        let is_ours = std::fs::read(&self.path).is_ok_and(|it| it == self.line.expose().as_bytes());
        if is_ours {
            // What is left behind opens nothing any more.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
