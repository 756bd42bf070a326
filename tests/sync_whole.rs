//! `sync`: a cursor moves only when it is known that the list has no more, and that it did not shift.

use keyfob::sandbox::Fault;
use serde_json::{Value, json};

use crate::support::{Ran, Shop};

/// The plain server, with these tables in its provider file.
fn plain(tables: &str) -> Shop {
    let shop = Shop::connected("standard");
    let file = shop.world.home().providers().join("standard.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let sync = "[api.sync]\nparameter = 'updated_since'";
    std::fs::write(&file, format!("{text}\n{sync}\n{tables}\n")).unwrap();
    shop
}

const NUMBERS: &str = "[api.pages]\nstyle = 'page_number'\nparameter = 'page'";
const OFFSETS: &str = "[api.pages]\nstyle = 'offset'\nparameter = 'offset'";
const CURSORS: &str =
    "[api.pages]\nstyle = 'cursor'\nparameter = 'cursor'\nnext = 'next'\nitems = 'items'";
const WHOLE: &str = "whole = true";

fn answer(body: &Value) -> Fault {
    linked(body, None)
}

fn linked(body: &Value, next: Option<&str>) -> Fault {
    let mut headers = vec![("content-type".into(), "application/json".into())];
    headers.extend(next.map(|next| ("link".into(), format!("<{next}>; rel=\"next\""))));
    Fault::Status { status: 200, headers, body: body.to_string() }
}

fn item(id: u64, updated_at: &str) -> Value {
    json!({"id": id, "updated_at": updated_at})
}

/// Changed long before the run.
fn old(id: u64) -> Value {
    item(id, &format!("2026-05-29T10:15:{id:02}Z"))
}

/// Changed while the run was reading.
fn new(id: u64) -> Value {
    item(id, "2026-06-01T08:00:00Z")
}

/// A walk: pages of these records, and the end.
fn walk(pages: &[&[Value]]) -> Vec<Fault> {
    let pages = pages.iter().map(|records| answer(&json!({"items": records})));
    pages.chain([answer(&json!({"items": []}))]).collect()
}

impl Ran {
    #[track_caller]
    fn numbers(&self) -> Vec<u64> {
        let record = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].as_u64();
        self.stdout.lines().map(|line| record(line).unwrap()).collect()
    }
}

#[track_caller]
fn no_cursor(shop: &Shop) {
    let files = shop.world.files().into_keys();
    let cursors = files.filter(|path| path.iter().any(|part| part == "cursors"));
    let cursors = cursors.filter(|path| path.extension().is_some_and(|it| it == "json"));
    assert_eq!(cursors.count(), 0);
}

#[test]
fn an_answer_that_names_more_than_it_holds_moves_no_cursor() {
    let orders = |count: u64| (0..count).map(|id| old(id + 10)).collect::<Vec<_>>();
    for (beside, says) in [
        (json!({"page_info": {"total_pages": 3}}), "result.page_info.total_pages = 3"),
        (json!({"total": 28}), "result.total = 28"),
        (json!({"has_more": true}), "result.has_more = true"),
        (json!({"next_cursor": "abc"}), "result.next_cursor = \"abc\""),
    ] {
        let mut result = beside;
        result["entries"] = json!(orders(10));
        let body = json!({"state": "ok", "result": result});
        let shop = Shop::connected("inkress");
        shop.sandbox.next_api_answers(vec![answer(&body)]);
        let ran = shop.line("sync shop /orders").exits(3);
        assert_eq!(ran.numbers().len(), 10, "what came is out");
        ran.says(says).says("[api.pages]").says("whole").says("cursor /orders stays where it was");
        no_cursor(&shop);
    }
    let shop = Shop::connected("inkress");
    let result = json!({"entries": orders(10), "total": 10, "page_info": {"total_pages": 1}});
    shop.sandbox.next_api_answers(vec![answer(&json!({"state": "ok", "result": result}))]);
    shop.line("sync shop /orders").ok().says("10 records; cursor /orders set to");
}

