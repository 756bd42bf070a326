//! `call --jq` and `call --result`: what becomes of an answer, and what does not.

use keyfob::sandbox::Fault;

use crate::support::streams::{Captured, Closed, Full};
use crate::support::{Ran, Shop};

fn answer(status: u16, body: &str) -> Fault {
    let headers = vec![("content-type".into(), "application/json".into())];
    Fault::Status { status, headers, body: body.into() }
}

/// A connected shop whose API answers this.
fn answering(status: u16, body: &str) -> Shop {
    let shop = Shop::connected("inkress");
    shop.sandbox.next_api_answers(vec![answer(status, body)]);
    shop
}

fn filtered(body: &str, words: &[&str]) -> Ran {
    let shop = answering(200, body);
    shop.world.run(["call", "shop", "/orders"].into_iter().chain(words.iter().copied()))
}

#[test]
fn results_are_lines_strings_are_raw_and_numbers_keep_their_digits() {
    let body =
        r#"{"id":12345678901234567890,"total":12.50,"name":"a \"b\"","none":null,"list":[1, 2]}"#;
    let ran = filtered(body, &["--jq", ".id, .total, .name, .none, .list"]).ok();
    assert_eq!(ran.stdout, "12345678901234567890\n12.50\na \"b\"\nnull\n[1,2]\n");
    assert_eq!(ran.stderr, "");
    let ran = filtered(body, &["--jq", ".name, .total", "--json"]).ok();
    assert_eq!(ran.stdout, "\"a \\\"b\\\"\"\n12.50\n");
    assert_eq!(filtered(body, &["--jq", "empty"]).ok().stdout, "");
    assert_eq!(filtered("", &["--jq", ".x"]).ok().stdout, "");
    let ran = filtered("[1]", &["--jq", ".[]", "-i"]).ok();
    assert!(
        ran.stdout.starts_with("HTTP 200\n") && ran.stdout.ends_with("\n\n1\n"),
        "{}",
        ran.stdout
    );
}

#[test]
fn an_expression_with_a_slip_is_told_before_anything_is_sent() {
    let shop = Shop::connected("inkress");
    shop.sandbox.expire_access_tokens();
    let before = shop.sandbox.log().len();
    let ran = shop.world.run(["call", "shop", "/orders", "--jq", ".a | lenght"]).exits(2);
    let ran =
        ran.without_product().says("there is no filter `lenght`").says("did you mean `length`?");
    ran.says("cause: .a | lenght\ncause:      ^ here");
    let ran = shop.world.run(["call", "shop", "/orders", "--jq", ".a\n| .["]).exits(2);
    ran.says("cause: | .[\ncause:    ^ here");
    // Not even a profile is looked for.
    shop.world.run(["call", "nobody", "/orders", "--jq", "|"]).exits(2).says("expected term");
    assert_eq!(shop.sandbox.log().len(), before);
}

#[test] // T17
fn an_expression_cannot_read_the_environment_or_a_file() {
    let mut shop = Shop::connected("inkress");
    shop.world.set("KEYFOB_STORE_KEY", "a store key that nobody must see");
    for expression in [
        "env.KEYFOB_STORE_KEY",
        "$ENV.KEYFOB_STORE_KEY",
        "env | keys",
        "$ENV",
        "input",
        "[inputs]",
        "input_filename",
        "import \"/etc/passwd\" as $x; $x",
        "include \"/etc/passwd\"; .",
    ] {
        let ran = shop.world.run(["call", "shop", "/orders", "--jq", expression]).exits(2);
        let ran = ran.without_product();
        assert!(!ran.stderr.contains("nobody must see"), "{}", ran.stderr);
    }
    assert_eq!(shop.calls(), 0);
}

#[test]
fn an_expression_that_fails_writes_nothing_of_that_answer() {
    let ran = filtered(r#"[1,{"a":2}]"#, &["--jq", ".[] | .a"]).exits(1).without_product();
    ran.says("the --jq expression failed").says("the call was carried out");
    let ran = filtered("[1]", &["--jq", ".a", "--json"]).exits(1).without_product();
    assert_eq!(ran.failure()["code"], "jq-failed");
    let ran = filtered("<html>hello</html>", &["--jq", "."]).exits(1).without_product();
    ran.says("the answer is not JSON");
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    filtered(&deep, &["--jq", "."]).exits(1).says("nested more than 1000 deep");
}

#[test]
fn a_file_gets_the_results_or_stays_as_it_was() {
    let shop = answering(200, "[1,2]");
    let file = shop.world.own_file("ids", "before");
    let path = file.display().to_string();
    shop.world.run(["call", "shop", "/orders", "--jq", ".a", "-o", &path]).exits(1);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "before");
    shop.sandbox.next_api_answers(vec![answer(200, "[1,2]")]);
    shop.world.run(["call", "shop", "/orders", "--jq", ".[]", "-o", &path]).ok().without_product();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "1\n2\n");
}

