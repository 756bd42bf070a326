//! What comes back from a token endpoint in odd shapes, and where nothing of it may go.

use keyfob::clock::Clock as _;
use keyfob::sandbox::{Endpoint, Fault};
use serde_json::{Value, json};

use crate::support::scripted::{Answer, Scripted, granted, value};
use crate::support::{Shop, World};

fn answer(kind: &str, body: impl Into<String>) -> Fault {
    let headers = vec![("content-type".into(), kind.into())];
    Fault::Status { status: 200, headers, body: body.into() }
}

fn tokens(access_token: &str) -> Value {
    json!({
        "access_token": access_token, "token_type": "Bearer", "expires_in": 3600,
        "refresh_token": "inkr_next", "scope": "orders:read offline_access", "merchant_id": 183,
    })
}

fn entry(shop: &Shop) -> Value {
    serde_json::from_str(&shop.world.shelf.entry("shop").unwrap()).unwrap()
}

#[test] // TS2
fn a_json_object_counts_under_any_name_and_a_form_is_never_guessed() {
    let shop = Shop::connected("inkress");
    for kind in ["text/html", "text/plain; charset=utf-8", "application/x-www-form-urlencoded"] {
        shop.sandbox.next_token_answers(vec![answer(kind, tokens("inka_other").to_string())]);
        shop.line("refresh shop").ok();
        assert_eq!(shop.line("token shop").ok().stdout, "inka_other\n", "{kind}");
    }
    let shop = Shop::connected("inkress");
    let before = entry(&shop)["tokens"].clone();
    let utf_16: String = tokens("x").to_string().chars().flat_map(|it| [it, '\0']).collect();
    for body in ["access_token=inka_form&token_type=Bearer&refresh_token=r".to_owned(), utf_16] {
        let odd = answer("application/x-www-form-urlencoded", body);
        shop.sandbox.next_token_answers(vec![odd.clone(), odd]);
        shop.line("refresh shop").exits(7);
        assert_eq!(entry(&shop)["tokens"], before);
    }
}

#[test] // TS7
fn a_token_is_opaque_whatever_it_looks_like() {
    // {"alg":"none"}.{"exp":1,"scope":"none"}, which ended in 1970.
    let jwt = "eyJhbGciOiJub25lIn0.eyJleHAiOjEsInNjb3BlIjoibm9uZSJ9.c2ln";
    let shop = Shop::connected("inkress");
    shop.sandbox.next_token_answers(vec![answer("application/json", tokens(jwt).to_string())]);
    shop.line("refresh shop").ok();
    let requests = shop.token_requests();
    assert_eq!(shop.line("token shop").ok().stdout, format!("{jwt}\n"));
    assert_eq!(shop.token_requests(), requests, "it counts as living");
    let status = shop.world.status("shop");
    assert_eq!(status["access_expires_at"], "2026-06-01T09:00:00Z");
    assert_eq!(status["scopes"]["granted"], json!(["orders:read", "offline_access"]));
}

#[test] // TS9
fn a_thousand_members_that_nobody_knows_change_nothing() {
    let shop = Shop::connected("inkress");
    let mut body = tokens("inka_many");
    (0..1000).for_each(|number| body[format!("member_{number}")] = json!([number]));
    shop.sandbox.next_token_answers(vec![answer("application/json", body.to_string())]);
    shop.line("refresh shop").ok();
    assert_eq!(shop.line("token shop").ok().stdout, "inka_many\n");
    assert!(!shop.world.shelf.entry("shop").unwrap().contains("member_"));
}

#[test] // TS13
fn tokens_of_any_size_work_from_end_to_end() {
    for store in ["keychain", "file"] {
        let mut shop = Shop::of("inkress");
        shop.world.set("KEYFOB_STORE", store);
        shop.connect().ok();
        for length in [1, 2561, 8193, 16385] {
            let token = "t".repeat(length);
            let mut body = tokens(&token);
            body["refresh_token"] = "r".repeat(length).into();
            shop.sandbox.next_token_answers(vec![answer("application/json", body.to_string())]);
            shop.line("refresh shop").ok();
            assert_eq!(shop.line("token shop").ok().stdout, format!("{token}\n"), "{store}");
            // A token of the test's own, so the vendor refuses it; what counts is what came.
            shop.sandbox.next_api_answers(vec![Fault::status(200)]);
            shop.line("call shop GET /orders").ok();
            let sent = shop.seen(Endpoint::Api).pop().unwrap();
            let sent = sent.header("authorization").unwrap().len();
            assert_eq!(sent, "Bearer ".len() + length, "{store}");
        }
    }
}

