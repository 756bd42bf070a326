//! `call --batch` as a process among others: pipes, signals, kills, a shared limit.

use std::cell::Cell;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use keyfob::sandbox::{Behaviour, Endpoint, Fault, Gate, Seen};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::batch::{answers, reads};
use crate::support::program::{Life, Program, text};
use crate::support::{private_file, until};

const BATCH: [&str; 4] = ["call", "shop", "--batch", "-"];

fn connected() -> Program {
    let program = Program::beside("inkress", Behaviour::default());
    program.import_into(&program.home(), "shop", Life::Ahead);
    program
}

fn started(program: &Program, words: &[&str]) -> Child {
    let mut command = program.command(words.iter().copied());
    command.stdin(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn lines_of(child: &mut Child) -> BufReader<ChildStdout> {
    BufReader::new(child.stdout.take().unwrap())
}

fn line(stdout: &mut BufReader<ChildStdout>) -> Value {
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    serde_json::from_str(&line).expect(&line)
}

#[test]
fn the_first_answer_is_there_before_the_second_request_is_written() {
    let program = connected();
    let mut child = started(&program, &BATCH);
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), lines_of(&mut child));
    for id in 0..5 {
        writeln!(stdin, "{{\"id\":{id},\"path\":\"/orders\"}}").unwrap();
        assert_eq!(line(&mut stdout)["id"], id);
    }
    drop(stdin);
    assert!(child.wait_with_output().unwrap().status.success());
}

