//! The end: with everything calm, does each connection still refresh, and what was counted?

use std::time::{Duration, Instant};

use crate::Stage;
use crate::home::Profile;
use crate::table::Table;

/// How long calm may take to return: a pause that the server asked for, a lock, a last worker.
const PATIENCE: Duration = Duration::from_secs(90);

/// Prints the table; whether nothing was lost.
pub fn told(stage: &Stage, took: Duration) -> bool {
    for profile in stage.home.profiles() {
        if let Err(why) = still_works(stage, *profile) {
            stage.tally.lost.add();
            let history = stage.server.history().join("\n");
            stage.tally.odd(format!("LOST at the end: {}: {why}\n{history}", profile.name()));
        }
    }
    let table = Table::of(stage, took);
    let (odd, number) = stage.tally.all_odd();
    println!("\n{table}");
    if number > 0 {
        println!("\n{number} commands ended as they should not; the first ones:\n");
    }
    odd.iter().for_each(|what| println!("{what}\n"));
    table.is_clean()
}

fn still_works(stage: &Stage, profile: Profile) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    let name = profile.name();
    loop {
        let tried = said(stage, &["refresh", name])
            .and_then(|()| said(stage, &["call", name, "GET", "/me"]));
        match tried {
            Err(_) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(500)),
            tried => return tried,
        }
    }
}

fn said(stage: &Stage, words: &[&str]) -> Result<(), String> {
    let output = stage.home.command(words).output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}
