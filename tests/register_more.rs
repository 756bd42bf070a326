//! A client that keyfob registered, when something else is asked for than it was registered for.

use std::sync::atomic::{AtomicUsize, Ordering};

use keyfob::sandbox::walk::Decision;
use keyfob::sandbox::{Behaviour as Vendor, Endpoint, Fault};
use serde_json::{Value, json};

use crate::device;
use crate::register::{bearer, entry, methods, register, registered};
use crate::support::browser::Behaviour;
use crate::support::shelf::Trouble;
use crate::support::site::{Said, Site};
use crate::support::world::{Ran, World};
use crate::support::{Shop, free_port, parameters};

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What a registration or an update carried.
fn sent(shop: &Shop, number: usize) -> Value {
    serde_json::from_slice(&shop.seen(Endpoint::Registration)[number].body).unwrap()
}

/// Pastes the last command that a failure prints.
pub fn paste(shop: &Shop, ran: &Ran) -> Ran {
    let line = ran.stderr.lines().map(str::trim_start).rfind(|it| it.starts_with("keyfob "));
    let words = shlex::split(line.unwrap()).unwrap();
    shop.world.run(words.iter().skip(1).map(String::as_str))
}

fn no_more() -> Vec<Fault> {
    vec![Fault::status(401)]
}

/// `connect shop --flow device …`, and somebody who allows it elsewhere.
fn by_device(shop: &Shop, words: &[&str]) -> Ran {
    let words = ["connect", "shop", "--flow", "device"].iter().chain(words);
    let words: Vec<String> = words.map(|it| (*it).to_owned()).collect();
    device::run(shop, &words, device::decides(0, Decision::Allow))
}

#[test] // EX7
fn another_flow_is_registered_before_it_is_used_and_nothing_is_taken_away() {
    let shop = registered();
    let before = sent(&shop, 0);
    by_device(&shop, &[]).ok().says(&format!("is registered at Standard for {DEVICE} too"));
    assert_eq!(methods(&shop), ["POST", "PUT"]);
    let update = sent(&shop, 1);
    assert_eq!(update["grant_types"], json!(["authorization_code", "refresh_token", DEVICE]));
    assert_eq!(update["response_types"], json!(["code"]));
    assert_eq!(update["redirect_uris"], before["redirect_uris"]);
    assert_eq!(update["token_endpoint_auth_method"], before["token_endpoint_auth_method"]);
    shop.line("refresh shop").ok();
    // Neither flow is asked for again.
    by_device(&shop, &[]).ok();
    shop.line("connect shop --flow code").ok();
    assert_eq!(methods(&shop).len(), 2);
    let seen = shop.seen(Endpoint::Registration);
    let last = entry(&shop)["secrets"]["registration_access_token"].clone();
    assert!(last.is_string() && last.as_str() != bearer(&seen[1]), "a new token takes its place");
    shop.line("profile remove shop --unregister --yes").ok().says("is ended at");
}

#[test] // EX7
fn more_scopes_are_registered_before_they_are_asked_for() {
    let shop = registered();
    shop.line("connect shop --scope items:write").ok().says("for items:write too");
    assert_eq!(methods(&shop), ["POST", "PUT"]);
    assert_eq!(sent(&shop, 1)["scope"], "items:read items:write");
    shop.line("connect shop").ok();
    assert_eq!(methods(&shop).len(), 2);
    shop.line("call shop POST /items name=x").ok();
}

#[test] // EX7
fn a_demand_for_proofs_is_told_once_no_other_tokens_are_in_force_and_taken_back() {
    let shop = registered();
    let demands = |number| sent(&shop, number)["dpop_bound_access_tokens"].clone();
    assert_eq!(demands(0), Value::Null);
    // The sandbox knows no proofs, so this ends at the tokens; those of before go on.
    shop.line("connect shop --dpop").exits(3);
    assert_eq!(methods(&shop), ["POST"], "a demand would have ended the tokens of before");
    shop.line("refresh shop").ok();
    shop.line("revoke shop").ok();
    shop.line("connect shop --dpop").exits(3);
    assert_eq!((methods(&shop).len(), demands(1)), (2, json!(true)));
    shop.line("connect shop").ok().says("tokens that are bound to no key too");
    assert_eq!((methods(&shop).len(), demands(2)), (3, Value::Null));
}

