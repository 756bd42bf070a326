//! `webhook listen`, the real program: from the vendor's stand-in to a line or a program behind it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use keyfob::sandbox::Behaviour;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::program::{Life, Program, text};
use crate::support::{free_port, receiver, until};

/// Only a test that fails waits as long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A vendor whose tries follow each other quickly, and a profile with its tokens and its secret.
fn shop() -> Program {
    let pause = Some(Duration::from_millis(5));
    let program =
        Program::beside("inkress", Behaviour { webhook_pause: pause, ..Behaviour::default() });
    program.import_into(&program.home(), "shop", Life::Ahead);
    keep_secret(&program, program.sandbox.webhook_secret().unwrap().expose());
    program
}

fn keep_secret(program: &Program, secret: &str) {
    fed(program, &["profile", "secret", "shop", "webhook_secret"], secret);
}

/// Runs a command that must succeed, with this on its standard input.
fn fed(program: &Program, words: &[&str], input: &str) {
    let mut command = program.command(words.iter().copied());
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

/// A receiver that runs.
struct Listening {
    child: Child,
    url: String,
    lines: Option<BufReader<ChildStdout>>,
    said: Receiver<String>,
}

impl Listening {
    fn start(program: &Program, words: &[&str]) -> Self {
        Self::at("0", program, words)
    }

    fn at(port: &str, program: &Program, words: &[&str]) -> Self {
        let all = ["webhook", "listen", "shop", "--port", port].into_iter();
        let mut child = program.command(all.chain(words.iter().copied())).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (say, said) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines() {
                if say.send(line.unwrap()).is_err() {
                    return;
                }
            }
        });
        let first = said.recv_timeout(PATIENCE).expect("it says where it listens");
        let url = first.split(' ').find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_else(|| panic!("{first}")).to_owned();
        let lines = child.stdout.take().map(BufReader::new);
        Self { child, url, lines, said }
    }

    /// The next delivery on standard output.
    fn delivery(&mut self) -> Value {
        let mut line = String::new();
        self.lines.as_mut().unwrap().read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Waits until something is said.
    fn says(&self, what: &str) -> String {
        loop {
            let line = self.said.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("never said: {what}"));
            if line.contains(what) {
                return line;
            }
        }
    }

    /// Presses Ctrl-C, and gives the exit code, what was still printed and what was still said.
    fn interrupt(mut self) -> (Option<i32>, String, Vec<String>) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        let mut rest = String::new();
        self.lines.take().unwrap().read_to_string(&mut rest).unwrap();
        let status = self.child.wait().unwrap();
        (status.code(), rest, self.said.iter().collect())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // Of a test that has failed; one that was waited for is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn subscribe(program: &Program, url: &str) {
    let ran = program.run(&format!("call shop POST /webhook_urls url={url} event=orders.paid"));
    assert!(ran.status.success(), "{}", text(&ran.stderr));
}

fn pay(program: &Program, order: u32) {
    let ran = program.run(&format!("call shop PUT /orders/{order} status=paid"));
    assert!(ran.status.success(), "{}", text(&ran.stderr));
}

/// Sends a test event and gives the exit code.
fn send(program: &Program, url: &str, words: &[&str]) -> Option<i32> {
    let all = ["webhook", "send", "shop", url].into_iter().chain(words.iter().copied());
    program.command(all).output().unwrap().status.code()
}

