//! `sync`: what changed since the last complete run, each record once, and a cursor that moves only then.

use std::time::Duration;

use keyfob::sandbox::{Endpoint, Fault};
use serde_json::{Value, json};

use crate::support::signals::AtOnce;
use crate::support::streams::{Captured, Closed, Full};
use crate::support::{Ran, Shop};

const ORDERS: &str = "/api/v1/orders";

fn shop() -> Shop {
    Shop::connected("inkress")
}

/// A plain server whose list of 25 records comes in three pages.
fn pages() -> Shop {
    let shop = Shop::connected("standard");
    let file = shop.world.home().providers().join("standard.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        format!(
            "{text}\n[api.sync]\nparameter = 'updated_since'\n[api.pages]\nstyle = 'link_header'\n"
        ),
    )
    .unwrap();
    shop
}

impl Ran {
    /// The members of that name, line by line.
    #[track_caller]
    fn ids(&self) -> Vec<Value> {
        let record = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].clone();
        self.stdout.lines().map(record).collect()
    }
}

fn order(id: u64, updated_at: &str, status: &str) -> Value {
    json!({"id": id, "status": status, "total": 12, "updated_at": updated_at})
}

fn cursors(shop: &Shop) -> Vec<String> {
    let files = shop.world.files().into_iter();
    let cursors = files.filter(|(path, _)| {
        path.extension().is_some_and(|it| it == "json") && path.iter().any(|part| part == "cursors")
    });
    cursors.map(|(_, text)| String::from_utf8(text).unwrap()).collect()
}

#[test]
fn a_first_run_gives_everything_and_the_next_what_changed() {
    let shop = shop();
    let first = shop.line("sync shop /orders").ok();
    assert_eq!(first.ids(), [5001, 5002, 5003]);
    let line = first.says("3 records; cursor /orders set to 2026-05-29T22:30:04Z");
    assert_eq!(line.stderr.lines().count(), 1);
    let second = shop.line("sync shop /orders").ok().without_product();
    second.says("0 records; cursor /orders stays at 2026-05-29T22:30:04Z");
    shop.sandbox.put_record(ORDERS, order(5001, "2026-06-01T07:00:00Z", "shipped"));
    shop.sandbox.put_record(ORDERS, order(5004, "2026-06-01T07:30:00Z", "pending"));
    let third = shop.line("sync shop /orders").ok();
    assert_eq!(third.ids(), [5001, 5004]);
    third.says("moved from 2026-05-29T22:30:04Z to 2026-06-01T07:29:00Z");
    let asked = shop.seen(Endpoint::Api).pop().unwrap().path_and_query;
    assert_eq!(asked, "/api/v1/orders?updated_since=2026-05-29T22%3A30%3A04Z");
}

#[test]
fn a_record_comes_out_again_only_when_it_changed() {
    let shop = shop();
    let list = |shop: &Shop| shop.line("sync shop /orders").ok().ids();
    assert_eq!(list(&shop).len(), 3);
    let at = "2026-05-29T22:31:04Z";
    shop.sandbox.put_record(ORDERS, order(6001, at, "new at the same second as the last"));
    assert_eq!(list(&shop), [6001]);
    shop.sandbox.put_record(ORDERS, order(6001, at, "changed again within that second"));
    assert_eq!(list(&shop), [6001]);
    shop.sandbox.put_record(ORDERS, order(6001, "2026-05-29T22:31:05Z", "and a second later"));
    assert_eq!(list(&shop), [6001]);
    shop.sandbox.put_record(ORDERS, order(6002, "2026-05-29T22:30:40Z", "written late"));
    assert_eq!(list(&shop), [6002], "what was being written lies within the overlap");
    assert_eq!(list(&shop), [0; 0]);
}

#[test]
fn pages_are_followed_and_one_that_fails_moves_nothing() {
    let shop = pages();
    let fine = || Fault::Slow(Duration::ZERO);
    for (last, exit) in [
        (Fault::status(500), 9),
        (Fault::status(404), 8),
        (Fault::Truncated, 7),
        (Fault::Html, 9),
        (Fault::status(302), 8),
    ] {
        shop.sandbox.next_api_answers(vec![fine(), fine(), last.clone()]);
        let broken = shop.line("sync shop /items --retry 0").exits(exit);
        assert_eq!(broken.ids().len(), 20, "what came before is out: {last:?}");
        broken.says("cursor /items stays where it was");
        assert_eq!(cursors(&shop), [""; 0]);
    }
    let whole = shop.line("sync shop /items").ok();
    assert_eq!(whole.ids().len(), 25);
    assert_eq!(shop.line("sync shop /items").ok().ids().len(), 0, "all of the same second");
    let item = json!({"id": 26, "name": "new", "updated_at": "2026-05-29T10:15:00Z"});
    shop.sandbox.put_record("/api/items", item);
    assert_eq!(shop.line("sync shop /items").ok().ids(), [26]);
}

