//! Clients that keyfob registers itself.

use keyfob::sandbox::{Behaviour as Vendor, Endpoint, Fault, Seen};
use serde_json::{Value, json};

use crate::support::browser::Behaviour;
use crate::support::shelf::Trouble;
use crate::support::site::{Said, Site};
use crate::support::world::{Ran, World};
use crate::support::{Shop, free_port, parameters, private_file};

/// `connect shop` at the sandbox, with a client of its own.
pub fn register(shop: &Shop, more: &[&str]) -> Ran {
    let host = format!("host={}", shop.sandbox.origin());
    let port = free_port().to_string();
    let words = ["connect", "shop", "--provider", "standard", "--set", &host, "--register"];
    let words = words.into_iter().chain(["--scope", "items:read", "--port", &port]);
    shop.world.run(words.chain(more.iter().copied()))
}

pub fn registered() -> Shop {
    let shop = Shop::of("standard");
    register(&shop, &[]).ok();
    shop
}

pub fn methods(shop: &Shop) -> Vec<String> {
    shop.seen(Endpoint::Registration).into_iter().map(|seen| seen.method).collect()
}

pub fn entry(shop: &Shop) -> Value {
    serde_json::from_str(&shop.world.shelf.entry("shop").unwrap()).unwrap()
}

pub fn bearer(seen: &Seen) -> Option<&str> {
    seen.header("authorization").and_then(|it| it.strip_prefix("Bearer "))
}

