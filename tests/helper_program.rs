//! `helper` as a process: many at once, streams that are closed, a terminal that nobody may use.

use std::fs::File;
use std::io::Write as _;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use expectrl::process::unix::WaitStatus;
use expectrl::{Eof, Expect as _, Session};
use keyfob::sandbox::{Behaviour, Endpoint};
use serde_json::Value;

use crate::support::program::{Life, Program, text};

/// The API's own host, as `host:port`.
fn own(program: &Program) -> String {
    let settings = program.sandbox.settings();
    let (_, host) = settings.iter().find(|(name, _)| *name == "api_host").unwrap();
    host.strip_prefix("http://").unwrap().to_owned()
}

fn start(program: &Program, line: &str, question: &str) -> Child {
    let mut command = program.command(line.split(' '));
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(question.as_bytes()).unwrap();
    child
}

#[test] // T1, AT-1a
fn fifty_helpers_at_once_on_an_expired_connection_make_one_token_request() {
    let program = Program::expired(Behaviour::default());
    program.sandbox.latency(Duration::from_millis(150));
    let own = own(&program);
    let kinds = [
        ("helper git shop get", format!("protocol=http\nhost={own}\n\n")),
        ("helper docker shop get", own.clone()),
        ("helper kubectl shop", String::new()),
        ("helper mcp shop", String::new()),
        ("helper bazel shop get", format!("{{\"uri\":\"http://{own}/\"}}")),
    ];
    let children: Vec<Child> = kinds
        .iter()
        .cycle()
        .take(50)
        .map(|(line, question)| start(&program, line, question))
        .collect();
    let outputs: Vec<Output> =
        children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    let token = text(&program.run("token shop").stdout);
    for output in outputs {
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains(token.trim()));
    }
    let sandbox = &program.sandbox;
    assert_eq!((sandbox.counts(Endpoint::Token), sandbox.rotations()), (1, 1));
    assert_eq!((sandbox.spent_tokens_seen(), sandbox.grants_alive()), (0, 1));
}

#[cfg(target_os = "linux")]
#[test]
fn a_helper_needs_neither_a_terminal_nor_open_streams() {
    let program = Program::expired(Behaviour::default());
    // As a program starts one that has itself been started with nothing open.
    let keyfob = env!("CARGO_BIN_EXE_keyfob");
    let out = program.folder.path().join("out");
    let line = format!("exec {keyfob} helper kubectl shop <&- 2>&- >'{}'", out.display());
    let model = program.command([]);
    let mut shell = Command::new("setsid");
    shell.args(["--wait", "sh", "-c", &line]).env_clear().env("PATH", "/usr/bin:/bin");
    for (name, value) in model.get_envs() {
        shell.env(name, value.unwrap());
    }
    assert!(shell.status().expect("setsid is needed, of util-linux").success());
    let answer: Value = serde_json::from_reader(File::open(&out).unwrap()).unwrap();
    assert!(answer["status"]["token"].as_str().unwrap().starts_with("inka_"));
}

#[test]
fn a_program_that_has_gone_is_no_failure() {
    let program = Program::expired(Behaviour::default());
    let mut child = program.command(["helper", "mcp", "shop"]).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn a_passphrase_is_not_asked_for_although_a_terminal_is_there() {
    let program = Program::beside("inkress", Behaviour::default());
    program.import_into(&program.home(), "shop", Life::Ahead);
    let on_terminal = |words: &[&str]| {
        let model = program.command(words.iter().copied());
        let mut command = Command::new(model.get_program());
        command.args(model.get_args()).env_clear().env("TERM", "dumb");
        for (name, value) in model.get_envs().filter(|(name, _)| *name != "KEYFOB_STORE_KEY") {
            command.env(name, value.unwrap());
        }
        let mut session = Session::spawn(command).unwrap();
        session.set_expect_timeout(Some(Duration::from_secs(30)));
        session
    };
    let mut asking = on_terminal(&["token", "shop"]);
    asking.expect("Passphrase of the keyfob file store").unwrap();
    asking.send("\u{3}").unwrap();
    for words in [&["helper", "kubectl", "shop"][..], &["helper", "mcp", "shop"]] {
        let mut session = on_terminal(words);
        let said = session.expect(Eof).unwrap();
        let said = String::from_utf8_lossy(said.as_bytes()).into_owned();
        assert!(said.contains("error:") && !said.contains("Passphrase of"), "{said}");
        assert!(matches!(session.get_process().wait(), Ok(WaitStatus::Exited(_, 6))), "{said}");
    }
}

#[test]
fn cargo_is_answered_line_by_line() {
    use std::io::{BufRead as _, BufReader};
    let program = Program::expired(Behaviour::default());
    let mut command = program.command(["--cargo-plugin"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["v"][0], 1, "hello comes before any question");
    let mut stdin = child.stdin.take().unwrap();
    for _ in 0..2 {
        let index = format!("sparse+http://{}/", own(&program));
        let request = serde_json::json!({"v": 1, "kind": "get", "operation": "read",
            "registry": {"index-url": index}, "args": ["shop"]});
        writeln!(stdin, "{request}").unwrap();
        assert!(next()["Ok"]["token"].as_str().unwrap().starts_with("Bearer inka_"));
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
    assert_eq!(program.sandbox.counts(Endpoint::Token), 1);
}
