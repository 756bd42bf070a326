//! What ends a command in the middle of a refresh, and what the next command finds.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::Child;
use std::time::Duration;

use keyfob::clock::SystemClock;
use keyfob::sandbox::{Behaviour, Endpoint, Fault, Gate};
use keyfob::store::lock::Lock;
use keyfob::system::Home;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::support::program::{Life, Program, text};
use crate::support::until;

const LATENCY: Duration = Duration::from_millis(60);

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// A connection whose access token still lives, at a server that is not in a hurry.
fn connected() -> Program {
    let program = Program::beside("inkress", Behaviour::default());
    program.import_into(&program.home(), "shop", Life::Ahead);
    program.sandbox.latency(LATENCY);
    program
}

/// Starts a refresh as the leader of a process group of its own.
fn refresh(program: &Program) -> Child {
    program.command(["refresh", "shop"]).process_group(0).spawn().unwrap()
}

fn request_seen(program: &Program, before: u64) {
    until("the server sees the request", || program.sandbox.counts(Endpoint::Token) > before);
}

#[track_caller]
fn works(program: &Program, line: &str) {
    let output = program.run(line);
    assert!(output.status.success(), "{line}: {}", text(&output.stderr));
}

/// Waits until a process has taken note of the signal that it was sent, and waits for something again.
#[cfg(target_os = "linux")]
fn heeded(child: &Child) {
    let field = |name: &str| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_start_matches(':').trim().to_owned()
    };
    until("no signal waits for it", || field("ShdPnd").chars().all(|it| it == '0'));
    until("it sleeps or has ended", || field("State").starts_with(['S', 'Z']));
}

#[cfg(not(target_os = "linux"))]
fn heeded(_: &Child) {}

/// When a process group is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// So long after the start.
    Started(Duration),
    /// So long after the server has the request.
    Sent(Duration),
}

/// Forty moments: on the way to the request, while the server thinks, around its answer, and after.
fn moments() -> Vec<Moment> {
    let milliseconds = Duration::from_millis;
    let before = (0..10).map(|n| Moment::Started(milliseconds(n * 3)));
    let while_waiting = (0..15).map(|n| Moment::Sent(milliseconds(n * 4)));
    let after = (0..15).map(|n| Moment::Sent(LATENCY + milliseconds(n)));
    before.chain(while_waiting).chain(after).collect()
}

fn kill_at(program: &Program, moment: Moment) {
    // Else this refresh would only adopt what the worker of the last one is about to store.
    let lock = Home::under(&program.home()).sealed().join("shop.lock");
    until("the last worker is done", || matches!(Lock::try_take(&lock, &SystemClock), Ok(Some(_))));
    let before = program.sandbox.counts(Endpoint::Token);
    let mut command = refresh(program);
    let wait = match moment {
        Moment::Started(wait) => wait,
        Moment::Sent(wait) => {
            request_seen(program, before);
            wait
        }
    };
    // The moment itself is what is tested; nothing below depends on how exactly it is met.
    std::thread::sleep(wait);
    // It may have ended already, which is one of the moments.
    let _ = kill_process_group(pid(&command), Signal::KILL);
    command.wait().unwrap();
}

#[test] // AT-2a, RF4
fn killing_the_whole_process_group_at_any_moment_loses_no_token() {
    let moments = moments();
    assert_eq!(moments.len(), 40);
    std::thread::scope(|scope| {
        for lane in 0..4 {
            let moments: Vec<Moment> = moments.iter().copied().skip(lane).step_by(4).collect();
            scope.spawn(move || {
                let program = connected();
                for moment in moments {
                    kill_at(&program, moment);
                    works(&program, "call shop GET /orders");
                }
                works(&program, "refresh shop");
                let sandbox = &program.sandbox;
                assert_eq!((sandbox.spent_tokens_seen(), sandbox.grants_alive()), (0, 1));
            });
        }
    });
}

#[test] // AT-2d
fn a_signal_during_the_refresh_exits_130_and_the_tokens_are_durable() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let program = connected();
        let (before, gate) = (program.sandbox.counts(Endpoint::Token), Gate::default());
        program.sandbox.next_token_answers(vec![Fault::Held(gate.clone())]);
        let command = refresh(&program);
        request_seen(&program, before);
        kill_process(pid(&command), signal).unwrap();
        // Else the tokens could be there before anything is known of the signal.
        heeded(&command);
        gate.open();
        let output = command.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{signal:?}: {}", text(&output.stderr));
        assert_eq!(program.sandbox.rotations(), 1);
        works(&program, "refresh shop");
        assert_eq!(program.sandbox.spent_tokens_seen(), 0, "{signal:?}");
    }
}

