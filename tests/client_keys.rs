//! A client that signs instead of showing a secret, before a server that verifies every signature.

use std::collections::BTreeSet;

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair,
};
use serde_json::json;

use crate::support::private_file;
use crate::support::verifier::{CLIENT, Fate, Knows, Verifier};
use crate::support::world::{Ran, World};

const RSA: &str = include_str!("../src/authorization_server/jose/test_keys/rsa_pkcs8.pem");
const RSA_PKCS1: &str = include_str!("../src/authorization_server/jose/test_keys/rsa_pkcs1.pem");
pub const P256: &str = include_str!("../src/authorization_server/jose/test_keys/p256_pkcs8.pem");
const P256_SEC1: &str = include_str!("../src/authorization_server/jose/test_keys/p256_sec1.pem");
const ED25519: &str = include_str!("../src/authorization_server/jose/test_keys/ed25519_pkcs8.pem");
const SMALL: &str = include_str!("../src/authorization_server/jose/test_keys/rsa_1024.pem");
const ENCRYPTED: &str = include_str!("../src/authorization_server/jose/test_keys/encrypted.pem");

/// A secret long enough for HS256.
const SECRET: &str = "MARKED-client-secret-of-forty-characters";

/// The key's bytes, read here without keyfob.
fn der(pem: &str) -> Vec<u8> {
    use base64::Engine as _;
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    base64::engine::general_purpose::STANDARD.decode(body).unwrap()
}

fn of_rsa(algorithm: &'static str) -> Knows {
    let pair = RsaKeyPair::from_pkcs8(&der(RSA)).unwrap();
    Knows::PublicKey(algorithm, pair.public_key().as_ref().to_vec())
}

pub fn of_p256() -> Knows {
    let random = SystemRandom::new();
    let signing = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pair = EcdsaKeyPair::from_pkcs8(signing, &der(P256), &random).unwrap();
    Knows::PublicKey("ES256", pair.public_key().as_ref().to_vec())
}

fn of_ed25519() -> Knows {
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der(ED25519)).unwrap();
    Knows::PublicKey("EdDSA", pair.public_key().as_ref().to_vec())
}

/// A world, a server, and a provider file that describes it.
struct Place {
    world: World,
    server: Verifier,
}

impl Place {
    fn new(knows: Knows, client: &str) -> Self {
        let world = World::new();
        let server = Verifier::that_knows(knows, world.clock.clone());
        let place = Self { world, server };
        place.describe(client, "flows = [\"client_credentials\"]", "reissue");
        place
    }

    /// The same server for a client that has refresh tokens.
    fn rotating(knows: Knows, client: &str) -> Self {
        let place = Self::new(knows, client);
        place.describe(
            client,
            "flows = [\"import\"]\n[import]\nconsole = \"the console\"",
            "single_use",
        );
        place
    }