#[test] // EX7
fn a_client_that_cannot_be_changed_serves_until_another_one_has_tokens() {
    let mut shop = registered();
    let old = entry(&shop);
    shop.sandbox.next_answers(Endpoint::Registration, no_more());
    let ran = shop.line("connect shop --scope items:write").exits(3);
    ran.says("is not registered at Standard for items:write")
        .says("keyfob connect shop --scope items:write --register");
    assert_eq!(methods(&shop), ["POST", "PUT"], "a script is asked first");

    shop.sandbox.next_answers(Endpoint::Registration, no_more());
    shop.world.browser(Behaviour::Denies);
    let line = "connect shop --scope items:write --register";
    shop.line(line).exits(5).says("the client of before is used until this one has tokens");
    assert_eq!(methods(&shop), ["POST", "PUT", "PUT", "POST"]);
    let now = entry(&shop);
    assert_eq!((&now["client_id"], &now["secrets"]), (&old["client_id"], &old["secrets"]));
    shop.line("refresh shop").ok();
    let shown = shop.line("profile show shop --json").ok().json();
    assert_eq!(shown["client_id"], old["client_id"]);

    // What waits is used, and no third one is registered.
    shop.sandbox.next_answers(Endpoint::Registration, no_more());
    shop.world.browser(Behaviour::Allows);
    shop.line(line).ok().says("was registered before at");
    assert_eq!(methods(&shop), ["POST", "PUT", "PUT", "POST", "PUT", "GET"]);
    let now = entry(&shop);
    assert_eq!(now["next_client"], Value::Null);
    assert_ne!(now["client_id"], old["client_id"]);
    assert_eq!(now["client_id"], now["registration"]["client_id"]);
    shop.line("refresh shop").ok();
    let shown = shop.line("profile show shop --json").ok().json();
    assert_eq!(shown["client_id"], now["client_id"]);
    shop.line("profile remove shop --unregister --yes").ok().says("is ended at");
}

#[test] // EX7, ER2
fn the_command_that_registers_another_client_asks_for_what_was_typed() {
    let shop = registered();
    // Another sandbox would know neither the client nor its token.
    shop.sandbox.next_answers(Endpoint::Registration, no_more());
    let port = free_port().to_string();
    let words = ["connect", "shop", "--scope", "items:write", "--port", &port, "--param", "a=b c"];
    let ran = shop.world.run(words).exits(3).says("is not registered at Standard");
    shop.sandbox.next_answers(Endpoint::Registration, no_more());
    paste(&shop, &ran).ok().says("registered at");
    assert_eq!(methods(&shop), ["POST", "PUT", "PUT", "POST"]);
    assert_eq!(sent(&shop, 3)["scope"], "items:write");
    let opened = parameters(shop.world.browser.opened().last().unwrap());
    assert_eq!((&*opened["a"], &*opened["scope"]), ("b c", "items:write"));
    assert!(opened["redirect_uri"].contains(&format!(":{port}/")), "{opened:?}");
    shop.line("call shop POST /items name=x").ok();
}

#[test] // EX7
fn a_client_that_covers_everything_and_was_deleted_is_replaced_when_that_is_asked_for() {
    let shop = registered();
    let before = entry(&shop);
    // The server knows it: nothing is registered, and its new token takes the old one's place.
    shop.line("connect shop --register").ok();
    let token = |entry: &Value| entry["secrets"]["registration_access_token"].clone();
    assert_eq!(entry(&shop)["client_id"], before["client_id"]);
    assert_ne!(token(&entry(&shop)), token(&before));
    for status in [401, 404] {
        shop.sandbox.next_answers(Endpoint::Registration, vec![Fault::status(status)]);
        let before = entry(&shop)["client_id"].clone();
        let ran = shop.line("connect shop --register").ok();
        ran.says("Standard knows the client of `shop` no more").says("registered at Standard");
        assert_ne!(entry(&shop)["client_id"], before);
        shop.line("refresh shop").ok();
    }
    assert_eq!(methods(&shop), ["POST", "GET", "GET", "POST", "GET", "POST"]);
    // No answer is no verdict, and 403 says that the client is there (RFC 7592 section 2.1).
    for (fault, exit) in [(503, 7), (403, 0)] {
        shop.sandbox.next_answers(Endpoint::Registration, vec![Fault::status(fault)]);
        shop.line("connect shop --register").exits(exit);
    }
    assert_eq!(methods(&shop)[6..], ["GET", "GET"]);
}

#[test] // EX7, ER2
fn a_change_without_a_verdict_is_tried_again_and_leaves_no_second_client() {
    let shop = registered();
    for fault in [Fault::status(503), Fault::Reset] {
        shop.sandbox.next_answers(Endpoint::Registration, vec![fault]);
        let ran = shop.line("connect shop --scope items:write").exits(7);
        assert!(!ran.stderr.contains("nobody uses"), "{}", ran.stderr);
        assert!(
            ran.stderr.ends_with("keyfob connect shop --scope items:write\n"),
            "{}",
            ran.stderr
        );
    }
    let ran = shop.line("connect shop --scope items:write").ok();
    assert!(!ran.stderr.contains("nobody uses"), "{}", ran.stderr);
    assert_eq!(methods(&shop), ["POST", "PUT", "PUT", "PUT"]);
}

