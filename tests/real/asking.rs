//! The whole program against a certified authorization server that takes pushed requests alone.

use serde_json::Value;

use super::authorization_server::{AuthorizationServer, CLIENT_SECRET, person};
use super::folder::{Folder, Ran};

/// `connect shop` at the server's issuer.
fn connect(server: &AuthorizationServer, folder: &Folder, more: &[&str]) -> Ran {
    let secret = folder.write("client-secret", CLIENT_SECRET);
    let mut command = folder.keyfob(&["connect", "shop", "--provider", &server.issuer]);
    command
        .args(["--client-id", "confidential", "--client-secret-file", &secret])
        .args(["--redirect-uri", "http://127.0.0.1/callback/certified", "--timeout", "30s"])
        .args(["--scope", "openid,offline_access,orders:read"])
        .args(more)
        .env("BROWSER", person(folder, "allow"));
    Ran::of(&mut command)
}

fn grants(seen: &Value) -> Vec<(&str, &Value)> {
    let requests = seen["token"].as_array().unwrap().iter();
    requests.map(|it| (it["grant_type"].as_str().unwrap_or_default(), &it["resource"])).collect()
}

#[test] // EX1, EX2, EX5
fn requests_are_pushed_and_tokens_are_for_the_resource_that_was_asked_for() {
    let folder = Folder::new();
    let server = AuthorizationServer::start_script(&folder, "asking.mjs", &Default::default());
    let resource = "https://api.example/orders";
    connect(&server, &folder, &["--resource", resource]).done();
    let token = folder.run(&["token", "shop"]).done().trim().to_owned();
    let seen = server.ask(&format!("/seen?token={token}"));
    assert_eq!(seen["audience"], resource, "{seen}");
    assert_eq!(seen["pushed"][0]["status"], 201, "{seen}");
    assert_eq!(seen["pushed"][0]["resource"], resource, "{seen}");
    let carried: Vec<&String> = seen["authorization"][0].as_object().unwrap().keys().collect();
    assert_eq!(carried, ["client_id", "request_uri"], "{seen}");

    folder.run(&["refresh", "shop"]).done();
    let renewed = folder.run(&["token", "shop"]).done().trim().to_owned();
    assert_ne!(renewed, token);
    let seen = server.ask(&format!("/seen?token={renewed}"));
    assert_eq!(seen["audience"], resource, "{seen}");
    let expected = Value::from(resource);
    let both = [("authorization_code", &expected), ("refresh_token", &expected)];
    assert_eq!(grants(&seen), both, "{seen}");
    assert_eq!(seen["server_errors"], Value::Array(Vec::new()), "{seen}");
}

#[test] // EX1, EX5
fn a_push_that_is_refused_is_told_before_any_browser() {
    let folder = Folder::new();
    let server = AuthorizationServer::start_script(&folder, "asking.mjs", &Default::default());
    let stderr = connect(&server, &folder, &["--resource", "https://unknown.example/"]).failed(5);
    assert!(stderr.contains("gives no token for that resource"), "{stderr}");
    assert!(stderr.contains("invalid_target"), "{stderr}");
    let other = ["--redirect-uri", "http://127.0.0.1/callback/unknown"];
    let mut command = folder.keyfob(&["connect", "shop", "--provider", &server.issuer]);
    let secret = folder.write("client-secret", CLIENT_SECRET);
    command.args(["--client-id", "confidential", "--client-secret-file", &secret]).args(other);
    let stderr = Ran::of(command.env("BROWSER", person(&folder, "allow"))).failed(5);
    assert!(stderr.contains("redirect_uri did not match any"), "{stderr}");
    assert_eq!(server.ask("/seen")["authorization"], Value::Array(Vec::new()));
}

#[test] // AR24
fn what_a_person_asks_for_arrives_by_push() {
    let folder = Folder::new();
    let server = AuthorizationServer::start_script(&folder, "asking.mjs", &Default::default());
    let more = ["--param", "acr_values=urn:example:strong", "--param", "max_age=0"];
    connect(&server, &folder, &more).done();
    let seen = server.ask("/seen");
    assert_eq!(seen["pushed"][0]["acr_values"], "urn:example:strong", "{seen}");
    assert_eq!(seen["pushed"][0]["max_age"], "0", "{seen}");
}
