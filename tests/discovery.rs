//! Providers found at an issuer's URL: honest servers, careless ones and hostile ones.

use keyfob::sandbox::{Endpoint, Fault};
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::browser::Behaviour;
use crate::support::site::{Said, Site};
use crate::support::world::{Ran, World};

const RFC_8414: &str = "/.well-known/oauth-authorization-server";
const OIDC: &str = "/.well-known/openid-configuration";

/// A whole and honest document.
fn metadata(origin: &str) -> Value {
    json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/authorize"),
        "token_endpoint": format!("{origin}/token"),
    })
}

/// A site whose metadata was changed so.
fn site_with(change: impl Fn(&str, &mut Value) + Send + 'static) -> Site {
    Site::saying(move |origin, asked| match asked.path.as_str() {
        RFC_8414 => {
            let mut document = metadata(origin);
            change(origin, &mut document);
            Said::json(200, &document)
        }
        _ => Said::text(404, ""),
    })
}

fn connect(world: &World, provider: &str) -> Ran {
    world.run(["connect", "x", "--provider", provider, "--client-id", "c", "--timeout", "50ms"])
}

#[test] // DS3
fn the_place_of_rfc_8414_is_asked_first_and_openid_s_only_where_that_has_none() {
    let world = World::new();
    let (first, second) = (
        site_with(|_, _| {}),
        Site::saying(|origin, asked| match asked.path.as_str() {
            OIDC => Said::json(200, &metadata(origin)),
            _ => Said::text(404, ""),
        }),
    );
    world.run(["connect", "x", "--provider", first.origin()]).exits(3).says("no client id");
    assert_eq!(first.paths(), [format!("GET {RFC_8414}")]);
    world.run(["connect", "x", "--provider", second.origin()]).exits(3).says("no client id");
    assert_eq!(second.paths(), [format!("GET {RFC_8414}"), format!("GET {OIDC}")]);
}

#[test] // DS4, DS5, A18
fn a_document_of_another_issuer_is_used_for_nothing() {
    let mut world = World::new();
    world.browser(Behaviour::MustStayClosed);
    for (add, words) in [("1", "not of"), ("/", "differs by the slash"), ("/t", "not of")] {
        let site = site_with(move |origin, document| {
            document["issuer"] = json!(format!("{origin}{add}"));
        });
        let ran = connect(&world, site.origin()).exits(3).says(words);
        ran.says(&format!("{}{add}", site.origin()));
        assert!(!site.paths().iter().any(|it| it.contains("token")), "{:?}", site.paths());
    }
    assert!(world.files().keys().all(|it| !it.to_string_lossy().contains("providers")));
}

#[test] // DS6, A11
fn only_a_document_with_status_200_counts_and_no_redirect_is_followed() {
    let mut world = World::new();
    world.browser(Behaviour::MustStayClosed);
    let elsewhere = site_with(|_, _| {});
    for status in [302, 307, 308, 203, 201, 204] {
        let target = format!("{}{RFC_8414}", elsewhere.origin());
        let site = Site::saying(move |origin, _| {
            Said::json(status, &metadata(origin)).with("location", &target)
        });
        connect(&world, site.origin()).exits(3).says("publishes no metadata");
    }
    assert!(elsewhere.asked().is_empty());
    let page = Site::saying(|_, _| Said::text(200, "<html>log in</html>"));
    connect(&world, page.origin()).exits(3).says("no JSON object");
}

#[test] // DS7, DS18
fn endpoints_on_another_host_need_a_yes_and_are_named_in_ascii() {
    let mut world = World::new();
    world.browser(Behaviour::MustStayClosed);
    let site = site_with(|_, document| {
        document["token_endpoint"] = json!("https://t\u{f6}kens.example/token");
    });
    let ran = connect(&world, site.origin()).exits(3).says("xn--tkens-jua.example");
    assert!(!ran.stderr.contains('\u{f6}'), "{}", ran.stderr);
    world.seat(&["n"]);
    connect(&world, site.origin()).exits(3);
    world.seat(&["y"]);
    world.browser(Behaviour::Forgets);
    connect(&world, site.origin()).exits(4);
}

#[test] // DS9, A14
fn a_huge_document_and_one_of_nulls_end_in_an_error() {
    let mut world = World::new();
    world.browser(Behaviour::MustStayClosed);
    let huge = Site::saying(|_, _| Said::text(200, vec![b' '; 2 << 20]));
    connect(&world, huge.origin()).exits(7).says("larger than 1048576 bytes");
    let nulls = site_with(|_, document| {
        for value in document.as_object_mut().unwrap().values_mut() {
            *value = Value::Null;
        }
    });
    connect(&world, nulls.origin()).exits(3).says("no `issuer`");
}

/// The sandbox's next metadata, changed so.
fn next_metadata(shop: &Shop, change: impl Fn(&mut Value)) {
    let origin = shop.sandbox.origin();
    let mut document = metadata(&origin);
    document["revocation_endpoint"] = json!(format!("{origin}/revoke"));
    document["registration_endpoint"] = json!(format!("{origin}/register"));
    change(&mut document);
    let answer = Fault::Status { status: 200, headers: Vec::new(), body: document.to_string() };
    shop.sandbox.next_answers(Endpoint::Discovery, vec![answer]);
}

