//! What is asked for beside scopes: resources (RFC 8707) and rights in detail (RFC 9396).

use serde_json::json;

use crate::support::browser::Behaviour;
use crate::support::scripted::{Answer, Scripted, back, granted, honest, tokens, value, values};
use crate::support::{Ran, World};

const BOTH: [&str; 2] = ["https://api.example/", "urn:example:billing"];

/// `connect shop` at a server with these words in its provider file.
fn connect(
    world: &World,
    server: &Scripted,
    (authorize, token): (&str, &str),
    more: &[&str],
) -> Ran {
    let file = world.own_file("plain.toml", server.provider(authorize, token));
    let secret = world.own_file("secret", "s3cret");
    let mut words = vec!["connect", "shop", "--provider", file.to_str().unwrap()];
    words.extend(["--client-id", "me", "--client-secret-file", secret.to_str().unwrap()]);
    world.run(words.into_iter().chain(more.iter().copied()))
}

#[test] // EX5, AR24
fn resources_are_named_at_every_request_and_remembered() {
    let (world, server) = (World::new(), Scripted::honest());
    let flags = ["--resource", BOTH[0], "--resource", BOTH[1]];
    connect(&world, &server, ("", ""), &flags).ok();
    world.line("refresh shop").ok();
    world.line("connect shop").ok();
    let asked = server.heard("GET /authorize");
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|it| values(&it.query, "resource") == BOTH), "{asked:?}");
    let tokens = server.heard("POST /token");
    let grants: Vec<_> = tokens.iter().filter_map(|it| value(&it.form, "grant_type")).collect();
    assert_eq!(grants, ["authorization_code", "refresh_token", "authorization_code"]);
    assert!(tokens.iter().all(|it| values(&it.form, "resource") == BOTH), "{tokens:?}");
    let shown = world.line("profile show shop").ok().stdout;
    assert!(shown.contains("resource      https://api.example/ urn:example:billing"), "{shown}");
    // Others take their place, and an empty one forgets them.
    world.line("connect shop --resource https://other.example/").ok();
    assert_eq!(
        values(&server.heard("GET /authorize")[2].query, "resource"),
        ["https://other.example/"]
    );
    world.run(["connect", "shop", "--resource", ""]).ok();
    assert!(values(&server.heard("GET /authorize")[3].query, "resource").is_empty());
    world.line("refresh shop").ok();
    assert!(values(&server.heard("POST /token").pop().unwrap().form, "resource").is_empty());
}

