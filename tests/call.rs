//! `call`: what is sent, what is refused, what is sent again.

use keyfob::sandbox::{Behaviour, Endpoint, Fault};

use crate::support::streams::{Captured, Closed, Full};
use crate::support::{Shop, World};

#[test]
fn a_call_prints_the_body_and_nothing_else() {
    let shop = Shop::connected("inkress");
    let ran = shop.line("call shop GET /orders app==me").ok();
    assert_eq!(ran.stderr, "");
    assert_eq!(ran.json()["result"]["entries"][0]["id"], 5001);
    let seen = shop.seen(Endpoint::Api).remove(0);
    assert_eq!(seen.path_and_query, "/api/v1/orders?app=me");
    assert!(seen.header("authorization").unwrap().starts_with("Bearer inka_"));
}

#[test]
fn a_path_that_holds_the_base_is_taken_as_it_stands_and_braces_are_filled() {
    let shop = Shop::connected("inkress");
    shop.line("call shop /api/v1/orders").ok();
    shop.line("call shop GET /merchants/{merchant_id}").ok();
    let url = format!("{}/api/v1/orders", shop.sandbox.origin());
    shop.world.run(["call", "shop", "GET", &url]).ok();
    let paths: Vec<String> =
        shop.seen(Endpoint::Api).into_iter().map(|it| it.path_and_query).collect();
    assert_eq!(paths, ["/api/v1/orders", "/api/v1/merchants/183", "/api/v1/orders"]);
}

#[test] // RR3, A11
fn the_token_goes_to_no_other_host() {
    let shop = Shop::connected("inkress");
    let other = Shop::of("inkress");
    let url = format!("{}/api/v1/orders", other.sandbox.origin());
    shop.world.run(["call", "shop", "GET", &url]).exits(2).says("goes to the API of Inkress alone");
    let port = url::Url::parse(&shop.sandbox.origin()).unwrap().port().unwrap();
    for url in [
        format!("http://127.0.0.1:{port}@evil.example/api/v1/orders"),
        format!("//evil.example:{port}/api/v1/orders"),
        "https://127.0.0.1/api/v1/orders".into(),
    ] {
        shop.world.run(["call", "shop", "GET", &url]).exits(2);
    }
    assert_eq!((other.sandbox.log().len(), shop.calls()), (0, 0));
}

#[test] // RR5, A11
fn a_redirect_is_not_followed_with_the_token() {
    let shop = Shop::connected("inkress");
    let other = Shop::of("inkress");
    let location =
        ("location".to_owned(), format!("{}/api/v1/orders?token=x", other.sandbox.origin()));
    shop.sandbox.next_api_answers(vec![Fault::Status {
        status: 307,
        headers: vec![location],
        body: String::new(),
    }]);
    shop.line("call shop GET /orders").exits(8).says("it leads to");
    assert_eq!(other.sandbox.log().len(), 0);
}

#[test]
fn items_make_query_headers_and_a_json_body() {
    let shop = Shop::connected("inkress");
    let note = shop.world.own_file("note.txt", "from a file");
    let lines = shop.world.own_file("lines.json", "[1,2]");
    shop.world
        .run([
            "call",
            "shop",
            "POST",
            "/orders",
            "app==me",
            "currency_code=JMD",
            "total:=12.5",
            "X-Trace:abc",
            &format!("note=@{}", note.display()),
            &format!("lines:=@{}", lines.display()),
        ])
        .ok();
    let seen = shop.seen(Endpoint::Api).remove(0);
    assert_eq!(seen.path_and_query, "/api/v1/orders?app=me");
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("x-trace"), Some("abc"));
    let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
    let expected =
        serde_json::json!({"currency_code":"JMD","total":12.5,"note":"from a file","lines":[1,2]});
    assert_eq!(body, expected);
}

