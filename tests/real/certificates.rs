//! keyfob registers itself at a certified server with a certificate, and is known by it from then on.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use rcgen::{Certificate, KeyPair};
use serde::Deserialize;
use serde_json::Value;

use super::authority::{Authority, self_signed};
use super::folder::{Folder, HERE, Ran, require_packages};
use super::loopback;

/// What the server prints when it listens.
#[derive(Deserialize)]
struct Ready {
    issuer: String,
    control: String,
}

/// The server; it ends with the test.
struct Server {
    ready: Ready,
    authority: Authority,
    process: Child,
    log: PathBuf,
}

impl Server {
    /// One that knows clients by this method alone.
    fn start(folder: &Folder, method: &str) -> Self {
        require_packages("oidc_provider");
        let authority = Authority::new();
        let (certificate, key) = authority.server();
        let log = folder.join("server.log");
        let mut process = folder
            .command("node")
            .arg(format!("{HERE}/oidc_provider/certificates.mjs"))
            .env("METHOD", method)
            .env("TLS_CA", folder.write("ca.pem", &authority.pem()))
            .env("TLS_CERTIFICATE", folder.write("server.pem", &certificate.pem()))
            .env("TLS_KEY", folder.write("server.key", &key.serialize_pem()))
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
        Self { ready: serde_json::from_str(ready).unwrap(), authority, process, log }
    }

    fn seen(&self) -> Value {
        loopback::get(&format!("{}/", self.ready.control), None).1
    }

    fn count(&self, name: &str) -> u64 {
        self.seen()[name].as_u64().unwrap()
    }

    /// `connect agent` with a certificate of its own.
    fn connect(&self, folder: &Folder, own: &(Certificate, KeyPair), more: &[&str]) -> Ran {
        let chain = folder.write("own.pem", &own.0.pem());
        let key = folder.write("own.key", &own.1.serialize_pem());
        let words = ["connect", "agent", "--provider", &self.ready.issuer];
        let words = [&words[..], &["--flow", "client-credentials"], more].concat();
        let own = ["--client-certificate-file", chain.as_str(), "--client-key-file", &key];
        let ran = self.run(folder, &[&words[..], &own].concat());
        std::fs::remove_file(chain).unwrap();
        std::fs::remove_file(key).unwrap();
        ran
    }

    fn run(&self, folder: &Folder, words: &[&str]) -> Ran {
        let ca = folder.join("ca.pem");
        folder.run(&[words, &["--cacert", ca.to_str().unwrap()]].concat())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}

/// Registers, is let in again and again by the certificate alone, and is ended.
fn lives(folder: &Folder, server: &Server, own: &(Certificate, KeyPair), method: &str) -> Value {
    server.connect(folder, own, &["--register"]).done();
    assert_eq!(server.count("let_in"), 1);
    let shown = folder.run(&["profile", "show", "agent", "--json"]).done();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["registered"]["authentication"], method);
    server.run(folder, &["refresh", "agent"]).done();
    server.run(folder, &["revoke", "agent"]).done();
    server.run(folder, &["connect", "agent"]).done();
    assert_eq!((server.count("let_in"), server.count("refused")), (3, 0));
    let registered = server.seen()["registered"].clone();
    assert_eq!(registered.as_array().unwrap().len(), 1, "{registered}");
    assert_eq!(registered[0]["token_endpoint_auth_method"], method);
    registered[0].clone()
}

#[test] // EX7, CA8
fn a_client_registers_with_the_subject_of_its_certificate_and_is_known_by_it() {
    let folder = Folder::new();
    let server = Server::start(&folder, "tls_client_auth");
    let own = server.authority.client("shop, till 1");
    let client = lives(&folder, &server, &own, "tls_client_auth");
    // The last name first, and the comma within a name told apart (RFC 4514 sections 2.1 and 2.4).
    let subject = "O=keyfob tests,CN=shop\\, till 1";
    assert_eq!(client["tls_client_auth_subject_dn"], subject);
    assert_eq!(client["jwks"], Value::Null);
    // The same subject on a certificate of nobody's is refused; no update is needed for it either.
    let stranger = self_signed("shop, till 1");
    server.connect(&folder, &stranger, &[]).failed(3);
    assert_eq!((server.count("refused"), server.count("updated")), (1, 0));
    server.run(&folder, &["profile", "remove", "agent", "--unregister", "--yes"]).done();
    assert_eq!(server.count("alive"), 0);
}

#[test] // EX7, CA8, SC10
fn a_client_registers_with_the_certificate_that_it_signed_itself_and_with_the_next_one() {
    let folder = Folder::new();
    let server = Server::start(&folder, "self_signed_tls_client_auth");
    let own = self_signed("till");
    let client = lives(&folder, &server, &own, "self_signed_tls_client_auth");
    let keys = client["jwks"]["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1);
    assert!(keys[0]["x5c"][0].is_string() && keys[0].get("d").is_none(), "{}", keys[0]);
    // The server gets to know the next one before it is shown.
    server.connect(&folder, &self_signed("till"), &[]).done();
    server.run(&folder, &["refresh", "agent"]).done();
    assert_eq!((server.count("updated"), server.count("refused")), (1, 0));
    server.run(&folder, &["profile", "remove", "agent", "--unregister", "--yes"]).done();
    assert_eq!(server.count("alive"), 0);
}
