//! The real binary, against a stand-in in the test's own process.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use keyfob::sandbox::{Behaviour, Options, Sandbox};

use super::free_port;

/// A store key as `openssl rand -base64 32` writes one.
pub const STORE_KEY: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";

/// A home for real processes.
pub struct Program {
    /// Everything keyfob writes is below it.
    pub folder: tempfile::TempDir,
    /// The vendor.
    pub sandbox: Sandbox,
}

impl Program {
    /// A vendor and an empty home.
    pub fn beside(vendor: &str, behaviour: Behaviour) -> Self {
        let redirect_uri = format!("http://127.0.0.1:{}/callback/{vendor}", free_port());
        let redirect_uris = vec![redirect_uri];
        let options = Options { redirect_uris, behaviour, ..Options::default() };
        let sandbox = Sandbox::start(vendor, options).unwrap();
        Self { folder: tempfile::tempdir().unwrap(), sandbox }
    }

    /// A vendor whose tokens are imported as `shop`, and have ended.
    pub fn expired(behaviour: Behaviour) -> Self {
        let program = Self::beside("inkress", behaviour);
        program.import_into(&program.home(), "shop", Life::Over);
        program
    }

    /// Where keyfob keeps its files.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The program with these arguments, in this home.
    pub fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        self.command_in(&self.home(), arguments)
    }

    /// The program in another home.
    pub fn command_in<'a>(
        &self,
        home: &Path,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyfob"));
        command
            .args(arguments)
            .env_clear()
            .env("KEYFOB_HOME", home)
            .env("KEYFOB_STORE", "file")
            .env("KEYFOB_STORE_KEY", STORE_KEY)
            .env("CI", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a line to its end.
    pub fn run(&self, line: &str) -> Output {
        self.command(line.split_whitespace()).output().unwrap()
    }

    /// Imports tokens from the vendor's dashboard.
    pub fn import_into(&self, home: &Path, profile: &str, life: Life) {
        self.import_elsewhere(home, profile, life, &[]);
    }

    /// The same with settings in place of the vendor's own, and with what comes with a connection;
    /// gives the access token.
    pub fn import_elsewhere(
        &self,
        home: &Path,
        profile: &str,
        life: Life,
        instead: &[(&str, &str)],
    ) -> String {
        use std::io::Write as _;
        let how = self.sandbox.how_to_connect();
        let scopes: Vec<&str> = how.scopes.iter().map(String::as_str).collect();
        let mut tokens = self.sandbox.dashboard_tokens(&scopes);
        if let Some(secret) = &how.client.client_secret {
            tokens["client_secret"] = secret.expose().into();
        }
        if !instead.is_empty() {
            tokens["merchant_id"] = 183.into();
        }
        if life == Life::Over {
            tokens["expires_at"] = "2020-01-01T00:00:00Z".into();
            tokens.as_object_mut().unwrap().remove("expires_in");
        }
        let mut words = vec!["import", profile, "--provider", &how.provider];
        let own = how.settings.iter().filter(|(name, _)| instead.iter().all(|it| it.0 != name));
        let own = own.map(|(name, value)| (name.as_str(), value.as_str()));
        let settings: Vec<String> = own
            .chain(instead.iter().copied())
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        words.extend(settings.iter().flat_map(|it| ["--set", it.as_str()]));
        words.extend(["--client-id", &how.client.client_id]);
        // What a CI job imports is a copy, and never rolled.
        let mut command = self.command_in(home, words);
        let mut import = command.env_remove("CI").stdin(Stdio::piped()).spawn().unwrap();
        import.stdin.take().unwrap().write_all(tokens.to_string().as_bytes()).unwrap();
        let output = import.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        tokens["access_token"].as_str().unwrap().to_owned()
    }
}

/// Whether the imported access token still serves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// As long as the vendor says.
    Ahead,
    /// It has ended.
    Over,
}

/// Bytes as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