/// Posts without knowing any secret, and gives the status.
fn junk(url: &str, request: &str) -> u16 {
    let address = url.trim_start_matches("http://").split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

#[test]
fn an_order_that_is_paid_becomes_a_line() {
    let program = shop();
    let mut listening = Listening::start(&program, &["--path", "/hook"]);
    assert!(listening.url.ends_with("/hook"));
    subscribe(&program, &listening.url);
    pay(&program, 5003);
    let line = listening.delivery();
    assert_eq!(line["event"], "orders.paid");
    assert_eq!(line["account"]["merchant_id"], 183);
    assert_eq!(line["body"]["data"]["id"], 5003);
    assert_eq!(line["body"]["id"], line["id"]);
    assert!(line["received_at"].as_str().unwrap().ends_with('Z'));
    until("the vendor has its answer", || {
        program.sandbox.webhook_tries().iter().any(|it| it.status == Some(200))
    });
    let (exit, rest, said) = listening.interrupt();
    assert_eq!((exit, rest.as_str()), (Some(0), ""));
    assert_eq!(said, ["1 delivery"]);
}

#[test]
fn a_body_goes_through_as_it_is_written() {
    let program = shop();
    let mut listening = Listening::start(&program, &[]);
    let url = listening.url.clone();
    assert_eq!(
        send(&program, &url, &["--data", "{ \"b\": 1.50,\r\n \"a\":1e3, \"é\":\"\\u00e9\"}"]),
        Some(0)
    );
    let mut raw = String::new();
    listening.lines.as_mut().unwrap().read_line(&mut raw).unwrap();
    assert!(raw.ends_with("\"body\":{ \"b\": 1.50,   \"a\":1e3, \"é\":\"\\u00e9\"}}\n"), "{raw}");
    assert_eq!(send(&program, &url, &["--data", "a=b&c"]), Some(0));
    assert_eq!(listening.delivery()["text"], "a=b&c");
    let file = program.folder.path().join("bytes");
    std::fs::write(&file, b"\xff\x00").unwrap();
    assert_eq!(send(&program, &url, &["--data", &format!("@{}", file.display())]), Some(0));
    assert_eq!(listening.delivery()["base64"], "/wA=");
}

#[test] // A13, ER2
fn what_would_do_something_to_a_terminal_is_an_escape_in_the_line() {
    let program = shop();
    let mut listening = Listening::start(&program, &[]);
    let url = listening.url.clone();
    let hostile = "a\u{9b}2Jb\u{202e}c\u{7f}d";
    for (body, member) in
        [(serde_json::json!({ "x": hostile }).to_string(), "body"), (hostile.into(), "text")]
    {
        assert_eq!(send(&program, &url, &["--data", &body]), Some(0));
        let mut raw = String::new();
        listening.lines.as_mut().unwrap().read_line(&mut raw).unwrap();
        assert!(raw.contains("a\\u009b2Jb\\u202ec\\u007fd"), "{raw}");
        let line: serde_json::Value = serde_json::from_str(&raw).unwrap();
        let text = if member == "body" { &line["body"]["x"] } else { &line["text"] };
        assert_eq!(text, hostile);
    }
}

#[test]
fn a_delivery_is_printed_once_whatever_was_killed_meanwhile() {
    let program = shop();
    let mut listening = Listening::start(&program, &[]);
    let url = listening.url.clone();
    assert_eq!(send(&program, &url, &["--id", "one", "--data", "{}"]), Some(0));
    assert_eq!(send(&program, &url, &["--id", "one", "--data", "{}"]), Some(0));
    listening.says("one came again");
    assert_eq!(listening.delivery()["id"], "one");
    // Another receiver for the same profile would not know what this one does.
    let second = program.run("webhook listen shop --port 0");
    assert_eq!(second.status.code(), Some(6), "{}", text(&second.stderr));
    listening.child.kill().unwrap();
    listening.child.wait().unwrap();

    let mut listening = Listening::start(&program, &[]);
    let url = listening.url.clone();
    assert_eq!(send(&program, &url, &["--id", "one", "--data", "{}"]), Some(0));
    assert_eq!(send(&program, &url, &["--id", "two"]), Some(0));
    assert_eq!(listening.delivery()["id"], "two");
    let (exit, rest, said) = listening.interrupt();
    assert_eq!((exit, rest.as_str()), (Some(0), ""));
    assert_eq!(said.last().unwrap(), "1 delivery, 1 repeated");
}

#[test]
fn an_id_that_a_replay_used_up_is_still_the_genuine_delivery_s() {
    let program = shop();
    let listening = Listening::start(&program, &[]);
    let url = listening.url.clone();
    let deliver = |words: &[&str]| assert_eq!(send(&program, &url, words), Some(0));
    // The id is not signed: who has seen the first body sends it with the id of the next.
    deliver(&["--id", "evt_8", "--data", "{\"paid\":1}"]);
    deliver(&["--id", "evt_9", "--data", "{\"paid\":1}"]);
    deliver(&["--id", "evt_9", "--data", "{\"paid\":2}"]);
    deliver(&["--id", "evt_9", "--data", "{\"paid\":2}"]);
    let (_, printed, said) = listening.interrupt();
    let taken = printed.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        (line["id"].as_str().unwrap().to_owned(), line["body"]["paid"].as_u64().unwrap())
    });
    let expected = [("evt_8", 1), ("evt_9", 1), ("evt_9", 2)].map(|(id, paid)| (id.into(), paid));
    assert_eq!(taken.collect::<Vec<_>>(), expected);
    assert_eq!(said.last().unwrap(), "3 deliveries, 1 repeated");
}

