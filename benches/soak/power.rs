//! Now and then everything of keyfob's dies at once, the processes that refresh too: a container's end.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use crate::Stage;
use crate::chance::Chance;

/// Kills them all, again and again.
///
/// What was on its way then may be lost by every rule; the server is told, and forgives it.
pub fn cut_now_and_then(stage: &Stage) {
    let mut chance = Chance::new(stage.settings.seed, 1003);
    while !stage.is_over() {
        stage.pause(chance.time(5_000, 15_000));
        if chance.percent(50) {
            stage.server.wait_for_token_request(chance.time(500, 1_000));
            std::thread::sleep(chance.time(0, 120));
        }
        if kill_all(stage.home.folder()) {
            stage.server.everything_was_killed();
            stage.tally.power_cuts.add();
        }
    }
}

/// Whether there was anything to kill.
fn kill_all(home: &Path) -> bool {
    let ours = [b"KEYFOB_HOME=", home.as_os_str().as_bytes()].concat();
    let mut any = false;
    for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = number(&process.file_name()) else { continue };
        let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
        if environment.split(|byte| *byte == 0).any(|variable| variable == ours) {
            any |= kill_process(pid, Signal::KILL).is_ok();
        }
    }
    any
}

fn number(name: &OsStr) -> Option<Pid> {
    Pid::from_raw(name.to_str()?.parse().ok()?)
}