#[test] // A23, TS14
fn a_token_that_would_end_a_line_is_never_taken() {
    for odd in ["a\r\nX-Evil: 1", "a\nb", "a\u{1b}[2Jb", "a b", "a\u{7f}", "ø", "a\0b", "a\tb"] {
        let shop = Shop::connected("inkress");
        let before = shop.line("token shop").ok().stdout;
        let odd_answer = answer("application/json", tokens(odd).to_string());
        shop.sandbox.next_token_answers(vec![odd_answer]);
        let ran = shop.line("refresh shop").exits(7);
        assert!(!ran.stderr.contains(odd), "{odd:?}: {}", ran.stderr);
        for line in ["token shop", "header shop", "helper mcp shop", "helper kubectl shop"] {
            let ran = shop.line(line);
            assert!(!ran.stdout.contains(odd), "{line}: {:?}", ran.stdout);
        }
        assert_eq!(shop.line("token shop").stdout, before, "{odd:?}");
        shop.line("call shop GET /orders").ok();
        assert!(shop.seen(Endpoint::Api).iter().all(|seen| seen.header("x-evil").is_none()));

        let there = Shop::of("inkress");
        *there.world.stdin.borrow_mut() = tokens(odd).to_string().into_bytes();
        let words = ["import".to_owned(), "shop".into()].into_iter().chain(there.client());
        let words: Vec<String> = words.collect();
        there.world.run(words.iter().map(String::as_str)).exits(2);
        assert_eq!(there.world.shelf.entry("shop"), None, "{odd:?}");
    }
}

#[test] // TS17
fn an_id_token_that_nobody_asked_for_is_neither_needed_nor_kept() {
    let shop = Shop::of("inkress");
    shop.sandbox.answer_with("id_token", "not.a.token".into());
    shop.connect().ok();
    assert!(!shop.world.shelf.entry("shop").unwrap().contains("not.a.token"));
}

#[test] // RF15, RF3
fn a_refresh_that_is_silent_about_scopes_and_refresh_token_keeps_both() {
    let shop = Shop::of("imprest");
    shop.connect().exits(2);
    let before = entry(&shop)["tokens"].clone();
    for number in 0..2 {
        let token = format!("next-{number}");
        let body = json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600});
        shop.sandbox.next_token_answers(vec![answer("application/json", body.to_string())]);
        shop.line("refresh shop").ok();
        let now = entry(&shop)["tokens"].clone();
        assert_eq!(now["access_token"], token.as_str());
        assert_eq!(
            (&now["granted"], &now["refresh_token"]),
            (&before["granted"], &before["refresh_token"])
        );
        assert!(before["refresh_token"].is_string());
    }
}

#[test] // TS16
fn a_refresh_token_that_was_wanted_and_did_not_come_is_missed_aloud() {
    let shop = Shop::of("inkress");
    shop.sandbox.answer_with("refresh_token", Value::Null);
    shop.connect().ok().says("gave no refresh token");
    assert_eq!(shop.world.status("shop")["refresh_expires_at"], Value::Null);
    shop.world.pass(3600);
    assert_eq!(shop.world.status("shop")["needs_attention"], true);
    shop.line("refresh shop").exits(4).says("cannot be renewed");
}

#[test] // RV3
fn tokens_that_the_vendor_does_not_know_any_more_count_as_revoked() {
    let shop = Shop::connected("inkress");
    shop.sandbox.revoke_all();
    shop.line("revoke shop").ok();
    assert_eq!(shop.world.state("shop"), "never-connected");
}

