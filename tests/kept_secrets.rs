//! A client secret, key or certificate of a connection that is missing or refused: the command that
//! keeps the right one is named where it helps, and nobody has to authorise again.

use keyfob::sandbox::{Endpoint, Fault};
use serde_json::{Value, json};

use crate::client_keys::P256;
use crate::support::place::Place;
use crate::support::{Ran, Shop, World};

fn give(world: &World, line: &str, secret: &str) -> Ran {
    *world.stdin.borrow_mut() = secret.as_bytes().to_vec();
    world.line(line)
}

/// What the failure of a line names to paste.
fn next(world: &World, line: &str) -> Vec<String> {
    let failure = world.line(&format!("{line} --json")).exits(3).failure();
    let next = failure["next"].as_array().unwrap().iter();
    next.filter_map(Value::as_str)
        .filter(|it| !it.contains(' ') || is_command(it))
        .map(str::to_owned)
        .collect()
}

fn is_command(text: &str) -> bool {
    text.starts_with("keyfob ") || text.starts_with("unset ")
}

const KEEP: &str = "keyfob profile secret shop client_secret < FILE";

#[test] // CA9
fn a_refused_secret_is_put_right_with_the_command_that_the_failure_names() {
    let shop = Shop::connected("standard");
    let right = shop.how.client.client_secret.as_ref().unwrap().expose().to_owned();
    give(&shop.world, "profile secret shop client_secret", "another").ok();
    assert_eq!(next(&shop.world, "refresh shop"), [KEEP]);
    assert_eq!(next(&shop.world, "introspect shop"), [KEEP]);
    let kept = shop.line("revoke shop").exits(5);
    kept.says(&format!("       {KEEP}\n       keyfob revoke shop\n"));
    assert_eq!(shop.world.state("shop"), "ready");
    give(
        &shop.world,
        KEEP.strip_prefix("keyfob ").unwrap().strip_suffix(" < FILE").unwrap(),
        &right,
    )
    .ok();
    shop.line("refresh shop").ok();
}

#[test]
fn a_person_is_asked_for_the_secret_and_needs_no_file() {
    let mut shop = Shop::connected("standard");
    shop.sandbox.next_token_answers(vec![refusal()]);
    shop.world.seat(&[]);
    shop.line("refresh shop").exits(3).says("       keyfob profile secret shop client_secret\n");
}

#[test]
fn a_secret_of_the_environment_is_put_right_there_and_not_in_the_store() {
    let mut shop = Shop::connected("standard");
    shop.world.set("KEYFOB_CLIENT_SECRET", "another");
    assert_eq!(next(&shop.world, "refresh shop"), ["unset KEYFOB_CLIENT_SECRET"]);
    shop.world.set("KEYFOB_CLIENT_SECRET", "");
    shop.line("refresh shop").ok();
}

#[test]
fn a_missing_secret_of_a_connection_is_kept_with_the_command_that_the_failure_names() {
    let shop = Shop::of("inventorum");
    let right = shop.how.client.client_secret.as_ref().unwrap().expose().to_owned();
    let tokens = shop.sandbox.dashboard_tokens(&["orders:read"]).to_string();
    let client = shop.client().join(" ");
    let ran = give(&shop.world, &format!("import shop {client}"), &tokens).ok();
    ran.says("without its client secret `shop` cannot be refreshed: give it with `keyfob profile secret shop client_secret`");
    assert_eq!(next(&shop.world, "refresh shop"), [KEEP]);
    give(&shop.world, "profile secret shop client_secret", &right).ok();
    shop.line("refresh shop").ok();
}

#[test]
fn a_connect_that_is_refused_names_itself_with_the_secret() {
    let shop = Shop::connected("standard");
    shop.sandbox.next_answers(Endpoint::Token, vec![refusal()]);
    let refused = next(&shop.world, "connect shop");
    assert!(refused[0].starts_with("keyfob connect shop"), "{refused:?}");
    assert!(refused[0].ends_with("--client-secret-file …"), "{refused:?}");
}

fn refusal() -> Fault {
    Fault::Status {
        status: 401,
        headers: vec![("content-type".into(), "application/json".into())],
        body: r#"{"error":"invalid_client"}"#.into(),
    }
}

#[test] // CA3
fn a_key_or_certificate_of_a_connection_is_put_right_with_the_command_that_is_named() {
    let place = Place::new();
    let keep =
        |client: &str, name: &str| format!("       keyfob profile secret {client} {name} < FILE\n");
    place.connect("key").ok();
    *place.world.stdin.borrow_mut() = place.authority.client().1.into_bytes();
    place.line("profile secret key private_key").ok();
    place.line("refresh key").exits(3).says(&keep("key", "private_key"));
    *place.world.stdin.borrow_mut() = P256.as_bytes().to_vec();
    place.line("profile secret key private_key").ok();
    place.line("refresh key").ok();
    for (profile, method, names) in [
        ("unkeyed", "private_key_jwt", &["private_key"][..]),
        ("unshown", "tls_client_auth", &["client_certificate", "private_key"]),
    ] {
        let tokens = json!({"access_token": "a", "refresh_token": "r", "client_id": "key"});
        *place.world.stdin.borrow_mut() = tokens.to_string().into_bytes();
        let (issuer, flag) = (place.server.issuer.as_str(), "--client-authentication");
        place.run(&["import", profile, "--provider", issuer, flag, method, "--yes"]).ok();
        let missing = place.line(&format!("refresh {profile}")).exits(3);
        let names: String = names.iter().map(|name| keep(profile, name)).collect();
        missing.says("in the store\n").says(&names);
    }
}