#[test]
fn junk_is_refused_a_thousand_times_and_the_vendor_still_heard() {
    let program = shop();
    let mut listening = Listening::start(&program, &[]);
    let url = listening.url.clone();
    let post = |body: &str, signature: &str| {
        format!(
            "POST / HTTP/1.1\r\nHost: x\r\nX-Inkress-Webhook-Signature: {signature}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let kinds = [
        (post("{}", "AAAA"), 401),
        (post("{}", ""), 401),
        (post("", &"x".repeat(2000)), 401),
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), 405),
        ("POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".to_owned(), 404),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n".to_owned(), 413),
    ];
    for number in 0..1000 {
        let (request, status) = &kinds[number % kinds.len()];
        assert_eq!(junk(&url, request), *status, "{request}");
    }
    subscribe(&program, &url);
    pay(&program, 5003);
    assert_eq!(listening.delivery()["event"], "orders.paid");
    let (exit, rest, said) = listening.interrupt();
    assert_eq!((exit, rest.as_str()), (Some(0), ""));
    assert_eq!(said.last().unwrap(), "1 delivery, 1000 refused");
}

#[test]
fn a_program_behind_gets_it_byte_for_byte_and_its_failure_brings_it_again() {
    let program = shop();
    let app = receiver::Program::answering(&[500, 302, 204]);
    let listening = Listening::start(&program, &["--forward", &app.url()]);
    subscribe(&program, &listening.url);
    pay(&program, 5003);
    until("the third try is taken", || {
        program.sandbox.webhook_tries().iter().any(|it| it.status == Some(200))
    });
    let tries = program.sandbox.webhook_tries();
    let statuses: Vec<_> = tries.iter().map(|it| it.status).collect();
    assert_eq!(statuses, [Some(502), Some(502), Some(200)]);
    let heard = app.heard();
    assert_eq!(heard.len(), 3);
    assert!(heard.iter().all(|(_, body)| *body == heard[0].1), "the same bytes each time");
    // The program can check the signature itself.
    let (head, body) = &heard[2];
    let header = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("{head}")).to_owned()
    };
    assert_eq!(header("x-inkress-webhook-id"), tries[0].id);
    assert_eq!(header("content-type"), "application/json");
    let mut sign =
        program.command(["webhook", "sign", "shop"]).stdin(Stdio::piped()).spawn().unwrap();
    sign.stdin.take().unwrap().write_all(body).unwrap();
    let signed = text(&sign.wait_with_output().unwrap().stdout).to_lowercase();
    assert_eq!(header("x-inkress-webhook-signature"), signed.trim());
    let (exit, rest, said) = listening.interrupt();
    assert_eq!((exit, rest.as_str()), (Some(0), ""));
    assert_eq!(said.last().unwrap(), "1 delivery, 2 not taken");
}

#[test]
fn a_program_that_is_down_gets_the_delivery_when_it_is_back() {
    let program = shop();
    let port = free_port();
    let forward = format!("http://127.0.0.1:{port}/app");
    let listening = Listening::start(&program, &["--forward", &forward]);
    assert_eq!(send(&program, &listening.url, &["--id", "one", "--data", "{}"]), Some(9));
    listening.says("was not taken");
    let app = receiver::Program::at(TcpListener::bind(("127.0.0.1", port)).unwrap(), &[200]);
    assert_eq!(send(&program, &listening.url, &["--id", "one", "--data", "{}"]), Some(0));
    assert_eq!(send(&program, &listening.url, &["--id", "one", "--data", "{}"]), Some(0));
    assert_eq!(app.heard().len(), 1);
}

#[test]
fn whoever_reads_no_further_ends_it_without_a_fault_and_without_a_loss() {
    let program = shop();
    let mut listening = Listening::start(&program, &[]);
    let url = listening.url.clone();
    assert_eq!(send(&program, &url, &["--id", "one", "--data", "{}"]), Some(0));
    assert_eq!(listening.delivery()["id"], "one");
    drop(listening.lines.take());
    assert_ne!(send(&program, &url, &["--id", "two"]), Some(0), "nobody has it");
    assert_eq!(listening.child.wait().unwrap().code(), Some(0));

    let mut listening = Listening::start(&program, &[]);
    assert_eq!(send(&program, &listening.url, &["--id", "two"]), Some(0));
    assert_eq!(listening.delivery()["id"], "two");
}