#[test] // CA9
fn a_refused_client_is_asked_once_and_is_no_ended_token() {
    let shop = Shop::connected("inkress");
    let refused = || Fault::Status {
        status: 401,
        headers: vec![
            ("content-type".into(), "application/json".into()),
            ("www-authenticate".into(), "Basic realm=\"clients\"".into()),
        ],
        body: r#"{"error":"invalid_client"}"#.into(),
    };
    let requests = shop.token_requests();
    shop.sandbox.next_token_answers(vec![refused()]);
    shop.line("refresh shop").exits(3).says("refused the client id or the client secret");
    assert_eq!(shop.token_requests(), requests + 1);
    assert_eq!(shop.world.state("shop"), "ready");
}

/// What stands in the request lines of a vendor's whole life, and in what its API was sent.
#[test] // CA2, RF17
fn no_secret_stands_in_an_address_and_no_refresh_token_goes_to_an_api() {
    for vendor in ["inkress", "inyo", "merchantos", "imprest", "inventorum", "standard"] {
        let shop = Shop::of(vendor);
        let scopes: Vec<&str> = shop.how.scopes.iter().map(String::as_str).collect();
        match crate::support::shop::vendor_imports(&shop.sandbox) {
            true => drop(shop.import(&scopes)),
            false => drop(shop.connect()),
        }
        let mut secrets = Vec::new();
        let mut keep = || {
            let tokens = entry(&shop)["tokens"].clone();
            let kept =
                ["access_token", "refresh_token"].map(|it| tokens[it].as_str().map(str::to_owned));
            secrets.extend(kept.into_iter().flatten());
            tokens["refresh_token"].as_str().map(str::to_owned)
        };
        let mut refresh_tokens: Vec<String> = keep().into_iter().collect();
        for line in ["refresh shop", "call shop GET /x --force --retry 0", "refresh shop"] {
            let ran = shop.line(line);
            for token in &refresh_tokens {
                assert!(!ran.stdout.contains(token.as_str()), "{vendor}: {line}");
            }
            refresh_tokens.extend(keep());
        }
        shop.line("revoke shop");
        secrets.extend(shop.how.client.client_secret.iter().map(|it| it.expose().to_owned()));
        for seen in shop.sandbox.log() {
            let address = percent_encoding::percent_decode_str(&seen.path_and_query);
            let address = address.decode_utf8_lossy().into_owned();
            for secret in &secrets {
                assert!(!address.contains(secret.as_str()), "{vendor}: {address}");
            }
            if seen.endpoint == Endpoint::Api {
                let all = format!("{address} {:?} {}", seen.headers, seen.text());
                for token in &refresh_tokens {
                    assert!(!all.contains(token.as_str()), "{vendor}: {all}");
                }
            }
        }
        assert!(shop.calls() > 0, "{vendor}: the API was called");
    }
}

#[test] // RV4, RV5
fn a_revocation_that_is_put_off_keeps_both_tokens_and_one_that_is_not_offered_goes_on() {
    let refused = |status, code: &str, wait: &str| Fault::Status {
        status,
        headers: vec![
            ("content-type".into(), "application/json".into()),
            ("retry-after".into(), wait.into()),
        ],
        body: json!({ "error": code }).to_string(),
    };
    let shop = Shop::connected("inkress");
    let later = refused(503, "temporarily_unavailable", "120");
    shop.sandbox.next_answers(Endpoint::Revocation, vec![later]);
    let failure = shop.line("revoke shop --json").exits(7).failure();
    assert_eq!(failure["retry_after_seconds"], 120);
    assert_eq!(shop.sandbox.counts(Endpoint::Revocation), 1, "the access token waits too");
    assert_eq!(shop.world.state("shop"), "ready");

    let not_this = refused(400, "unsupported_token_type", "0");
    shop.sandbox.next_answers(Endpoint::Revocation, vec![not_this]);
    shop.line("revoke shop").ok();
    assert_eq!(shop.sandbox.counts(Endpoint::Revocation), 3, "then the access token");
    assert_eq!(shop.world.state("shop"), "never-connected");
}