#[test] // EX7
fn a_change_that_the_server_refuses_can_be_had_with_another_client() {
    for status in [403, 400] {
        let shop = registered();
        let refuses = || vec![Fault::status(status)];
        shop.sandbox.next_answers(Endpoint::Registration, refuses());
        let ran = shop.line("connect shop --scope items:write").exits(5);
        assert_eq!(methods(&shop), ["POST", "PUT"], "a script is asked first");
        shop.sandbox.next_answers(Endpoint::Registration, refuses());
        paste(&shop, &ran).ok().says("registered at");
        assert_eq!(methods(&shop), ["POST", "PUT", "PUT", "POST"]);
        shop.line("call shop POST /items name=x").ok();

        // A redirect URI may be taken all the same, unless another client is asked for.
        shop.sandbox.next_answers(Endpoint::Registration, refuses());
        let line = format!("connect shop --port {} --register", free_port());
        shop.line(&line).ok().says("registered at");
        assert_eq!(methods(&shop)[4..], ["PUT", "POST"]);
    }
}

#[test] // EX7
fn a_person_is_asked_before_another_client_is_registered() {
    let mut shop = registered();
    shop.sandbox.next_answers(Endpoint::Registration, no_more());
    shop.world.seat(&["y"]);
    shop.line("connect shop --scope items:write").ok();
    assert_eq!(methods(&shop), ["POST", "PUT", "POST"]);
    shop.line("refresh shop").ok();
}

#[test] // EX7, T17
fn a_client_that_waits_goes_with_the_profile_and_its_secrets_are_told_nowhere() {
    let mut shop = registered();
    shop.sandbox.next_answers(Endpoint::Registration, no_more());
    shop.world.browser(Behaviour::Denies);
    let ran = shop.line("connect shop --scope items:write --register -v -v -v").exits(5);
    let next = entry(&shop)["next_client"]["secrets"].clone();
    let secrets: Vec<&str> = next.as_object().unwrap().values().filter_map(Value::as_str).collect();
    assert_eq!(secrets.len(), 3);
    for (path, bytes) in shop.world.files() {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!secrets.iter().any(|it| text.contains(it)), "{}", path.display());
    }
    assert!(!secrets.iter().any(|it| ran.stderr.contains(it)), "{}", ran.stderr);
    shop.line("profile remove shop --unregister --yes").ok();
    assert_eq!(methods(&shop)[3..], ["DELETE", "DELETE"]);
}

#[test] // EX7
fn a_client_that_replaced_another_is_followed_where_the_command_was_cut_short() {
    let behaviour = Vendor { client_secret_lifetime: Some(3600), ..Vendor::default() };
    let shop = Shop::behaving("standard", behaviour);
    register(&shop, &[]).ok();
    shop.line("revoke shop").ok();
    let file = shop.world.home().configuration.join("profiles/shop.toml");
    let before = std::fs::read(&file).unwrap();
    shop.world.pass(7200);
    shop.sandbox.next_answers(Endpoint::Registration, no_more());
    shop.line("connect shop --register").ok().says("registered at");
    shop.line("revoke shop").ok();
    let secrets = entry(&shop)["secrets"].clone();
    assert_eq!(secrets.as_object().unwrap().len(), 3, "nothing of the old one is left: {secrets}");
    // As if it had ended between the store and the profile's file.
    std::fs::write(&file, before).unwrap();
    shop.line("connect shop").ok();
    shop.line("refresh shop").ok();
    assert_eq!(methods(&shop), ["POST", "GET", "POST"]);
}

#[test] // EX7
fn nothing_is_changed_at_the_server_that_cannot_be_kept_here() {
    let behaviour = Vendor { client_secret_lifetime: Some(3600), ..Vendor::default() };
    let shop = Shop::behaving("standard", behaviour);
    register(&shop, &[]).ok();
    shop.world.trouble(Trouble::Full { after: 0 });
    shop.line("connect shop --scope items:write").exits(6);
    shop.world.pass(7200);
    shop.line("connect shop").exits(6);
    assert_eq!(methods(&shop), ["POST"]);
    shop.world.trouble(Trouble::None);
    shop.line("connect shop").ok();
}

