//! Clients that keyfob registers with a key of their own: the server knows them by its public half.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::client_keys::P256;
use crate::support::site::{Asked, Said, Site};
use crate::support::world::{Ran, World};

/// A server whose clients sign, and get tokens without a browser. It keeps what a client registers
/// and gives it the means to change that, or not.
fn signing(is_managed: bool) -> Site {
    let clients = AtomicUsize::new(0);
    Site::saying(move |origin, asked| match (&*asked.method, &*asked.path) {
        (_, "/.well-known/oauth-authorization-server") => Said::json(
            200,
            &json!({
                "issuer": origin,
                "token_endpoint": format!("{origin}/token"),
                "registration_endpoint": format!("{origin}/register"),
                "grant_types_supported": ["client_credentials"],
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
            }),
        ),
        ("POST", "/register") => {
            let id = format!("c{}", clients.fetch_add(1, Ordering::Relaxed) + 1);
            Said::json(201, &information(origin, &id, asked, is_managed))
        }
        ("PUT", path) => {
            let id = path.trim_start_matches("/register/").to_owned();
            Said::json(200, &information(origin, &id, asked, true))
        }
        ("GET", path) if path.starts_with("/register/") => {
            Said::json(200, &json!({"client_id": path.trim_start_matches("/register/")}))
        }
        ("POST", "/token") => Said::json(
            200,
            &json!({"access_token": "access-token-1", "token_type": "Bearer", "expires_in": 3600}),
        ),
        _ => Said::text(404, ""),
    })
}

fn information(origin: &str, id: &str, asked: &Asked, is_managed: bool) -> Value {
    let mut whole: Value = serde_json::from_str(&asked.body).unwrap();
    whole["client_id"] = json!(id);
    if is_managed {
        whole["registration_client_uri"] = json!(format!("{origin}/register/{id}"));
        whole["registration_access_token"] = json!("registration-token-1");
    }
    whole
}

/// What was registered, oldest first: the method, and the key that the server got to know.
fn registered(site: &Site) -> Vec<(String, Value)> {
    let asked = site.asked();
    let about = asked.iter().filter(|it| it.path.starts_with("/register"));
    about
        .map(|it| {
            let body: Value = serde_json::from_str(&it.body).unwrap_or_default();
            (it.method.clone(), body["jwks"]["keys"][0]["x"].clone())
        })
        .collect()
}

fn methods(site: &Site) -> Vec<String> {
    registered(site).into_iter().map(|(method, _)| method).collect()
}

fn connect(world: &World, site: &Site, more: &[&str]) -> Ran {
    let words = ["connect", "x", "--provider", site.origin(), "--flow", "client-credentials"];
    world.run(words.into_iter().chain(more.iter().copied()))
}

/// The key comes on standard input, once.
fn pipes(world: &World, key: &str) {
    *world.stdin.borrow_mut() = key.as_bytes().to_vec();
}

#[test] // EX7, CA6
fn a_key_that_comes_from_a_pipe_is_read_once_when_a_client_is_registered_with_it() {
    let mut world = World::new();
    let site = signing(true);
    world.set("KEYFOB_CLIENT_KEY_FILE", "-");
    pipes(&world, P256);
    connect(&world, &site, &["--register"]).ok().says("registered at");
    assert_eq!(methods(&site), ["POST"]);
    world.line("refresh x").ok();
}

#[test] // EX7, CA6
fn a_key_that_comes_from_a_pipe_is_read_once_for_a_client_that_is_there_already() {
    let world = World::new();
    let site = signing(true);
    pipes(&world, P256);
    let words = ["--register", "--client-key-file", "-"];
    connect(&world, &site, &words).ok().says("registered at");
    // For one that the profile names, and for one that only the store knows.
    pipes(&world, P256);
    connect(&world, &site, &words[1..]).ok();
    world.line("revoke x").ok();
    std::fs::remove_file(world.home().configuration.join("profiles/x.toml")).unwrap();
    pipes(&world, P256);
    connect(&world, &site, &words).ok().says("was registered before at");
    assert_eq!(methods(&site), ["POST", "GET"]);
}

/// A key of its own for each call.
fn another_key() -> String {
    rcgen::KeyPair::generate().unwrap().serialize_pem()
}

fn stored_key(world: &World) -> Value {
    let entry: Value = serde_json::from_str(&world.shelf.entry("x").unwrap()).unwrap();
    entry["secrets"]["private_key"].clone()
}

#[test] // EX7, CA6
fn the_server_gets_to_know_a_new_key_before_it_is_used() {
    let world = World::new();
    let site = signing(true);
    pipes(&world, P256);
    connect(&world, &site, &["--register", "--client-key-file", "-"]).ok();
    let new = another_key();
    pipes(&world, &new);
    let ran = connect(&world, &site, &["--client-key-file", "-"]).ok();
    ran.says("by the key that was given, and by the one of before no more");
    let told = registered(&site);
    assert_eq!(methods(&site), ["POST", "PUT"]);
    assert_ne!(told[0].1, told[1].1, "the public half of another key");
    let update: Value =
        serde_json::from_str(&site.asked().iter().find(|it| it.method == "PUT").unwrap().body)
            .unwrap();
    assert_eq!(update["jwks"]["keys"].as_array().unwrap().len(), 1);
    assert!(update["jwks"]["keys"][0].get("d").is_none(), "nothing private");
    assert_eq!(stored_key(&world), new.trim_end());
    // The server knows it now, whoever gives it once more; and a later update keeps to it.
    pipes(&world, &new);
    connect(&world, &site, &["--client-key-file", "-"]).ok();
    assert_eq!(methods(&site).len(), 2);
    connect(&world, &site, &["--scope", "a"]).ok();
    assert_eq!(registered(&site)[2], ("PUT".to_owned(), told[1].1.clone()));
}

#[test] // EX7, CA6
fn a_new_key_that_the_server_cannot_be_told_of_is_not_used_for_the_client_of_before() {
    let mut world = World::new();
    let site = signing(false);
    let old = world.own_file("old.pem", P256);
    let new = world.own_file("new.pem", another_key());
    connect(&world, &site, &["--register", "--client-key-file", old.to_str().unwrap()]).ok();
    let before = stored_key(&world);
    let words = ["--client-key-file", new.to_str().unwrap()];
    let ran = connect(&world, &site, &words).exits(3);
    let ran = ran.says("is not registered at").says("for the key that was given");
    ran.says(&format!(" --client-key-file {} ", new.display())).says(" --register\n");
    assert_eq!(stored_key(&world), before);
    world.line("refresh x").ok();

    // Another client is registered with it; the key is read once there too.
    world.set("KEYFOB_CLIENT_KEY_FILE", "-");
    pipes(&world, std::fs::read_to_string(new).unwrap().trim_end());
    connect(&world, &site, &["--register"]).ok().says("registered at");
    let told = registered(&site);
    assert_eq!(methods(&site), ["POST", "POST"]);
    assert_ne!(told[0].1, told[1].1);
    assert_ne!(stored_key(&world), before);
}
