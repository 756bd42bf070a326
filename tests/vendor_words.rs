//! What the vendors' documents say beside the ordinary path, and what follows from what they leave out.

use keyfob::sandbox::{Endpoint, Fault};
use serde_json::{Value, json};

use crate::support::{Ran, Shop};

fn says(status: u16, body: Value) -> Fault {
    let headers = vec![("content-type".into(), "application/json".into())];
    Fault::Status { status, headers, body: body.to_string() }
}

/// An Inkress connection whose tokens came from elsewhere, without the merchant.
fn imported_without_merchant() -> (Shop, Ran) {
    let shop = Shop::of("inkress");
    let mut tokens = shop.sandbox.dashboard_tokens(&["orders:read", "offline_access"]);
    tokens.as_object_mut().unwrap().remove("merchant_id");
    tokens["client_secret"] = shop.how.client.client_secret.as_ref().unwrap().expose().into();
    *shop.world.stdin.borrow_mut() = tokens.to_string().into_bytes();
    let words = ["import".to_owned(), "shop".into()].into_iter().chain(shop.client());
    let words: Vec<String> = words.collect();
    let ran = shop.world.run(words.iter().map(String::as_str)).ok();
    (shop, ran)
}

#[test] // TS9, RF3
fn a_refresh_may_leave_out_what_came_with_the_first_tokens() {
    let (shop, ran) = imported_without_merchant();
    ran.says("the import holds no `merchant_id`");
    let answer = json!({"access_token": "inka_next", "refresh_token": "inkr_next"});
    shop.sandbox.next_answers(Endpoint::Token, vec![says(200, answer)]);
    shop.line("refresh shop").ok();
    assert_eq!(shop.line("token shop").ok().stdout, "inka_next\n");
    // The merchant is missed where it is needed, and there only.
    shop.line("call shop GET /merchants/{merchant_id} --force").exits(2).says("merchant_id");
}

#[test] // AT-21, RV2
fn tokens_that_only_the_journal_holds_and_nobody_can_read_are_not_called_revoked() {
    let shop = Shop::connected("inkress");
    let unfit =
        json!({"access_token": "inka_next", "refresh_token": "inkr_next", "token_type": "mac"});
    shop.sandbox.next_answers(Endpoint::Token, vec![says(200, unfit)]);
    shop.line("refresh shop").exits(7);
    let ran = shop.line("revoke shop").exits(7).without_product();
    ran.says("`shop` was not revoked, so it is kept").says("keyfob revoke shop --local-only");
    assert_eq!(shop.sandbox.counts(Endpoint::Revocation), 0, "the stored ones are spent");
    assert_ne!(shop.world.state("shop"), "never-connected");
    shop.line("revoke shop --local-only").ok().says("may live on");
}

#[test] // AT-21, RV5
fn each_token_s_outcome_is_told_as_the_provider_gave_it() {
    let error = |code: &str| says(400, json!({ "error": code }));
    let unsupported = || error("unsupported_token_type");
    let cases = [
        (
            vec![unsupported(), unsupported()],
            "shop: not revoked by Inkress, which does not revoke these (refresh_token, access_token) and forgotten here\n",
            true,
        ),
        (
            vec![error("invalid_grant")],
            "shop: revoked at Inkress (access_token), not known at Inkress any more (refresh_token) and forgotten here\n",
            false,
        ),
    ];
    for (answers, told, warned) in cases {
        let shop = Shop::connected("inkress");
        shop.sandbox.next_answers(Endpoint::Revocation, answers);
        let ran = shop.line("revoke shop").ok();
        assert_eq!(ran.stdout, told);
        assert_eq!(ran.stderr.contains("Settings > Connected apps"), warned, "{}", ran.stderr);
    }
    let shop = Shop::connected("inkress");
    shop.sandbox.next_answers(Endpoint::Revocation, vec![unsupported(), unsupported()]);
    let row = shop.line("revoke shop --json").ok().json()["profiles"][0].clone();
    assert_eq!(row["outcome"], "forgotten");
    assert_eq!(row["tokens"], json!([]));
    assert_eq!(row["not_revoked"], json!(["refresh_token", "access_token"]));
}

