//! The whole program against a certified authorization server that is strict about every refresh token.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use super::authorization_server::{AuthorizationServer, CLIENT_SECRET, Options, person};
use super::folder::{Folder, Ran};

/// The scopes of every connection here.
const SCOPES: [&str; 4] = ["--scope", "openid,offline_access", "--scope", "orders:read"];

/// A server and a connection to it.
fn connected(options: &Options) -> (AuthorizationServer, Folder) {
    let folder = Folder::new();
    let server = AuthorizationServer::start(&folder, options);
    server.connect(&folder, "allow", &SCOPES).done();
    (server, folder)
}

fn token(folder: &Folder) -> String {
    folder.run(&["token", "shop"]).done().trim().to_owned()
}

#[test]
fn a_connection_is_made_used_refreshed_and_revoked() {
    let (server, folder) = connected(&Options::default());
    let page = folder.json("last-page.json");
    assert_eq!(page["status"], 200, "{page}");
    let url = page["url"].as_str().unwrap();
    assert!(url.contains("/done/") && !url.contains("code=") && !url.contains("state="), "{url}");
    assert!(page["text"].as_str().unwrap().contains("keyfob has connected shop"), "{page}");

    let me = folder.run(&["call", "shop", "/me"]).done();
    let me: Value = serde_json::from_str(&me).unwrap();
    assert_eq!((&me["account"], &me["client"]), (&"person".into(), &"confidential".into()));

    let first = token(&folder);
    folder.run(&["refresh", "shop"]).done();
    let second = token(&folder);
    assert_ne!(first, second);
    assert_eq!(server.me(&second).0, 200);

    folder.run(&["revoke", "shop"]).done();
    assert_eq!(server.me(&second).0, 401, "the access token outlived the revocation");
    assert_eq!(server.me(&first).0, 401, "the first access token outlived the revocation");
    let counts = server.counts();
    assert_eq!((counts.rotations, counts.spent_tokens_seen), (1, 0), "{counts:?}");
    assert!(counts.server_errors.is_empty(), "{counts:?}");
    folder.run(&["token", "shop"]).failed(4);
}

#[test]
fn offline_access_comes_with_the_consent_it_needs() {
    let (server, _folder) = connected(&Options::default());
    let asked = server.counts().last_authorization;
    assert_eq!(asked["prompt"], "consent", "{asked}");
    assert_eq!(asked["code_challenge_method"], "S256", "{asked}");
    assert_eq!(asked["client_id"], "confidential", "{asked}");
}

#[test]
fn a_refusal_is_told_and_stores_nothing() {
    let folder = Folder::new();
    let server = AuthorizationServer::start(&folder, &Options::default());
    let stderr = server.connect(&folder, "deny", &SCOPES).failed(5);
    assert!(stderr.contains("access_denied") || stderr.contains("refused"), "{stderr}");
    let page = folder.json("last-page.json");
    assert!(page["text"].as_str().unwrap().contains("Not connected"), "{page}");
    assert_eq!(server.counts().token_requests, 0);
    folder.run(&["token", "shop"]).failed(3);
}

#[test]
fn the_client_s_own_credentials_are_enough_where_the_server_says_so() {
    let folder = Folder::new();
    let server = AuthorizationServer::start(&folder, &Options::default());
    server.connect_with("machine", &folder, "allow", &[]).done();
    let (status, me) = server.me(&token(&folder));
    assert_eq!((status, &me["client"]), (200, &"confidential".into()));
}

/// Access tokens end after this many seconds where a test waits for the end of one.
const SHORT: u32 = 2;

