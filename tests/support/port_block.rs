//! Which ports are this process's to give away, where several test processes run at once.

use std::fs::File;
use std::sync::OnceLock;

/// Ports in a block.
pub const LENGTH: u16 = 2_000;

/// Blocks, all of them below the ports that systems and keyfob choose by themselves.
const BLOCKS: u16 = 5;
const FIRST: u16 = 10_000;

/// The first port of a block that no other test process has, for as long as this one lives.
///
/// Where more processes run than there are blocks, some share one.
pub fn start() -> u16 {
    static OURS: OnceLock<(u16, Option<File>)> = OnceLock::new();
    let free = || (0..BLOCKS).find_map(|number| Some((number, Some(locked(number)?))));
    let shared = || ((std::process::id() % u32::from(BLOCKS)) as u16, None);
    FIRST + OURS.get_or_init(|| free().unwrap_or_else(shared)).0 * LENGTH
}

/// The system takes the lock back when this process ends, however it ends.
fn locked(number: u16) -> Option<File> {
    let path = std::env::temp_dir().join(format!("keyfob-test-ports-{number}"));
    let file = File::options().create(true).truncate(false).write(true).open(path).ok()?;
    file.try_lock().ok()?;
    Some(file)
}
