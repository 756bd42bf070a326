//! A world beside one authorization server that knows a client of every kind.

use serde_json::Value;

use super::certified::Authority;
use super::clients::{Clients, Proof};
use super::verifier::Knows;
use super::world::{Ran, World};
use crate::client_keys::{P256, of_p256};

/// The secret of the clients that have one.
pub const SECRET: &str = "MARKED-secret-of-the-client";

/// What they are called.
pub const CLIENTS: [&str; 5] = ["public", "secret", "posted", "key", "shown"];

/// A world, and a server that knows a client of every kind; a profile has its client's name.
pub struct Place {
    pub world: World,
    pub authority: Authority,
    pub server: Clients,
}

impl Place {
    /// The server knows them all, and nobody is connected.
    pub fn new() -> Self {
        let world = World::new();
        let authority = Authority::in_folder(world.folder.path());
        let Knows::PublicKey(_, key) = of_p256() else { panic!("a public key") };
        let server = Clients::known(
            &authority,
            &[
                ("public", Proof::Nothing),
                ("secret", Proof::Basic(SECRET.into())),
                ("posted", Proof::Post(SECRET.into())),
                ("key", Proof::Key(key)),
                ("shown", Proof::Certificate),
            ],
        );
        let (chain, key) = authority.client();
        world.own_file("chain.pem", chain);
        world.own_file("chain.key", key);
        world.own_file("key.pem", P256);
        world.own_file("secret", SECRET);
        Self { world, authority, server }
    }

    /// The flags that say how a client proves itself, once.
    fn proof(&self, client: &str) -> Vec<String> {
        let file = |name: &str| self.world.folder.path().join(name).to_str().unwrap().to_owned();
        match client {
            "secret" => vec!["--client-secret-file".into(), file("secret")],
            "posted" => vec![
                "--client-secret-file".into(),
                file("secret"),
                "--client-authentication".into(),
                "client_secret_post".into(),
            ],
            "key" => vec!["--client-key-file".into(), file("key.pem")],
            "shown" => vec![
                "--client-certificate-file".into(),
                file("chain.pem"),
                "--client-key-file".into(),
                file("chain.key"),
                // Its endpoints are on another host.
                "--yes".into(),
            ],
            _ => Vec::new(),
        }
    }

    /// Runs keyfob, which trusts the server.
    pub fn run(&self, words: &[&str]) -> Ran {
        let trust = self.authority.file.to_str().unwrap();
        self.world.run([words, &["--cacert", trust]].concat())
    }

    /// The same with the words of a line.
    pub fn line(&self, line: &str) -> Ran {
        self.run(&line.split(' ').collect::<Vec<_>>())
    }

    /// A first `connect`, or one that says it all again.
    pub fn connect(&self, client: &str) -> Ran {
        let proof = self.proof(client);
        let words = ["connect", client, "--provider", &self.server.issuer, "--client-id", client];
        let proof: Vec<&str> = proof.iter().map(String::as_str).collect();
        self.run(&[&words[..], &proof].concat())
    }

    /// Passes where the last requests were all this client's, and each was proven as it should be.
    #[track_caller]
    pub fn only(&self, client: &str, paths: &[&str]) {
        let came = self.server.came();
        let expected: Vec<(&str, &str, bool)> =
            paths.iter().map(|path| (*path, client, true)).collect();
        let came: Vec<(&str, &str, bool)> =
            came.iter().map(|it| (it.path.as_str(), it.client.as_str(), it.is_proven)).collect();
        assert_eq!(came, expected);
    }

    /// A file of that name in a folder of the home.
    pub fn folder_file(&self, folder: &str, name: &str) -> std::path::PathBuf {
        let path = self.world.folder.path().join("home");
        let found = self.world.files().into_keys().find(|file| {
            file.starts_with(&path) && file.ends_with(format!("{folder}/{name}.toml"))
        });
        found.unwrap_or_else(|| panic!("{folder}/{name}: {:?}", self.world.files().keys()))
    }

    /// The one file that describes the server.
    pub fn provider_file(&self) -> std::path::PathBuf {
        let name = self.server.issuer.trim_start_matches("https://").replace(':', "-");
        self.folder_file("providers", &name)
    }

    /// The failure of a first `connect` as a document.
    pub fn connect_json(&self, client: &str) -> Value {
        let issuer = &self.server.issuer;
        let line = format!("connect {client} --provider {issuer} --client-id {client} --json");
        self.line(&line).exits(3).failure()
    }
}
