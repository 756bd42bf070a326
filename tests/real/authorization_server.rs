//! The certified authorization server as a process of its own, and its person.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde::Deserialize;
use serde_json::Value;

use super::folder::{Folder, HERE, Ran, browser_command, require_packages};
use super::loopback;

/// The confidential client's secret, as `server.mjs` has it.
pub const CLIENT_SECRET: &str = "confidential-secret-of-the-test";

/// What the server prints when it listens.
#[derive(Deserialize)]
struct Ready {
    issuer: String,
    control: String,
}

/// How the server is started.
#[derive(Default)]
pub struct Options {
    /// How long a token request lies before it is worked on.
    pub token_delay_milliseconds: u32,
}

/// A server that runs; it ends with the test, also by a panic.
pub struct AuthorizationServer {
    pub issuer: String,
    control: String,
    process: Child,
    log: PathBuf,
}

/// What the server counted, from its start on.
#[derive(Debug, Deserialize)]
pub struct Counts {
    pub token_requests: u64,
    pub rotations: u64,
    pub spent_tokens_seen: u64,
    pub unknown_tokens_seen: u64,
    pub grants_revoked: u64,
    pub grants_alive: u64,
    pub server_errors: Vec<String>,
    pub last_authorization: Value,
}

impl AuthorizationServer {
    pub fn start(folder: &Folder, options: &Options) -> Self {
        Self::start_with("", folder, options)
    }

    /// The same with what a file beside the server's switches on.
    pub fn start_with(feature: &str, folder: &Folder, options: &Options) -> Self {
        Self::start_process(folder, "server.mjs", feature, options)
    }

    /// Another server beside it, which prints the same line.
    pub fn start_script(folder: &Folder, script: &str, options: &Options) -> Self {
        Self::start_process(folder, script, "", options)
    }

    fn start_process(folder: &Folder, script: &str, feature: &str, options: &Options) -> Self {
        require_packages("oidc_provider");
        let log = folder.join("server.log");
        let mut process = folder
            .command("node")
            .arg(format!("{HERE}/oidc_provider/{script}"))
            .env("TOKEN_DELAY_MILLISECONDS", options.token_delay_milliseconds.to_string())
            .env("FEATURE", feature)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some(ready) = line.strip_prefix("READY ") else {
            let _ = process.kill();
            panic!("{}", std::fs::read_to_string(&log).unwrap());
        };
        let Ready { issuer, control } = serde_json::from_str(ready).unwrap();
        Self { issuer, control, process, log }
    }

    pub fn counts(&self) -> Counts {
        let (_, counts) = loopback::get(&format!("{}/counts", self.control), None);
        serde_json::from_value(counts).unwrap()
    }

    /// What the control port answers there.
    pub fn ask(&self, path: &str) -> Value {
        loopback::get(&format!("{}{path}", self.control), None).1
    }

    /// Returns when that many token requests have been seen, the last one not yet worked on.
    pub fn sees_token_request(&self, number: u64) {
        loopback::get(&format!("{}/token-request?number={number}", self.control), None);
    }

    /// Access tokens from now on live that long.
    pub fn access_tokens_live(&self, seconds: u32) {
        loopback::get(&format!("{}/access-token-seconds?is={seconds}", self.control), None);
    }

    /// Status and body of the protected resource for this access token.
    pub fn me(&self, access_token: &str) -> (u16, Value) {
        loopback::get(&format!("{}/me", self.issuer), Some(access_token))
    }

    /// The path of a provider file that names this server.
    pub fn provider_file(&self, folder: &Folder, name: &str) -> String {
        let template =
            std::fs::read_to_string(format!("{HERE}/oidc_provider/{name}.toml")).unwrap();
        folder.write("provider.toml", &template.replace("@ISSUER@", &self.issuer))
    }

    /// `connect shop` with the confidential client and a person who decides.
    pub fn connect(&self, folder: &Folder, decision: &str, more: &[&str]) -> Ran {
        self.connect_with("provider", folder, decision, more)
    }

    /// The same with another provider file.
    pub fn connect_with(&self, file: &str, folder: &Folder, decision: &str, more: &[&str]) -> Ran {
        let mut command = folder.keyfob(&["connect", "shop", "--timeout", "30s"]);
        self.with_client(folder, file, &mut command);
        Ran::of(command.args(more).env("BROWSER", person(folder, decision)))
    }

    /// Adds the confidential client.
    pub fn with_client(&self, folder: &Folder, file: &str, command: &mut Command) {
        let provider = self.provider_file(folder, file);
        let secret = folder.write("client-secret", CLIENT_SECRET);
        command.args(["--provider", &provider, "--client-id", "confidential"]);
        command.args(["--client-secret-file", &secret]);
    }
}

impl Drop for AuthorizationServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}

/// A value of `BROWSER` that starts the scripted person; the last page is in `last-page.json`.
pub fn person(folder: &Folder, decision: &str) -> String {
    let last_page = folder.join("last-page.json");
    let script = format!("{HERE}/person.mjs");
    browser_command(&["node", &script, decision, last_page.to_str().unwrap()])
}