#[test]
fn a_signal_while_the_lock_is_waited_for_ends_the_command_at_once() {
    let program = Program::expired(Behaviour::default());
    let path = Home::under(&program.home()).sealed().join("shop.lock");
    let _held = Lock::try_take(&path, &SystemClock).unwrap();
    let heard = program.folder.path().join("heard");
    let mut command = program.command(["refresh", "shop"]);
    let command = command.stderr(std::fs::File::create(&heard).unwrap()).spawn().unwrap();
    until("it waits", || std::fs::read_to_string(&heard).unwrap().contains("waiting:"));
    kill_process(pid(&command), Signal::INT).unwrap();
    let output = command.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(output.stdout.is_empty());
    assert_eq!(program.sandbox.counts(Endpoint::Token), 0);
}

#[test] // AT-2b, ST12
fn what_cannot_be_written_sends_nothing_and_exits_6() {
    for folder in ["journal", "store", "."] {
        let program = connected();
        let state = Home::under(&program.home()).state;
        let aside = program.folder.path().join("aside");
        let place = state.join(folder).canonicalize().unwrap_or_else(|_| state.join(folder));
        if place.exists() {
            std::fs::rename(&place, &aside).unwrap();
        }
        std::fs::write(&place, "in the way").unwrap();
        let output = program.run("refresh shop");
        let exit = output.status.code();
        assert_eq!(exit, Some(6), "{folder}: {}", text(&output.stderr));
        assert_eq!(program.sandbox.counts(Endpoint::Token), 0, "{folder}");
        std::fs::remove_file(&place).unwrap();
        if aside.exists() {
            std::fs::rename(&aside, &place).unwrap();
        }
        works(&program, "refresh shop");
        assert_eq!(program.sandbox.spent_tokens_seen(), 0, "{folder}");
    }
}

#[test] // AT-2b, ST12, RF4
fn a_disk_without_room_sends_nothing_and_changes_nothing() {
    // With the signal ignored the write fails as on a full disk; with it the process dies in the write.
    for (prefix, exit) in [("trap '' XFSZ; ", Some(6)), ("", None)] {
        let program = connected();
        let script = format!("{prefix}ulimit -c 0; ulimit -f 0; exec \"$0\" refresh shop");
        let real = program.command([]);
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_keyfob")]).env_clear();
        for (name, value) in real.get_envs() {
            command.env(name, value.unwrap());
        }
        let output = command.output().unwrap();
        assert!(!output.status.success());
        if exit.is_some() {
            assert_eq!(output.status.code(), exit, "{}", text(&output.stderr));
        }
        assert!(output.status.signal().is_none_or(|it| it == Signal::XFSZ.as_raw()));
        assert_eq!(program.sandbox.counts(Endpoint::Token), 0, "{prefix}");
        works(&program, "refresh shop");
        assert_eq!((program.sandbox.rotations(), program.sandbox.spent_tokens_seen()), (1, 0));
    }
}

#[test] // AT-2e, T3
fn a_lost_answer_recovers_in_a_grace_period_in_the_real_worker_too() {
    let grace = Behaviour { reuse_grace: Duration::from_secs(60), ..Behaviour::default() };
    let program = Program::expired(grace);
    program.sandbox.next_token_answers(vec![Fault::RotateThenReset]);
    works(&program, "token shop");
    works(&program, "refresh shop");
    assert_eq!(program.sandbox.grants_alive(), 1);
}

#[test] // AT-3
fn no_verdict_changes_nothing_but_the_mark_in_the_real_worker_too() {
    let program = connected();
    for fault in [Fault::status(503), Fault::Html, Fault::Reset] {
        program.sandbox.next_token_answers(vec![fault.clone(), fault.clone()]);
        let output = program.run("refresh shop");
        assert_eq!(output.status.code(), Some(7), "{fault:?}: {}", text(&output.stderr));
        works(&program, "call shop GET /orders");
        works(&program, "refresh shop");
    }
    assert_eq!(program.sandbox.spent_tokens_seen(), 0);
}