#[test]
fn a_raw_body_comes_from_text_a_file_or_standard_input() {
    let shop = Shop::connected("inkress");
    let file = shop.world.own_file("body.json", r#"{"a":1}"#);
    shop.world.run(["call", "shop", "/orders", "-d", r#"{"a":0}"#]).ok();
    shop.world.run(["call", "shop", "/orders", "-d", &format!("@{}", file.display())]).ok();
    *shop.world.stdin.borrow_mut() = br#"{"a":2}"#.to_vec();
    shop.world.run(["call", "shop", "/orders", "-d", "@-"]).ok();
    let seen = shop.seen(Endpoint::Api);
    assert!(seen.iter().all(|it| it.method == "POST"));
    assert_eq!(seen.iter().map(|it| it.body_bytes).collect::<Vec<_>>(), [7, 7, 7]);
}

#[test] // RR25, RR10
fn a_call_outside_the_scopes_is_not_sent_and_names_the_command_that_adds_one() {
    let shop = Shop::of("inkress");
    shop.connect_with(&["--scope", "orders:read,offline_access"]).ok();
    let ran = shop.line("call shop POST /orders total:=1").exits(5).without_product();
    ran.says("was not granted orders:write").says(
        "keyfob connect shop --scope orders:read --scope offline_access --scope orders:write",
    );
    assert_eq!(shop.calls(), 0);
}

#[test] // AT-4a, RR11, RF13
fn a_401_outside_the_scopes_spends_no_refresh_token() {
    let shop = Shop::of("inkress");
    shop.connect_with(&["--scope", "orders:read,offline_access"]).ok();
    shop.line("call shop GET /products --force").exits(5).says("products:read");
    assert_eq!((shop.calls(), shop.sandbox.rotations()), (1, 0));
}

#[test] // AT-4b, RR9, RF13
fn an_ended_token_is_refreshed_once_and_the_call_sent_once_more() {
    let shop = Shop::connected("inkress");
    shop.sandbox.expire_access_tokens();
    let ran = shop.line("call shop GET /orders").ok().says("refreshed, and sent once more");
    assert_eq!(ran.json()["state"], "ok");
    assert_eq!((shop.calls(), shop.sandbox.rotations()), (2, 1));
}

#[test] // AT-4b, RF13
fn a_token_that_is_refused_twice_is_refreshed_once() {
    let shop = Shop::connected("inkress");
    shop.sandbox.next_api_answers(vec![Fault::status(401), Fault::status(401)]);
    shop.line("call shop GET /orders").exits(8).says("refused as well");
    assert_eq!((shop.calls(), shop.sandbox.rotations()), (2, 1));
}

#[test] // AT-4c, RR15
fn a_write_is_sent_again_with_the_same_key() {
    let shop = Shop::connected("inkress");
    shop.sandbox.next_api_answers(vec![Fault::status(401), Fault::status(503), Fault::Reset]);
    shop.line("call shop POST /orders total:=1").ok();
    let keys: Vec<String> = shop
        .seen(Endpoint::Api)
        .iter()
        .map(|it| it.header("idempotency-key").unwrap().to_owned())
        .collect();
    assert_eq!(keys.len(), 4);
    assert!(keys.iter().all(|key| *key == keys[0]));
    assert_eq!(shop.sandbox.records("/api/v1/orders").len(), 4, "carried out once");
}

#[test]
fn a_key_is_printed_on_failure_and_taken_again() {
    let shop = Shop::connected("inkress");
    shop.sandbox.next_api_answers(vec![Fault::status(500)]);
    let failed = shop.line("call shop POST /orders total:=1 --retry 0 --json").exits(9);
    let key = failed.failure()["idempotency_key"].as_str().unwrap().to_owned();
    shop.world.run(["call", "shop", "POST", "/orders", "total:=1", "--idempotency-key", &key]).ok();
    let again =
        shop.world.run(["call", "shop", "POST", "/orders", "total:=1", "--idempotency-key", &key]);
    again.ok().says("replayed its stored answer");
    let other =
        shop.world.run(["call", "shop", "POST", "/orders", "total:=2", "--idempotency-key", &key]);
    other.exits(8).says("was used with another body");
}

#[test] // RR13
fn waits_are_as_the_server_says_and_zero_retries_means_none() {
    let shop = Shop::connected("inkress");
    let busy = |status| Fault::Status {
        status,
        headers: vec![("retry-after".into(), "7".into())],
        body: String::new(),
    };
    shop.sandbox.next_api_answers(vec![busy(429), busy(503)]);
    shop.line("call shop GET /orders").ok();
    let slept: Vec<u64> =
        shop.world.clock.slept().iter().map(std::time::Duration::as_secs).collect();
    assert_eq!(slept, [7, 7]);
    shop.sandbox.next_api_answers(vec![busy(429)]);
    let ran = shop.line("call shop GET /orders --retry 0 --json").exits(7);
    assert_eq!(ran.failure()["retry_after_seconds"], 7);
}

#[test] // RR20
fn the_body_of_a_refusal_is_still_the_product() {
    let shop = Shop::connected("inkress");
    for (status, exit) in [(400, 8), (404, 8), (422, 8), (500, 9), (502, 9)] {
        let body = r#"{"why":"no"}"#.to_owned();
        shop.sandbox.next_api_answers(vec![Fault::Status { status, headers: vec![], body }]);
        let ran = shop.line("call shop GET /orders --retry 0").exits(exit);
        assert_eq!(ran.stdout, r#"{"why":"no"}"#, "{status}");
    }
}

#[test]
fn include_prints_the_head_and_json_one_document() {
    let shop = Shop::connected("inkress");
    let ran = shop.line("call shop GET /orders -i").ok();
    assert!(ran.stdout.starts_with("HTTP 200\n"), "{}", ran.stdout);
    let document = shop.line("call shop GET /orders --json").ok().json();
    assert_eq!(document["status"], 200);
    assert_eq!(document["headers"]["content-type"], "application/json");
    assert_eq!(document["body"]["state"], "ok");
}

#[cfg(unix)]
#[test]
fn an_output_that_is_no_plain_file_is_written_into() {
    let shop = Shop::connected("inkress");
    shop.line("call shop GET /orders -o /dev/null").ok().without_product();
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
    let ran = shop.line("call shop GET /orders -o -").ok();
    assert_eq!(ran.json()["state"], "ok");
    assert!(!std::path::Path::new("-").exists());
}

#[test]
fn under_json_the_document_goes_where_the_output_goes() {
    let shop = Shop::connected("inkress");
    let path = shop.world.folder.path().join("answer.json").display().to_string();
    shop.world
        .run(["call", "shop", "GET", "/orders", "--json", "-o", &path])
        .ok()
        .without_product();
    let text = std::fs::read_to_string(&path).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&document["status"], &document["body"]["state"]), (&200.into(), &"ok".into()));
}

#[test]
fn numbers_under_json_stay_as_the_vendor_wrote_them() {
    let shop = Shop::connected("inkress");
    let body = r#"{"total": 12.10, "id": 123456789012345678901234567890}"#;
    for (body, expected) in
        [(body, body), ("", "null"), ("no \"JSON\"", r#""no \"JSON\"""#), (" 1.0 ", "1.0")]
    {
        shop.sandbox.next_api_answers(vec![Fault::Status {
            status: 200,
            headers: vec![],
            body: body.into(),
        }]);
        let ran = shop.line("call shop GET /orders --json").ok();
        assert!(ran.stdout.contains(&format!("\"body\": {expected}")), "{}", ran.stdout);
        ran.json();
    }
}

#[test]
fn a_scope_that_a_vendor_names_stays_one_word_of_the_command() {
    let shop = Shop::connected("inkress");
    // A table that has every scope lets no other one be asked for.
    let file = shop.world.own_file("open.toml", {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/provider/catalogue/inkress.toml");
        let text = std::fs::read_to_string(path).unwrap();
        text.replacen("name = \"inkress\"", "name = \"inkress\"\nmore_scopes = true", 1)
    });
    let profile = shop.world.home().configuration.join("profiles/shop.toml");
    let text = std::fs::read_to_string(&profile).unwrap();
    let named = format!("provider = \"{}\"", file.display());
    std::fs::write(&profile, text.replace("provider = \"inkress\"", &named)).unwrap();
    let challenge = r#"Bearer error="insufficient_scope", scope="$(reboot)""#;
    shop.sandbox.next_api_answers(vec![Fault::Status {
        status: 403,
        headers: vec![("www-authenticate".into(), challenge.into())],
        body: String::new(),
    }]);
    shop.line("call shop GET /orders").exits(5).says("--scope '$(reboot)'");
}

#[test]
fn an_output_file_is_written_whole_or_not_at_all() {
    let shop = Shop::connected("inkress");
    let file = shop.world.own_file("orders.json", "before");
    let path = file.display().to_string();
    shop.sandbox.next_api_answers(vec![Fault::Truncated]);
    shop.world.run(["call", "shop", "GET", "/orders", "-o", &path, "--retry", "0"]).exits(7);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "before");
    let ran = shop.world.run(["call", "shop", "GET", "/orders", "-o", &path]).ok();
    assert_eq!(ran.stdout, "");
    assert!(std::fs::read_to_string(&file).unwrap().contains("5001"));
    let left = std::fs::read_dir(shop.world.folder.path()).unwrap().count();
    assert_eq!(left, 2, "the home and the file");
}

#[test] // RR23
fn a_dry_run_sends_nothing_refreshes_nothing_and_shows_no_token() {
    let shop = Shop::connected("inkress");
    shop.sandbox.expire_access_tokens();
    shop.world.pass(7200);
    let before = shop.sandbox.log().len();
    let ran = shop.line("call shop POST /orders total:=1 --dry-run").ok();
    assert!(ran.stdout.contains("POST") && ran.stdout.contains("/api/v1/orders"), "{}", ran.stdout);
    let curl = shop.line("call shop POST /orders total:=1 --curl").ok();
    assert!(curl.stdout.contains("keyfob header shop"), "{}", curl.stdout);
    assert!(!(ran.stdout + &curl.stdout).contains("inka_"));
    assert_eq!(shop.sandbox.log().len(), before);
}

#[test]
fn a_form_is_sent_as_one() {
    let shop = Shop::connected("inkress");
    shop.line("call shop POST /orders --form a=b c=d").exits(8);
    let seen = shop.seen(Endpoint::Api).remove(0);
    assert_eq!(seen.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(seen.text(), "a=b&c=d");
}

#[test]
fn the_profile_may_come_from_the_environment() {
    let mut shop = Shop::connected("inkress");
    shop.world.set("KEYFOB_PROFILE", "shop");
    shop.line("call GET /orders").ok();
    shop.line("call /orders").ok();
    assert_eq!(shop.calls(), 2);
}

#[test]
fn a_reader_that_has_gone_is_no_error_and_a_full_disk_is() {
    let shop = Shop::connected("inkress");
    let exit = |stdout| {
        shop.world.run_into(["call", "shop", "GET", "/orders"], stdout, Captured::default())
    };
    assert_eq!(exit(Box::new(Closed)), 0);
    assert_eq!(exit(Box::new(Full)), 1);
}

#[test]
fn what_is_not_connected_says_how_to_connect() {
    let world = World::new();
    world.line("call shop GET /orders").exits(3).says("there is no profile `shop`");
    let shop = Shop::connected("inkress");
    shop.line("revoke shop").ok();
    shop.line("call shop GET /orders").exits(4).says("keyfob connect shop");
}

#[test] // RR21
fn a_stream_that_was_sent_is_not_sent_twice() {
    let behaviour = Behaviour::default();
    let shop = Shop::behaving("inkress", behaviour).and_connected();
    shop.sandbox.next_api_answers(vec![Fault::status(401)]);
    *shop.world.stdin.borrow_mut() = b"{}".to_vec();
    shop.world.run(["call", "shop", "POST", "/orders", "-d", "@-"]).exits(8);
    assert_eq!((shop.calls(), shop.sandbox.rotations()), (1, 0));
}

#[test]
fn a_read_that_carries_a_body_by_a_slip_is_told() {
    let shop = Shop::connected("inkress");
    shop.line("call shop GET /orders app=me").says("a query is written app==me");
    for fine in ["call shop GET /orders app==me", "call shop GET /orders X-A:b=c"] {
        let ran = shop.line(fine).ok();
        assert_eq!(ran.stderr, "", "{fine}");
    }
}

#[test] // RR20
fn a_body_of_any_bytes_goes_out_as_it_came() {
    let shop = Shop::connected("inkress");
    for body in ["\u{1b}[2J\u{0}\r\n\u{9b}\u{202e}", "no line end", "{\"a\" : 1.0}\n\n", ""] {
        let answer = |status| Fault::Status { status, headers: Vec::new(), body: body.into() };
        for (status, exit) in [(200, 0), (404, 8), (500, 9)] {
            shop.sandbox.next_api_answers(vec![answer(status)]);
            let ran = shop.line("call shop GET /orders --retry 0 -v").exits(exit);
            assert_eq!(ran.stdout, body, "{status}");
        }
    }
}

#[test] // ER4
fn a_host_that_only_a_flag_names_is_told_as_the_flag_s_and_no_connect_is_advised() {
    let shop = Shop::connected("inkress");
    let ran = shop.line("call shop /orders --set api_host=https://other.example").exits(3);
    let ran = ran.says("with --set this command would go to https://other.example");
    let ran = ran.says("leave --set api_host out");
    assert!(!ran.stderr.contains("connect"), "the profile is as it was: {}", ran.stderr);
    assert_eq!(shop.calls(), 0);
    shop.line("call shop /orders").ok();
}

#[test] // ER4
fn a_write_to_repeat_is_told_with_how_often_and_how_long_it_was_tried() {
    let shop = Shop::connected("inkress");
    let told = |line: &str| {
        shop.sandbox.next_api_answers(vec![Fault::status(500)]);
        let ran = shop.line(line).exits(9);
        let again = ran.stderr.lines().find(|it| it.contains("--idempotency-key"));
        again.map(str::to_owned).unwrap_or_else(|| panic!("{}", ran.stderr))
    };
    let again = told("call shop POST /orders total:=1 --retry 0 --timeout 1500ms");
    assert!(again.contains(" --retry 0 --timeout 1500ms"), "{again}");
    let again = told("call shop POST /orders total:=1 --retry 0 --timeout 2s");
    assert!(again.contains(" --timeout 2s"), "{again}");
    let again = told("call shop POST /orders total:=1 --retry 0 --timeout 30s");
    assert!(!again.contains("--timeout"), "as it is anyway: {again}");
}

#[test] // ER4
fn what_may_pass_is_repeated_as_typed_and_what_was_refused_is_shown() {
    let shop = Shop::connected("inkress");
    let advised = |status: u16, line: &str, exit: u8| {
        shop.sandbox.next_api_answers(vec![Fault::status(status)]);
        let ran = shop.line(line).exits(exit);
        ran.stderr.lines().last().unwrap().trim().to_owned()
    };
    let line = "call shop GET /orders --retry 0";
    for (status, exit) in [(500, 9), (429, 7), (503, 7)] {
        assert_eq!(advised(status, line, exit), format!("keyfob {line}"));
    }
    assert_eq!(advised(409, line, 8), format!("keyfob {line} --dry-run"));
    let sent = shop.calls();
    shop.line(&format!("{line} --dry-run")).ok();
    assert_eq!(shop.calls(), sent);
    shop.sandbox.next_token_answers(vec![Fault::status(503); 2]);
    let ran = shop.line("refresh shop").exits(7);
    assert_eq!(ran.stderr.lines().last().unwrap().trim(), "keyfob refresh shop");
}
