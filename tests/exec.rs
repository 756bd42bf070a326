//! `exec`: another program in keyfob's place, with the token in its environment.

use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output, Stdio};

use keyfob::sandbox::{Behaviour, Endpoint};

use crate::support::Shop;
use crate::support::program::{Life, Program, STORE_KEY, text};

/// A home with `shop` in it.
fn program(life: Life) -> Program {
    let program = Program::beside("inkress", Behaviour::default());
    program.import_into(&program.home(), "shop", life);
    program
}

/// `exec` with these words, where programs are found.
fn exec(program: &Program, words: &[&str]) -> Command {
    let mut command = program.command(["exec"].into_iter().chain(words.iter().copied()));
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
    command
}

fn run(program: &Program, words: &[&str]) -> Output {
    exec(program, words).output().unwrap()
}

/// A shell's script in keyfob's place.
fn script(program: &Program, words: &[&str], script: &str) -> String {
    let output = run(program, &[words, &["--", "sh", "-c", script]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test] // AT-24, LG3
fn the_token_is_in_the_environment_and_keyfob_s_own_secrets_are_not() {
    let program = program(Life::Ahead);
    let token = text(&program.run("token shop").stdout);
    assert_eq!(script(&program, &["shop"], "echo $KEYFOB_ACCESS_TOKEN"), token);
    let named = script(
        &program,
        &["shop", "--env", "GH_TOKEN", "--env", "OTHER"],
        "echo $GH_TOKEN; echo ${OTHER}; echo ${KEYFOB_ACCESS_TOKEN-none}",
    );
    assert_eq!(named, format!("{token}{token}none\n"));
    let show = "echo ${KEYFOB_STORE_KEY-none} ${KEYFOB_CLIENT_SECRET-none} ${KEYFOB_WEBHOOK_SECRET-none} $CI";
    let mut hidden = exec(&program, &["shop", "--", "sh", "-c", show]);
    hidden.env("KEYFOB_CLIENT_SECRET", "c").env("KEYFOB_WEBHOOK_SECRET", "w");
    assert_eq!(text(&hidden.output().unwrap().stdout), "none none none true\n");
    let kept = script(&program, &["shop", "--keep-secrets"], "echo $KEYFOB_STORE_KEY");
    assert_eq!(kept.trim(), STORE_KEY);
}

#[test]
fn the_command_s_end_is_keyfob_s_end() {
    let program = program(Life::Ahead);
    let code = |script: &str| run(&program, &["shop", "--", "sh", "-c", script]).status;
    assert_eq!(code("exit 0").code(), Some(0));
    assert_eq!(code("exit 7").code(), Some(7));
    assert_eq!(code("exit 255").code(), Some(255));
    // A shell gives 128 and the signal's number for it.
    assert_eq!(code("kill -TERM $$").signal(), Some(15));
    assert_eq!(code("kill -KILL $$").signal(), Some(9));
}

#[test]
fn arguments_and_streams_are_the_command_s_own() {
    let program = program(Life::Ahead);
    let mut cat = exec(&program, &["-q", "shop", "--", "cat", "--", "-"]);
    let mut child = cat.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"as it\0is\xff").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.stdout, output.stderr), (b"as it\0is\xff".to_vec(), Vec::new()));
    let echo = run(&program, &["shop", "--", "echo", "--json", "-v", "--", "shop"]);
    assert_eq!(text(&echo.stdout), "--json -v -- shop\n");
}

#[test]
fn a_command_that_cannot_be_run_has_the_shell_s_exit_codes() {
    let program = program(Life::Ahead);
    let missing = run(&program, &["shop", "--", "no-such-program"]);
    assert_eq!(missing.status.code(), Some(127));
    assert!(text(&missing.stderr).contains("there is no program no-such-program"));
    let file = program.folder.path().join("not a program");
    std::fs::write(&file, "").unwrap();
    for path in [file.to_str().unwrap(), "/"] {
        let output = run(&program, &["shop", "--", path]);
        assert_eq!(output.status.code(), Some(126), "{path}");
        assert!(text(&output.stderr).contains("cannot be run"), "{}", text(&output.stderr));
        assert!(output.stdout.is_empty());
    }
}

#[test] // AT-24
fn an_ended_token_is_renewed_before_the_command_starts() {
    let program = program(Life::Over);
    let token = script(&program, &["shop"], "echo $KEYFOB_ACCESS_TOKEN");
    assert!(token.starts_with("inka_"), "{token}");
    assert_eq!(token, text(&program.run("token shop").stdout));
    assert_eq!(program.sandbox.counts(Endpoint::Token), 1);
}

