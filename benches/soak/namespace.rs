//! A mount namespace of the soak's own, so that its small disk goes with it, however it ends.

use std::process::{Command, ExitCode, Stdio};

/// Said to the copy that runs inside.
const INSIDE: &str = "KEYFOB_SOAK_INSIDE";

/// Runs this program again inside a new namespace; `None` where this is the copy, or none is to be had.
pub fn in_one_of_our_own() -> Option<ExitCode> {
    if is_inside() || !can_be_had() {
        return None;
    }
    let program = std::env::current_exe().ok()?;
    let ended = unshare().arg(program).env(INSIDE, "1").status().ok()?;
    Some(if ended.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether a mount would be seen by nobody else.
pub fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

fn can_be_had() -> bool {
    unshare().arg("true").stderr(Stdio::null()).status().is_ok_and(|it| it.success())
}

fn unshare() -> Command {
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--propagation", "private", "--"]);
    unshare
}
