//! The lines that `keyfob sandbox` prints are pasted as they stand, and work.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::support::World;

/// `keyfob sandbox` as a process of its own; it ends with the test.
struct Running {
    process: Child,
    lines: Vec<String>,
}

impl Running {
    fn of(vendor: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_keyfob"))
            .args(["sandbox", vendor])
            .env("KEYFOB_HOME", folder.path().join("home"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut lines = Vec::new();
        // The example is the last line that each of these vendors prints.
        while !lines.last().is_some_and(|line: &String| line.starts_with("  keyfob call ")) {
            lines.push(stderr.next().expect("the sandbox prints an example").unwrap());
        }
        Self { process, lines }
    }

    /// The words of the line that begins so.
    fn line(&self, start: &str) -> Vec<String> {
        let line = self.lines.iter().find(|line| line.trim_start().starts_with(start)).unwrap();
        shlex::split(line).unwrap().split_off(1)
    }

    fn secret(&self) -> Vec<u8> {
        let after = |line: &String| line.strip_prefix("  client secret  ").map(str::to_owned);
        self.lines.iter().find_map(after).unwrap().into_bytes()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn what_a_sandbox_prints_connects_and_calls() {
    for vendor in ["standard", "inyo"] {
        let (sandbox, world) = (Running::of(vendor), World::new());
        let mut connect = sandbox.line("keyfob connect");
        connect.extend(["--client-secret-file".into(), "-".into()]);
        *world.stdin.borrow_mut() = sandbox.secret();
        world.run(connect.iter().map(String::as_str)).ok();
        let call = sandbox.line("keyfob call");
        let ran = world.run(call.iter().map(String::as_str)).ok();
        assert!(serde_json::from_str::<serde_json::Value>(&ran.stdout).is_ok(), "{vendor}");
    }
}

#[test]
fn what_a_sandbox_of_imported_tokens_prints_imports_and_calls() {
    let (sandbox, world) = (Running::of("inventorum"), World::new());
    let mut import = sandbox.line("keyfob import");
    import.retain(|word| !word.starts_with("<<"));
    let tokens = sandbox.lines.iter().find(|line| line.starts_with("  {")).unwrap();
    *world.stdin.borrow_mut() = tokens.clone().into_bytes();
    world.run(import.iter().map(String::as_str)).ok();
    let call = sandbox.line("keyfob call");
    world.run(call.iter().map(String::as_str)).ok();
}
