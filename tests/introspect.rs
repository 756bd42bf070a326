//! `introspect`: what the provider says of the stored token; nothing is renewed and nothing changed.

use keyfob::sandbox::{Endpoint, Fault};
use serde_json::{Value, json};

use crate::support::Shop;

fn answer(status: u16, body: &str) -> Fault {
    let headers = vec![("content-type".into(), "application/json".into())];
    Fault::Status { status, headers, body: body.into() }
}

#[test] // RV9
fn an_active_token_is_shown_as_a_table_and_as_a_document() {
    let shop = Shop::connected("standard");
    let ran = shop.line("introspect shop").ok();
    for line in ["active", "true", "items:read items:write", "standard-sandbox-client"] {
        assert!(ran.stdout.contains(line), "{line}: {}", ran.stdout);
    }
    assert!(ran.stdout.contains("2026-06-01T09:00:00Z"), "a time that can be read: {}", ran.stdout);
    assert_eq!(ran.stderr, "");
    let document = shop.line("introspect shop --json").ok().json();
    assert_eq!((&document["active"], &document["sub"]), (&json!(true), &json!("pat-7")));
    assert!(document["exp"].is_i64());
    let of_refresh = shop.line("introspect shop --refresh-token --json").ok().json();
    assert_eq!(of_refresh["token_type"], "refresh_token");
    let seen = shop.seen(Endpoint::Introspection);
    assert!(seen[0].text().contains("token_type_hint=access_token"));
    assert!(seen[2].text().contains("token_type_hint=refresh_token"));
    assert!(seen[0].header("authorization").unwrap().starts_with("Basic "));
}

#[test] // RV9
fn a_token_that_is_not_active_exits_4_with_what_to_do_and_is_not_renewed() {
    let shop = Shop::connected("standard");
    let (requests, entry) = (shop.token_requests(), shop.world.shelf.entry("shop"));
    shop.world.pass(3601);
    let ran = shop.line("introspect shop").exits(4).without_product();
    ran.says("the access token of `shop` is not active").says("keyfob refresh shop");
    shop.line("introspect shop --refresh-token").ok();
    shop.sandbox.revoke_all();
    let ran = shop.line("introspect shop --refresh-token").exits(4).without_product();
    ran.says("the refresh token of `shop` is not active").says("keyfob connect shop");
    let failure = shop.line("introspect shop --json").exits(4).failure();
    assert_eq!(failure["code"], "token-inactive");
    assert_eq!(shop.token_requests(), requests, "nothing is renewed");
    assert_eq!(shop.world.shelf.entry("shop"), entry, "nothing is changed");
}

#[test] // RV9
fn what_the_server_says_is_cleaned_and_a_token_that_it_quotes_is_hidden() {
    let shop = Shop::connected("standard");
    let entry: Value = serde_json::from_str(&shop.world.shelf.entry("shop").unwrap()).unwrap();
    let token = entry["tokens"]["access_token"].as_str().unwrap();
    let hostile = json!({"active": true, "jti": token, "username": "a\u{1b}[2Jb\u{202e}", "x": {token: [token]}});
    for line in ["introspect shop -vvv", "introspect shop -vvv --json"] {
        shop.sandbox.next_answers(Endpoint::Introspection, vec![answer(200, &hostile.to_string())]);
        let ran = shop.line(line).ok();
        for stream in [&ran.stdout, &ran.stderr] {
            assert!(!stream.contains(token), "{stream}");
            assert!(!stream.contains(['\u{1b}', '\u{202e}']) && !stream.contains("\\u001b"));
        }
        assert!(ran.stdout.contains("ab") && ran.stdout.contains("[hidden sha256:"));
    }
}

#[test] // RV9
fn an_answer_that_does_not_say_and_a_client_that_may_not_ask() {
    let shop = Shop::connected("standard");
    let cases = [
        (answer(200, r#"{"active":"true"}"#), 7, "did not say whether the token is good"),
        (answer(200, "[]"), 7, "did not say"),
        (Fault::Html, 7, "did not say"),
        (Fault::status(503), 7, "HTTP 503"),
        (Fault::Reset, 7, "gave no answer to the introspection"),
        // `invalid_client` is exit 3 wherever it comes from: the contract's table.
        (answer(401, r#"{"error":"invalid_client"}"#), 3, "the credentials of an API"),
        (answer(401, r#"{"error":"invalid_client"}"#), 3, "keyfob profile secret shop client"),
        (answer(401, r#"{"error":"unauthorized_client"}"#), 5, "does not let this client ask"),
        (answer(403, "{}"), 5, "does not let this client ask"),
    ];
    for (fault, exit, words) in cases {
        shop.sandbox.next_answers(Endpoint::Introspection, vec![fault]);
        shop.line("introspect shop").exits(exit).without_product().says(words);
    }
    assert_eq!(shop.world.state("shop"), "ready");
}

#[test] // RV9
fn without_an_endpoint_a_connection_or_a_refresh_token_nothing_is_asked() {
    let inkress = Shop::connected("inkress");
    inkress.line("introspect shop").exits(3).says("has no introspection endpoint");
    let shop = Shop::connected("standard");
    shop.line("revoke shop").ok();
    shop.line("introspect shop").exits(4).says("`shop` is not connected");
    assert_eq!(shop.sandbox.counts(Endpoint::Introspection), 0);
}

#[test] // RV9, RV1
fn a_token_is_never_shown_to_another_endpoint_than_the_one_it_was_given_beside() {
    let shop = Shop::connected("standard");
    let file = shop.world.home().providers().join("standard.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("{host}/introspect", "https://evil.example/i")).unwrap();
    shop.line("introspect shop").exits(3).says("https://evil.example/i").says("nothing was sent");
}

#[test] // RV9, RV1, A16
fn an_endpoint_that_the_file_has_gained_since_is_on_the_token_endpoint_s_own_server() {
    let shop = Shop::of("standard");
    let file = shop.world.home().providers().join("standard.toml");
    let with = std::fs::read_to_string(&file).unwrap();
    let url = "[introspect]\nurl = \"{host}/introspect\"\n";
    assert!(with.contains(url), "{with}");
    std::fs::write(&file, with.replace(url, "")).unwrap();
    shop.connect().ok();
    let elsewhere = url.replace("{host}", "https://evil.example");
    std::fs::write(&file, with.replace(url, &elsewhere)).unwrap();
    let refused = shop.line("introspect shop").exits(3);
    refused.says("https://evil.example/introspect").says("nothing was sent");
    std::fs::write(&file, with).unwrap();
    shop.line("introspect shop").ok();
}