#[test] // DS11, TQ9
fn endpoints_that_change_after_the_connection_are_not_used_without_a_yes() {
    for member in ["token_endpoint", "authorization_endpoint", "revocation_endpoint"] {
        let shop = Shop::found();
        let origin = shop.sandbox.origin();
        next_metadata(&shop, |document| document[member] = json!(format!("{origin}/other")));
        let line = format!("connect found --provider {origin}");
        shop.line(&line).exits(3).says("others than before").says("/other").says("--yes");
        shop.line("refresh found").ok();
        assert_eq!(shop.seen(Endpoint::Token).last().unwrap().path_and_query, "/token");
    }
}

#[test] // DS12
fn one_issuer_cannot_have_two_sets_of_endpoints() {
    let shop = Shop::found();
    let providers = shop.world.home().providers();
    let file = std::fs::read_dir(&providers).unwrap().map(|it| it.unwrap().path());
    let file = file.into_iter().find(|it| it.to_string_lossy().contains("127.0.0.1")).unwrap();
    let text = std::fs::read_to_string(file).unwrap();
    let name = format!("127.0.0.1-{}", shop.sandbox.origin().rsplit(':').next().unwrap());
    let evil = text.replace("/token\"", "/evil\"").replace(&format!("\"{name}\""), "\"evil\"");
    assert_ne!(evil, text);
    let evil = shop.world.own_file("evil.toml", evil);
    let evil = evil.to_str().unwrap();
    let words = ["connect", "other", "--provider", evil, "--client-id", "c"];
    shop.world.run(words).exits(3).says("`found` knows").says("with other endpoints");
    let same = shop.world.own_file("same.toml", text.replace(&name, "same"));
    let words = ["connect", "other", "--provider", same.to_str().unwrap(), "--timeout", "50ms"];
    shop.world.run(words).exits(3).says("no client id");
}

#[test] // DS14
fn a_working_profile_outlives_its_metadata() {
    let shop = Shop::found();
    let origin = shop.sandbox.origin();
    let down = || vec![Fault::status(503), Fault::status(503), Fault::status(503)];
    shop.sandbox.next_answers(Endpoint::Discovery, down());
    shop.line("refresh found").ok();
    shop.line("connect found").ok();
    assert_eq!(shop.sandbox.counts(Endpoint::Discovery), 1, "what is known is not asked again");
    let line = format!("connect found --provider {origin}");
    shop.line(&line).ok().says("found before are used");
    shop.line("connect other --provider http://127.0.0.1:1").exits(7);
}

#[cfg(unix)]
#[test] // DS14, ST5
fn what_was_found_is_kept_where_nobody_else_can_change_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let shop = Shop::found();
    let providers = shop.world.home().providers();
    let kept: Vec<_> = std::fs::read_dir(&providers)
        .unwrap()
        .map(|it| it.unwrap().path())
        .filter(|it| it.to_string_lossy().contains("127.0.0.1"))
        .collect();
    assert_eq!(kept.len(), 1);
    let mode = std::fs::metadata(&kept[0]).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test] // A1, RL10, DS7
fn a_server_that_sends_the_browser_to_an_honest_one_is_given_no_code() {
    let shop = Shop::of("standard");
    let honest = shop.sandbox.origin();
    let evil = site_with(move |_, document| {
        document["authorization_endpoint"] = json!(format!("{honest}/authorize"));
    });
    let client = shop.how.client.client_id.clone();
    let mut words = vec!["connect", "x", "--provider", evil.origin(), "--client-id", &client];
    words.extend(["--redirect-uri", &shop.redirect_uri, "--scope", "items:read"]);
    shop.world.run(words.clone()).exits(3).says("on other hosts");
    assert!(shop.world.browser.opened().is_empty());
    // Even with a yes the answer names its own issuer, and the code goes nowhere.
    words.push("--yes");
    shop.world.run(words).exits(5).says("another authorization server");
    assert!(!evil.paths().iter().any(|it| it.contains("/token")), "{:?}", evil.paths());
}

#[test] // A16, ST8, RF14
fn swapped_endpoints_see_neither_refresh_token_nor_access_token() {
    let shop = Shop::found();
    let evil = Site::saying(|_, _| Said::text(404, ""));
    let origin = shop.sandbox.origin();
    let providers = shop.world.home().providers();
    let name = format!("127.0.0.1-{}.toml", origin.rsplit(':').next().unwrap());
    let file = providers.join(name);
    let text = std::fs::read_to_string(&file).unwrap();
    let swap = |what: &str| {
        let swapped = text.replace(&format!("{origin}{what}"), &format!("{}{what}", evil.origin()));
        assert_ne!(swapped, text);
        std::fs::write(&file, swapped).unwrap();
    };
    swap("/token\"");
    shop.line("refresh found").exits(3).says("another host");
    shop.line("revoke found").exits(3);
    swap("/revoke\"");
    shop.line("revoke found").exits(3);
    swap("\"\n");
    shop.line("call found GET /items").exits(3);
    assert!(evil.asked().is_empty(), "{:?}", evil.asked());
}
