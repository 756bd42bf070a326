//! keyfob registers itself at a certified server, on the word of an API that trusts it.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use serde::Deserialize;
use serde_json::Value;

use super::authorization_server::person;
use super::folder::{Folder, HERE, Ran, require_packages};
use super::loopback;
use super::ports::free_port;

const P256: &str = include_str!("../../src/authorization_server/jose/test_keys/p256_sec1.pem");

/// What the server prints when it listens.
#[derive(Deserialize)]
struct Ready {
    issuer: String,
    api: String,
}

/// The server and the API; they end with the test.
struct Servers {
    ready: Ready,
    process: Child,
    log: PathBuf,
}

impl Servers {
    fn start(folder: &Folder, initial_access_token: Option<&str>) -> Self {
        require_packages("oidc_provider");
        let log = folder.join("server.log");
        let mut command = folder.command("node");
        command.arg(format!("{HERE}/oidc_provider/registering.mjs"));
        if let Some(token) = initial_access_token {
            command.env("INITIAL_ACCESS_TOKEN", token);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.stderr(std::fs::File::create(&log).unwrap()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some(ready) = line.strip_prefix("READY ") else {
            let _ = process.kill();
            panic!("{}", std::fs::read_to_string(&log).unwrap());
        };
        Self { ready: serde_json::from_str(ready).unwrap(), process, log }
    }

    /// How many clients have registered, were changed, and are still there.
    fn clients(&self) -> (u64, u64, u64) {
        let (_, counts) = loopback::get(&format!("{}/clients", self.ready.api), None);
        let count = |name: &str| counts[name].as_u64().unwrap();
        (count("registered"), count("updated"), count("alive"))
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}

fn connect(folder: &Folder, words: &[&str]) -> Ran {
    let mut command = folder.keyfob(&["connect", "agent", "--timeout", "30s"]);
    Ran::of(command.args(words).env("BROWSER", person(folder, "allow")))
}

#[test] // EX7, DS17, EX5
fn an_api_s_url_is_enough_to_register_connect_call_refresh_and_unregister() {
    let folder = Folder::new();
    let servers = Servers::start(&folder, None);
    let api = format!("{}/mcp", servers.ready.api);
    let scopes = ["--scope", "openid,offline_access,files:read"];
    let words = ["--provider", &api, "--register"].into_iter().chain(scopes);
    connect(&folder, &words.collect::<Vec<_>>()).done();
    assert_eq!(servers.clients(), (1, 0, 1));

    let files = |folder: &Folder| -> Value {
        serde_json::from_str(&folder.run(&["call", "agent", "/files"]).done()).unwrap()
    };
    assert!(files(&folder)["scope"].as_str().unwrap().contains("files:read"));
    folder.run(&["refresh", "agent"]).done();
    files(&folder);

    // Another port is registered too, with a token that works once.
    connect(&folder, &["--port", &free_port().to_string()]).done();
    assert_eq!(servers.clients(), (1, 1, 1));
    connect(&folder, &["--port", &free_port().to_string()]).done();
    assert_eq!(servers.clients(), (1, 2, 1));
    files(&folder);

    folder.run(&["revoke", "agent"]).done();
    folder.run(&["profile", "remove", "agent", "--unregister"]).done();
    assert_eq!(servers.clients(), (1, 2, 0));
}

#[test] // EX7
fn a_server_that_wants_an_initial_access_token_says_so_and_takes_it() {
    let folder = Folder::new();
    let servers = Servers::start(&folder, Some("let-me-in"));
    let words = ["--provider", &servers.ready.issuer, "--register", "--scope", "openid"];
    let said = connect(&folder, &words).failed(3);
    assert!(said.contains("--initial-access-token-file FILE"), "{said}");
    let token = folder.write("token", "let-me-in\n");
    let more = ["--initial-access-token-file", &token];
    connect(&folder, &words.into_iter().chain(more).collect::<Vec<_>>()).done();
    assert_eq!(servers.clients(), (1, 0, 1));
}

#[test] // EX7, CA6
fn a_client_registers_with_the_public_half_of_its_key_and_is_known_by_it() {
    let folder = Folder::new();
    let servers = Servers::start(&folder, None);
    let key = folder.write("key.pem", P256);
    let words = ["--provider", &servers.ready.issuer, "--register", "--client-key-file", &key];
    let scopes = ["--scope", "openid,offline_access"];
    connect(&folder, &[&words[..], &scopes].concat()).done();
    std::fs::remove_file(key).unwrap();
    let shown = folder.run(&["profile", "show", "agent", "--json"]).done();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["registered"]["authentication"], "private_key_jwt");
    folder.run(&["refresh", "agent"]).done();
    // The key goes with an update too, and is the one that counts after it.
    connect(&folder, &["--port", &free_port().to_string()]).done();
    assert_eq!(servers.clients(), (1, 1, 1));
    folder.run(&["refresh", "agent"]).done();
    folder.run(&["profile", "remove", "agent", "--unregister", "--yes"]).done();
    assert_eq!(servers.clients(), (1, 1, 0));
}

#[test] // EX7
fn a_client_without_a_browser_is_registered_and_gets_one_later() {
    let folder = Folder::new();
    let servers = Servers::start(&folder, None);
    let words = ["--provider", &servers.ready.issuer, "--register", "--flow", "client-credentials"];
    connect(&folder, &words).done();
    assert_eq!(servers.clients(), (1, 0, 1));
    let more = ["--flow", "code", "--scope", "openid,offline_access", "--yes"];
    let ran = connect(&folder, &more);
    assert!(ran.stderr.contains("for authorization_code, refresh_token"), "{ran:#?}");
    ran.done();
    assert_eq!(servers.clients(), (1, 1, 1));
    folder.run(&["refresh", "agent"]).done();
}