#[test] // AT-24
fn a_short_life_is_told() {
    let program = program(Life::Ahead);
    let told = |words: &[&str]| text(&run(&program, &[words, &["--", "true"]].concat()).stderr);
    assert_eq!(told(&["shop"]), "");
    assert_eq!(told(&["shop", "--min-ttl", "30m"]), "");
    assert!(told(&["shop", "--min-ttl", "2h"]).contains("the provider gives no longer token"));
    program.sandbox.answer_with("expires_in", 200.into());
    assert!(program.run("refresh shop").status.success());
    let short = told(&["shop"]);
    assert!(short.starts_with("warning: the token ends in 3 min and is not renewed"), "{short}");
    assert_eq!(told(&["shop", "--json"]), "", "standard error is kept for a failure's document");
}

#[test]
fn without_a_token_nothing_is_run() {
    let program = Program::beside("inkress", Behaviour::default());
    program.import_into(&program.home(), "shop", Life::Ahead);
    assert_eq!(program.run("revoke shop").status.code(), Some(0));
    let output = run(&program, &["shop", "--", "echo", "ran"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(4), String::new()));
    assert!(text(&output.stderr).contains("`shop` is not connected"));
}

#[test]
fn the_profile_may_come_from_the_environment() {
    let program = program(Life::Ahead);
    let mut command = exec(&program, &["--", "echo", "ran"]);
    let output = command.env("KEYFOB_PROFILE", "shop").output().unwrap();
    assert_eq!(text(&output.stdout), "ran\n", "{}", text(&output.stderr));
    let unnamed = run(&program, &["--", "echo", "ran"]);
    assert_eq!(unnamed.status.code(), Some(2));
}

#[test]
fn a_command_without_dashes_is_told_where_they_go() {
    let shop = Shop::of("inkress");
    shop.line("exec shop make").exits(2).says("must follow `--`");
    shop.line("exec shop").exits(2).says("must follow `--`");
    shop.line("exec shop --").exits(2).says("<CMD>...");
    shop.line("exec shop --env A-B -- make").exits(2).says("letters, digits and `_`");
}

/// What a program finds about itself, and what it finds where no keyfob was before it.
#[cfg(target_os = "linux")]
fn found(program: &Program, before: &str, script: &str) -> (String, String) {
    let keyfob = env!("CARGO_BIN_EXE_keyfob");
    let prefixes = [format!("{keyfob} exec -q shop --"), String::new()];
    let [with, without] = prefixes.map(|prefix| {
        let line = format!("{before} exec {prefix} sh -c '{script}'");
        let model = exec(program, &[]);
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).env_clear().stdin(Stdio::null());
        for (name, value) in model.get_envs() {
            shell.env(name, value.unwrap());
        }
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    });
    (with, without)
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_of_keyfob_stays_with_the_command() {
    // After a refresh: a worker was started, sockets were open, the clock of a runtime ran.
    let seen = [
        ("", "readlink /proc/self/fd/3 || echo none"),
        ("", "ls /proc/$$/fd"),
        ("", "read children < /proc/$$/task/$$/children; echo ${children:-none}"),
        ("", "grep -E \"^(SigBlk|SigIgn|SigCgt|Threads|NoNewPrivs)\" /proc/self/status"),
        ("trap \"\" HUP;", "grep -E \"^SigIgn\" /proc/self/status"),
        ("ulimit -S -c \"$(ulimit -H -c)\";", "ulimit -S -c; ulimit -H -c"),
        ("umask 027;", "umask; pwd"),
    ];
    for (before, script) in seen {
        let program = program(Life::Over);
        let (with, without) = found(&program, before, script);
        assert_eq!(with, without, "{before} {script}");
        assert_eq!(program.sandbox.counts(Endpoint::Token), 1);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_command_is_the_very_process_that_was_started() {
    let program = program(Life::Over);
    let child = exec(&program, &["shop", "--", "sh", "-c", "echo $$"]).spawn().unwrap();
    let id = child.id();
    assert_eq!(text(&child.wait_with_output().unwrap().stdout), format!("{id}\n"));
}

#[test] // AT-2
fn a_signal_during_the_refresh_ends_the_command_and_loses_nothing() {
    use keyfob::sandbox::{Fault, Gate};
    use rustix::process::{Pid, Signal, kill_process};
    let program = program(Life::Over);
    let gate = Gate::default();
    program.sandbox.next_token_answers(vec![Fault::Held(gate.clone())]);
    let child = exec(&program, &["shop", "--", "echo", "ran"]).spawn().unwrap();
    crate::support::until("the refresh is under way", || {
        program.sandbox.counts(Endpoint::Token) == 1
    });
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    gate.open();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.signal(), text(&output.stdout)), (Some(15), String::new()));
    assert!(script(&program, &["shop"], "echo $KEYFOB_ACCESS_TOKEN").starts_with("inka_"));
    assert_eq!(program.sandbox.counts(Endpoint::Token), 1, "the new tokens were lost");
}

#[cfg(target_os = "linux")]
#[test]
fn no_argument_of_any_process_holds_the_token() {
    let program = program(Life::Ahead);
    let arguments =
        script(&program, &["shop"], "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '");
    let token = text(&program.run("token shop").stdout);
    assert!(arguments.contains("cmdline"), "the arguments of processes were read");
    assert!(!arguments.contains(token.trim()));
}
