//! The device flow against a certified authorization server, with a person at another browser.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, Stdio};

use super::authorization_server::{AuthorizationServer, Options};
use super::folder::{Folder, HERE, Ran};

fn server(folder: &Folder) -> AuthorizationServer {
    AuthorizationServer::start_with("device", folder, &Options::default())
}

/// A `connect` that waits, and what it has told the person.
struct Waiting {
    process: Child,
    stderr: BufReader<ChildStderr>,
    told: String,
}

impl Waiting {
    fn begun(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(process.stderr.take().unwrap());
        let mut told = String::new();
        while !told.contains("waiting ") {
            assert_ne!(stderr.read_line(&mut told).unwrap(), 0, "{told}");
        }
        Self { process, stderr, told }
    }

    /// What a person opens who scans the address with the code in it.
    fn address(&self) -> String {
        let after = |words: &str| self.told.lines().skip_while(|it| !it.contains(words)).nth(1);
        let (page, code) = (after("open this address").unwrap(), after("enter this code").unwrap());
        assert!(!code.is_empty() && !code.contains(' '), "{}", self.told);
        format!("{page}?user_code={code}")
    }

    fn ended(mut self) -> Ran {
        self.stderr.read_to_string(&mut self.told).unwrap();
        let output = self.process.wait_with_output().unwrap();
        Ran { stderr: self.told, ..output.into() }
    }
}

/// The person opens the address, compares the code, signs in and decides.
fn person(folder: &Folder, decision: &str, address: &str) -> String {
    let (script, page) = (format!("{HERE}/person.mjs"), folder.join("last-page.json"));
    let page = page.to_str().unwrap();
    Ran::of(folder.command("node").args([&script, decision, page, address])).done();
    folder.json("last-page.json")["text"].as_str().unwrap().to_owned()
}

#[test] // DV1, DV3, DV4, DV10
fn a_connection_is_made_on_another_device_and_rolls_like_any_other() {
    let folder = Folder::new();
    let server = server(&folder);
    let mut command = folder.keyfob(&["connect", "shop", "--timeout", "60s", "--no-input"]);
    server.with_client(&folder, "device", &mut command);
    let waiting =
        Waiting::begun(command.args(["--scope", "openid offline_access orders:read", "-vv"]));
    let page = person(&folder, "allow", &waiting.address());
    assert!(page.contains("Success"), "{page}");
    let ran = waiting.ended();
    assert_eq!((ran.exit, ran.stdout.as_str()), (Some(0), ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("connected `shop`"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("device_code="), "{}", ran.stderr);
    let me = folder.run(&["call", "shop", "/me"]).done();
    assert!(me.contains("\"person\"") && me.contains("orders:read"), "{me}");
    folder.run(&["refresh", "shop"]).done();
    folder.run(&["revoke", "shop"]).done();
    let counts = server.counts();
    assert_eq!((counts.rotations, counts.spent_tokens_seen), (1, 0), "{counts:?}");
    assert!(counts.server_errors.is_empty(), "{counts:?}");
}

#[test] // DV5, DV10
fn a_refusal_on_another_device_ends_the_wait_and_the_metadata_were_enough() {
    let folder = Folder::new();
    let server = server(&folder);
    let line = ["connect", "shop", "--flow", "device", "--client-id", "public", "--timeout", "60s"];
    let mut command = folder.keyfob(&line);
    let waiting = Waiting::begun(command.args(["--provider", &server.issuer, "--scope", "openid"]));
    person(&folder, "deny", &waiting.address());
    let stderr = waiting.ended().failed(5);
    assert!(stderr.contains("the authorization was denied"), "{stderr}");
    assert_eq!(server.counts().grants_alive, 0);
    folder.run(&["token", "shop"]).failed(3);
}
