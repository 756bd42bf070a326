//! `refresh`, and the promise that a rolling token is never lost.

use std::sync::Arc;
use std::time::Duration;

use keyfob::sandbox::{Behaviour, Endpoint, Fault};

use crate::support::Shop;
use crate::support::shelf::Trouble;
use crate::support::signals::AtOnce;

#[test]
fn a_refresh_rolls_the_tokens_and_says_until_when_they_are_good() {
    let shop = Shop::connected("inkress");
    let before = shop.world.shelf.entry("shop").unwrap();
    let ran = shop.line("refresh shop").ok();
    assert_eq!(ran.stdout, "shop: refreshed, good until 2026-06-01T09:00:00Z\n");
    assert_eq!(shop.sandbox.rotations(), 1);
    assert_ne!(shop.world.shelf.entry("shop").unwrap(), before);
    let request = shop.seen(Endpoint::Token).pop().unwrap();
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["grant_type"], "refresh_token");
    assert_eq!(shop.world.status("shop")["last_refreshed_at"], "2026-06-01T08:00:00Z");
}

#[test]
fn within_refreshes_only_what_ends_soon() {
    let shop = Shop::connected("inkress");
    let ran = shop.line("refresh shop --within 15m").ok();
    assert_eq!(ran.stdout, "shop: not yet, good until 2026-06-01T09:00:00Z\n");
    shop.world.pass(46 * 60);
    assert!(shop.line("refresh shop --within 15m").ok().stdout.contains("refreshed"));
    assert_eq!(shop.sandbox.rotations(), 1);
}

#[test] // RF2
fn a_hundred_refreshes_in_a_row_never_send_a_spent_token() {
    let shop = Shop::connected("inkress");
    for _ in 0..100 {
        shop.line("refresh shop").ok();
    }
    assert_eq!((shop.sandbox.rotations(), shop.sandbox.spent_tokens_seen()), (100, 0));
}

#[test] // RF21
fn what_cannot_refresh_is_an_error_when_named_and_passed_over_under_all() {
    let shop = Shop::connected("merchantos");
    shop.line("refresh shop").exits(4).says("cannot be renewed").says("keyfob connect shop");
    let ran = shop.line("refresh --all").ok();
    assert!(ran.stdout.starts_with("shop: passed over"), "{}", ran.stdout);
}

#[test]
fn all_is_every_connected_profile_and_the_exit_code_is_the_first_failure_s() {
    let shop = Shop::connected("inkress");
    shop.line("refresh --all").ok();
    let ran = shop.line("refresh nobody shop").exits(3);
    assert!(ran.stdout.contains("shop: refreshed"), "{}", ran.stdout);
}

#[test] // RF9
fn a_revoked_grant_needs_a_person_and_keeps_what_is_stored() {
    let shop = Shop::connected("inkress");
    let before = shop.world.shelf.entry("shop").unwrap();
    shop.sandbox.revoke_all();
    shop.line("refresh shop").exits(4).says("invalid_grant").says("keyfob connect shop");
    assert_eq!(shop.world.state("shop"), "authorization-needed");
    let after = shop.world.shelf.entry("shop").unwrap();
    let tokens =
        |entry: &str| serde_json::from_str::<serde_json::Value>(entry).unwrap()["tokens"].clone();
    assert_eq!(tokens(&after), tokens(&before), "nothing is deleted");

    // It stays so without another request, until a person comes.
    let requests = shop.token_requests();
    shop.line("token shop").exits(4);
    assert_eq!(shop.token_requests(), requests);
    shop.line("connect shop").ok();
    assert_eq!(shop.world.state("shop"), "ready");
}

#[test] // AT-2b, ST12
fn a_store_that_cannot_be_written_is_known_before_the_token_is_spent() {
    let shop = Shop::connected("inkress");
    let before = shop.world.shelf.entry("shop");
    let requests = shop.token_requests();
    shop.world.trouble(Trouble::Full { after: 0 });
    shop.line("refresh shop").exits(6).says("no token was spent");
    assert_eq!((shop.token_requests(), shop.world.shelf.entry("shop")), (requests, before));
    shop.world.trouble(Trouble::None);
    shop.line("refresh shop").ok();
    assert_eq!(shop.sandbox.spent_tokens_seen(), 0);
}