#[test]
fn an_answer_that_was_refused_comes_as_it_is() {
    let body = r#"{"error":"no","message":"not today"}"#;
    for words in [&["--jq", ".id"][..], &["--result"], &["--result", "--jq", ".[]"]] {
        for (status, exit) in [(404, 8), (500, 9)] {
            let shop = answering(status, body);
            let line = ["call", "shop", "/orders", "--retry", "0"];
            let ran = shop.world.run(line.into_iter().chain(words.iter().copied())).exits(exit);
            assert_eq!(ran.stdout, body, "{words:?}");
            ran.says("not today");
        }
    }
}

#[test]
fn the_results_of_many_pages_run_on_and_a_bad_page_writes_nothing() {
    let shop = Shop::connected("inkress");
    let linked = |body: &str, next: &str| Fault::Status {
        status: 200,
        headers: vec![("link".into(), format!("<{next}>; rel=next"))],
        body: body.into(),
    };
    let pages = || vec![linked(r#"[{"id":1}]"#, "?page=2"), linked(r#"[{"id":2},3]"#, "?page=3")];
    shop.sandbox.next_api_answers(pages());
    let ran = shop.world.run(["call", "shop", "/orders", "--paginate", "--jq", ".[].id"]).exits(1);
    assert_eq!(ran.stdout, "1\n");
    let ran = ran.says("the --jq expression failed").says("1 page came before");
    assert!(!ran.stderr.contains("keyfob call"), "it would fail again: {}", ran.stderr);
}

#[test]
fn a_reader_who_has_gone_is_no_error_and_a_full_disk_is() {
    for words in [&["--jq", "."][..], &["--result"]] {
        let exit = |stdout| {
            let shop = Shop::connected("inkress");
            let line = ["call", "shop", "/orders"].into_iter().chain(words.iter().copied());
            shop.world.run_into(line, stdout, Captured::default())
        };
        assert_eq!(exit(Box::new(Closed)), 0);
        assert_eq!(exit(Box::new(Full)), 1);
    }
}

#[test]
fn the_payload_comes_without_its_envelope() {
    let shop = Shop::connected("inkress");
    let ran = shop.line("call shop /orders --result").ok();
    assert_eq!(ran.json()[0]["id"], 5001);
    let ran = shop.line("call shop /merchants/{merchant_id} --result").ok();
    assert_eq!(ran.json()["id"], 183);
    let ran = shop.world.run(["call", "shop", "/orders", "--result", "--jq", ".[].id"]).ok();
    assert_eq!(ran.stdout, "5001\n5002\n5003\n");
    let ran = shop.line("call shop /orders --result --json").ok();
    assert_eq!(
        (&ran.json()["status"], &ran.json()["body"][2]["total"]),
        (&200.into(), &39.5.into())
    );
    let ran = shop.line("call shop /orders --result --paginate").ok();
    assert_eq!(ran.json()[0]["id"], 5001);
    let exact = r#"{"state":"ok","result":{"id":12345678901234567890,"t":12.50}}"#;
    let ran = filtered(exact, &["--result"]).ok();
    assert_eq!(ran.stdout, "{\"id\":12345678901234567890,\"t\":12.50}\n");
    filtered("", &["--result"]).ok().without_product();
}

#[test]
fn an_envelope_that_says_no_is_a_refusal_and_one_that_is_not_there_is_told() {
    let body = r#"{"state":"error","message":"no"}"#;
    let ran = filtered(body, &["--result"]).exits(8).says("its answer says state = \"error\"");
    assert_eq!(ran.stdout, body);
    let ran = filtered(body, &["--result", "--jq", ".x", "--json"]).exits(8);
    assert_eq!(
        (&ran.json()["body"]["message"], &ran.failure()["http_status"]),
        (&"no".into(), &200.into())
    );
    for body in [r#"{"id":1}"#, r#"{"state":"ok"}"#, "[]", "<html>"] {
        let ran = filtered(body, &["--result"]).exits(9).says("is not in its envelope");
        assert_eq!(ran.stdout, body);
    }
    // A vendor's word counts whether or not its envelope is taken off.
    filtered(body, &[]).exits(8).says("its answer says state = \"error\"");
}

#[test]
fn a_provider_without_an_envelope_says_which_words_it_lacks() {
    let shop = Shop::connected("inventorum");
    let ran = shop.line("call shop /products/ --result").exits(3).without_product();
    ran.says("names no envelope").says("[api.envelope] result =");
    shop.line("call shop /products/ --result --dry-run").exits(3).without_product();
    assert_eq!(shop.calls(), 0);
}