#[test]
fn a_clock_that_is_wrong_by_hours_loses_no_record() {
    for hours in [-30, -5, 5, 30] {
        let shop = shop();
        shop.sandbox.answers_are_off_by(hours * 3600);
        let now = "2026-06-01T08:00:00Z";
        shop.sandbox.put_record(ORDERS, order(7001, now, "now"));
        assert_eq!(shop.line("sync shop /orders").ok().ids().len(), 4, "{hours}");
        shop.world.pass(1);
        shop.sandbox.put_record(ORDERS, order(7002, "2026-06-01T08:00:01Z", "a second later"));
        assert_eq!(shop.line("sync shop /orders").ok().ids(), [7002], "{hours}");
    }
    let shop = shop();
    shop.sandbox.answers_tell_no_time();
    shop.world.clock.set_back(Duration::from_secs(5 * 3600));
    shop.line("sync shop /orders").ok();
    shop.sandbox.put_record(ORDERS, order(7003, "2026-05-30T00:00:00Z", "next"));
    assert_eq!(shop.line("sync shop /orders").ok().ids(), [7003]);
}

#[test]
fn a_record_from_the_future_does_not_hide_the_present() {
    let shop = shop();
    shop.sandbox.put_record(ORDERS, order(8001, "2099-01-01T00:00:00Z", "odd"));
    shop.line("sync shop /orders").ok().says("set to 2026-06-01T07:59:00Z");
    shop.sandbox.put_record(ORDERS, order(8002, "2026-06-01T08:00:05Z", "now"));
    assert_eq!(shop.line("sync shop /orders").ok().ids(), [8002]);
}

#[test]
fn an_empty_list_sets_no_cursor() {
    let shop = shop();
    shop.sandbox.remove_records(ORDERS);
    shop.line("sync shop /orders").ok().says("is not set: there is nothing to go on from yet");
    shop.sandbox.put_record(ORDERS, order(1, "2020-01-01T00:00:00Z", "imported from before"));
    assert_eq!(shop.line("sync shop /orders").ok().ids(), [1]);
}

#[test]
fn a_time_of_ones_own_gives_everything_since_and_leaves_no_gap() {
    let shop = shop();
    shop.line("sync shop /orders").ok();
    let look = shop.line("sync shop /orders --since 2026-05-29T22:00:00Z").ok();
    assert_eq!(look.ids(), [5003], "what was handed over before comes again when it is asked for");
    let all = shop.line("sync shop /orders --since 1970-01-01").ok();
    assert_eq!(all.ids().len(), 3);
    shop.sandbox.put_record(ORDERS, order(1, "2026-05-31T00:00:00Z", "between"));
    let later = shop.line("sync shop /orders --since 2026-06-01").ok().without_product();
    later.says("stays at 2026-05-29T22:30:04Z: --since is later");
    assert_eq!(shop.line("sync shop /orders").ok().ids(), [1], "nothing between was left out");
    let ahead = Shop::connected("inkress");
    ahead.line("sync shop /orders --since 2099-01-01").ok();
    ahead.sandbox.put_record(ORDERS, order(2, "2026-06-01T08:00:01Z", "after that"));
    assert_eq!(ahead.line("sync shop /orders").ok().ids(), [2], "a slip of the year hides nothing");
    for nonsense in ["yesterday", "2026-13-01", "2026-05-29T10:15"] {
        shop.line(&format!("sync shop /orders --since {nonsense}")).exits(2).without_product();
    }
}

#[test]
fn an_app_s_own_records_have_a_cursor_of_their_own() {
    let shop = shop();
    assert_eq!(shop.line("sync shop /orders --app me").ok().ids(), [5001, 5003]);
    assert_eq!(shop.line("sync shop /orders app==me").ok().ids().len(), 0, "the same list");
    assert_eq!(shop.line("sync shop /orders").ok().ids().len(), 3, "another one");
    assert_eq!(shop.line("sync shop /orders --cursor nightly").ok().ids().len(), 3);
    let other = shop.line("sync shop /orders --cursor nightly --app me").exits(2);
    other.says("cursor nightly belongs to another query").says("no query");
    let calls = shop.calls();
    shop.line("sync shop /orders --app you").exits(2).says("--app me");
    shop.line("sync shop /orders app==you").exits(2).says("'app==me'");
    shop.line("call shop /orders app==you").exits(2).says("`app` takes only `me`");
    shop.line("call shop /orders updated_since==yesterday").exits(2);
    shop.line("sync shop /orders updated_since==2026-05-29T00:00:00Z").exits(2).says("--since");
    shop.line("sync shop /orders name=value").exits(2);
    shop.line("sync shop").exits(2).says("keyfob sync shop /orders");
    assert_eq!(shop.calls(), calls, "none of that was sent");
    shop.line("call shop /orders app==you --force").exits(8);
}

