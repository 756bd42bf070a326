//! Whoever connects through `sudo` connects root: its keychain, its files, its browser.

use super::super::context::Context;

/// Says whose connection it becomes, where that is probably not meant (ST15).
pub fn warn(context: &Context<'_>) {
    let Some(user) = context.system.environment.get("SUDO_USER").filter(|user| *user != "root")
    else {
        return;
    };
    if is_root() {
        context.output.warn(
            context.system,
            &format!("this runs as root, so {user} will not have the connection: leave out sudo"),
        );
    }
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}
