//! Many keyfob processes for a long time, and everything that can happen to them:
//! `KEYFOB_SOAK_MINUTES=30 cargo bench --bench soak`.
//!
//! Lanes start real commands on the same profiles and kill many of them; a server with strict reuse
//! detection rolls the tokens, and misbehaves; the disk fills up, the keychain locks, clocks are
//! wrong. It ends with a table, and with a failure where a connection was lost or a spent token sent.
//!
//! What the promise leaves out, it leaves out too: a server that rotates and whose answer never
//! arrives would lose a connection by its own rule. Here it forgives in that one case, as servers
//! with a grace period do, until the replacement was delivered; those answers are counted apart.
//! The process that refreshes is out of reach of a kill of command and group. Now and then all of
//! keyfob's processes are killed at once, as a container's are; what was on its way then is forgiven
//! too, and counted apart.
//!
//! `KEYFOB_SOAK_MINUTES` (5), `KEYFOB_SOAK_LANES` (8), `KEYFOB_SOAK_SEED`, and `KEYFOB_BENCH_PROGRAM`
//! for another build than the one of this bench's profile.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its table is its product")]
#![allow(
    clippy::disallowed_methods,
    reason = "it has a clock, an environment and an end of its own"
)]

mod chance;
mod clocks;
mod disk;
#[path = "../../tests/real/folder.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod folder;
mod home;
mod keychain;
#[path = "../../tests/real/keyring.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod keyring;
mod lane;
mod namespace;
mod power;
mod server;
mod settings;
mod table;
mod tally;
mod verdict;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clocks::Clocks;
use disk::Disk;
use home::Home;
use keychain::Keychain;
use server::Server;
use settings::Settings;
use tally::Tally;

/// What ends the soak: something that it needs is not there or answers wrongly.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What lanes and disturbers share.
pub struct Stage {
    pub settings: Settings,
    pub server: Arc<Server>,
    pub home: Home,
    pub clocks: Clocks,
    pub tally: Tally,
    over: AtomicBool,
}

impl Stage {
    /// Whether the time is up.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Waits, and ends early where the time is up.
    pub fn pause(&self, time: Duration) {
        let end = Instant::now() + time;
        while !self.is_over() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20).min(time));
        }
    }
}

fn main() -> ExitCode {
    if let Some(status) = namespace::in_one_of_our_own() {
        return status;
    }
    match soak() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            println!("the soak cannot go on: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing was lost.
fn soak() -> Result<bool, Failure> {
    let settings = Settings::read()?;
    let server = Server::start(settings.seed)?;
    let disk = Disk::new()?;
    let keychain = Keychain::start();
    let home = Home::new(settings.program.clone(), disk.folder(), &server, keychain.as_ref())?;
    println!("{settings}\n{disk}\n{}\n{}", keychain::told(keychain.as_ref()), Clocks::told());
    home.connect(&server)?;
    let stage = Stage {
        settings,
        server,
        home,
        clocks: Clocks::find(),
        tally: Tally::default(),
        over: AtomicBool::new(false),
    };
    let start = Instant::now();
    stage.server.faults(true);
    let _keychain = std::thread::scope(|scope| {
        for number in 0..stage.settings.lanes {
            let stage = &stage;
            scope.spawn(move || lane::run(stage, number));
        }
        scope.spawn(|| disk.fill_now_and_then(&stage));
        let stage = &stage;
        scope.spawn(|| power::cut_now_and_then(stage));
        // One thread at a time has it, and it must outlive the last command.
        let locking = scope.spawn(move || keychain.inspect(|it| it.lock_now_and_then(stage)));
        watch(stage, start);
        stage.over.store(true, Ordering::Relaxed);
        locking.join()
    });
    stage.server.faults(false);
    Ok(verdict::told(&stage, start.elapsed()))
}

/// Waits for the end, and says every minute how it goes.
fn watch(stage: &Stage, start: Instant) {
    let mut told = start;
    while start.elapsed() < stage.settings.time {
        std::thread::sleep(Duration::from_millis(200));
        if told.elapsed() >= Duration::from_secs(60) {
            told = Instant::now();
            println!("{:>4} s  {}", start.elapsed().as_secs(), table::line(stage));
        }
    }
}
