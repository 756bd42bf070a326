//! Who connected: the ID token is verified, or nothing is stored.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyfob::sandbox::{Endpoint, Fault};
use serde_json::{Value, json};

use crate::support::{Ran, Shop, parameters};

const OPENID: [&str; 2] = ["--scope", "openid,profile,email,items:read"];

fn signed_in() -> Shop {
    let shop = Shop::of("standard");
    shop.connect_with(&OPENID).ok();
    shop
}

/// Nothing was stored, and what was given is ended.
#[track_caller]
fn nothing_is_left(shop: &Shop) {
    assert_eq!(shop.world.shelf.entry("shop"), None);
    assert_eq!(shop.sandbox.grants_alive(), 0, "the tokens that nobody holds live on");
    shop.line("status shop").exits(3);
}

fn entry(shop: &Shop) -> Value {
    serde_json::from_str(&shop.world.shelf.entry("shop").unwrap()).unwrap()
}

fn answer(content_type: &str, body: impl Into<String>) -> Fault {
    let headers = vec![("content-type".into(), content_type.into())];
    Fault::Status { status: 200, headers, body: body.into() }
}

#[test] // OI1, OI2, OI4, OI5, OI6, OI7, OI9, AR17
fn a_verified_id_token_says_whose_connection_it_is() {
    let shop = Shop::of("standard");
    let ran = shop.connect_with(&OPENID).ok();
    ran.says("sub pat-7").says("email pat@example.test");
    let account = shop.world.status("shop")["account"].clone();
    assert_eq!(
        account,
        json!({"sub": "pat-7", "email": "pat@example.test", "preferred_username": "pat", "name": "Pat Example"})
    );
    assert_eq!(shop.sandbox.counts(Endpoint::Keys), 1);
    assert_eq!(shop.sandbox.counts(Endpoint::Userinfo), 0, "nobody asked for it");
    shop.line("call shop GET /items").ok();
    // A nonce of its own each time.
    shop.line("connect shop").ok();
    let opened = shop.world.browser.opened();
    let nonces: Vec<String> =
        opened.iter().map(|url| parameters(url.as_str())["nonce"].clone()).collect();
    assert_eq!(nonces.len(), 2);
    assert_ne!(nonces[0], nonces[1]);
}

#[test] // OI1, OI2, OI3, OI5, OI6, OI7, OI9
fn a_claim_that_is_wrong_stores_nothing_and_says_which() {
    let now = 1_780_300_800;
    let cases = [
        ("iss", json!("http://127.0.0.1:1"), "its `iss` is `http://127.0.0.1:1`, not `http://"),
        (
            "aud",
            json!(["standard-sandbox-client", "else"]),
            "its `aud` is standard-sandbox-client, else",
        ),
        ("azp", json!("else"), "its `azp` is `else`"),
        ("exp", json!(now - 360), "its `exp` is over since 360 s"),
        ("iat", json!(now - 604_800), "its `iat` is 604800 s away from now"),
        ("nonce", json!("of-another"), "its `nonce` is not the one that was sent"),
        ("nonce", Value::Null, "it has no `nonce`"),
        ("sub", Value::Null, "it has no `sub`"),
        ("at_hash", json!("AAAA"), "its `at_hash` is not of the access token"),
    ];
    for (claim, value, words) in cases {
        let shop = Shop::of("standard");
        shop.sandbox.id_token_with(claim, value);
        let ran = shop.connect_with(&OPENID).exits(5).without_product();
        ran.says(words).says("did not prove who signed in").says("keyfob connect shop");
        nothing_is_left(&shop);
    }
}

#[test] // OI10
fn a_sign_in_that_is_older_than_it_was_asked_to_be_is_refused() {
    let asked = [&OPENID[..], &["--param", "max_age=60"]].concat();
    let shop = Shop::of("standard");
    shop.sandbox.id_token_with("auth_time", json!(1_780_300_800 - 3600));
    shop.connect_with(&asked).exits(5).says("3600 s ago, and 60 s at most were asked for");
    nothing_is_left(&shop);
    shop.sandbox.id_token_with("auth_time", json!(1_780_300_800));
    shop.connect_with(&asked).ok();
}

