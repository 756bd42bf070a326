//! `call --batch`: answers in order, failures in their places, one token for all.

use std::collections::BTreeSet;
use std::time::Duration;

use keyfob::sandbox::{Behaviour, Endpoint, Fault};
use serde_json::Value;

use crate::support::streams::{Captured, Closed, Full};
use crate::support::{Ran, Shop};

/// Lines of plain reads with the ids 0, 1, 2 …
pub fn reads(count: usize) -> String {
    (0..count).map(|id| format!("{{\"id\":{id},\"path\":\"/orders\"}}\n")).collect()
}

/// The documents of a product.
#[track_caller]
pub fn answers(stdout: &str) -> Vec<Value> {
    assert!(stdout.is_empty() || stdout.ends_with('\n'), "{stdout}");
    stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn batch(shop: &Shop, lines: &str, words: &[&str]) -> Ran {
    *shop.world.stdin.borrow_mut() = lines.as_bytes().to_vec();
    shop.world.run(["call", "shop", "--batch", "-"].into_iter().chain(words.iter().copied()))
}

fn ids(answers: &[Value]) -> Vec<u64> {
    answers.iter().map(|it| it["id"].as_u64().unwrap()).collect()
}

#[test]
fn answers_come_in_the_order_of_their_requests_however_long_each_takes() {
    let shop = Shop::connected("inkress");
    let delay = |n: u64| Fault::Slow(Duration::from_millis(n * 7919 % 23));
    shop.sandbox.next_api_answers((0..60).map(delay).collect());
    let ran = batch(&shop, &reads(60), &[]).ok();
    assert_eq!(ran.stderr, "");
    let answers = answers(&ran.stdout);
    assert_eq!(ids(&answers), (0..60).collect::<Vec<u64>>());
    for answer in &answers {
        assert_eq!(answer["status"], 200);
        assert_eq!(answer["headers"]["content-type"], "application/json");
        assert_eq!(answer["body"]["result"]["entries"][0]["id"], 5001);
        assert_eq!(answer.as_object().unwrap().len(), 4);
    }
}

#[test]
fn a_request_is_sent_as_its_line_says() {
    let shop = Shop::connected("inkress");
    let line = r#"{"id":{"n":[1.50]},"method":"POST","path":"/orders","query":{"app":"me","n":1.50},"headers":{"X-Trace":"abc"},"body":{"total":12.10, "note":"ä"}}"#;
    let ran = batch(&shop, line, &[]).ok();
    assert!(ran.stdout.starts_with(r#"{"id":{"n":[1.50]},"status":"#), "{}", ran.stdout);
    let seen = shop.seen(Endpoint::Api).remove(0);
    assert_eq!(
        (seen.method.as_str(), seen.path_and_query.as_str()),
        ("POST", "/api/v1/orders?app=me&n=1.50")
    );
    assert_eq!(seen.header("x-trace"), Some("abc"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.text(), r#"{"total":12.10, "note":"ä"}"#);
}

#[test]
fn what_is_wrong_stands_in_its_place_and_the_others_go_on() {
    let shop = Shop::connected("inkress");
    let lines = [
        r#"{"id":0,"path":"/orders"}"#,
        "nonsense",
        "",
        r#"{"id":2,"paht":"/orders"}"#,
        r#"{"id":3}"#,
        r#"{"id":4,"path":"https://evil.example/orders"}"#,
        r#"{"id":5,"path":"/orders/{nobody}"}"#,
        r#"{"id":6,"path":"/orders","headers":{"Authorization":"Bearer x"}}"#,
        r#"{"id":7,"path":"/orders","query":{"a":{}}}"#,
        r#"{"id":8,"path":"/orders"}"#,
    ];
    let ran = batch(&shop, &lines.join("\n"), &[]).exits(2);
    let answers = answers(&ran.stdout);
    let errors: Vec<(&Value, &Value)> =
        answers.iter().map(|it| (&it["error"]["code"], &it["error"]["line"])).collect();
    let (null, bad) = (Value::Null, Value::from("bad-request-line"));
    let line = |number: u64| Value::from(number);
    assert_eq!(errors[0], (&null, &null));
    assert_eq!(errors[1], (&bad, &line(2)));
    assert_eq!(errors[2], (&bad, &line(4)));
    assert_eq!(errors[3], (&bad, &line(5)));
    for (place, number) in [(4, 6), (5, 7), (6, 8)] {
        assert_eq!(answers[place]["error"]["exit"].as_u64().unwrap() / 2, 1, "{}", answers[place]);
        assert_eq!(errors[place].1, &line(number));
    }
    assert_eq!(errors[7], (&bad, &line(9)));
    assert_eq!((&answers[8]["id"], &answers[8]["status"]), (&8.into(), &200.into()));
    assert_eq!((&answers[1]["id"], &answers[2]["id"]), (&Value::Null, &2.into()));
    assert!(answers[2]["error"]["causes"][0].as_str().unwrap().contains("unknown field `paht`"));
    assert_eq!(shop.calls(), 2);
    let ran = ran.says("7 of 9 requests failed").says("the first was line 2");
    let ran = ran.says("make the failed ones again, once lines that are no requests are mended");
    let filter = "foreach inputs as $request (-1; . + 1; $answers[.] | select(.error) | $request)";
    ran.says(&format!(
        "jq -nc --slurpfile answers ANSWERS '{filter}' REQUESTS | keyfob call shop --batch -\n"
    ));
}

#[test]
fn a_line_that_is_too_long_is_an_error_and_the_next_one_goes_on() {
    let shop = Shop::connected("inkress");
    let long = format!("{{\"id\":0,\"path\":\"/orders\",\"body\":\"{}\"}}\n", "x".repeat(8 << 20));
    let ran = batch(&shop, &(long + &reads(1)), &[]).exits(2);
    let answers = answers(&ran.stdout);
    assert_eq!(answers[0]["error"]["message"], "line 1 is longer than 8 MiB");
    assert_eq!(answers[1]["status"], 200);
}

#[test] // T22
fn a_refused_call_has_its_answer_and_what_it_means() {
    let shop = Shop::connected("inkress");
    let refused = |status, body: &str| Fault::Status {
        status,
        headers: vec![("location".into(), "/elsewhere".into())],
        body: body.into(),
    };
    shop.sandbox.next_api_answers(vec![
        refused(404, "{\n \"message\": \"gone\"\n}"),
        refused(500, "no JSON"),
        refused(302, ""),
    ]);
    let lines = reads(4);
    let ran = batch(&shop, &lines, &["--concurrency", "1", "--retry", "0"]).exits(8);
    assert_eq!(ran.stdout.lines().count(), 4);
    let answers = answers(&ran.stdout);
    let of = |place: usize, key: &str| answers[place]["error"][key].clone();
    assert_eq!((answers[0]["status"].clone(), of(0, "exit")), (404.into(), 8.into()));
    assert_eq!(answers[0]["body"]["message"], "gone");
    assert_eq!(of(0, "http_status"), 404);
    assert_eq!((answers[1]["body"].clone(), of(1, "exit")), ("no JSON".into(), 9.into()));
    assert_eq!((answers[2]["body"].clone(), of(2, "code")), (Value::Null, "api-redirect".into()));
    assert_eq!(answers[3]["status"], 200);
    let ran = batch(&shop, "{}\n", &["--json"]).exits(2);
    assert_eq!(ran.failure()["code"], "bad-request-line");
}

#[test]
fn a_call_outside_the_scopes_is_not_sent_and_the_others_are() {
    let shop = Shop::of("inkress");
    shop.connect_with(&["--scope", "orders:read,offline_access"]).ok();
    let lines = format!("{{\"id\":\"w\",\"path\":\"/orders\",\"body\":{{}}}}\n{}", reads(1));
    let ran = batch(&shop, &lines, &[]).exits(5);
    let answers = answers(&ran.stdout);
    assert_eq!(answers[0]["error"]["code"], "scope-missing");
    assert_eq!(answers[0]["error"].get("idempotency_key"), None);
    assert_eq!((answers[1]["status"].clone(), shop.calls()), (200.into(), 1));
    ran.says("--scope orders:write");
}

#[test] // RR15
fn every_write_has_a_key_of_its_own_which_a_failure_tells() {
    let shop = Shop::connected("inkress");
    shop.sandbox.next_api_answers(vec![Fault::status(500)]);
    let lines = "{\"path\":\"/orders\",\"body\":{\"total\":1}}\n".repeat(5)
        + "{\"path\":\"/orders\",\"headers\":{\"idempotency-key\":\"mine\"},\"body\":{}}\n";
    let ran = batch(&shop, &lines, &["--concurrency", "1", "--retry", "0"]).exits(9);
    let keys: Vec<String> = shop
        .seen(Endpoint::Api)
        .iter()
        .map(|it| it.header("idempotency-key").unwrap().to_owned())
        .collect();
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 6);
    assert_eq!(keys[5], "mine");
    assert_eq!(answers(&ran.stdout)[0]["error"]["idempotency_key"], keys[0].as_str());
}

#[test] // AT-4b, RF5
fn an_ended_token_is_rolled_once_for_all_that_are_on_their_way() {
    let shop = Shop::connected("inkress");
    shop.sandbox.expire_access_tokens();
    let ran = batch(&shop, &reads(40), &["--concurrency", "8"]).ok();
    assert!(answers(&ran.stdout).iter().all(|it| it["status"] == 200));
    assert_eq!((shop.sandbox.rotations(), shop.sandbox.spent_tokens_seen()), (1, 0));
    assert!((41..=48).contains(&shop.calls()), "{}", shop.calls());
    shop.world.pass(7200);
    batch(&shop, &reads(20), &[]).ok();
    assert_eq!(shop.sandbox.rotations(), 2);
}

#[test] // A27
fn a_server_that_refuses_every_token_does_not_spend_one_for_each_call() {
    let shop = Shop::connected("inkress");
    shop.sandbox.next_api_answers(vec![Fault::status(401); 400]);
    let ran = batch(&shop, &reads(100), &[]).exits(8);
    assert!(answers(&ran.stdout).iter().all(|it| it["status"] == 401));
    assert!(shop.sandbox.rotations() <= 3, "{}", shop.sandbox.rotations());
}

#[test] // A27
fn lines_that_are_always_refused_do_not_spend_a_token_each_where_a_refresh_ends_the_old_one() {
    let refused_path = Some("/orders/5001".to_owned());
    let behaviour = Behaviour { refresh_ends_access: true, refused_path, ..Behaviour::default() };
    let shop = Shop::behaving("inkress", behaviour).and_connected();
    let path = |id: u64| if id % 10 == 7 { "/orders/5001" } else { "/orders" };
    let lines: String =
        (0..500).map(|id| format!("{{\"id\":{id},\"path\":\"{}\"}}\n", path(id))).collect();
    let ran = batch(&shop, &lines, &["--concurrency", "8"]).exits(8);
    let answers = answers(&ran.stdout);
    assert_eq!(answers.len(), 500);
    let rotations = shop.sandbox.rotations();
    assert!((1..=3).contains(&rotations), "{rotations}");
    assert_eq!(shop.sandbox.spent_tokens_seen(), 0);
    // Each renewal is told once, however many calls had to be sent again for it.
    assert_eq!(ran.stderr.matches("refused the access token: refreshed").count() as u64, rotations);
    for answer in &answers {
        let expected = if answer["id"].as_u64().unwrap() % 10 == 7 { 401 } else { 200 };
        assert_eq!(answer["status"], expected, "{answer}");
    }
    // The token that ends in time is renewed all the same.
    shop.world.pass(7200);
    batch(&shop, &reads(20), &[]).ok();
}

#[test] // RF5
fn renewals_that_help_are_never_too_many() {
    let shop = Shop::connected("inkress");
    for _ in 0..2 {
        let ended = (0..60)
            .map(|n| if n % 2 == 0 { Fault::status(401) } else { Fault::Slow(Duration::ZERO) });
        shop.sandbox.next_api_answers(ended.collect());
        let ran = batch(&shop, &reads(30), &["--concurrency", "1"]).ok();
        assert!(answers(&ran.stdout).iter().all(|it| it["status"] == 200));
    }
    assert_eq!(shop.sandbox.rotations(), 60);
}

#[test]
fn a_connection_that_ends_in_the_middle_ends_the_batch_and_says_how_to_go_on() {
    let shop = Shop::connected("inkress");
    shop.sandbox.revoke_all();
    let ran = batch(&shop, &reads(500), &["--concurrency", "4", "--retry", "1"]).exits(4);
    let answers = answers(&ran.stdout);
    assert!((1..=4).contains(&answers.len()), "{}", answers.len());
    assert_eq!(answers[0]["error"]["code"], "authorization-needed");
    assert!(shop.calls() <= 4);
    assert_eq!(shop.token_requests(), 2, "connect, and one refresh");
    ran.says("keyfob connect shop").says(&format!(
        "tail -n +{} REQUESTS | keyfob call shop --batch - --concurrency 4 --retry 1",
        answers.len() + 1
    ));
}

#[test]
fn without_a_connection_nothing_is_read_or_written() {
    let shop = Shop::connected("inkress");
    shop.line("revoke shop").ok();
    batch(&shop, &reads(3), &[]).exits(4).without_product();
}

#[test]
fn a_reader_that_has_gone_is_no_error_and_a_full_disk_is() {
    let shop = Shop::connected("inkress");
    let exit = |stdout| {
        *shop.world.stdin.borrow_mut() = reads(50).into_bytes();
        let words = ["call", "shop", "--batch", "-"];
        let heard = Captured::default();
        (shop.world.run_into(words, stdout, heard.clone()), heard.text())
    };
    assert_eq!(exit(Box::new(Closed)), (0, String::new()));
    let (code, said) = exit(Box::new(Full));
    assert_eq!(code, 1);
    assert!(said.contains("standard output could not be written"), "{said}");
}

#[test]
fn the_answers_may_go_to_a_file() {
    let shop = Shop::connected("inkress");
    let requests = shop.world.own_file("requests.jsonl", reads(30));
    let out = shop.world.folder.path().join("answers.jsonl").display().to_string();
    let requests = requests.display().to_string();
    shop.world.run(["call", "shop", "--batch", &requests, "-o", &out]).ok().without_product();
    assert_eq!(ids(&answers(&std::fs::read_to_string(&out).unwrap())).len(), 30);
}

#[test]
fn what_makes_no_sense_beside_a_batch_is_not_understood() {
    let shop = Shop::connected("inkress");
    for line in [
        "call shop GET /orders --batch -",
        "call /orders --batch -",
        "call shop --batch - -d x",
        "call shop --batch - -i",
        "call shop --batch - -X POST",
        "call shop --batch - -H A:b",
        "call shop --batch - --form",
        "call shop --batch - --dry-run",
        "call shop --batch - --curl",
        "call shop --batch - --idempotency-key k",
        "call shop --batch - --concurrency 0",
        "call shop /orders --concurrency 4",
        "call shop --batch /nowhere/at/all",
        "call shop --batch /",
        "call shop",
    ] {
        shop.line(line).exits(2).without_product();
    }
    assert_eq!(shop.calls(), 0);
}

#[test]
fn the_profile_may_come_from_the_environment() {
    let mut shop = Shop::connected("inkress");
    shop.world.set("KEYFOB_PROFILE", "shop");
    *shop.world.stdin.borrow_mut() = reads(2).into_bytes();
    shop.line("call --batch -").ok();
    assert_eq!(shop.calls(), 2);
    let empty = shop.line("call --batch -").ok();
    assert_eq!((empty.stdout, empty.stderr), (String::new(), String::new()));
}

#[test]
fn a_filter_value_that_the_vendor_rules_out_is_refused_in_its_place() {
    let shop = Shop::connected("inkress");
    let lines = "{\"id\":1,\"path\":\"/orders\",\"query\":{\"app\":\"you\"}}\n{\"id\":2,\"path\":\"/orders\",\"query\":{\"app\":\"me\"}}\n";
    let ran = batch(&shop, lines, &[]).exits(2);
    let answers = answers(&ran.stdout);
    assert!(answers[0]["error"]["message"].as_str().unwrap().contains("app"), "{}", answers[0]);
    assert_eq!((&answers[1]["status"], shop.calls()), (&Value::from(200), 1));
    batch(&shop, lines, &["--force"]).exits(8);
}

#[test]
fn a_known_method_is_one_in_any_case_in_a_batch_as_in_a_call() {
    let shop = Shop::connected("inkress");
    let ran = batch(&shop, "{\"id\":1,\"method\":\"get\",\"path\":\"/orders\"}\n", &[]).ok();
    assert_eq!(answers(&ran.stdout)[0]["status"], 200, "{}", ran.stdout);
    shop.line("call shop get /orders").ok();
    shop.line("call shop -X get /orders").ok();
    shop.line("call shop get /orders -X GET").ok();
    assert_eq!(shop.calls(), 4);
}

#[test]
fn a_slip_of_a_method_is_told_in_its_place_and_a_method_of_the_vendor_s_own_goes() {
    let shop = Shop::connected("inkress");
    let lines = "{\"id\":1,\"method\":\"GTE\",\"path\":\"/orders\"}\n\
                 {\"id\":2,\"method\":\"PATHC\",\"path\":\"/orders\"}\n\
                 {\"id\":3,\"method\":\"COPY\",\"path\":\"/orders\"}\n\
                 {\"id\":4,\"method\":\"SET\",\"path\":\"/orders\"}\n";
    let calls = || shop.sandbox.counts(Endpoint::Api);
    let before = calls();
    let ran = batch(&shop, lines, &["--retry", "0"]).exits(2);
    let told = answers(&ran.stdout);
    for (slip, meant) in told[..2].iter().zip(["GET", "PATCH"]) {
        assert_eq!(slip["error"]["code"], "bad-request-line", "{slip}");
        let next = slip["error"]["next"][0].as_str().unwrap();
        assert!(next.contains(&format!("did you mean {meant}")) && next.contains("-X "), "{slip}");
        // Force would take the checks of scopes and filters from every other line too.
        assert!(!next.contains("--force"), "{slip}");
    }
    assert!(told[2..].iter().all(|it| it["status"].is_u64()), "{}", ran.stdout);
    assert_eq!(calls(), before + 2, "the slips are not sent");
    let forced = batch(&shop, lines, &["--force", "--retry", "0"]);
    assert!(answers(&forced.stdout).iter().all(|it| it["status"].is_u64()), "{}", forced.stdout);
}