#[test]
fn fifty_processes_on_an_expired_token_send_one_token_request() {
    let folder = Folder::new();
    let server = AuthorizationServer::start(&folder, &Options { token_delay_milliseconds: 100 });
    server.access_tokens_live(SHORT);
    server.connect(&folder, "allow", &SCOPES).done();
    let old = token(&folder);
    expire(&server, &folder, &old);
    server.access_tokens_live(3600);
    let before = server.counts();

    let children: Vec<Child> =
        (0..50).map(|_| start(&mut folder.keyfob(&["token", "shop"]))).collect();
    let answers: BTreeSet<String> = children
        .into_iter()
        .map(|child| Ran::from(child.wait_with_output().unwrap()).done())
        .collect();

    let after = server.counts();
    assert_eq!(answers.len(), 1, "fifty processes have {} different tokens", answers.len());
    assert_eq!(after.token_requests - before.token_requests, 1, "{after:?}");
    assert_eq!((after.spent_tokens_seen, after.grants_revoked), (0, 0), "{after:?}");
    assert_eq!(after.grants_alive, before.grants_alive);
    let renewed = answers.first().unwrap().trim();
    assert_ne!(renewed, old);
    assert_eq!(server.me(renewed).0, 200);
}

fn start(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Returns when the server refuses the token and keyfob, which counts from the answer on, knows it too.
fn expire(server: &AuthorizationServer, folder: &Folder, token: &str) {
    let status: Value = serde_json::from_str(&folder.run(&["status", "--json"]).done()).unwrap();
    let end: Timestamp =
        status["profiles"][0]["access_expires_at"].as_str().unwrap().parse().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while Timestamp::now() < end || server.me(token).0 == 200 {
        assert!(Instant::now() < deadline, "the access token never expires");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_issuer_s_address_is_enough() {
    let folder = Folder::new();
    let server = AuthorizationServer::start(&folder, &Options::default());
    let secret = folder.write("client-secret", CLIENT_SECRET);
    let mut command = folder.keyfob(&["connect", "shop", "--provider", &server.issuer]);
    command
        .args(["--client-id", "confidential", "--client-secret-file", &secret])
        .args(["--redirect-uri", "http://127.0.0.1/callback/certified"])
        .args(["--scope", "openid,offline_access", "--timeout", "30s"])
        .env("BROWSER", person(&folder, "allow"));
    Ran::of(&mut command).done();
    folder.run(&["refresh", "shop"]).done();
    let token = token(&folder);
    assert_eq!(server.me(&token).0, 200);
    folder.run(&["revoke", "shop"]).done();
    assert_eq!(server.me(&token).0, 401);
    assert_eq!(server.counts().spent_tokens_seen, 0);
}

#[test]
fn a_client_without_a_secret_connects_with_pkce_alone() {
    let folder = Folder::new();
    let server = AuthorizationServer::start(&folder, &Options::default());
    let file = server.provider_file(&folder, "provider");
    let text = std::fs::read_to_string(&file).unwrap();
    let public = "auth = \"id\"\nsecret = \"none\"";
    folder.write("provider.toml", &text.replace("auth = \"basic\"", public));
    let mut command = folder.keyfob(&["connect", "shop", "--provider", &file]);
    command
        .args(["--client-id", "public", "--scope", "openid,offline_access", "--timeout", "30s"])
        .env("BROWSER", person(&folder, "allow"));
    Ran::of(&mut command).done();
    folder.run(&["refresh", "shop"]).done();
    assert_eq!(server.me(&token(&folder)).1["client"], "public");
}

#[test]
fn a_spent_refresh_token_from_a_copy_ends_the_connection_and_says_so() {
    let (server, folder) = connected(&Options::default());
    // Somebody restores a backup that holds the token of yesterday.
    let (store, backup) = (folder.join("home/state/store"), folder.join("backup"));
    copy(&store, &backup);
    folder.run(&["refresh", "shop"]).done();
    std::fs::remove_dir_all(&store).unwrap();
    copy(&backup, &store);
    let stderr = folder.run(&["refresh", "shop"]).failed(4);
    assert!(stderr.contains("keyfob connect shop"), "{stderr}");
    let counts = server.counts();
    assert_eq!((counts.spent_tokens_seen, counts.grants_revoked), (1, 1), "{counts:?}");
    // Known by now: nothing more is sent.
    folder.run(&["token", "shop"]).failed(4);
    assert_eq!(server.counts().token_requests, counts.token_requests);
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