#[test]
fn a_line_that_is_read_while_ctrl_c_is_pressed_is_whole_and_counts() {
    let program = shop();
    let mut listening = Listening::start(&program, &[]);
    let url = listening.url.clone();
    let body = program.folder.path().join("body");
    std::fs::write(&body, format!("\"{}\"", "x".repeat(500_000))).unwrap();
    let words = ["webhook", "send", "shop", &url, "--id", "one", "--data"];
    let data = format!("@{}", body.display());
    let mut sending = program.command(words.into_iter().chain([data.as_str()])).spawn().unwrap();
    let mut first = [0; 1];
    listening.lines.as_mut().unwrap().get_mut().read_exact(&mut first).unwrap();
    let (exit, rest, said) = listening.interrupt();
    assert_eq!(exit, Some(0));
    let line = format!("{}{rest}", char::from(first[0]));
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["id"], "one");
    assert_eq!(said.last().unwrap(), "1 delivery");
    sending.wait().unwrap();

    let listening = Listening::start(&program, &[]);
    assert_eq!(send(&program, &listening.url, &["--id", "one", "--data", &data]), Some(0));
    listening.says("one came again");
}

#[test]
fn a_reader_who_takes_his_time_does_not_keep_ctrl_c_from_being_heard() {
    let program = shop();
    let mut listening = Listening::start(&program, &[]);
    let body = program.folder.path().join("body");
    std::fs::write(&body, format!("\"{}\"", "x".repeat(1_000_000))).unwrap();
    let words = ["webhook", "send", "shop", &listening.url, "--data"];
    let data = format!("@{}", body.display());
    let mut sending = program.command(words.into_iter().chain([data.as_str()])).spawn().unwrap();
    // The pipe is full when a first part of the line can be read and nobody reads on.
    let mut first = [0; 1];
    listening.lines.as_mut().unwrap().get_mut().read_exact(&mut first).unwrap();
    kill_process(Pid::from_child(&listening.child), Signal::INT).unwrap();
    assert_eq!(listening.child.wait().unwrap().code(), Some(0));
    sending.kill().unwrap();
    sending.wait().unwrap();
}

#[test]
fn deliveries_for_other_accounts_are_marked_or_passed_over() {
    let program = shop();
    let mut tokens = program.sandbox.dashboard_tokens(&["orders:read"]);
    tokens["merchant_id"] = 183.into();
    fed(&program, &["import", "shop", "--yes"], &tokens.to_string());
    let others = r#"{"merchant_id":184}"#;
    let mut listening = Listening::start(&program, &[]);
    let url = listening.url.clone();
    assert_eq!(send(&program, &url, &["--id", "one", "--data", others]), Some(0));
    assert_eq!(listening.delivery()["account"]["merchant_id"], 184);
    listening.says("for merchant_id 184");
    drop(listening);

    let mut listening = Listening::start(&program, &["--only-this-account"]);
    let url = listening.url.clone();
    assert_eq!(send(&program, &url, &["--id", "two", "--data", others]), Some(0));
    assert_eq!(send(&program, &url, &["--id", "three"]), Some(0));
    assert_eq!(listening.delivery()["id"], "three");
    let (_, _, said) = listening.interrupt();
    assert_eq!(said.last().unwrap(), "1 delivery, 1 for other accounts");
}

#[test]
fn a_rotated_secret_signs_from_then_on() {
    let program = shop();
    let port = free_port().to_string();
    let listening = Listening::at(&port, &program, &[]);
    subscribe(&program, &listening.url);
    let ran = program.run("call shop POST /oauth_clients/17/rotate_webhook_secret");
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let answer: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let rotated = answer["result"]["webhook_secret"].as_str().unwrap().to_owned();
    assert!(rotated.starts_with("whsec_"));
    pay(&program, 5003);
    listening.says("refused: the signature does not fit");
    until("the vendor gives up", || program.sandbox.webhook_tries().len() == 5);
    let (_, rest, _) = listening.interrupt();
    assert_eq!(rest, "");
    keep_secret(&program, &rotated);
    let mut listening = Listening::at(&port, &program, &[]);
    let ran = program.run("call shop PUT /orders/5003 status=pending");
    assert!(ran.status.success());
    pay(&program, 5003);
    assert_eq!(listening.delivery()["event"], "orders.paid");
}
