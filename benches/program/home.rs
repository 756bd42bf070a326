//! What is set up once: a folder, the server, an empty program, homes with connections.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::Failure;
use crate::server::Server;
use crate::tools;

/// Everything that the measured commands meet.
pub struct World {
    /// The API.
    pub server: Server,
    /// The program.
    pub keyfob: PathBuf,
    /// What a start costs at least.
    pub empty: PathBuf,
    folder: TempDir,
}

impl World {
    /// Sets it up.
    pub fn new() -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("keyfob-bench").tempdir()?;
        let server = Server::start(folder.path())?;
        let empty = tools::empty_program(folder.path())?;
        Ok(Self { server, keyfob: tools::keyfob(), empty, folder })
    }

    /// Where everything is.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A command with an environment of its own: nothing of this session changes what is measured.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.folder()).env("LANG", "C.UTF-8");
        command
    }

    /// A home of its own, its tokens in sealed files.
    pub fn sealed_home(&self, name: &str) -> Result<Home, Failure> {
        let key = self.folder().join("store.key");
        if !key.exists() {
            private_file(&key, b"the benchmark's key, which opens nothing else\n")?;
        }
        Ok(Home {
            folder: self.folder().join(name),
            variables: vec![
                ("KEYFOB_STORE".into(), "file".into()),
                ("KEYFOB_STORE_KEY_FILE".into(), key.display().to_string()),
            ],
        })
    }
}

/// A home of keyfob's.
pub struct Home {
    /// `KEYFOB_HOME`.
    pub folder: PathBuf,
    /// The other variables.
    pub variables: Vec<(String, String)>,
}

impl Home {
    /// A command of keyfob in this home.
    pub fn command(&self, world: &World, words: &[&str]) -> Command {
        let mut command = world.command(&world.keyfob);
        command.env("KEYFOB_HOME", &self.folder).envs(self.variables.iter().cloned()).args(words);
        command
    }

    /// Puts tokens into the profile `shop`, whose API is at `api`.
    pub fn import(&self, world: &World, api: &str, tokens: &Value) -> Result<(), Failure> {
        let host = format!("api_host={api}");
        let words = ["import", "shop", "--provider", "inkress", "--set", &host, "--yes", "--quiet"];
        let mut command = self.command(world, &words);
        let mut import =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut stdin = import.stdin.take().ok_or("import has no input")?;
        write!(stdin, "{tokens}")?;
        drop(stdin);
        let ended = import.wait_with_output()?;
        match ended.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&ended.stderr).into_owned().into()),
        }
    }
}

/// Writes a file for this user alone.
pub fn private_file(path: &Path, content: &[u8]) -> Result<(), Failure> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(content)?;
    Ok(())
}
