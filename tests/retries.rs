//! When a call is sent again, after how long, and what is told when it is not.

use std::time::Duration;

use keyfob::sandbox::{Endpoint, Fault};

use crate::support::Shop;

/// The plain server, with these tables in its provider file.
fn with(tables: &str) -> Shop {
    let shop = Shop::connected("standard");
    let file = shop.world.home().providers().join("standard.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n{tables}\n")).unwrap();
    shop
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Fault {
    let mut all = vec![("content-type".to_owned(), "application/json".to_owned())];
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Fault::Status { status, headers: all, body: body.into() }
}

fn slept(shop: &Shop) -> Vec<u64> {
    shop.world.clock.slept().iter().map(Duration::as_secs).collect()
}

/// A vendor that refuses with status 200, as some do.
const SAYS_NO: &str = "[errors.success]\npath = 'ok'\nequals = true\n\
    [errors.api.token_expired]\nmeaning = 'the token has ended'\naction = 'refresh'\n\
    [errors.api.missing_scope]\nmeaning = 'the scopes are too few'\naction = 'missing_scope'\n\
    [errors.api.ratelimited]\nmeaning = 'too many requests'\naction = 'try_later'";

#[test] // AT-4d
fn an_error_in_a_good_status_is_an_error_where_the_provider_says_so() {
    let no = r#"{"ok":false,"error":"name_taken"}"#;
    let shop = with(SAYS_NO);
    shop.sandbox.next_api_answers(vec![answer(200, &[], no)]);
    let ran = shop.line("call shop /items").exits(8).says("it answered name_taken (HTTP 200)");
    assert_eq!(ran.stdout, no);
    let plain = with("");
    plain.sandbox.next_api_answers(vec![answer(200, &[], no)]);
    assert_eq!(plain.line("call shop /items").ok().stdout, no);
    shop.sandbox.next_api_answers(vec![answer(200, &[], r#"{"ok":true}"#)]);
    shop.line("call shop /items").ok();
    shop.line("call shop /items").ok();
}

#[test] // AT-4a, AT-4b, AT-4d
fn a_code_in_a_good_status_renews_the_token_once_or_names_the_scope() {
    let expired = || answer(200, &[], r#"{"ok":false,"error":"token_expired"}"#);
    let shop = with(SAYS_NO);
    shop.sandbox.next_api_answers(vec![expired()]);
    shop.line("call shop /items").ok().says("refreshed, and sent once more");
    assert_eq!((shop.calls(), shop.sandbox.rotations()), (2, 1));
    shop.sandbox.next_api_answers(vec![expired(), expired()]);
    shop.line("call shop /items").exits(8).says("a new access token was refused as well");
    assert_eq!((shop.calls(), shop.sandbox.rotations()), (4, 2));
    let scope = answer(200, &[], r#"{"ok":false,"error":"missing_scope"}"#);
    shop.sandbox.next_api_answers(vec![scope]);
    shop.line("call shop /items").exits(5);
    assert_eq!((shop.calls(), shop.sandbox.rotations()), (5, 2));
}

#[test] // RR13, AT-4d
fn a_code_may_ask_for_a_wait_whatever_its_status() {
    let shop = with(SAYS_NO);
    let limited =
        |status| answer(status, &[("retry-after", "9")], r#"{"ok":false,"error":"ratelimited"}"#);
    shop.sandbox.next_api_answers(vec![limited(200), limited(400)]);
    let ran = shop.line("call shop POST /items name=x").ok();
    ran.says("HTTP 200, ratelimited: trying again in 9").says("HTTP 400, ratelimited");
    assert_eq!((slept(&shop), shop.calls()), (vec![9, 9], 3));
    shop.sandbox.next_api_answers(vec![limited(200)]);
    let ran = shop.line("call shop /items --retry 0 --json").exits(7);
    assert_eq!(
        (&ran.failure()["code"], &ran.failure()["retry_after_seconds"]),
        (&"rate-limited".into(), &9.into())
    );
}

#[test] // RR13, RR14
fn a_wait_is_seconds_a_date_or_what_the_vendors_own_header_says() {
    let waits = "[api.retry]\non = [429, 503]\nafter = ['retry-after', 'x-wait-ms']\nat = ['x-reset-ms']\nunit = 'milliseconds'";
    // The world's clock stands at 08:00 on the first of June 2026.
    for (header, value, seconds) in [
        ("retry-after", "7", 7),
        ("retry-after", "Mon, 01 Jun 2026 08:00:20 GMT", 20),
        ("x-wait-ms", "5000", 5),
        ("x-reset-ms", "1780300811000", 11),
        ("x-reset-ms", "2026-06-01T08:00:30Z", 30),
    ] {
        let shop = with(waits);
        shop.sandbox.next_api_answers(vec![answer(429, &[(header, value)], "{}")]);
        shop.line("call shop /items").ok();
        let [slept] = shop.world.clock.slept()[..] else { panic!("{header}") };
        let longest = Duration::from_millis(seconds * 1100);
        assert!(slept >= Duration::from_secs(seconds) && slept <= longest, "{header}: {slept:?}");
    }
}

#[test] // RR13
fn a_wait_that_is_too_long_is_told_and_not_waited_for() {
    let shop = with("[api.retry]\nat = ['x-reset']");
    shop.sandbox.next_api_answers(vec![answer(503, &[("x-reset", "1780301100")], "{}")]);
    let ran = shop.line("call shop /items --json").exits(7);
    let seconds = ran.failure()["retry_after_seconds"].as_u64().unwrap();
    assert!((290..=300).contains(&seconds), "{seconds}");
    assert!(shop.world.clock.slept().is_empty());
}

#[test] // RR15, AT-4c
fn a_write_that_may_have_happened_is_not_sent_again_without_a_key_and_says_so() {
    for fault in [Fault::status(503), Fault::RotateThenReset] {
        let shop = with("");
        shop.sandbox.next_api_answers(vec![fault]);
        let ran = shop.line("call shop POST /items name=x").exits(7);
        assert_eq!(shop.calls(), 1, "{}", ran.stderr);
    }
    let shop = with("");
    shop.sandbox.next_api_answers(vec![Fault::status(503)]);
    shop.line("call shop POST /items name=x").exits(7).says("no key protects it");
    let shop = with("");
    shop.sandbox.next_api_answers(vec![Fault::status(503), Fault::status(429)]);
    shop.line("call shop DELETE /items/1").ok();
    assert_eq!(shop.calls(), 3);
}

#[test] // RR21, AT-4c
fn a_body_from_a_stream_is_not_sent_again_and_the_message_says_why() {
    for (status, exit, next) in [(401, 8, "keyfob refresh shop"), (429, 7, "try again")] {
        let shop = Shop::connected("inkress");
        shop.sandbox.next_api_answers(vec![Fault::status(status)]);
        *shop.world.stdin.borrow_mut() = b"{\"total\":1}".to_vec();
        let ran = shop.world.run(["call", "shop", "POST", "/orders", "-d", "@-"]).exits(exit);
        ran.says("its body came from a stream, which cannot be read twice").says(next);
        assert_eq!((shop.calls(), shop.sandbox.rotations()), (1, 0));
    }
}

#[test] // RR15
fn a_write_that_failed_is_a_whole_command_to_paste() {
    let shop = Shop::connected("inkress");
    shop.sandbox.next_api_answers(vec![Fault::RotateThenReset]);
    let words = [
        "call",
        "shop",
        "POST",
        "/orders",
        "app==me",
        "title=a b's",
        "total:=1",
        "X-Trace:t",
        "--retry",
        "0",
    ];
    let ran = shop
        .world
        .run(words)
        .exits(7)
        .says("hint:  try again; with its key the write is carried out once");
    let command = ran.stderr.lines().last().unwrap().trim().to_owned();
    let again = shlex::split(&command).unwrap();
    assert_eq!(
        again[..8],
        ["keyfob", "call", "shop", "POST", "/orders", "app==me", "title=a b's", "total:=1"]
    );
    let ran = shop.world.run(again[1..].iter().map(String::as_str)).ok();
    ran.says("replayed its stored answer");
    assert_eq!(shop.sandbox.records("/api/v1/orders").len(), 4, "carried out once");
    let sent = |seen: &keyfob::sandbox::Seen| {
        (
            seen.body.clone(),
            seen.header("idempotency-key").map(str::to_owned),
            seen.path_and_query.clone(),
        )
    };
    let seen = shop.seen(Endpoint::Api);
    assert_eq!(sent(&seen[0]), sent(&seen[1]));
}

#[test] // RR15, RR16
fn a_write_that_was_refused_is_not_worth_a_repetition_and_keeps_its_key() {
    let shop = Shop::connected("inkress");
    let body = r#"{"error":"idempotency_key_reuse_with_different_payload"}"#;
    shop.sandbox.next_api_answers(vec![answer(409, &[], body)]);
    let ran = shop.line("call shop POST /orders total:=1").exits(8);
    assert!(ran.stderr.contains("Idempotency-Key") && !ran.stderr.contains("--idempotency-key"));
    assert_eq!(shop.calls(), 1);
}

#[test]
fn a_replayed_refusal_is_told_as_one() {
    let shop = Shop::connected("inkress");
    let replay = answer(422, &[("idempotency-replay", "true")], "{}");
    shop.sandbox.next_api_answers(vec![replay]);
    shop.line("call shop POST /orders total:=1").exits(8).says("replayed its stored answer");
}