#[test]
fn a_slow_answer_lets_no_more_than_a_window_be_read() {
    /// How many requests may be read beside the window: what lies in pipes and blocks.
    const BESIDE: u64 = 700;
    let program = connected();
    let gate = Gate::default();
    program.sandbox.next_api_answers(vec![Fault::Held(gate.clone())]);
    let mut child = started(&program, &BATCH);
    let written = Arc::new(AtomicU64::new(0));
    let mut stdin = child.stdin.take().unwrap();
    // A kibibyte each, so that few of them fit into a pipe.
    let more = "x".repeat(1000);
    let request = move |id: u64| {
        format!("{{\"id\":{id},\"path\":\"/orders\",\"headers\":{{\"x\":\"{more}\"}}}}\n")
    };
    // Alone, for of several on their way any may come first and be the one that is held.
    stdin.write_all(request(0).as_bytes()).unwrap();
    until("the first is held", || program.sandbox.counts(Endpoint::Api) == 1);
    let counted = written.clone();
    let writing = std::thread::spawn(move || {
        for id in 1..4000 {
            if stdin.write_all(request(id).as_bytes()).is_err() {
                return;
            }
            counted.store(id + 1, Ordering::Relaxed);
        }
    });
    until("the window is full", || program.sandbox.counts(Endpoint::Api) >= 1024);
    // Whatever would read on has the time to do so.
    let before = Cell::new(0);
    until("nothing more is read", || {
        std::thread::sleep(Duration::from_millis(50));
        let read = written.load(Ordering::Relaxed);
        before.replace(read) == read
    });
    let read = before.get();
    assert!(read <= 1024 + BESIDE, "{read} requests were read before the first answer");
    assert_eq!(program.sandbox.counts(Endpoint::Api), 1024, "requests beyond the window");
    gate.open();
    let mut stdout = lines_of(&mut child);
    assert_eq!(line(&mut stdout)["id"], 0);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(answers(&rest).len(), 3999);
    writing.join().unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn ctrl_c_starts_nothing_more_and_finishes_what_was_sent() {
    for sent in [Signal::INT, Signal::TERM] {
        let program = connected();
        program.sandbox.next_api_answers(vec![Fault::Slow(Duration::from_millis(120)); 300]);
        let requests = program.folder.path().join("requests.jsonl");
        std::fs::write(&requests, reads(300)).unwrap();
        let requests = requests.display().to_string();
        let child =
            started(&program, &["call", "shop", "--batch", &requests, "--concurrency", "4"]);
        until("some are on their way", || program.sandbox.counts(Endpoint::Api) >= 6);
        signal(&child, sent);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
        let answers = answers(&text(&output.stdout));
        let (count, said) = (answers.len() as u64, text(&output.stderr));
        assert!((6..300).contains(&count), "{count}");
        assert_eq!(program.sandbox.counts(Endpoint::Api), count, "all that was sent, and no more");
        assert!(answers.iter().all(|it| it["status"] == 200));
        assert!(said.contains(&format!("interrupted: {count} of 300 answered")), "{said}");
        assert!(
            said.contains(&format!("the last complete id is {}, of line {count}", count - 1)),
            "{said}"
        );
        let next = format!(
            "tail -n +{} {requests} | keyfob call shop --batch - --concurrency 4",
            count + 1
        );
        assert!(said.contains(&next), "{said}");
    }
}

#[test]
fn a_second_ctrl_c_waits_for_no_answer_and_says_which_were_sent() {
    let program = connected();
    program.sandbox.next_api_answers(vec![Fault::Slow(Duration::from_secs(25)); 8]);
    let mut child = started(&program, &BATCH);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(reads(20).as_bytes()).unwrap();
    until("eight are on their way", || program.sandbox.counts(Endpoint::Api) == 8);
    let start = std::time::Instant::now();
    signal(&child, Signal::INT);
    // Two signals that come at once are one; the second is sent until it is heard.
    while child.try_wait().unwrap().is_none() {
        signal(&child, Signal::INT);
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    assert!(start.elapsed() < Duration::from_secs(20), "it waited for the answers");
    assert_eq!(output.status.code(), Some(130));
    let answers = answers(&text(&output.stdout));
    assert_eq!(answers.len(), 8);
    assert!(answers.iter().all(|it| it["error"]["code"] == "interrupted"));
}

#[test]
fn a_reader_that_goes_ends_the_batch_quietly() {
    let program = connected();
    let mut child = started(&program, &BATCH);
    let mut stdin = child.stdin.take().unwrap();
    let writing = std::thread::spawn(move || {
        // It ends where nobody reads the requests any more.
        let lines = reads(2000);
        while stdin.write_all(lines.as_bytes()).is_ok() {}
    });
    let mut stdout = lines_of(&mut child);
    assert_eq!(line(&mut stdout)["id"], 0);
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}

#[test]
fn kill_9_leaves_complete_lines() {
    let program = connected();
    let out = program.folder.path().join("answers.jsonl");
    let mut command = program.command(BATCH);
    command.stdin(Stdio::piped()).stdout(std::fs::File::create(&out).unwrap());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writing = std::thread::spawn(move || {
        let lines = reads(2000);
        while stdin.write_all(lines.as_bytes()).is_ok() {}
    });
    until("some are written", || std::fs::metadata(&out).unwrap().len() > 100_000);
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    writing.join().unwrap();
    let written = std::fs::read_to_string(&out).unwrap();
    let complete = &written[..written.rfind('\n').unwrap() + 1];
    for (place, answer) in answers(complete).iter().enumerate() {
        assert_eq!(answer["id"], place as u64 % 2000);
    }
}

/// A provider of the user's own, with a limit that is soon used up.
fn limited(per_minute: u32) -> Program {
    let program = connected();
    let shipped = include_str!("../src/provider/catalogue/inkress.toml");
    let limit = format!("\n[[api.limits]]\npath = \"*\"\nper_minute = {per_minute}\n");
    let folder = program.home().join("providers");
    private_file(&folder.join("inkress.toml"), shipped.to_owned() + &limit);
    program
}

#[test]
fn two_processes_together_keep_one_limit() {
    let program = limited(30);
    let start = || {
        let mut child = started(&program, &BATCH);
        child.stdin.take().unwrap().write_all(reads(40).as_bytes()).unwrap();
        child
    };
    let children = [start(), start()];
    // A batch leaves a tenth of the limit to others.
    until("the limit is used up", || program.sandbox.counts(Endpoint::Api) >= 27);
    for child in children {
        let mut child = child;
        // It is said by whoever has to wait: nothing more is sent before a minute has gone.
        let mut said = String::new();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
        assert!(said.contains("allows 30 requests a minute, and they are used up"), "{said}");
        signal(&child, Signal::INT);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    }
    let seen = program.sandbox.log();
    let calls: Vec<_> = seen.iter().filter(|it| it.endpoint == Endpoint::Api).collect();
    let first = calls[0].at;
    let in_minute = calls.iter().filter(|it| it.at.duration_since(first).as_secs() < 60).count();
    assert!(in_minute <= 27, "{in_minute}");
}

#[test]
fn forty_single_calls_at_once_stay_under_the_limit() {
    let program = limited(20);
    let children: Vec<Child> = (0..40)
        .map(|_| program.command(["call", "shop", "GET", "/orders"]).spawn().unwrap())
        .collect();
    until("the limit is used up", || program.sandbox.counts(Endpoint::Api) >= 20);
    let (mut done, mut waiting) = (0, 0);
    for mut child in children {
        let mut said = String::new();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
        match said.is_empty() {
            true => {
                done += 1;
                let output = child.wait_with_output().unwrap();
                assert!(output.status.success(), "{}", text(&output.stderr));
            }
            false => {
                assert!(said.contains("allows 20 requests a minute"), "{said}");
                waiting += 1;
                signal(&child, Signal::INT);
                assert_eq!(child.wait().unwrap().code(), Some(130));
            }
        }
    }
    let log = program.sandbox.log();
    let calls: Vec<_> = log.iter().filter(|it| it.endpoint == Endpoint::Api).collect();
    let age = |it: &Seen| it.at.duration_since(calls[0].at).as_secs();
    let in_minute = calls.iter().filter(|it| age(it) < 60).count();
    assert_eq!((in_minute, calls.len()), (20, done));
    // Others have their turn only where it took a minute to start all of them.
    let late = calls.len() - in_minute;
    assert_eq!((done, waiting), (20 + late, 20 - late));
}

#[test] // RF5
fn two_batches_on_an_ended_token_roll_it_once() {
    let ends = Behaviour { refresh_ends_access: true, ..Behaviour::default() };
    let program = Program::beside("inkress", ends);
    program.import_into(&program.home(), "shop", Life::Ahead);
    program.sandbox.expire_access_tokens();
    let start = || {
        let mut child = started(&program, &BATCH);
        child.stdin.take().unwrap().write_all(reads(200).as_bytes()).unwrap();
        child
    };
    for child in [start(), start()] {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let (written, text) = (answers(&text(&output.stdout)), text(&output.stderr));
        assert_eq!(written.len(), 200, "{text}");
        assert!(written.iter().all(|it| it["status"] == 200));
    }
    assert_eq!((program.sandbox.rotations(), program.sandbox.spent_tokens_seen()), (1, 0));
}
