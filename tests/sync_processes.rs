//! `sync` as a real program: killed, interrupted, its reader gone, two at once.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout};
use std::time::Duration;

use keyfob::sandbox::{Endpoint, Fault, Gate, Options, Sandbox};
use keyfob::secret::Secret;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::program::{Life, Program, text};
use crate::support::{private_file, until};

const STANDARD: &str = include_str!("../src/sandbox/vendors/standard_provider.toml");

/// A plain server whose list of 25 records comes in three pages; the last one comes when the gate
/// is opened.
fn program(last_page: &Gate) -> Program {
    let client_secret = Some(Secret::new("a-secret-of-the-test"));
    let sandbox = Sandbox::start("standard", Options { client_secret, ..Options::default() });
    let program = Program { folder: tempfile::tempdir().unwrap(), sandbox: sandbox.unwrap() };
    let providers = program.home().join("providers");
    let file = format!(
        "{STANDARD}\n[api.sync]\nparameter = 'updated_since'\n[api.pages]\nstyle = 'link_header'\n"
    );
    private_file(&providers.join("standard.toml"), file);
    program.import_into(&program.home(), "shop", Life::Ahead);
    hold(&program, last_page);
    program
}

fn hold(program: &Program, last_page: &Gate) {
    let fine = || Fault::Slow(Duration::ZERO);
    program.sandbox.next_api_answers(vec![fine(), fine(), Fault::Held(last_page.clone())]);
}

/// A run that has printed the first two pages and waits for the third.
fn halfway(program: &Program) -> (Child, BufReader<ChildStdout>) {
    let before = program.sandbox.counts(Endpoint::Api);
    let mut child = program.command(["sync", "shop", "/items"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..20 {
        assert!(lines.read_line(&mut String::new()).unwrap() > 0);
    }
    until("the third page is asked for", || program.sandbox.counts(Endpoint::Api) == before + 3);
    (child, lines)
}

fn kill(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// How many records the next run gives.
fn next(program: &Program) -> usize {
    let output = program.run("sync shop /items");
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().count()
}

#[test]
fn a_run_that_is_killed_or_interrupted_is_repeated_by_the_next() {
    let never = Gate::default();
    let program = program(&never);
    for signal in [Signal::KILL, Signal::INT, Signal::TERM] {
        let (mut child, _lines) = halfway(&program);
        kill(&child, signal);
        let status = child.wait().unwrap();
        assert_eq!(status.code(), (signal != Signal::KILL).then_some(130), "{signal:?}");
        hold(&program, &never);
    }
    let (mut child, _lines) = halfway(&program);
    kill(&child, Signal::KILL);
    child.wait().unwrap();
    assert_eq!(next(&program), 25);
    assert_eq!(next(&program), 0);
}

#[test]
fn a_reader_who_leaves_early_is_no_failure_and_moves_nothing() {
    let gate = Gate::default();
    let program = program(&gate);
    let (child, lines) = halfway(&program);
    drop(lines);
    gate.open();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stderr).contains("nobody reads on"), "{}", text(&output.stderr));
    assert_eq!(next(&program), 25);
}

#[test]
fn of_two_at_once_the_second_says_who_is_at_it() {
    let program = program(&Gate::default());
    let (mut child, _lines) = halfway(&program);
    let second = program.run("sync shop /items");
    assert_eq!((second.status.code(), second.stdout.len()), (Some(6), 0));
    let said = text(&second.stderr);
    assert!(said.contains("another sync of cursor /items of `shop` is running"), "{said}");
    assert!(said.contains(&format!("process {}", child.id())), "{said}");
    let other = program.run("sync shop /items --cursor other");
    assert_eq!(text(&other.stdout).lines().count(), 25, "{}", text(&other.stderr));
    let rename = program.run("profile rename shop till");
    assert_eq!(rename.status.code(), Some(6), "{}", text(&rename.stderr));
    assert!(text(&rename.stderr).contains("a sync of `shop` is running"));
    kill(&child, Signal::KILL);
    child.wait().unwrap();
    assert_eq!(next(&program), 25, "a lock ends with its process");
}