#[test] // RV8
fn revoking_all_goes_on_after_a_failure_and_tells_each() {
    let shop = Shop::connected("inkress");
    shop.line("profile rename shop first").ok();
    let mut tokens = shop.sandbox.dashboard_tokens(&["orders:read"]);
    tokens["client_secret"] = shop.how.client.client_secret.as_ref().unwrap().expose().into();
    *shop.world.stdin.borrow_mut() = tokens.to_string().into_bytes();
    let words = ["import".to_owned(), "second".into()].into_iter().chain(shop.client());
    let words: Vec<String> = words.collect();
    shop.world.run(words.iter().map(String::as_str)).ok();
    shop.sandbox.next_answers(Endpoint::Revocation, vec![Fault::status(503)]);
    let ran = shop.line("revoke --all").exits(7).says("`first` was not revoked");
    assert!(ran.stdout.contains("second: revoked"), "{ran:?}");
    assert_eq!(
        (shop.world.state("first"), shop.world.state("second")),
        ("ready".into(), "never-connected".into())
    );
}

#[test] // TQ11
fn a_code_that_lives_a_minute_is_exchanged_before_anything_that_takes_one() {
    let mut shop = Shop::of("merchantos");
    let clock = shop.world.clock.clone();
    let minute = move || clock.advance(std::time::Duration::from_secs(61));
    // The keychain wants to be unlocked each time, and the person is slow.
    shop.world.shelf.whenever_asked(minute.clone());
    let secret = shop.how.client.client_secret.as_ref().unwrap().expose().to_owned();
    shop.world.seat(&[&secret]);
    shop.world.person.as_ref().unwrap().whenever_asked(minute);
    let start = shop.world.clock.now();
    let mut words = vec!["connect".to_owned(), "shop".to_owned()];
    words.extend(shop.client());
    words.extend(["--redirect-uri".to_owned(), shop.redirect_uri.clone()]);
    words.extend(shop.how.scopes.iter().flat_map(|it| ["--scope".to_owned(), it.clone()]));
    shop.world.run(words.iter().map(String::as_str)).ok();
    let at = |endpoint| shop.seen(endpoint).pop().unwrap().at;
    assert_eq!(at(Endpoint::Token), at(Endpoint::Authorization));
    let before = at(Endpoint::Authorization).duration_since(start);
    assert!(before.as_secs() >= 122, "the secret was asked for and the keychain tried: {before}");
}

#[test] // TQ3, TQ18
fn a_token_request_accepts_json_and_names_nobody() {
    let shop = Shop::connected("inkress");
    let seen = shop.seen(Endpoint::Token).remove(0);
    assert_eq!(seen.header("accept"), Some("application/json"));
    let agent = seen.header("user-agent").unwrap();
    assert_eq!(agent, concat!("keyfob/", env!("CARGO_PKG_VERSION")));
}

#[test] // TQ17
fn a_refresh_token_beside_client_credentials_is_not_kept_and_never_sent() {
    let server = Scripted::start(|asked, _| match asked.line.as_str() {
        "POST /token" => Answer::json(200, &granted()),
        _ => Answer::text(404, ""),
    });
    let world = World::new();
    let origin = &server.origin;
    let text = format!(
        "schema = 1\nname = \"machine\"\nflows = [\"client_credentials\"]\n\
         [token]\nurl = \"{origin}/token\"\n[refresh]\nrotation = \"reissue\"\n\
         [api]\nbase_url = \"{origin}\"\n"
    );
    let file = world.own_file("machine.toml", text);
    *world.stdin.borrow_mut() = b"s3cret".to_vec();
    let words = ["connect", "shop", "--provider", file.to_str().unwrap(), "--client-id", "me"];
    world.run(words.into_iter().chain(["--client-secret-file", "-"])).ok();
    let kept = |kind: &str| world.shelf.entry("shop").unwrap().contains(kind);
    assert!(kept("access.1") && !kept("refresh.1"));
    world.line("refresh shop").ok();
    assert!(kept("access.1") && !kept("refresh.1"));
    for request in server.heard("POST /token") {
        assert_eq!(value(&request.form, "grant_type"), Some("client_credentials"));
        assert_eq!(value(&request.form, "refresh_token"), None);
    }
    assert_eq!(server.heard("POST /token").len(), 2);
}