#[test] // EX7, A16
fn a_key_that_is_kept_for_another_endpoint_does_not_come_along() {
    let shop = Shop::of("standard");
    crate::support::files::private_folder(&shop.world.home().locks());
    let elsewhere = json!({
        "version": 1,
        "generation": 0,
        "journal_key": "AOUdCHv4e3E9AZ9UlYEkYz2JEc1KleDmzfFCLDCwfWMW",
        "secrets": {"private_key": "mine", "client_certificate": "mine too", "webhook_secret": "w"},
        "secrets_for": "https://elsewhere.example/token",
    });
    shop.world.shelf.put("shop", &elsewhere.to_string());
    register(&shop, &[]).ok();
    let now = entry(&shop);
    assert_eq!(now["secrets_for"], format!("{}/token", shop.sandbox.origin()));
    let names: Vec<&String> = now["secrets"].as_object().unwrap().keys().collect();
    let registered = ["client_secret", "registration_access_token", "registration_client_uri"];
    assert_eq!(names[..3], registered);
    assert_eq!(names[3..], ["webhook_secret"]);
}

#[test] // EX7
fn a_key_that_the_provider_does_not_take_is_refused_before_anything_is_registered() {
    let shop = Shop::of("standard");
    let key = shop.world.own_file("key.pem", "no key at all");
    let more = ["--client-key-file", key.to_str().unwrap()];
    register(&shop, &more).exits(2).says("takes no private key");
    assert!(shop.sandbox.log().is_empty());
}

#[test] // EX7
fn a_client_without_a_browser_has_no_redirect_uri() {
    let shop = Shop::of("standard");
    let host = format!("host={}", shop.sandbox.origin());
    let words = ["--provider", "standard", "--set", &host, "--register", "--scope", "items:read"];
    by_device(&shop, &words).ok();
    let asked = sent(&shop, 0);
    assert_eq!(asked.get("redirect_uris"), None);
    assert_eq!(asked["response_types"], json!([]));
    assert_eq!(asked["grant_types"], json!([DEVICE, "refresh_token"]));
    // The browser comes later, and its redirect URI with it.
    shop.line("connect shop --flow code").ok();
    let update = sent(&shop, 1);
    assert!(update["redirect_uris"][0].as_str().unwrap().starts_with("http://127.0.0.1:"));
    assert_eq!(update["response_types"], json!(["code"]));
    assert_eq!(methods(&shop), ["POST", "PUT"]);
}

/// A server that gives nothing to change a registration with; the second client is another one.
fn unmanaged(registers: impl Fn(usize) -> Value + Send + 'static) -> Site {
    let clients = AtomicUsize::new(0);
    Site::saying(move |origin, asked| match (&*asked.method, &*asked.path) {
        (_, "/.well-known/oauth-authorization-server") => Said::registers_clients(origin),
        ("POST", "/register") => {
            let number = clients.fetch_add(1, Ordering::Relaxed) + 1;
            Said::json(201, &registers(number))
        }
        _ => Said::text(404, ""),
    })
}

#[test] // EX7
fn what_a_server_once_declined_is_not_asked_of_it_again() {
    let mut world = World::new();
    world.browser(Behaviour::Forgets);
    let site = unmanaged(|number| json!({"client_id": format!("c{number}"), "scope": "a"}));
    let first = ["connect", "x", "--provider", site.origin(), "--register", "--timeout", "50ms"];
    world.run(first.into_iter().chain(["--scope", "a,b"])).exits(4).says("does not cover b");
    world.line("connect x --scope b --timeout 50ms").exits(4);
    let registrations = || site.paths().iter().filter(|it| *it == "POST /register").count();
    assert_eq!(registrations(), 1);
    world.line("connect x --scope c --timeout 50ms").exits(3).says("for c");
    world.line("connect x --scope c --timeout 50ms --register").exits(4);
    assert_eq!(registrations(), 2);
    let line = "connect x --scope c --timeout 50ms --register";
    world.line(line).exits(4).says("does not say whether it knows it still");
    assert_eq!(registrations(), 2, "a script that says it each time makes one client");
    let shown = world.line("profile show x --json").ok().json();
    assert_eq!(shown["client_id"], "c2", "without tokens nothing has to wait");
}

#[test] // EX7
fn a_registration_that_leaves_the_flow_out_is_told() {
    let mut world = World::new();
    world.browser(Behaviour::Forgets);
    let site = unmanaged(|_| json!({"client_id": "c1", "grant_types": ["client_credentials"]}));
    let words = ["connect", "x", "--provider", site.origin(), "--register", "--timeout", "50ms"];
    world
        .run(words)
        .exits(4)
        .says("does not cover authorization_code, and the server may refuse it");
}