    fn describe(&self, client: &str, flows: &str, rotation: &str) {
        let issuer = &self.server.issuer;
        let folder = self.world.home().providers();
        let text = format!(
            "schema = 1\nname = \"signed\"\ntitle = \"Signed\"\n{flows}\n[discovery]\nurl = \"{issuer}/.well-known/oauth-authorization-server\"\nissuer = \"{issuer}\"\n[client]\n{client}\n[token]\nurl = \"{issuer}/token\"\n[refresh]\nrotation = \"{rotation}\"\n[revoke]\nurl = \"{issuer}/revoke\"\n[api]\nbase_url = \"{issuer}\"\n"
        );
        private_file(&folder.join("signed.toml"), text);
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.world.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn connect(&self, key: &str, more: &[&str]) -> Ran {
        let file = self.file("key", key);
        let words = ["connect", "shop", "--provider", "signed", "--client-id", CLIENT];
        let words = words.into_iter().chain(["--client-key-file", &file]);
        self.world.run(words.chain(more.iter().copied()).collect::<Vec<_>>())
    }

    /// Tokens that were made elsewhere, with the client's key.
    fn import(&self, key: &str) -> Ran {
        let file = self.file("key", key);
        let tokens = json!({"access_token": "access-token-0", "refresh_token": "refresh-token-0", "expires_in": 3600});
        *self.world.stdin.borrow_mut() = tokens.to_string().into_bytes();
        self.world.run([
            "import",
            "shop",
            "--provider",
            "signed",
            "--client-id",
            CLIENT,
            "--client-key-file",
            &file,
        ])
    }

    fn line(&self, line: &str) -> Ran {
        self.world.run(line.split(' ').collect::<Vec<_>>())
    }

    fn identifiers(&self) -> Vec<String> {
        let came = self.server.came();
        let jti = |claims: &serde_json::Value| claims["jti"].as_str().unwrap().to_owned();
        came.iter().map(|it| jti(&it.claims["client_assertion"])).collect()
    }
}

const PRIVATE_KEY: &str = "auth = \"private_key_jwt\"";

#[test] // CA6
fn a_key_of_every_kind_connects_without_any_secret_on_the_wire() {
    let ps256 = format!("{PRIVATE_KEY}\nassertion_algorithms = [\"PS256\"]\nkey_id = \"key-1\"");
    let cases = [
        (RSA, of_rsa("RS256"), PRIVATE_KEY),
        (RSA_PKCS1, of_rsa("RS256"), PRIVATE_KEY),
        (RSA, of_rsa("PS256"), ps256.as_str()),
        (P256, of_p256(), PRIVATE_KEY),
        (P256_SEC1, of_p256(), PRIVATE_KEY),
        (ED25519, of_ed25519(), PRIVATE_KEY),
    ];
    for (key, knows, client) in cases {
        let place = Place::new(knows, client);
        place.connect(key, &[]).ok();
        assert_eq!(place.line("token shop").ok().stdout, "access-token-1\n");
        let came = place.server.came();
        let names: Vec<&String> = came[0].form.keys().collect();
        let expected = ["client_assertion", "client_assertion_type", "client_id", "grant_type"];
        assert_eq!(names, expected);
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        assert_eq!(came[0].form["client_assertion_type"], kind);
    }
}

#[test] // CA6, CA11
fn a_client_secret_signs_where_the_provider_says_so_and_is_not_shown() {
    let place = Place::new(Knows::Secret(SECRET.into()), "auth = \"client_secret_jwt\"");
    let file = place.file("secret", SECRET);
    let words = ["connect", "shop", "--provider", "signed", "--client-id", CLIENT];
    let connect = |file: &str| {
        let more = ["--client-secret-file", file];
        place.world.run(words.into_iter().chain(more).collect::<Vec<_>>())
    };
    connect(&file).ok();
    place.line("refresh shop").ok();
    for came in place.server.came() {
        assert!(came.form.values().all(|value| !value.contains(SECRET)), "{came:?}");
    }
    // Too short a secret could be guessed from one signature, and a public key is known to all.
    let short = place.file("short", "thirty-one-characters-and-one--");
    connect(&short).exits(3).says("has 31 bytes, and HS256 needs 32");
    let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7h\n-----END PUBLIC KEY-----";
    connect(&place.file("public", public)).exits(3).says("not a shared secret");
    assert_eq!(place.server.came().len(), 2);
}

#[test] // CA7, RF1
fn every_request_has_an_assertion_of_its_own_also_when_an_answer_was_lost() {
    let place = Place::rotating(of_p256(), PRIVATE_KEY);
    place.import(P256).ok();
    place.line("refresh shop").ok();
    // The answer is lost on the way: the same refresh token is sent again, with another proof.
    place.server.next(vec![Fate::Lost]);
    place.line("refresh shop").ok();
    place.line("revoke shop").ok();
    let came = place.server.came();
    let paths: Vec<&str> = came.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths, ["/token", "/token", "/token", "/revoke", "/revoke"]);
    assert_eq!(came[1].form["refresh_token"], came[2].form["refresh_token"]);
    let all = place.identifiers();
    let different: BTreeSet<&String> = all.iter().collect();
    assert_eq!(different.len(), 5, "{all:?}");
    assert_eq!(place.world.state("shop"), "never-connected");
}