#[test] // EX5
fn a_provider_may_name_the_resource_and_its_own_credentials_ask_for_it_too() {
    let (world, server) = (World::new(), Scripted::honest());
    connect(&world, &server, ("", "resource = [\"https://api.example/\"]"), &[]).ok();
    assert_eq!(values(&server.heard("GET /authorize")[0].query, "resource"), [BOTH[0]]);
    assert_eq!(values(&server.heard("POST /token")[0].form, "resource"), [BOTH[0]]);

    // Tokens that were made elsewhere are renewed for it as well.
    let mut imported = World::new();
    let file = world.folder.path().join("plain.toml");
    let response = granted().to_string();
    *imported.stdin.borrow_mut() = response.into_bytes();
    imported.set("KEYFOB_CLIENT_SECRET", "s3cret");
    let words = ["import", "shop", "--provider", file.to_str().unwrap(), "--client-id", "me"];
    imported.run(words).ok();
    imported.line("refresh shop").ok();
    assert_eq!(values(&server.heard("POST /token")[1].form, "resource"), [BOTH[0]]);

    let machine = World::new();
    let text = format!(
        "schema = 1\nname = \"machine\"\nflows = [\"client_credentials\"]\n\
         [token]\nurl = \"{0}/token\"\nresource = [\"{1}\"]\n\
         [refresh]\nrotation = \"reissue\"\n[api]\nbase_url = \"{0}\"\n",
        server.origin, BOTH[1]
    );
    let file = machine.own_file("machine.toml", text);
    *machine.stdin.borrow_mut() = b"s3cret".to_vec();
    let rights = machine.own_file("rights", r#"[{"type":"x"}]"#);
    let words = ["connect", "shop", "--provider", file.to_str().unwrap(), "--client-id", "me"];
    let more = ["--client-secret-file", "-", "--authorization-details", rights.to_str().unwrap()];
    machine.run(words.into_iter().chain(more)).ok();
    machine.line("refresh shop").ok();
    let asked = server.heard("POST /token").split_off(2);
    assert_eq!(asked.len(), 2);
    for request in asked {
        assert_eq!(value(&request.form, "grant_type"), Some("client_credentials"));
        assert_eq!(values(&request.form, "resource"), [BOTH[1]]);
        assert_eq!(value(&request.form, "authorization_details"), Some(r#"[{"type":"x"}]"#));
    }
}

#[test] // EX4, EX5, AR14
fn what_cannot_be_asked_for_is_said_before_anything_is_sent() {
    let server = Scripted::honest();
    let mut world = World::new();
    world.browser(Behaviour::MustStayClosed);
    for (resource, why) in
        [("api.example", "no absolute URI"), ("https://api.example/#x", "has a fragment")]
    {
        connect(&world, &server, ("", ""), &["--resource", resource]).exits(2).says(why);
    }
    for (text, why) in [
        (r#"{"type":"x"}"#, "no JSON array of objects"),
        (r#"[{"actions":[]}]"#, "has no `type`"),
        (r#"[{"type":"x","type":"y"}]"#, "each member once"),
    ] {
        let file = world.own_file("rights", text);
        let flags = ["--authorization-details", file.to_str().unwrap()];
        connect(&world, &server, ("", ""), &flags).exits(2).says(why);
    }
    connect(&world, &server, ("", ""), &["--authorization-details", "/nowhere"]).exits(3);
    for name in ["resource", "authorization_details", "request_uri", "response_mode", "nonce"] {
        let param = format!("{name}=x");
        connect(&world, &server, ("", ""), &["--param", &param]).exits(2).says("protocol's own");
    }
    assert_eq!(server.count(), 0);
    world.line("status shop").exits(3);
}

#[test] // EX4
fn rights_in_detail_are_sent_as_they_are_and_what_was_granted_is_shown() {
    let server = Scripted::start(|asked, origin| match asked.line.as_str() {
        "POST /token" if value(&asked.form, "grant_type") == Some("authorization_code") => {
            let mut granted = granted();
            granted["authorization_details"] = json!([{"type": "payment", "limit": 5}]);
            Answer::json(200, &granted)
        }
        _ => honest(asked, origin),
    });
    let world = World::new();
    *world.stdin.borrow_mut() = br#" [ {"type": "payment", "actions": ["read"]} ] "#.to_vec();
    connect(&world, &server, ("", ""), &["--authorization-details", "-"]).ok();
    let asked = server.heard("GET /authorize").remove(0);
    let sent: serde_json::Value =
        serde_json::from_str(value(&asked.query, "authorization_details").unwrap()).unwrap();
    assert_eq!(sent, json!([{"type": "payment", "actions": ["read"]}]));
    let exchange = server.heard("POST /token").remove(0);
    assert_eq!(value(&exchange.form, "authorization_details"), None, "the code has them");
    let granted = json!([{"type": "payment", "limit": 5}]);
    // An answer to a refresh that says nothing of them changes nothing.
    for _ in 0..2 {
        let shown = world.line("scopes shop").ok().stdout;
        assert!(shown.contains(r#"granted {"type":"payment","limit":5}"#), "{shown}");
        let document = world.line("scopes shop --json").ok().json();
        assert_eq!(document["authorization_details"], granted);
        world.line("refresh shop").ok();
    }
    world.line("connect shop").ok();
    let again = server.heard("GET /authorize").remove(1);
    assert_eq!(
        value(&again.query, "authorization_details"),
        value(&asked.query, "authorization_details")
    );
    // An empty list forgets them.
    let none = world.own_file("none", "[]\n");
    world.run(["connect", "shop", "--authorization-details", none.to_str().unwrap()]).ok();
    assert_eq!(value(&server.heard("GET /authorize")[2].query, "authorization_details"), None);
}

#[test] // EX4, EX5, ER6
fn a_server_that_knows_neither_is_told_by_its_name() {
    for (code, says) in [
        ("invalid_target", "gives no token for that resource"),
        ("invalid_authorization_details", "does not know these authorization details"),
    ] {
        let server = Scripted::start(move |asked, origin| match asked.line.as_str() {
            "GET /authorize" => {
                let state = value(&asked.query, "state").unwrap();
                back(&asked.query, &[("error", code), ("state", state), ("iss", origin)])
            }
            _ => honest(asked, origin),
        });
        let world = World::new();
        let ran = connect(&world, &server, ("", ""), &["--resource", BOTH[0]]).exits(5);
        ran.says(says).says(code);
        assert!(server.heard("POST /token").is_empty());
    }
    let server = Scripted::start(|asked, origin| match asked.line.as_str() {
        "POST /token" if value(&asked.form, "resource").is_some() => {
            Answer::json(400, &json!({"error": "invalid_target"}))
        }
        "POST /token" => tokens(&asked.form),
        _ => honest(asked, origin),
    });
    let world = World::new();
    let ran = connect(&world, &server, ("", ""), &["--resource", BOTH[0]]).exits(5);
    ran.says("gives no token for that resource").says("invalid_target");
}
