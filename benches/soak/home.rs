//! The homes, their profiles, and how they are connected.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::Failure;
use crate::keychain::Keychain;
use crate::server::Server;

/// 32 bytes of a key that guards nothing.
const STORE_KEY: &str = "a2V5Zm9iIHNvYWsga2V5LCAzMiBieXRlcyBsb25nISEhISE=";

/// A profile of the soak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Rolls single-use refresh tokens, kept in a sealed file.
    Shop,
    /// Has no refresh token: the client's own credentials give the next one.
    Robot,
    /// Rolls single-use refresh tokens, kept in the keychain.
    Kept,
}

impl Profile {
    /// As keyfob knows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shop => "shop",
            Self::Robot => "robot",
            Self::Kept => "kept",
        }
    }

    /// Whether its tokens are single-use.
    pub fn rolls(self) -> bool {
        self != Self::Robot
    }
}

/// Where everything of keyfob's lies.
pub struct Home {
    program: PathBuf,
    folder: PathBuf,
    bus: Option<Vec<(String, String)>>,
}

impl Home {
    /// An empty one with two providers.
    pub fn new(
        program: PathBuf,
        disk: &Path,
        server: &Server,
        keychain: Option<&Keychain>,
    ) -> Result<Self, Failure> {
        let folder = disk.join("home");
        let providers = folder.join("providers");
        std::fs::create_dir_all(&providers)?;
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700))?;
        let origin = server.origin();
        let file = |name: &str, middle: &str| {
            format!(
                "schema = 1\nname = \"{name}\"\ntitle = \"Soak\"\n{middle}\n[token]\nurl = \"{origin}/token\"\n\
                 [api]\nbase_url = \"{origin}/api\"\n"
            )
        };
        let rolling = "flows = [\"authorization_code\"]\n[client]\nsecret = \"none\"\nauth = \"id\"\n\
                       [authorize]\nurl = \"https://soak.invalid/authorize\"\n[refresh]\nrotation = \"single_use\"";
        let machine = "flows = [\"client_credentials\"]\n[refresh]\nrotation = \"reissue\"";
        std::fs::write(providers.join("rolling.toml"), file("rolling", rolling))?;
        std::fs::write(providers.join("machine.toml"), file("machine", machine))?;
        Ok(Self { program, folder, bus: keychain.map(Keychain::variables) })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The profiles that are part of this soak.
    pub fn profiles(&self) -> &'static [Profile] {
        match self.bus {
            Some(_) => &[Profile::Shop, Profile::Robot, Profile::Kept],
            None => &[Profile::Shop, Profile::Robot],
        }
    }

    /// keyfob with these words; nothing of the session that runs the soak is seen by it.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words);
        self.surround(&mut command);
        command
    }

    /// The same through a shell that says something first; the words are its parameters.
    pub fn command_after(&self, script: &str, words: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{script}; exec \"$0\" \"$@\"")]);
        command.arg(&self.program).args(words);
        self.surround(&mut command);
        command
    }

    fn surround(&self, command: &mut Command) {
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.folder)
            .env("KEYFOB_HOME", &self.folder)
            .env("KEYFOB_STORE_KEY", STORE_KEY)
            .envs(self.bus.iter().flatten().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    }

    /// Connects every profile.
    pub fn connect(&self, server: &Server) -> Result<(), Failure> {
        for profile in self.profiles() {
            self.connect_one(*profile, server)?;
        }
        Ok(())
    }

    /// Connects a profile, also one whose connection was lost.
    pub fn connect_one(&self, profile: Profile, server: &Server) -> Result<(), Failure> {
        let store = if profile == Profile::Kept { "keychain" } else { "file" };
        let name = profile.name();
        let (mut command, said) = match profile.rolls() {
            true => {
                let words =
                    ["import", name, "--provider", "rolling", "--client-id", "soak", "--yes"];
                (self.command(&words), server.new_family().json())
            }
            false => {
                let words = ["connect", name, "--provider", "machine", "--client-id", "machine"];
                let mut command = self.command(&words);
                command.args(["--client-secret-file", "-"]);
                (command, "a secret that guards nothing".to_owned())
            }
        };
        command.args(["--store", store]).stdin(Stdio::piped());
        let mut running = command.spawn()?;
        let mut stdin = running.stdin.take().ok_or("keyfob has no input")?;
        stdin.write_all(said.as_bytes())?;
        drop(stdin);
        let Output { status, stderr, .. } = running.wait_with_output()?;
        match status.success() {
            true => Ok(()),
            false => Err(format!("{name}: {}", String::from_utf8_lossy(&stderr)).into()),
        }
    }
}