#[test] // CA3, CA6
fn an_issuer_that_takes_signatures_is_given_one_where_there_is_a_key() {
    let place = Place::new(of_rsa("PS256"), PRIVATE_KEY);
    let key = place.file("key", RSA);
    let issuer = place.server.issuer.clone();
    place
        .world
        .run([
            "connect",
            "shop",
            "--provider",
            &issuer,
            "--client-id",
            CLIENT,
            "--client-key-file",
            &key,
        ])
        .ok();
    // RS256 is what an RSA key does as a rule, and this server does not take it.
    assert_eq!(place.line("token shop").ok().stdout, "access-token-1\n");
    place.line("refresh shop").ok();
    assert_eq!(place.identifiers().len(), 2);
}

#[test]
fn a_file_that_the_environment_names_is_read_once_and_kept_in_the_store() {
    let mut place = Place::new(of_p256(), PRIVATE_KEY);
    let key = place.file("key", P256);
    place.world.set("KEYFOB_CLIENT_KEY_FILE", &key);
    let connect = ["connect", "shop", "--provider", "signed", "--client-id", CLIENT];
    place.world.run(connect).ok();
    place.world.environment.remove("KEYFOB_CLIENT_KEY_FILE");
    std::fs::remove_file(&key).unwrap();
    place.line("refresh shop").ok();
    place.line("connect shop").ok();
    assert_eq!(place.identifiers().len(), 3);
}

#[test] // CA9
fn a_key_that_the_server_does_not_know_is_told_at_once_and_nothing_is_repeated() {
    let place = Place::new(of_p256(), PRIVATE_KEY);
    let other = keyfob::authorization_server::jose::SigningKey::generate().unwrap();
    place
        .connect(other.expose(), &[])
        .exits(3)
        .says("Signed refused the client id or the signature of its assertion")
        .says("the public half of this key, its `kid`, and this machine's clock")
        .says("--client-key-file …");
    assert_eq!(place.server.came().len(), 1);
    // The same once connected: the connection is kept, and another key mends it.
    place.connect(P256, &[]).ok();
    place.server.knows(of_ed25519());
    place.line("refresh shop").exits(3);
    assert_eq!(place.server.came().len(), 3);
    *place.world.stdin.borrow_mut() = ED25519.as_bytes().to_vec();
    place.line("profile secret shop private_key").ok().says("private_key of `shop` is kept");
    place.line("refresh shop").ok();
}

#[test] // CA6
fn a_clock_that_is_behind_is_named_among_the_causes() {
    let place = Place::new(of_p256(), PRIVATE_KEY);
    place.server.is_ahead_by(600);
    place.connect(P256, &[]).exits(3).says("it has expired").says("this machine's clock");
    assert_eq!(place.server.came().len(), 1);
}