#[test] // EX7
fn a_client_that_keyfob_registers_connects_refreshes_and_is_ended() {
    let shop = registered();
    let asked = shop.seen(Endpoint::Registration);
    let asked: Value = serde_json::from_slice(&asked[0].body).unwrap();
    assert_eq!(asked["application_type"], "native");
    assert_eq!(asked["grant_types"], json!(["authorization_code", "refresh_token"]));
    assert_eq!(asked["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(asked["scope"], "items:read");
    let sent = parameters(&shop.world.browser.opened()[0]);
    assert_eq!(asked["redirect_uris"], json!([sent["redirect_uri"]]));
    assert!(sent["client_id"].starts_with("registered-"), "{sent:?}");
    shop.line("call shop GET /items").ok();
    shop.line("refresh shop").ok();

    let shown = shop.line("profile show shop").ok().stdout;
    assert!(shown.contains("by keyfob at http://127.0.0.1"), "{shown}");
    let shown = shop.line("profile show shop --json").ok().json();
    assert_eq!(shown["registered"]["authentication"], "basic");
    assert_eq!(shown["registered"]["secret_expires_at"], Value::Null);

    shop.line("revoke shop").ok();
    shop.line("connect shop").ok();
    assert_eq!(methods(&shop), ["POST"], "a revoked connection keeps its client");
    shop.line("revoke shop").ok();
    shop.line("profile remove shop --unregister").ok().says("is ended at standard");
    assert_eq!(methods(&shop), ["POST", "DELETE"]);
    assert!(shop.world.shelf.entry("shop").is_none());
}

#[test] // EX7
fn in_a_script_the_flag_is_named_and_nothing_is_registered() {
    let shop = Shop::of("standard");
    let host = format!("host={}", shop.sandbox.origin());
    let words = ["connect", "shop", "--provider", "standard", "--set", &host];
    shop.world.run(words).exits(3).says("connect shop --provider standard").says("--register");
    assert!(shop.sandbox.log().is_empty());
    let inkress = ["connect", "shop", "--provider", "inkress", "--register"];
    shop.world.run(inkress).exits(3).says("does not say that clients can register themselves");
    let own = ["connect", "shop", "--register", "--client-id", "c"];
    shop.world.run(own).exits(2);
}

#[test] // EX7
fn a_person_is_asked_before_anything_is_registered() {
    let mut shop = Shop::of("standard");
    let host = format!("host={}", shop.sandbox.origin());
    let port = free_port().to_string();
    let words = ["connect", "shop", "--provider", "standard", "--set", &host, "--port", &port];
    shop.world.seat(&["n", ""]);
    shop.world.run(words).exits(3);
    assert_eq!(shop.sandbox.counts(Endpoint::Registration), 0);
    shop.world.seat(&["y"]);
    shop.world.run(words).ok();
    assert_eq!(shop.sandbox.counts(Endpoint::Registration), 1);
}

#[test] // EX7
fn a_client_is_registered_once_whatever_becomes_of_the_authorization() {
    let mut shop = Shop::of("standard");
    shop.world.browser(Behaviour::Denies);
    register(&shop, &[]).exits(5).says("keyfob connect shop");
    // Somebody deletes the profile's file; the store still knows the client.
    let file = shop.world.home().configuration.join("profiles/shop.toml");
    std::fs::remove_file(file).unwrap();
    shop.world.browser(Behaviour::Allows);
    register(&shop, &[]).ok().says("was registered before at");
    shop.line("connect shop").ok();
    shop.line("connect shop --register").ok();
    assert_eq!(methods(&shop), ["POST", "GET", "GET"], "the flag asks whether it is known still");
}

#[cfg(unix)]
#[test] // EX7
fn parallel_processes_register_one_client() {
    use crate::support::program::{Program, text};
    let program = Program::beside("standard", Vendor::default());
    let how = program.sandbox.how_to_connect();
    let folder = keyfob::system::Home::under(&program.home()).providers();
    let standard = include_str!("../src/sandbox/vendors/standard_provider.toml");
    private_file(&folder.join("standard.toml"), standard);
    let host = how.settings.iter().map(|(name, value)| format!("{name}={value}")).next().unwrap();
    let words = ["connect", "shop", "--provider", "standard", "--set", &host, "--register"];
    let words = words.into_iter().chain(["--timeout", "1ms", "--no-browser"]);
    let children: Vec<_> = (0..6)
        .map(|_| {
            let mut command = program.command(words.clone());
            let piped = std::process::Stdio::piped;
            command.stdout(piped()).stderr(piped()).spawn().unwrap()
        })
        .collect();
    let said: Vec<String> =
        children.into_iter().map(|child| text(&child.wait_with_output().unwrap().stderr)).collect();
    // Who comes after the first may ask whether that one's client is known still.
    let log = program.sandbox.log();
    let registers = |seen: &&Seen| seen.endpoint == Endpoint::Registration && seen.method == "POST";
    assert_eq!(log.iter().filter(registers).count(), 1, "{said:#?}");
    let ids: std::collections::BTreeSet<&str> =
        said.iter().filter_map(|it| it.split("client id ").nth(1)?.lines().next()).collect();
    assert_eq!(ids.len(), 1, "{said:#?}");
}

#[test] // EX7
fn an_answer_that_was_lost_is_remembered_and_told() {
    let shop = Shop::of("standard");
    shop.sandbox.next_answers(Endpoint::Registration, vec![Fault::RotateThenReset]);
    register(&shop, &[]).exits(7).says("gave no answer about the registration");
    register(&shop, &[]).ok().says("a client that nobody uses may be left there");
    let other = Shop::of("standard");
    other.sandbox.next_answers(Endpoint::Registration, vec![Fault::status(503)]);
    register(&other, &[]).exits(7).says("HTTP 503");
    register(&other, &[]).ok().says("a client that nobody uses may be left there");
}

#[test] // EX7
fn a_client_that_cannot_be_stored_is_ended_again() {
    let shop = Shop::of("standard");
    // The mark is written; the client is not.
    shop.world.trouble(Trouble::Full { after: 1 });
    register(&shop, &[]).exits(6);
    assert_eq!(methods(&shop), ["POST", "DELETE"]);
    shop.world.trouble(Trouble::Full { after: 0 });
    register(&shop, &[]).exits(6);
    assert_eq!(methods(&shop), ["POST", "DELETE"], "nothing is sent where nothing can be kept");
}

#[test] // EX7
fn an_initial_access_token_comes_from_a_file_or_a_prompt_and_is_not_kept() {
    let behaviour =
        Vendor { initial_access_token: Some("let-me-in-0123456789".into()), ..Vendor::default() };
    let mut shop = Shop::behaving("standard", behaviour);
    let ran = register(&shop, &[]).exits(3).says("only with an initial access token");
    ran.says("--register --initial-access-token-file FILE");
    assert!(shop.world.shelf.entry("shop").is_none(), "a refusal leaves nothing behind");
    shop.world.seat(&["let-me-in-0123456789"]);
    let asked = register(&shop, &["-v", "-v"]).ok();
    shop.world.person = None;
    let file = shop.world.own_file("token", "let-me-in-0123456789\n");
    shop.line("profile remove shop --unregister --yes").ok();
    let read = register(&shop, &["--initial-access-token-file", file.to_str().unwrap()]).ok();
    for ran in [asked, read] {
        assert!(!ran.stderr.contains("let-me-in"), "{}", ran.stderr);
    }
    assert!(!shop.world.shelf.entry("shop").unwrap().contains("let-me-in"));
}

#[test] // EX7, A21
fn no_secret_of_a_registration_is_said_or_written_into_a_file() {
    let behaviour = Vendor { client_secret_lifetime: Some(3600), ..Vendor::default() };
    let shop = Shop::behaving("standard", behaviour);
    let mut said = vec![register(&shop, &["-v", "-v", "-v"]).ok()];
    let mut secrets = secrets_of(&entry(&shop));
    shop.world.pass(7200);
    said.push(shop.line("connect shop -v -v -v").ok());
    secrets.extend(secrets_of(&entry(&shop)));
    said.push(shop.line("profile show shop --json").ok());
    let files = shop.world.files();
    said.push(shop.line("profile remove shop --unregister --yes -v -v -v").ok());
    for secret in &secrets {
        for ran in &said {
            assert!(!ran.stderr.contains(secret) && !ran.stdout.contains(secret), "{ran:?}");
        }
        for (path, bytes) in &files {
            let text = String::from_utf8_lossy(bytes);
            assert!(!text.contains(secret), "{} holds {secret}", path.display());
        }
    }
}

fn secrets_of(entry: &Value) -> Vec<String> {
    let names = ["client_secret", "registration_access_token", "registration_client_uri"];
    names.map(|name| entry["secrets"][name].as_str().unwrap().to_owned()).to_vec()
}

#[test] // EX7
fn an_ended_secret_is_renewed_and_each_registration_token_is_used_once() {
    let behaviour = Vendor { client_secret_lifetime: Some(3600), ..Vendor::default() };
    let shop = Shop::behaving("standard", behaviour);
    register(&shop, &[]).ok();
    let shown = shop.line("profile show shop").ok().stdout;
    assert!(shown.contains("its secret ends 2026-06-01T09:00:00Z"), "{shown}");
    shop.world.pass(7200);
    assert!(shop.line("profile show shop").ok().stdout.contains("its secret ended"));
    shop.line("connect shop").ok().says("had ended and is renewed");
    assert_eq!(methods(&shop), ["POST", "GET", "PUT"]);
    let seen = shop.seen(Endpoint::Registration);
    assert_ne!(bearer(&seen[1]), bearer(&seen[2]), "a new token replaces the old at once");
    let update: Value = serde_json::from_slice(&seen[2].body).unwrap();
    assert!(update["client_id"].as_str().unwrap().starts_with("registered-"));
    assert_eq!(update.get("registration_access_token"), None);
    let last = entry(&shop)["secrets"]["registration_access_token"].clone();
    assert_ne!(last.as_str(), bearer(&seen[2]));
    shop.line("connect shop").ok();
    assert_eq!(methods(&shop).len(), 3, "a secret that serves is not renewed");
    shop.line("profile remove shop --unregister --yes").ok().says("is ended at");
}

#[test] // EX7
fn a_client_that_the_server_forgot_is_registered_anew_when_that_is_asked_for() {
    let behaviour = Vendor { client_secret_lifetime: Some(3600), ..Vendor::default() };
    let shop = Shop::behaving("standard", behaviour);
    register(&shop, &[]).ok();
    shop.world.pass(7200);
    let gone = || vec![Fault::status(401)];
    shop.sandbox.next_answers(Endpoint::Registration, gone());
    shop.line("connect shop").exits(3).says("no more").says("keyfob connect shop --register");
    shop.sandbox.next_answers(Endpoint::Registration, gone());
    shop.line("connect shop --register").ok().says("registered at");
    assert_eq!(methods(&shop), ["POST", "GET", "GET", "POST"]);
    shop.line("refresh shop").ok();
}

#[test] // EX7
fn a_profile_stays_where_its_client_could_not_be_ended() {
    let shop = registered();
    let line = "profile remove shop --unregister --yes";
    for (fault, exit) in [
        (Fault::status(503), 7),
        (Fault::status(405), 5),
        (Fault::Reset, 7),
        (Fault::status(302), 7),
    ] {
        shop.sandbox.next_answers(Endpoint::Registration, vec![fault]);
        shop.line(line).exits(exit);
        shop.line("call shop GET /items").ok();
    }
    shop.sandbox.next_answers(Endpoint::Registration, vec![Fault::status(401)]);
    shop.line(line).ok().says("no more");
    let other = registered();
    other.line("profile remove shop --yes").ok().says("its client lives on at");
    let plain = Shop::connected("inkress");
    plain.line(line).exits(3).says("no registration");
    plain.line("call shop GET /orders").ok();
}

#[test] // EX7
fn a_server_that_does_not_allow_a_change_still_knows_the_client() {
    let behaviour = Vendor { client_secret_lifetime: Some(3600), ..Vendor::default() };
    let shop = Shop::behaving("standard", behaviour);
    register(&shop, &[]).ok();
    shop.world.pass(7200);
    shop.sandbox.next_answers(Endpoint::Registration, vec![Fault::status(403)]);
    shop.line("connect shop --register").exits(5);
    assert_eq!(methods(&shop), ["POST", "GET"], "no second client is registered");
}

#[test] // EX7, A15, DS8
fn an_issuer_elsewhere_sends_no_registration_into_this_machine() {
    let shop = Shop::of("standard");
    let folder = shop.world.home().providers();
    let standard = include_str!("../src/sandbox/vendors/standard_provider.toml");
    let far = "issuer = \"https://1.1.1.1\"\nnames_endpoints = true";
    let text = standard.replace("issuer = \"{host}\"", far);
    private_file(&folder.join("standard.toml"), text);
    register(&shop, &[]).exits(3).says("leads into this machine");
    assert_eq!(shop.sandbox.counts(Endpoint::Registration), 0);
}

/// A server that answers registrations like this, and what keyfob makes of it.
fn answered(says: impl Fn(&str) -> Said + Send + 'static) -> (World, Site, Ran) {
    let mut world = World::new();
    world.browser(Behaviour::Forgets);
    let site = Site::saying(move |origin, asked| match (&*asked.method, &*asked.path) {
        (_, "/.well-known/oauth-authorization-server") => Said::registers_clients(origin),
        ("POST", "/register") => says(origin),
        ("DELETE", "/register/c1") => Said::text(204, ""),
        _ => Said::text(404, ""),
    });
    let words = ["connect", "x", "--provider", site.origin(), "--register", "--timeout", "50ms"];
    let ran = world.run(words.into_iter().chain(["--scope", "a,b"]));
    (world, site, ran)
}

#[test] // EX7
fn what_the_server_registered_is_what_is_used() {
    let theirs = format!("http://127.0.0.1:{}/theirs", free_port());
    let registered = theirs.clone();
    let (world, _, ran) = answered(move |_| {
        Said::json(
            201,
            &json!({
                "client_id": "c1",
                "client_secret": "never used",
                "client_secret_expires_at": 0,
                "token_endpoint_auth_method": "none",
                "scope": "a",
                "redirect_uris": [registered],
            }),
        )
    });
    ran.exits(4).says("does not cover b");
    let sent = parameters(&world.browser.opened()[0]);
    assert_eq!((&*sent["client_id"], &*sent["scope"]), ("c1", "a"));
    assert_eq!(sent["redirect_uri"], theirs);
    let shown = world.line("profile show x --json").ok().json();
    assert_eq!(shown["registered"]["authentication"], "id");
    assert!(!world.shelf.entry("x").unwrap().contains("never used"));
}

#[test] // EX7
fn a_port_is_chosen_once_registered_and_changed_at_the_server_too() {
    let (world, site, ran) = answered(|_| Said::json(201, &json!({"client_id": "c1"})));
    ran.exits(4);
    world.line("connect x --timeout 50ms").exits(4);
    let sent = |number: usize| parameters(&world.browser.opened()[number])["redirect_uri"].clone();
    let asked: Value = serde_json::from_str(&site.asked()[1].body).unwrap();
    assert_eq!(asked["redirect_uris"], json!([sent(0)]));
    assert_eq!(sent(0), sent(1));
    let port = url::Url::parse(&sent(0)).unwrap().port().unwrap();
    assert!((20_000..30_000).contains(&port), "{port}");
    // This server gave nothing to change a registration with.
    let line = format!("connect x --timeout 50ms --port {}", free_port());
    world.line(&line).exits(4).says("may refuse it");

    let shop = registered();
    let port = free_port();
    shop.line(&format!("connect shop --port {port}")).ok();
    assert_eq!(methods(&shop), ["POST", "PUT"]);
    let update: Value = serde_json::from_slice(&shop.seen(Endpoint::Registration)[1].body).unwrap();
    assert!(update["redirect_uris"][0].as_str().unwrap().contains(&format!(":{port}/")));
    shop.line("connect shop").ok();
    assert_eq!(methods(&shop).len(), 2);
}

#[test] // EX7, A14
fn a_hostile_answer_to_a_registration_makes_no_client() {
    let body = |change: Value| {
        move |origin: &str| {
            let mut whole = json!({
                "client_id": "c1",
                "registration_client_uri": format!("{origin}/register/c1"),
                "registration_access_token": "t",
            });
            whole.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            Said::json(201, &whole)
        }
    };
    let unusable = [
        json!({"client_id": null}),
        json!({"client_id": "a\u{1b}[2J"}),
        json!({"token_endpoint_auth_method": "tls_client_auth"}),
        json!({"token_endpoint_auth_method": "client_secret_basic"}),
        json!({"redirect_uris": ["https://evil.example/cb"]}),
    ];
    for change in unusable {
        let (world, _, ran) = answered(body(change.clone()));
        let ran = ran.exits(3);
        assert!(!ran.stderr.contains('\u{1b}'), "{change}: {}", ran.stderr);
        assert!(world.browser.opened().is_empty(), "{change}");
    }
    let (_, site, ran) = answered(body(json!({"client_id": 7})));
    ran.exits(3).says("it was ended at once");
    assert_eq!(site.paths().last().unwrap(), "DELETE /register/c1");
    let others: [(Said, u8, &str); 5] = [
        (Said::text(201, vec![b' '; 2 << 20]), 7, "larger than"),
        (Said::text(201, "<html>"), 7, "no JSON object"),
        (Said::text(302, "").with("location", "/register/c1"), 7, "a redirect"),
        (Said::json(400, &json!({"error": "invalid_redirect_uri"})), 5, "invalid_redirect_uri"),
        (Said::json(201, &json!([{"client_id": "c1"}])), 7, "no JSON object"),
    ];
    for (said, exit, words) in others {
        let (world, _, ran) = answered(move |_| said.clone());
        ran.exits(exit).says(words);
        assert!(world.browser.opened().is_empty(), "{words}");
    }
}

#[test]
fn the_sandbox_keeps_the_client_that_it_printed_beside_one_that_registers_itself() {
    let shop = registered();
    let mut words = vec!["connect".to_owned(), "other".to_owned()];
    words.extend(shop.client());
    words.extend(["--redirect-uri".to_owned(), shop.redirect_uri.clone()]);
    words.extend(shop.secret_on_stdin().map(str::to_owned));
    shop.world.run(words.iter().map(String::as_str)).ok();
    shop.line("refresh other").ok();
    shop.line("refresh shop").ok();
    // One client's tokens are of no use to the other.
    let mut entry = entry(&shop);
    entry["tokens"] = serde_json::from_str::<Value>(&shop.world.shelf.entry("other").unwrap())
        .unwrap()["tokens"]
        .clone();
    shop.world.shelf.put("shop", &entry.to_string());
    shop.line("refresh shop").exits(4).says("given to another client");
}