#[test]
fn a_new_webhook_secret_of_a_client_reaches_every_profile_of_it() {
    let shop = Shop::of("inkress");
    shop.connect_with(&["--scope", "webhooks:manage,offline_access"]).ok();
    let secret = |shop: &Shop, profile: &str| -> Value {
        let entry = shop.world.shelf.entry(profile).unwrap();
        let entry: Value = serde_json::from_str(&entry).unwrap();
        entry["secrets"]["webhook_secret"].clone()
    };
    let mut mine = vec!["connect".to_owned(), "twin".into()];
    mine.extend(shop.client());
    mine.extend(["--redirect-uri".into(), shop.redirect_uri.clone()]);
    mine.extend(shop.secret_on_stdin().map(str::to_owned));
    shop.world.run(mine.iter().map(String::as_str)).ok();
    let other = "import other --provider inkress --client-id inkid_another";
    for (line, input) in [
        ("profile secret twin webhook_secret", "whsec_old"),
        (other, r#"{"access_token":"inka_1","merchant_id":2}"#),
        ("profile secret other webhook_secret", "whsec_old"),
    ] {
        *shop.world.stdin.borrow_mut() = input.as_bytes().to_vec();
        shop.line(line).ok();
    }
    let ran = shop.line("call shop @rotate_webhook_secret id=17").ok().without_product();
    assert!(!ran.stderr.contains("`other`"), "{}", ran.stderr);
    ran.says("and of `twin`, which is of the same client");
    assert_eq!(secret(&shop, "twin"), secret(&shop, "shop"));
    assert_ne!(secret(&shop, "twin"), "whsec_old");
    assert_eq!(secret(&shop, "other"), "whsec_old", "another client has its own");
}

#[test] // AT-4a, AT-16f
fn a_path_that_stays_forbidden_does_not_use_up_the_limit_of_the_token_endpoint() {
    let shop = Shop::connected("inyo");
    let forbidden = || says(403, json!({"status": 403, "message": "Forbidden"}));
    shop.sandbox.next_api_answers((0..4).map(|_| forbidden()).collect());
    for _ in 0..3 {
        let ran = shop.line("call shop GET /v2/forbidden").exits(8);
        ran.says("a new access token was refused as well");
    }
    assert_eq!((shop.calls(), shop.token_requests()), (4, 2), "one renewal for the three");
    // What is not forbidden is another matter, and so is the minute after.
    shop.line("call shop GET /v2/payment").ok();
    shop.world.pass(61);
    shop.sandbox.next_api_answers(vec![forbidden(), forbidden()]);
    shop.line("call shop GET /v2/forbidden").exits(8);
    assert_eq!(shop.token_requests(), 3);
}

#[test] // AT-4a
fn a_client_without_person_and_scopes_is_not_advised_to_ask_for_them() {
    let shop = Shop::connected("inyo");
    let ended = || says(401, json!({"status": 401, "message": "no", "responseCode": "SE_001"}));
    shop.sandbox.next_api_answers(vec![ended(), ended()]);
    let ran = shop.line("call shop GET /v2/payment").exits(8);
    assert!(!ran.stderr.contains("person") && !ran.stderr.contains("keyfob scopes"), "{ran:?}");
    assert!(!ran.stderr.contains("was not accepted"), "the new one was refused too: {ran:?}");
    ran.says("a new access token was refused as well").says("ask Inyo Payment Gateway");
}

#[test] // RR11
fn a_refused_token_that_nothing_renews_is_shown_until_it_is_accepted_again() {
    let shop = Shop::of("merchantos");
    shop.connect_with(&["--scope", "employee:all", "--set", "account_id=12345"]).ok();
    shop.line("status --check").ok();
    shop.sandbox.next_api_answers(vec![says(401, json!({}))]);
    shop.line("call shop GET /Item").exits(4);
    let status = shop.world.status("shop");
    assert_eq!((&status["state"], &status["needs_attention"]), (&json!("ready"), &json!(true)));
    shop.line("status").ok().says("its access token was refused at").says("keyfob connect shop");
    shop.line("status --check").exits(4);
    shop.line("call shop GET /Item").ok();
    assert_eq!(shop.world.status("shop")["needs_attention"], false);
    // Where a refresh may help, one API's word is not the end.
    let shop = Shop::connected("inkress");
    shop.sandbox.next_api_answers(vec![says(401, json!({})), says(401, json!({}))]);
    shop.line("call shop GET /orders").exits(8);
    assert_eq!(shop.world.status("shop")["needs_attention"], false);
}

#[test]
fn what_calls_alone_need_can_be_set_after_connecting_without_a_terminal() {
    let shop = Shop::of("merchantos");
    let mut words: Vec<String> = ["connect".into(), "shop".into()].into();
    words.extend(shop.client());
    if let Some(place) = words.iter().position(|it| it.starts_with("account_id=")) {
        words.drain(place - 1..=place);
    }
    words.extend(["--redirect-uri".into(), shop.redirect_uri.clone()]);
    words.extend(["--scope".into(), "employee:all".into()]);
    words.extend(shop.secret_on_stdin().map(str::to_owned));
    let ran = shop.world.run(words.iter().map(String::as_str)).ok();
    ran.says("keyfob profile set shop account_id=…");
    shop.line("call shop GET /Item").exits(2).says("account_id");
    shop.line("profile set shop account_id=12345").ok();
    shop.line("call shop GET /Item").ok();
}

#[test] // AT-4d
fn an_envelope_that_says_no_is_a_refusal_however_the_answer_is_asked_for() {
    let shop = Shop::connected("inkress");
    let no = || says(200, json!({"state": "error", "result": "no such thing"}));
    for line in [
        "call shop GET /orders",
        "call shop GET /orders --json",
        "call shop GET /orders --result",
        "call shop GET /orders --paginate",
        "call shop @reconcile since=2026-05-29T10:15:00Z",
        "sync shop /orders",
    ] {
        shop.sandbox.next_api_answers(vec![no()]);
        let ran = shop.line(line);
        assert_eq!(ran.exit, 8, "{line}: {ran:?}");
        if line.starts_with("call") {
            assert!(ran.stdout.contains("no such thing"), "{line}: the body is there: {ran:?}");
        }
    }
    shop.sandbox.next_api_answers(vec![no()]);
    *shop.world.stdin.borrow_mut() =
        b"{\"id\":1,\"method\":\"GET\",\"path\":\"/orders\"}\n".to_vec();
    let ran = shop.line("call shop --batch -");
    assert_eq!(ran.exit, 8, "{ran:?}");
    shop.line("call shop GET /orders").ok();
}

#[test] // RR11, AT-4a
fn a_call_that_no_granted_scope_opens_rolls_no_refresh_token() {
    let shop = Shop::of("inkress");
    shop.connect_with(&["--scope", "orders:read,orders:write,offline_access"]).ok();
    for (line, names) in [
        ("call shop @rotate_webhook_secret id=17 --force", "webhooks:manage"),
        ("call shop DELETE /orders/5003", "do not open this call"),
    ] {
        shop.sandbox.next_api_answers(vec![says(401, json!({}))]);
        shop.line(line).exits(5).says(names);
        assert_eq!(shop.sandbox.rotations(), 0, "{line}");
    }
}

#[test] // AT-19
fn a_signed_scope_changes_what_is_asked_for_and_a_bare_one_is_all_of_it() {
    let shop = Shop::of("inkress");
    let granted = |shop: &Shop| shop.world.status("shop")["scopes"]["granted"].clone();
    let ran = shop.connect_with(&["--scope", "orders:read", "--scope", "-offline_access"]).ok();
    ran.says("without `offline_access` there is no refresh token").says("after 60 min");
    assert_eq!(granted(&shop), json!(["orders:read"]));
    shop.line("connect shop").ok();
    assert_eq!(granted(&shop), json!(["orders:read"]), "the profile keeps it");
    shop.line("connect shop --scope +wallet:read").ok();
    assert_eq!(granted(&shop), json!(["orders:read", "wallet:read"]));
    let ran = shop.line("connect shop --scope -orders:read,+offline_access").ok();
    assert!(
        !ran.stderr.contains("granted orders:read before"),
        "it was taken away by name: {ran:?}"
    );
    assert_eq!(granted(&shop), json!(["wallet:read", "offline_access"]));
    let ran = shop.line("connect shop --scope orders:write").ok();
    ran.says("was granted wallet:read before, and does not ask for it now");
    assert_eq!(granted(&shop), json!(["orders:write", "offline_access"]));
    shop.line("connect shop --scope -order:write").exits(2).says("orders:write");
    // Asked for nothing the vendor would choose, and could grant what was never wanted.
    let none = shop.line("connect shop --scope -orders:write,-offline_access").exits(2);
    none.says("that leaves no scope to ask for").says("keyfob revoke");
    assert_eq!(granted(&shop), json!(["orders:write", "offline_access"]));
}

#[test] // RR15
fn a_read_that_goes_as_post_has_no_stored_answer_and_is_repeated_all_the_same() {
    let shop = Shop::of("inkress");
    shop.connect_with(&["--scope", "wallet:read,offline_access"]).ok();
    let refused = says(401, json!({}));
    shop.sandbox.next_api_answers(vec![refused]);
    shop.line("call shop POST /merchants/account/balances").ok();
    shop.line("call shop @balances").ok();
    shop.line("call shop @contribution currency_code=USD").ok();
    let seen = shop.seen(Endpoint::Api);
    assert_eq!(seen.len(), 4, "sent again with a new token");
    assert!(seen.iter().all(|it| it.header("idempotency-key").is_none()));
    shop.line("call shop POST /merchants/account/balances --idempotency-key mine").ok();
    let last = shop.seen(Endpoint::Api).pop().unwrap();
    assert_eq!(last.header("idempotency-key"), Some("mine"), "a person's is taken");
}

#[test]
fn what_is_shown_and_would_not_be_sent_says_so() {
    let shop = Shop::of("inkress");
    shop.connect_with(&["--scope", "orders:read,offline_access"]).ok();
    for flag in ["--dry-run", "--curl"] {
        let ran = shop.line(&format!("call shop POST /orders total:=1 {flag}")).ok();
        ran.says("was not granted orders:write");
        for silent in ["POST /orders total:=1 --force", "GET /orders"] {
            let ran = shop.line(&format!("call shop {silent} {flag}")).ok();
            assert!(!ran.stderr.contains("not granted"), "{silent}: {ran:?}");
        }
    }
}

#[test]
fn a_client_secret_that_the_vendor_cannot_have_issued_is_refused() {
    let shop = Shop::of("merchantos");
    let file = shop.world.own_file("secret", "a".repeat(256));
    let mut words: Vec<String> = ["connect".into(), "shop".into()].into();
    words.extend(shop.client());
    words.extend(["--client-secret-file".into(), file.to_str().unwrap().into()]);
    words.extend(["--scope".into(), "employee:all".into()]);
    let ran = shop.world.run(words.iter().map(String::as_str)).exits(2);
    ran.says("at most 255 characters");
}

#[test]
fn a_choice_that_the_file_warns_of_is_taken_with_its_warning() {
    let shop = Shop::of("merchantos");
    let place = ["--scope", "employee:all", "--set", "account_id=1", "--set", "token_in=query"];
    shop.connect_with(&place).ok().says("warning:").says("where logs keep it");
    shop.line("profile set shop token_in=query").ok().says("where logs keep it");
    let ran = shop.line("profile set shop token_in=header").ok();
    assert!(!ran.stderr.contains("logs"), "{ran:?}");
}

#[test]
fn a_subscription_can_be_updated_by_name() {
    let shop = Shop::of("inkress");
    shop.connect_with(&["--scope", "webhooks:manage,offline_access"]).ok();
    let line = "call shop @update_webhook id=7 url=https://a.example/x event=orders.paid --dry-run";
    let shown = shop.line(line).ok().stdout;
    assert!(shown.contains("PUT") && shown.contains("/webhook_urls/7"), "{shown}");
    assert!(shown.contains("https://a.example/x") && shown.contains("orders.paid"), "{shown}");
}