#[test] // T2, ST12, RF4
fn a_store_that_fails_after_the_answer_finds_the_tokens_in_the_journal() {
    let shop = Shop::connected("inkress");
    // The mark is written, then nothing more.
    shop.world.trouble(Trouble::Full { after: 1 });
    shop.line("refresh shop").exits(6).says("could not be stored").says("safe in the journal");
    assert_eq!(shop.sandbox.rotations(), 1);
    shop.world.trouble(Trouble::None);
    let requests = shop.token_requests();
    shop.line("refresh shop").ok().says("were in the journal and are stored now");
    assert_eq!(shop.token_requests(), requests, "the journal was enough");
    shop.line("refresh shop").ok();
    assert_eq!(shop.sandbox.spent_tokens_seen(), 0);
}

#[test] // AT-2e
fn a_lost_answer_recovers_where_the_vendor_gives_grace() {
    for fault in
        [Fault::RotateThenReset, Fault::RotateThenBadGateway, Fault::Truncated, Fault::Garbage]
    {
        let grace = Behaviour { reuse_grace: Duration::from_secs(60), ..Behaviour::default() };
        let shop = Shop::behaving("inkress", grace).and_connected();
        shop.sandbox.next_token_answers(vec![fault.clone()]);
        shop.line("refresh shop").ok();
        assert_eq!(shop.world.state("shop"), "ready", "{fault:?}");
        shop.line("refresh shop").ok();
    }
}

#[test] // RF11
fn a_lost_answer_with_strict_rotation_is_told_as_what_it_is() {
    let shop = Shop::connected("inkress");
    shop.sandbox.next_token_answers(vec![Fault::RotateThenReset, Fault::Reset]);
    shop.line("refresh shop").exits(7).says("it was tried twice; the refresh token is kept");
    assert_eq!(shop.world.state("shop"), "ready");
    // The next one knows from the mark that an answer was lost.
    shop.line("refresh shop").exits(4).says("an earlier answer was lost");
}

#[test] // AT-23
fn a_429_is_remembered_and_a_token_that_serves_keeps_working() {
    let shop = Shop::connected("inkress");
    let busy = Fault::Status {
        status: 429,
        headers: vec![("retry-after".into(), "120".into())],
        body: String::new(),
    };
    shop.sandbox.next_token_answers(vec![busy]);
    shop.line("refresh shop").exits(7).says("nothing was spent");
    let requests = shop.token_requests();
    shop.line("refresh shop").exits(7);
    assert_eq!(shop.token_requests(), requests, "it is left alone");
    shop.line("token shop").ok();
    shop.world.pass(121);
    shop.line("refresh shop").ok();
}

#[test]
fn an_early_refresh_that_fails_serves_the_token_that_still_lives() {
    let shop = Shop::connected("inkress");
    shop.world.pass(3600 - 30);
    shop.sandbox.next_token_answers(vec![Fault::status(503)]);
    let ran = shop.line("token shop").ok().says("its access token still serves");
    assert!(ran.stdout.starts_with("inka_"), "{}", ran.stdout);
    shop.world.pass(31);
    shop.line("token shop").ok();
}

#[test] // RF14, ST8, A16
fn a_changed_host_never_sees_the_tokens() {
    let shop = Shop::connected("inkress");
    let calls = shop.sandbox.log().len();
    let other = Shop::of("inkress");
    let file = shop.world.home().configuration.join("profiles/shop.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace(&shop.sandbox.origin(), &other.sandbox.origin())).unwrap();
    shop.line("refresh shop").exits(3).says("were given for another host");
    shop.line("call shop GET /orders").exits(3);
    assert_eq!((other.sandbox.log().len(), shop.sandbox.log().len()), (0, calls));
}

#[test] // AT-2d
fn a_signal_sees_the_refresh_through_and_ends_the_command() {
    let mut shop = Shop::connected("inkress");
    shop.line("profile rename shop a").ok();
    *shop.world.stdin.borrow_mut() =
        shop.sandbox.dashboard_tokens(&["orders:read"]).to_string().into_bytes();
    let mut words = vec!["import".to_owned(), "b".into()];
    words.extend(shop.client());
    shop.world.run(words.iter().map(String::as_str)).ok();
    let never = std::mem::replace(&mut shop.world.interruption, Arc::new(AtOnce));
    shop.line("refresh --all").exits(130).without_product().says("interrupted");
    assert_eq!(shop.sandbox.rotations(), 1, "the second was not begun");
    shop.world.interruption = never;
    shop.line("refresh a").ok();
    assert_eq!(shop.sandbox.spent_tokens_seen(), 0);
}
