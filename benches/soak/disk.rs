//! A disk that fills up: a small one of the soak's own where it may mount, else a limit on file sizes.

use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::chance::Chance;
use crate::{Failure, Stage, namespace};

/// Room for homes, and little more.
const SIZE: &str = "size=16m,mode=0700";

/// Where the homes lie.
pub struct Disk {
    folder: tempfile::TempDir,
    is_small: bool,
}

impl Disk {
    /// A small one where that is possible.
    pub fn new() -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("keyfob-soak").tempdir()?;
        let is_small = namespace::is_inside()
            && Command::new("mount")
                .args(["-t", "tmpfs", "-o", SIZE, "keyfob-soak"])
                .arg(folder.path())
                .status()
                .is_ok_and(|it| it.success());
        Ok(Self { folder, is_small })
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Takes all room for a while, again and again; frees it at the end.
    pub fn fill_now_and_then(&self, stage: &Stage) {
        let mut chance = Chance::new(stage.settings.seed, 1001);
        while self.is_small && !stage.is_over() {
            stage.pause(chance.time(2_000, 9_000));
            if let Ok(full) = fill(self.folder().join("ballast")) {
                stage.tally.disks_filled.add();
                stage.pause(chance.time(100, 2_500));
                let _ = std::fs::remove_file(full);
            }
        }
    }
}

/// Writes until nothing more goes in.
fn fill(path: PathBuf) -> std::io::Result<PathBuf> {
    let mut file = File::create(&path)?;
    for size in [256 * 1024, 4096, 1] {
        let part = vec![b'x'; size];
        while file.write_all(&part).is_ok() {}
    }
    Ok(path)
}

impl fmt::Display for Disk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.is_small {
            true => "disk: a tmpfs of 16 MiB that is filled now and then, and limits on file sizes",
            false => "disk: limits on file sizes alone; LEFT OUT: a disk that fills up (root may mount one)",
        })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_small {
            let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
        }
    }
}
