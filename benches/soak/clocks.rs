//! Clocks that are wrong: each for one process, through libfaketime.

use std::path::PathBuf;
use std::process::Command;

use crate::chance::Chance;

/// What a clock may be off by.
const OFF_BY: [&str; 8] = ["-400d", "-3d", "-1h", "-90", "+90", "+1h", "+3d", "+400d"];

/// The library, where it is there.
pub struct Clocks {
    library: Option<PathBuf>,
}

impl Clocks {
    /// Looks for it.
    pub fn find() -> Self {
        let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let library = folders
            .map(|folder| folder.path().join("faketime/libfaketime.so.1"))
            .find(|library| library.is_file());
        Self { library }
    }

    /// Whether wrong clocks are part of the soak.
    pub fn told() -> &'static str {
        match Self::find().library {
            Some(_) => "clocks: libfaketime, from 400 days behind to 400 days ahead",
            None => "LEFT OUT: wrong clocks. libfaketime is missing: apt-get install libfaketime",
        }
    }

    /// Sets the clock of a command wrong; whether that was possible.
    pub fn set_wrong(&self, command: &mut Command, chance: &mut Chance) -> bool {
        let Some(library) = &self.library else { return false };
        command.env("LD_PRELOAD", library).env("FAKETIME", chance.one(&OFF_BY));
        // A killed process would leave its shared memory behind.
        command.env("FAKETIME_DISABLE_SHM", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        true
    }
}