#[test] // OI4
fn a_token_that_is_unsigned_or_signed_otherwise_stores_nothing() {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims = part(r#"{"sub":"pat-7"}"#);
    let cases = [
        (format!("{}.{claims}.", part(r#"{"alg":"none"}"#)), "signed with `none`, and ES256 is"),
        (format!("{}.{claims}.AAAA", part(r#"{"alg":"HS256"}"#)), "signed with `HS256`"),
        (format!("{}.{claims}.AAAA", part(r#"{"alg":"RS256"}"#)), "`algorithms` in [id_token]"),
        (format!("{}.{claims}.AAAA", part(r#"{"alg":"ES256"}"#)), "was not made by the issuer"),
        (
            format!("{}.{claims}.AAAA", part(r#"{"alg":"ES256","crit":["x"]}"#)),
            "its `crit` demands",
        ),
        ("mark-17".into(), "it is no signed token"),
    ];
    for (token, words) in cases {
        let shop = Shop::of("standard");
        shop.sandbox.answer_with("id_token", token.as_str().into());
        let ran = shop.connect_with(&[&OPENID[..], &["-vvv"]].concat()).exits(5).says(words);
        assert!(!ran.stderr.contains(&token), "the token itself: {}", ran.stderr);
        nothing_is_left(&shop);
    }
}

#[test] // OI4
fn an_id_token_that_does_not_come_is_missed_unless_the_provider_file_says_otherwise() {
    let shop = Shop::of("standard");
    shop.sandbox.answer_with("id_token", Value::Null);
    shop.connect_with(&OPENID).exits(5).says("no ID token came").says("required = false");
    nothing_is_left(&shop);
    let file = shop.world.home().providers().join("standard.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("[id_token]", "[id_token]\nrequired = false")).unwrap();
    shop.connect_with(&OPENID).ok();
    assert_eq!(shop.world.status("shop")["account"], json!({}));
}

#[test] // TS17
fn an_id_token_that_nobody_asked_for_is_neither_needed_nor_trusted() {
    let shop = Shop::of("standard");
    shop.sandbox.answer_with("id_token", "no.token.at-all".into());
    shop.connect().ok();
    assert_eq!(shop.world.status("shop")["account"], json!({}));
    assert_eq!(shop.sandbox.counts(Endpoint::Keys), 0);
    assert!(!shop.world.browser.opened()[0].as_str().contains("nonce="));
}

#[test] // OI8, DS16
fn keys_that_have_changed_are_fetched_once_more() {
    let shop = Shop::of("standard");
    let old = shop.sandbox.rotate_keys();
    shop.sandbox.next_answers(Endpoint::Keys, vec![answer("application/json", old.to_string())]);
    shop.connect_with(&OPENID).ok();
    let asked = shop.seen(Endpoint::Keys);
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].header("cache-control"), None);
    assert_eq!(asked[1].header("cache-control"), Some("no-cache"));
}

#[test] // OI8, DS16
fn keys_that_never_fit_are_not_asked_for_without_end() {
    // The stand-ins' randomness is the same each time, so this is another key under the same id.
    let forged = Shop::of("standard").sandbox.rotate_keys();
    let mut other = forged.clone();
    other["keys"][0]["kid"] = json!("of-last-year");
    let (no_key, not_made) = ("publishes no key that it could be signed with", "was not made by");
    let cases = [
        (forged.to_string(), not_made),
        (other.to_string(), no_key),
        (r#"{"keys":[]}"#.into(), no_key),
        (r#"{"keys":[7,null,{"kty":"EC"},{"kty":"oct","k":"AAAA"}]}"#.into(), no_key),
    ];
    for (set, words) in cases {
        let shop = Shop::of("standard");
        let answers = vec![answer("application/json", set); 9];
        shop.sandbox.next_answers(Endpoint::Keys, answers);
        shop.connect_with(&OPENID).exits(5).says(words);
        assert_eq!(shop.sandbox.counts(Endpoint::Keys), 2);
        nothing_is_left(&shop);
    }
}

#[test] // DS16, DS9, A15
fn an_answer_that_is_no_set_of_keys_stores_nothing_and_is_told() {
    let elsewhere = Fault::Status {
        status: 302,
        headers: vec![("location".into(), "http://127.0.0.1:1/keys".into())],
        body: String::new(),
    };
    let nested = format!("{{\"keys\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    let cases = [
        (elsewhere, "HTTP 302"),
        (Fault::status(503), "HTTP 503"),
        (Fault::Html, "is no set of keys"),
        (answer("application/json", nested), "is no set of keys"),
        (answer("application/json", "[]"), "is no set of keys"),
        (answer("application/json", "{}"), "no list `keys`"),
        (answer("application/json", " ".repeat(300 << 10)), "larger than 262144 bytes"),
        (Fault::Reset, "cannot be retrieved"),
    ];
    for (fault, words) in cases {
        let shop = Shop::of("standard");
        shop.sandbox.next_answers(Endpoint::Keys, vec![fault]);
        shop.connect_with(&OPENID)
            .exits(7)
            .without_product()
            .says(words)
            .says("nothing was stored");
        nothing_is_left(&shop);
        shop.connect_with(&OPENID).ok();
    }
}

#[test] // DS16, DS9
fn a_set_of_keys_without_end_is_cut_off() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let endless = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = BufReader::new(stream.try_clone().unwrap()).lines();
        while asked.next().is_some_and(|line| !line.unwrap().is_empty()) {}
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"keys\":[";
        let mut sent = stream.write(head.as_bytes()).unwrap_or_default();
        while let Ok(bytes) = stream.write(&[b'7', b','].repeat(4096)) {
            sent += bytes;
        }
        sent
    });
    let shop = Shop::of("standard");
    let file = shop.world.home().providers().join("standard.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("{host}/keys", &format!("http://{address}/keys"))).unwrap();
    shop.connect_with(&OPENID).exits(7).says("larger than 262144 bytes");
    assert!(endless.join().unwrap() < 16 << 20, "what was sent was not read to any end");
    nothing_is_left(&shop);
}

#[test] // A29, OI7
fn another_subject_than_before_needs_a_yes_and_another_address_does_not() {
    let shop = signed_in();
    shop.sandbox.id_token_with("email", json!("new@example.test"));
    shop.line("connect shop").ok();
    assert_eq!(shop.world.status("shop")["account"]["email"], "new@example.test");
    shop.sandbox.id_token_with("sub", json!("kim-8"));
    shop.sandbox.id_token_with("email", json!("kim@example.test"));
    let ran = shop.line("connect shop").exits(2);
    ran.says("sub pat-7").says("new@example.test").says("sub kim-8").says("kim@example.test");
    assert_eq!(shop.world.status("shop")["account"]["sub"], "pat-7");
    shop.line("call shop GET /items").ok();
    shop.line("connect shop --yes").ok();
    assert_eq!(shop.world.status("shop")["account"]["sub"], "kim-8");
}

#[test] // OI7
fn userinfo_is_asked_where_it_is_wanted_and_must_be_about_the_same_person() {
    let shop = Shop::of("standard");
    shop.sandbox.id_token_with("email", Value::Null);
    shop.sandbox.userinfo_with("name", json!("Pat\u{1b}[2J Example\u{202e}"));
    shop.sandbox.id_token_with("name", Value::Null);
    shop.connect_with(&[&OPENID[..], &["--userinfo"]].concat()).ok();
    let account = shop.world.status("shop")["account"].clone();
    assert_eq!(account["email"], "pat@example.test");
    assert_eq!(account["name"], "Pat Example", "cleaned");
    let asked = shop.seen(Endpoint::Userinfo).remove(0);
    assert!(asked.header("authorization").unwrap().starts_with("Bearer "));
    assert!(!asked.path_and_query.contains('?'));
    // The profile remembers it.
    shop.sandbox.userinfo_with("sub", json!("kim-8"));
    let ran = shop.line("connect shop").ok();
    ran.says("warning: what Standard says of the person was not used").says("another account");
    let account = shop.world.status("shop")["account"].clone();
    assert_eq!((&account["sub"], &account["email"]), (&json!("pat-7"), &Value::Null));
    shop.sandbox.userinfo_with("sub", Value::Null);
    shop.line("connect shop").ok().says("another account");
}

#[test] // OI7, OI4
fn userinfo_that_is_signed_is_verified_or_not_used() {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims = part(r#"{"sub":"pat-7","email":"evil@example.test"}"#);
    let unsigned = format!("{}.{claims}.", part(r#"{"alg":"none"}"#));
    let forged = format!("{}.{claims}.AAAA", part(r#"{"alg":"ES256"}"#));
    let cases = [
        (answer("application/jwt", unsigned), "cannot be verified"),
        (answer("Application/JWT; x=y", forged), "cannot be verified"),
        (answer("application/jwt", r#"{"sub":"pat-7"}"#), "cannot be verified"),
        (answer("application/json", "[]"), "no JSON object"),
        (answer("application/json", r#"{"sub":"pat-7","sub":"pat-7"}"#), "no JSON object"),
        (answer("application/json", " ".repeat(2 << 20)), "larger than"),
        (Fault::Html, "no JSON object"),
        (Fault::status(500), "HTTP 500"),
        (Fault::Reset, "closed the connection"),
    ];
    for (fault, words) in cases {
        let shop = Shop::of("standard");
        shop.sandbox.id_token_with("email", Value::Null);
        shop.sandbox.next_answers(Endpoint::Userinfo, vec![fault]);
        let ran = shop.connect_with(&[&OPENID[..], &["--userinfo"]].concat()).ok();
        ran.says("was not used").says(words);
        let account = shop.world.status("shop")["account"].clone();
        assert_eq!((&account["sub"], &account["email"]), (&json!("pat-7"), &Value::Null));
        assert!(shop.sandbox.counts(Endpoint::Keys) <= 2);
    }
}

#[test]
fn userinfo_needs_somebody_to_ask_and_the_scope_for_it() {
    let shop = Shop::of("standard");
    shop.connect_with(&["--scope", "items:read", "--userinfo"]).exits(2).says("--scope openid");
    let inkress = Shop::of("inkress");
    inkress.connect_with(&["--userinfo"]).exits(3).says("has no userinfo endpoint");
    assert!(inkress.world.browser.opened().is_empty());
}

/// Exits 4, with the tokens of the refresh stored all the same.
#[track_caller]
fn stored_and_not_used(shop: &Shop, ran: Ran, before: &Value) {
    ran.exits(4).without_product().says("tokens of somebody else").says("keyfob connect shop");
    let after = entry(shop);
    let refresh_token = |entry: &Value| entry["tokens"]["refresh_token"].clone();
    assert_ne!(refresh_token(&after), refresh_token(before), "the new one is stored");
    assert_eq!(shop.world.status("shop")["account"]["sub"], "pat-7");
    assert_eq!(shop.world.state("shop"), "authorization-needed");
}

#[test] // RF20
fn a_refresh_that_brings_another_account_is_stored_and_never_used() {
    for (claim, value) in
        [("sub", json!("kim-8")), ("iss", json!("https://evil.example")), ("aud", json!("else"))]
    {
        let shop = signed_in();
        shop.line("refresh shop").ok();
        shop.sandbox.id_token_with(claim, value);
        let before = entry(&shop);
        let ran = shop.line("refresh shop").says(&format!("the `{claim}` of its ID token"));
        stored_and_not_used(&shop, ran, &before);
        let requests = shop.token_requests();
        for line in ["token shop", "call shop GET /items", "refresh shop", "header shop"] {
            shop.line(line).exits(4).without_product();
        }
        assert_eq!((shop.token_requests(), shop.calls()), (requests, 0));
        // Nothing is lost: what is stored is good, and can be ended.
        assert_eq!(shop.sandbox.spent_tokens_seen(), 0);
        shop.line("revoke shop").ok();
        assert_eq!(shop.sandbox.grants_alive(), 0);
    }
}

#[test] // RF20
fn a_call_that_is_refused_never_goes_on_with_another_account() {
    let shop = signed_in();
    shop.sandbox.id_token_with("sub", json!("kim-8"));
    shop.sandbox.expire_access_tokens();
    let before = entry(&shop);
    let ran = shop.line("call shop GET /items");
    stored_and_not_used(&shop, ran, &before);
    assert_eq!(shop.calls(), 1);
}

#[test] // RF20
fn another_account_that_comes_by_the_journal_is_not_used_either() {
    let shop = signed_in();
    shop.sandbox.id_token_with("sub", json!("kim-8"));
    let before = entry(&shop);
    shop.world.trouble(crate::support::shelf::Trouble::Full { after: 1 });
    shop.line("refresh shop").exits(6);
    shop.world.trouble(crate::support::shelf::Trouble::None);
    let ran = shop.line("refresh shop");
    stored_and_not_used(&shop, ran, &before);
    assert_eq!(shop.sandbox.spent_tokens_seen(), 0);
}

#[test] // RF20
fn a_refresh_without_a_readable_id_token_says_nothing_of_the_account() {
    let shop = signed_in();
    for id_token in [Value::Null, json!("garbage"), json!(7), json!("a.b.c.d.e")] {
        shop.sandbox.answer_with("id_token", id_token);
        shop.line("refresh shop").ok();
    }
    assert_eq!(shop.world.status("shop")["account"]["sub"], "pat-7");
}

#[test] // OI1, DS16
fn an_issuer_that_is_found_is_checked_by_its_own_keys() {
    let shop = Shop::of("standard");
    let origin = shop.sandbox.origin();
    let secret = shop.secret_on_stdin();
    let client = shop.how.client.client_id.clone();
    let words = ["connect", "mine", "--provider", &origin, "--client-id", &client];
    let more = ["--redirect-uri", &shop.redirect_uri, "--scope", "openid,email"];
    shop.world.run([&words[..], &more, &secret].concat()).ok().says("sub pat-7");
    assert_eq!(shop.world.status("mine")["account"]["email"], "pat@example.test");
    let name = shop.world.status("mine")["provider"].as_str().unwrap().to_owned();
    let file = shop.world.home().providers().join(format!("{name}.toml"));
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("names_endpoints = true") && text.contains("[id_token]"), "{text}");
    assert!(text.contains(&format!("jwks_url = \"{origin}/keys\"")), "{text}");
    shop.line("introspect mine").ok();
}