#[test]
fn silence_is_no_proof_that_a_list_came_whole() {
    let one = || vec![answer(&json!([old(1), old(2)]))];
    let silent = plain("");
    silent.sandbox.next_api_answers(one());
    let ran = silent.line("sync shop /items").exits(3);
    assert_eq!(ran.numbers(), [1, 2]);
    ran.says("[api.sync] whole = true").says("[api.pages] style").says("stays where it was");
    no_cursor(&silent);
    silent.sandbox.next_api_answers(vec![answer(&json!([]))]);
    silent.line("sync shop /items").ok();
    for words in [WHOLE, "[api.pages]\nstyle = 'link_header'"] {
        let told = plain(words);
        told.sandbox.next_api_answers(one());
        told.line("sync shop /items").ok().says("cursor /items set to");
    }
    let linked = plain("");
    assert_eq!(linked.line("sync shop /items").ok().numbers().len(), 25, "by its Link headers");
    let cut = plain(WHOLE);
    cut.sandbox.next_api_answers(vec![answer(&json!({"items": [], "total": 3}))]);
    cut.line("sync shop /items").exits(3).says("total = 3");
}

#[test]
fn a_record_that_slid_over_the_edge_of_a_page_is_found() {
    for (style, deleted) in [(NUMBERS, false), (OFFSETS, false), (NUMBERS, true), (OFFSETS, true)] {
        let shop = plain(style);
        // Record 1 changes, or goes away, after the first page was read: 3 slides to that page.
        let moved: &[Value] = if deleted { &[] } else { &[new(1)] };
        let last = [&[old(4)], moved].concat();
        let mut answers = walk(&[&[old(1), old(2)], &last]);
        answers.extend(walk(&[&[old(2), old(3)], &last]));
        answers.extend(walk(&[&[old(2), old(3)], &last]));
        shop.sandbox.next_api_answers(answers);
        let ran = shop.line("sync shop /items").ok();
        let expected: &[u64] = if deleted { &[1, 2, 4, 3] } else { &[1, 2, 4, 1, 3] };
        assert_eq!((ran.numbers().as_slice(), shop.calls()), (expected, 9), "{style} {deleted}");
        ran.says("cursor /items set to");
    }
}

#[test]
fn records_that_are_added_meanwhile_do_not_keep_a_run_from_its_end() {
    let shop = plain(NUMBERS);
    let mut answers = walk(&[&[old(2), old(1)]]);
    answers.extend(walk(&[&[new(9), old(2)], &[old(1)]]));
    shop.sandbox.next_api_answers(answers);
    let ran = shop.line("sync shop /items").ok();
    assert_eq!((ran.numbers().as_slice(), shop.calls()), ([2, 1, 9].as_slice(), 5));
}

#[test]
fn records_without_an_id_are_not_repeated_by_the_second_reading() {
    let shop = plain(NUMBERS);
    let nameless = || json!({"text": "a", "updated_at": "2026-05-29T10:15:00Z"});
    let pages = || walk(&[&[nameless()], &[old(2)]]);
    shop.sandbox.next_api_answers([pages(), pages()].concat());
    assert_eq!(shop.line("sync shop /items").ok().stdout.lines().count(), 2);
    assert_eq!(shop.calls(), 6);
}

#[test]
fn a_list_that_never_stands_still_moves_no_cursor() {
    let shop = plain(OFFSETS);
    // Every walk misses the first record of the one before.
    let answers = (1..=5).flat_map(|turn| walk(&[&[old(turn)], &[old(turn + 1), old(turn + 2)]]));
    shop.sandbox.next_api_answers(answers.collect());
    let ran = shop.line("sync shop /items").exits(7);
    assert_eq!(ran.numbers(), [1, 2, 3, 4, 5, 6, 7]);
    ran.says("kept shifting").says("read 5 times").says("stays where it was");
    assert_eq!(shop.calls(), 15);
    no_cursor(&shop);
}

#[test]
fn only_what_can_shift_is_read_twice() {
    let one_answer = plain(&format!("{NUMBERS}\nmore = 'more'"));
    let body = json!({"items": [old(1)], "more": false});
    one_answer.sandbox.next_api_answers(vec![answer(&body)]);
    one_answer.line("sync shop /items").ok();
    assert_eq!(one_answer.calls(), 1, "one answer is of one moment");
    let nothing = plain(OFFSETS);
    nothing.sandbox.next_api_answers(vec![answer(&json!({"items": []}))]);
    nothing.line("sync shop /items").ok();
    assert_eq!(nothing.calls(), 1);
    let cursors = plain(CURSORS);
    let page = |id: u64, next: Value| answer(&json!({"items": [old(id)], "next": next}));
    cursors.sandbox.next_api_answers(vec![page(1, json!("a")), page(2, Value::Null)]);
    assert_eq!(cursors.line("sync shop /items").ok().numbers(), [1, 2]);
    assert_eq!(cursors.calls(), 2);
}
