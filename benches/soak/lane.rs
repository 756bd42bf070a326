//! One lane: commands one after another, each with its own misfortune.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Output};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::Stage;
use crate::chance::Chance;
use crate::home::Profile;
use crate::tally::Tally;

/// How a command dies before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    None,
    KilledAlone,
    KilledInGroup,
    Terminated,
}

/// How often each comes.
const DEATHS: [(Death, u64); 4] = [
    (Death::None, 45),
    (Death::KilledAlone, 20),
    (Death::KilledInGroup, 25),
    (Death::Terminated, 10),
];
/// How many of a hundred have a wrong clock.
const WRONG_CLOCKS: u64 = 12;
/// How many of a hundred may write only short files.
const LIMITED_FILES: u64 = 6;

/// What is typed; `@` is the profile.
const LINES: [(&str, u64); 8] = [
    ("token @", 20),
    ("refresh @", 22),
    ("refresh --all", 6),
    ("call @ GET /me", 24),
    ("call @ POST /me a=b", 8),
    ("header @", 5),
    ("status", 3),
    ("exec @ -- true", 8),
];

/// Runs commands until the time is up.
pub fn run(stage: &Stage, number: u64) {
    let mut chance = Chance::new(stage.settings.seed, number);
    while !stage.is_over() {
        let profile = *chance.one(stage.home.profiles());
        let line = chance.weighted(&LINES);
        let death = chance.weighted(&DEATHS);
        let output = act(stage, profile, line, death, &mut chance);
        match output {
            Ok(output) => judge(stage, profile, line, death, &output),
            Err(error) => stage.tally.odd(format!("{line}: could not be run: {error}")),
        }
        stage.pause(chance.time(0, 120));
    }
}

fn act(
    stage: &Stage,
    profile: Profile,
    line: &str,
    death: Death,
    chance: &mut Chance,
) -> std::io::Result<Output> {
    let mut command = command(stage, profile, line, chance);
    if chance.percent(WRONG_CLOCKS) && stage.clocks.set_wrong(&mut command, chance) {
        stage.tally.wrong_clocks.add();
    }
    stage.tally.commands.add();
    let child = command.process_group(0).spawn()?;
    if death != Death::None {
        // Half of them die while the server holds a token request, hence perhaps their own.
        if chance.percent(50) {
            stage.server.wait_for_token_request(Duration::from_millis(400));
        }
        std::thread::sleep(chance.time(0, 90));
        kill(&child, death);
    }
    child.wait_with_output()
}

fn command(stage: &Stage, profile: Profile, line: &str, chance: &mut Chance) -> Command {
    let words: Vec<&str> =
        line.split(' ').map(|word| if word == "@" { profile.name() } else { word }).collect();
    if !chance.percent(LIMITED_FILES) {
        return stage.home.command(&words);
    }
    stage.tally.limited_files.add();
    // With the signal ignored a write fails as on a full disk; blocks of 512 bytes.
    let blocks = chance.below(160);
    stage.home.command_after(&format!("trap '' XFSZ; ulimit -f {blocks}"), &words)
}

fn kill(child: &Child, death: Death) {
    let pid = Pid::from_child(child);
    // One that has ended is not waited for yet, so that its number is nobody else's.
    let _ = match death {
        Death::None => return,
        Death::KilledAlone => kill_process(pid, Signal::KILL),
        Death::KilledInGroup => kill_process_group(pid, Signal::KILL),
        Death::Terminated => kill_process(pid, Signal::TERM),
    };
}

/// Counts a death that came before the command's own end.
fn count_death(tally: &Tally, death: Death, status: ExitStatus) {
    match (death, status.code(), status.signal()) {
        (Death::KilledAlone, _, Some(9)) => tally.killed_alone.add(),
        (Death::KilledInGroup, _, Some(9)) => tally.killed_in_group.add(),
        (Death::Terminated, Some(130), _) | (Death::Terminated, _, Some(15)) => {
            tally.terminated.add();
        }
        _ => {}
    }
}

/// Counts how it ended, and notes what should not have been.
fn judge(stage: &Stage, profile: Profile, line: &str, death: Death, output: &Output) {
    let tally = &stage.tally;
    let how = match (output.status.code(), output.status.signal()) {
        (Some(code), _) => format!("exit {code}"),
        (None, signal) => format!("signal {}", signal.unwrap_or_default()),
    };
    tally.ended(&how);
    count_death(tally, death, output.status);
    let said = || {
        let stderr = String::from_utf8_lossy(&output.stderr);
        format!("{how}: {line} ({profile:?}, {death:?})\n{stderr}")
    };
    match (output.status.code(), output.status.signal()) {
        // Done; not to be written now; try later; interrupted.
        (Some(0 | 6 | 7), _) => {}
        (Some(130), _) if death == Death::Terminated => {}
        // By this lane, or with everything else.
        (None, Some(9)) => {}
        // Before the program hears signals, one ends it as it ends any other.
        (None, Some(15)) if death == Death::Terminated => {}
        (Some(4), _) => {
            tally.lost.add();
            tally.odd(format!("LOST: {}\n{}", said(), stage.server.history().join("\n")));
            reconnect(stage, profile);
        }
        _ => tally.odd(said()),
    }
}

/// The soak goes on with another connection; the lost one is counted.
fn reconnect(stage: &Stage, profile: Profile) {
    if let Err(failure) = stage.home.connect_one(profile, &stage.server) {
        stage.tally.odd(format!("no new connection: {failure}"));
    }
}