#[test]
fn another_account_never_goes_on_with_the_cursor() {
    let shop = shop();
    shop.line("sync shop /orders").ok();
    shop.sandbox.answer_with("merchant_id", json!(184));
    shop.connect_with(&["--scope", "orders:read", "--yes"]).ok();
    let calls = shop.calls();
    let refused = shop.line("sync shop /orders").exits(3).without_product();
    refused
        .says("cursor /orders of `shop` belongs to another account")
        .says("it was made for merchant_id 183; the connection is for merchant_id 184")
        .says("--since 1970-01-01");
    assert_eq!(shop.calls(), calls, "nothing was asked for");
    assert_eq!(shop.line("sync shop /orders --cursor second").ok().ids().len(), 3);
    assert_eq!(shop.line("sync shop /orders --since 1970-01-01").ok().ids().len(), 3);
    assert_eq!(shop.line("sync shop /orders").ok().ids().len(), 0);
}

#[test]
fn output_that_is_not_taken_moves_nothing() {
    let shop = shop();
    let words = || ["sync", "shop", "/orders"];
    let told = Captured::default();
    assert_eq!(shop.world.run_into(words(), Box::new(Closed), told.clone()), 0);
    assert!(told.text().contains("nobody reads on; cursor /orders stays"), "{}", told.text());
    assert_eq!(shop.world.run_into(words(), Box::new(Full), Captured::default()), 1);
    assert_eq!(cursors(&shop), [""; 0]);
    assert_eq!(shop.line("sync shop /orders").ok().ids().len(), 3);
}

#[test]
fn an_interrupted_run_moves_nothing() {
    let mut shop = shop();
    shop.world.interruption = std::sync::Arc::new(AtOnce);
    shop.line("sync shop /orders").exits(130);
    assert_eq!(cursors(&shop), [""; 0]);
}

#[test]
fn the_scopes_are_asked_before_anything_is_sent() {
    let shop = shop();
    let calls = shop.calls();
    shop.line("sync shop /users").exits(5).says("--scope customers:read");
    assert_eq!(shop.calls(), calls);
}

#[test]
fn a_provider_without_the_words_says_which_to_add() {
    let shop = Shop::connected("standard");
    let none = shop.line("sync shop /items").exits(3).without_product();
    none.says("[api.sync] parameter");
    let words = pages();
    words.line("sync shop /items --app me").exits(3).says("[[api.filters]] name = \"app\"");
    let no_list = words.line("sync shop /me").exits(2);
    no_list.says("with no list of records");
}

#[test]
fn a_cursor_that_cannot_be_read_is_no_beginning() {
    let shop = shop();
    shop.line("sync shop /orders").ok();
    let file = shop.world.files().into_keys().find(|path| {
        path.extension().is_some_and(|it| it == "json") && path.iter().any(|it| it == "cursors")
    });
    std::fs::write(file.unwrap(), "{").unwrap();
    shop.line("sync shop /orders").exits(6).without_product().says("--since 2026-05-29");
    assert_eq!(shop.line("sync shop /orders --since 1970-01-01").ok().ids().len(), 3);
    assert_eq!(shop.line("sync shop /orders").ok().ids().len(), 0);
}

#[test]
fn cursors_go_with_their_profile_and_hold_no_secret() {
    let shop = shop();
    shop.line("sync shop /orders").ok();
    let secret = shop.how.client.client_secret.as_ref().unwrap().expose().to_owned();
    let text = cursors(&shop).concat();
    assert!(text.contains("\"merchant_id\":183") && !text.contains(&secret));
    assert!(!text.contains("inka_") && !text.contains("inkr_"), "{text}");
    shop.line("profile rename shop till").ok();
    assert_eq!(shop.line("sync till /orders").ok().ids().len(), 0);
    shop.line("profile remove till --yes").ok();
    assert_eq!(cursors(&shop), [""; 0]);
}

#[test]
fn records_keep_the_vendor_s_own_text_one_a_line() {
    let shop = shop();
    shop.sandbox.next_api_answers(vec![Fault::Status {
        status: 200,
        headers: vec![("content-type".into(), "application/json".into())],
        body: "{\"state\":\"ok\",\n \"result\": {\"entries\": [ {\"id\": 1,\n  \"total\": 12.10, \"n\": 123456789012345678901234567890, \"t\": \"a  b\"} ]}}".into(),
    }]);
    let ran = shop.line("sync shop /orders --json").ok();
    let line = "{\"id\":1,\"total\":12.10,\"n\":123456789012345678901234567890,\"t\":\"a  b\"}\n";
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (line, ""));
}
