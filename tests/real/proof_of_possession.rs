//! Tokens that are bound to a key, at a certified server that wants its own nonce in every proof.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::authorization_server::{AuthorizationServer, Options};
use super::folder::Folder;
use super::loopback;

#[test] // SC1, SC2, SC3, SC4
fn bound_tokens_are_got_used_refreshed_and_revoked() {
    let folder = Folder::new();
    let server = AuthorizationServer::start(&folder, &Options::default());
    let scopes = ["--scope", "openid,offline_access", "--dpop"];
    server.connect(&folder, "allow", &scopes).done();
    let asked = server.counts().last_authorization;
    assert_eq!(asked["dpop_jkt"].as_str().map(str::len), Some(43), "{asked}");

    for _ in 0..2 {
        let said = folder.run(&["call", "shop", "/userinfo"]).done();
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["sub"], "person");
        folder.run(&["refresh", "shop"]).done();
    }
    let (status, said) = through_the_proxy(&folder);
    assert_eq!((status, &said["sub"]), (200, &"person".into()), "{said}");

    let token = folder.run(&["token", "shop"]).done();
    let alone = loopback::get(&format!("{}/userinfo", server.issuer), Some(token.trim()));
    assert_eq!(alone.0, 401, "the token alone is worth nothing: {}", alone.1);

    folder.run(&["revoke", "shop"]).done();
    let counts = server.counts();
    assert_eq!((counts.rotations, counts.spent_tokens_seen), (2, 0), "{counts:?}");
    assert!(counts.server_errors.is_empty(), "{counts:?}");
}

/// What a program gets that holds neither token nor key.
fn through_the_proxy(folder: &Folder) -> (u16, Value) {
    let mut proxy = folder.keyfob(&["proxy", "shop", "-q"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(proxy.stdout.take().unwrap()).lines().map(Result::unwrap);
    let (address, secret) = (lines.next().unwrap(), lines.next().unwrap());
    let answer = loopback::get(&format!("{address}/userinfo"), Some(&secret));
    proxy.kill().unwrap();
    proxy.wait().unwrap();
    answer
}
