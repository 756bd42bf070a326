//! Clients that sign, before a certified server: connected, refreshed by the worker, revoked.

use super::authorization_server::{AuthorizationServer, Options, person};
use super::folder::{Folder, Ran};

const RSA: &str = include_str!("../../src/authorization_server/jose/test_keys/rsa_pkcs8.pem");
const P256: &str = include_str!("../../src/authorization_server/jose/test_keys/p256_sec1.pem");
const ED25519: &str =
    include_str!("../../src/authorization_server/jose/test_keys/ed25519_pkcs8.pem");

/// As `signed_clients.mjs` has it.
const SECRET: &str = "a-secret-of-the-test-that-is-long-enough-for-HS256";

/// `connect shop` with a client that signs.
fn connect(
    server: &AuthorizationServer,
    folder: &Folder,
    id: &str,
    client: &str,
    secret: &[&str],
) -> Ran {
    let file = server.provider_file(folder, "provider");
    let text = std::fs::read_to_string(&file).unwrap();
    folder.write("provider.toml", &text.replace("auth = \"basic\"", client));
    let mut command = folder.keyfob(&["connect", "shop", "--provider", &file, "--client-id", id]);
    command
        .args(["--scope", "openid,offline_access", "--timeout", "30s"])
        .args(secret)
        .env("BROWSER", person(folder, "allow"));
    Ran::of(&mut command)
}

/// Every request after the first authenticates anew.
fn lives(server: &AuthorizationServer, folder: &Folder, id: &str) {
    folder.run(&["refresh", "shop"]).done();
    folder.run(&["refresh", "shop"]).done();
    let token = folder.run(&["token", "shop"]).done().trim().to_owned();
    let (status, me) = server.me(&token);
    assert_eq!((status, &me["client"]), (200, &id.into()));
    folder.run(&["revoke", "shop"]).done();
    assert_eq!(server.me(&token).0, 401);
    let counts = server.counts();
    assert_eq!((counts.rotations, counts.spent_tokens_seen), (2, 0), "{counts:?}");
    assert!(counts.server_errors.is_empty(), "{counts:?}");
}

#[test] // CA6, CA7
fn a_private_key_of_every_kind_is_enough() {
    let ps256 = "auth = \"private_key_jwt\"\nassertion_algorithms = [\"PS256\"]";
    let usual = "auth = \"private_key_jwt\"";
    let cases = [
        ("RS256", RSA, usual),
        ("PS256", RSA, ps256),
        ("ES256", P256, usual),
        ("EdDSA", ED25519, usual),
    ];
    for (algorithm, key, client) in cases {
        let folder = Folder::new();
        let server = AuthorizationServer::start(&folder, &Options::default());
        let file = folder.write("key.pem", key);
        let id = format!("signed-{algorithm}");
        connect(&server, &folder, &id, client, &["--client-key-file", &file]).done();
        std::fs::remove_file(file).unwrap();
        lives(&server, &folder, &id);
    }
}

#[test] // CA6, CA7
fn a_client_secret_that_signs_is_enough() {
    let folder = Folder::new();
    let server = AuthorizationServer::start(&folder, &Options::default());
    let file = folder.write("secret", SECRET);
    let client = "auth = \"client_secret_jwt\"";
    connect(&server, &folder, "signed-HS256", client, &["--client-secret-file", &file]).done();
    lives(&server, &folder, "signed-HS256");
}

#[test] // CA9, CA11
fn another_s_key_and_another_algorithm_are_refused_and_told() {
    let folder = Folder::new();
    let server = AuthorizationServer::start(&folder, &Options::default());
    let (usual, file) = ("auth = \"private_key_jwt\"", folder.write("key.pem", ED25519));
    let key = ["--client-key-file", file.as_str()];
    // The server knows RS256 for this one, and P-256 for the other.
    for id in ["signed-RS256", "signed-ES256"] {
        let before = server.counts().token_requests;
        let stderr = connect(&server, &folder, id, usual, &key).failed(3);
        assert!(stderr.contains("refused the client id or the signature"), "{stderr}");
        assert_eq!(server.counts().token_requests - before, 1);
    }
}
