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
