//! Standard output that nobody opened: the product is not thrown away in silence.

use std::process::{Command, Output, Stdio};

use keyfob::sandbox::Behaviour;

use crate::support::program::{Life, Program, text};

fn shop() -> Program {
    let program = Program::beside("inkress", Behaviour::default());
    program.import_into(&program.home(), "shop", Life::Ahead);
    program
}

/// Runs a command whose standard output goes where the shell is told.
fn into(program: &Program, line: &str, redirection: &str) -> Output {
    let model = program.command([]);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &format!("exec \"$0\" {line} {redirection}")]).arg(model.get_program());
    shell.env_clear().envs(model.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.stdin(Stdio::null()).output().unwrap()
}

#[test]
fn a_closed_standard_output_gets_no_product_and_loses_none() {
    let program = shop();
    for line in ["export shop --move", "sync shop /orders", "token shop", "call shop GET /orders"] {
        let ran = into(&program, line, ">&-");
        let said = text(&ran.stderr);
        assert_eq!(ran.status.code(), Some(1), "{line}: {said}");
        assert!(said.contains("it was closed before keyfob started"), "{line}: {said}");
    }
    let status = text(&program.run("status shop").stdout);
    assert!(status.contains("ready"), "it has not moved: {status}");
    let synced = text(&program.run("sync shop /orders").stdout);
    assert!(synced.lines().count() > 0, "the cursor has not moved");
}

#[test]
fn the_null_device_takes_what_somebody_sends_there() {
    let program = shop();
    let ran = into(&program, "token shop", ">/dev/null");
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
}
