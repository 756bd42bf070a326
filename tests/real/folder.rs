//! A folder of its own for each test, and the program that keeps everything in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The program that is tested.
pub const KEYFOB: &str = env!("CARGO_BIN_EXE_keyfob");
/// Where the parts in other languages lie.
pub const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real");
/// 32 bytes of a key that guards nothing.
const STORE_KEY: &str = "a2V5Zm9iIHRlc3Qga2V5LCAzMiBieXRlcyBsb25nISE=";

/// The longest wait for another process.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A temporary folder that goes with the test.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn join(&self, part: &str) -> PathBuf {
        self.0.path().join(part)
    }

    /// A command that sees nothing of the session that runs the tests, save where programs are.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        command_at_home(self.path(), program)
    }

    /// keyfob with its home here and the file store.
    pub fn keyfob(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(KEYFOB);
        command
            .env("KEYFOB_HOME", self.join("home"))
            .env("KEYFOB_STORE", "file")
            .env("KEYFOB_STORE_KEY", STORE_KEY)
            .args(arguments);
        command
    }

    /// Runs keyfob to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.keyfob(arguments))
    }

    /// Writes a file here and gives its path.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// What a part writes as JSON, in one piece, when it is done.
    pub fn json(&self, name: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match std::fs::read_to_string(self.join(name)) {
                Ok(text) => return serde_json::from_str(&text).unwrap(),
                Err(error) => assert!(Instant::now() < deadline, "{name}: {error}"),
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A command whose environment is nothing but this home, and where programs are.
pub fn command_at_home(home: &Path, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("LANG", "C.UTF-8")
        .stdin(Stdio::null());
    command
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ran {
    pub exit: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn of(command: &mut Command) -> Self {
        command.output().unwrap().into()
    }

    /// Its standard output, where it ended well.
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!(self.exit, Some(0), "{self:#?}");
        self.stdout
    }

    /// Its standard error, where it ended with this exit code and an empty standard output.
    #[track_caller]
    pub fn failed(self, exit: i32) -> String {
        assert_eq!((self.exit, self.stdout.as_str()), (Some(exit), ""), "{}", self.stderr);
        self.stderr
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self {
            exit: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// One value for `BROWSER`: the words, safe from being split again.
pub fn browser_command(words: &[&str]) -> String {
    shlex::try_join(words.iter().copied()).unwrap()
}

/// Fails where a folder's packages are not installed.
#[track_caller]
pub fn require_packages(folder: &str) {
    let packages = Path::new(HERE).join(folder).join("node_modules");
    assert!(packages.is_dir(), "run this first: npm ci --prefix tests/real/{folder}");
}