#[test] // CA11
fn a_key_that_cannot_sign_is_refused_by_its_reason_before_anything_is_sent() {
    let place = Place::new(of_p256(), PRIVATE_KEY);
    let public = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----";
    let cases = [
        (SMALL, "less than 2048 bits"),
        (ENCRYPTED, "encrypted under a passphrase"),
        (public, "a private key is needed"),
        ("hunter2-hunter2", "neither a PEM file nor a JSON Web Key"),
        (r#"{"kty":"oct","k":"AAAA"}"#, "shared secret"),
    ];
    for (key, says) in cases {
        let ran =
            place.connect(key, &[]).exits(3).says("this private key cannot be used").says(says);
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    }
    place.describe(
        &format!("{PRIVATE_KEY}\nassertion_algorithms = [\"PS256\"]"),
        "flows = [\"client_credentials\"]",
        "reissue",
    );
    place.connect(P256, &[]).exits(3).says("it signs with ES256, and PS256 is asked for");
    place.describe(PRIVATE_KEY, "flows = [\"client_credentials\"]", "reissue");
    let missing =
        place.world.run(["connect", "shop", "--provider", "signed", "--client-id", CLIENT]);
    missing.exits(3).says("there is no private key for `shop`").says("--client-key-file …");
    assert_eq!(place.server.came().len(), 0);
    // Once connected, a bad key takes the place of no good one.
    place.connect(P256, &[]).ok();
    *place.world.stdin.borrow_mut() = SMALL.as_bytes().to_vec();
    place.line("profile secret shop private_key").exits(3).says("less than 2048 bits");
    place.line("refresh shop").ok();
}

#[test] // CA4
fn a_key_where_nothing_is_signed_and_a_key_that_is_typed_are_slips() {
    let place = Place::new(of_p256(), "auth = \"basic\"");
    place.connect(P256, &[]).exits(2).says("Signed takes no private key");
    place.import(P256).exits(2).says("Signed takes no private key");
    for (flag, file) in
        [("--private-key", "--client-key-file"), ("--subject-token", "--subject-token-file")]
    {
        let ran = place.connect(P256, &[flag, "MARKED"]).exits(2);
        let ran = ran.says("no flag takes a secret").says(&format!("use {file} FILE"));
        assert!(!ran.stderr.contains("MARKED"), "{}", ran.stderr);
    }
}

#[test]
fn a_key_can_be_pasted_line_by_line_at_a_prompt_that_shows_nothing() {
    let mut place = Place::new(of_p256(), PRIVATE_KEY);
    place.world.seat(&P256.lines().collect::<Vec<_>>());
    place.world.run(["connect", "shop", "--provider", "signed", "--client-id", CLIENT]).ok();
    assert_eq!(place.identifiers().len(), 1);
}

#[test] // CA10, T17
fn neither_key_nor_assertion_is_on_a_stream_or_in_a_file() {
    let place = Place::rotating(of_p256(), PRIVATE_KEY);
    let mut said = vec![place.import(P256).ok()];
    let mut aloud = |line: &str| {
        for loud in ["-v -v -v", "--json -v -v"] {
            said.push(place.line(&format!("{line} {loud}")));
        }
    };
    aloud("refresh shop");
    place.server.next(vec![Fate::Answer(400, json!({"error": "invalid_scope"}))]);
    aloud("refresh shop");
    // This server repeats the assertion in its words.
    place.server.is_ahead_by(600);
    aloud("refresh shop");
    place.server.is_ahead_by(0);
    for line in ["status", "profile show shop", "provider show signed", "call shop GET /x --curl"] {
        aloud(line);
    }
    aloud("revoke shop");
    let mut secrets: Vec<String> =
        P256.lines().filter(|it| !it.starts_with('-')).map(str::to_owned).collect();
    secrets.extend(place.server.came().into_iter().map(|it| it.form["client_assertion"].clone()));
    assert!(secrets.len() > 8, "{}", secrets.len());
    for secret in &secrets {
        for ran in &said {
            let both = format!("{}{}", ran.stdout, ran.stderr);
            assert!(!both.contains(secret.as_str()), "{both}");
        }
        for (path, text) in place.world.files() {
            let text = String::from_utf8_lossy(&text).into_owned();
            assert!(!text.contains(secret.as_str()), "{}", path.display());
        }
    }
}

#[test]
fn tokens_without_the_key_that_renews_them_are_imported_with_a_word() {
    let place = Place::rotating(of_p256(), PRIVATE_KEY);
    let rolls = "flows = [\"import\"]\n[import]\nconsole = \"the console\"\nrefresh_at_once = true";
    place.describe(PRIVATE_KEY, rolls, "single_use");
    let tokens = json!({"access_token": "access-token-0", "refresh_token": "refresh-token-0", "expires_in": 3600});
    *place.world.stdin.borrow_mut() = tokens.to_string().into_bytes();
    let words = ["import", "shop", "--provider", "signed", "--client-id", CLIENT];
    place.world.run(words).ok().says("`keyfob profile secret shop private_key`");
    place.line("refresh shop").exits(3).says("there is no private key for `shop`");
    *place.world.stdin.borrow_mut() = P256.as_bytes().to_vec();
    place.line("profile secret shop private_key").ok();
    place.line("refresh shop").ok();
}
