//! A refresh whose answer names another account: its tokens are stored, and nothing is done with them.

use keyfob::sandbox::{Endpoint, Fault};
use serde_json::{Value, json};

use crate::support::shelf::Trouble;
use crate::support::shop::Shop;
use crate::support::world::Ran;

fn entry(shop: &Shop) -> Value {
    serde_json::from_str(&shop.world.shelf.entry("shop").unwrap()).unwrap()
}

/// Exits 4, with the tokens of the refresh stored all the same, and the connection's own account.
#[track_caller]
fn put_aside(shop: &Shop, ran: Ran, before: &Value) {
    ran.exits(4)
        .without_product()
        .says("the tokens of another account: merchant_id 999 instead of 183")
        .says("keyfob connect shop");
    let after = entry(shop);
    let refresh_token = |entry: &Value| entry["tokens"]["refresh_token"].clone();
    assert_ne!(refresh_token(&after), refresh_token(before), "the new one is stored");
    assert_eq!(shop.world.status("shop")["account"]["merchant_id"], 183);
    assert_eq!(shop.world.state("shop"), "authorization-needed");
}

fn swapped() -> (Shop, Value) {
    let shop = Shop::connected("inkress");
    let before = entry(&shop);
    shop.sandbox.answer_with("merchant_id", json!(999));
    (shop, before)
}

#[test] // A29
fn a_refresh_that_names_another_account_is_stored_and_never_used() {
    let (shop, before) = swapped();
    let ran = shop.line("refresh shop");
    put_aside(&shop, ran, &before);
    let requests = shop.token_requests();
    for line in ["token shop", "call shop GET /orders", "refresh shop", "header shop"] {
        shop.line(line).exits(4).without_product();
    }
    assert_eq!((shop.token_requests(), shop.calls()), (requests, 0));
    assert_eq!(shop.sandbox.spent_tokens_seen(), 0, "what is stored is good");
    shop.line("revoke shop").ok();
    assert_eq!(shop.sandbox.grants_alive(), 0, "and can be ended");
}

#[test] // A29, RF13
fn a_call_that_is_refused_never_goes_on_with_another_account() {
    let (shop, before) = swapped();
    shop.sandbox.expire_access_tokens();
    let ran = shop.line("call shop POST /orders a=1");
    put_aside(&shop, ran, &before);
    assert_eq!(shop.calls(), 1, "nothing was written into the other account");
}

#[test] // A29, RF4
fn another_account_that_comes_by_the_journal_is_not_used_either() {
    let (shop, before) = swapped();
    shop.world.trouble(Trouble::Full { after: 1 });
    shop.line("refresh shop").exits(6);
    shop.world.trouble(Trouble::None);
    // What was lost has ended meanwhile, and is not rolled on in its turn.
    shop.world.pass(7200);
    let requests = shop.token_requests();
    let ran = shop.line("refresh shop");
    put_aside(&shop, ran, &before);
    assert_eq!(shop.token_requests(), requests);
}

#[test] // A29
fn the_next_authorization_is_held_against_the_connection_s_own_account() {
    let (shop, _) = swapped();
    shop.line("refresh shop").exits(4);
    shop.line("connect shop").exits(2).says("it is connected to merchant_id 183").says("--yes");
    assert_eq!(shop.world.state("shop"), "authorization-needed");
    shop.sandbox.answer_with("merchant_id", json!(183));
    let again = shop.line("connect shop").ok();
    assert!(!again.stderr.contains("another account"), "{}", again.stderr);
    // What was put aside is alive, and nobody can say whose it is.
    again.says("the authorization that this one replaces was not revoked and may live on");
    assert_eq!(shop.world.state("shop"), "ready");
    shop.line("call shop GET /orders").ok();
}

#[test] // A29
fn an_account_that_is_written_otherwise_or_not_at_all_is_the_same() {
    let shop = Shop::connected("inkress");
    for written in [json!("183"), json!(183), json!(""), Value::Null] {
        shop.sandbox.answer_with("merchant_id", written.clone());
        shop.line("refresh shop").ok();
        assert_eq!(shop.world.state("shop"), "ready", "{written}");
    }
    let account = shop.world.status("shop")["account"]["merchant_id"].clone();
    assert!(account == 183 || account == "183", "{account}");
}

#[test] // A29
fn the_provider_s_word_takes_the_place_of_a_claim_and_is_told() {
    let shop = Shop::of("inkress");
    let mut tokens = shop.sandbox.dashboard_tokens(&["orders:read", "offline_access"]);
    tokens["merchant_id"] = json!(7);
    tokens["client_secret"] = shop.how.client.client_secret.as_ref().unwrap().expose().into();
    *shop.world.stdin.borrow_mut() = tokens.to_string().into_bytes();
    let mut import = vec!["import".to_owned(), "shop".to_owned()];
    import.extend(shop.client());
    shop.world.run(import.iter().map(String::as_str)).ok();
    shop.line("refresh shop").ok().says("warning:").says("merchant_id 183 instead of 7");
    assert_eq!(shop.world.status("shop")["account"]["merchant_id"], 183);
    // From here on it is no claim any more.
    let before = entry(&shop);
    shop.sandbox.answer_with("merchant_id", json!(999));
    let ran = shop.line("refresh shop");
    put_aside(&shop, ran, &before);
}

#[test] // A29
fn an_entry_of_before_the_fate_was_written_is_known_by_its_text() {
    let (shop, before) = swapped();
    shop.line("refresh shop").exits(4);
    let mut old = entry(&shop);
    assert_eq!(old["ended"]["fate"], "other_account");
    old["ended"].as_object_mut().unwrap().remove("fate");
    shop.world.shelf.put("shop", &old.to_string());
    let ran = shop.line("refresh shop");
    put_aside(&shop, ran, &before);
}

#[test] // A29
fn a_provider_s_own_code_of_that_name_is_a_refusal_like_any_other() {
    let shop = Shop::of("standard");
    let file = shop.world.home().providers().join("standard.toml");
    let codes = ["account_mismatch", "id_token_mismatch", "token_unbound"];
    let meanings = codes.map(|code| {
        format!("[errors.token.{code}]\nmeaning = \"it moved\"\naction = \"reconnect\"\n")
    });
    let text = std::fs::read_to_string(&file).unwrap() + &meanings.concat();
    std::fs::write(&file, text).unwrap();
    let shop = shop.and_connected();
    for code in codes {
        let body = json!({ "error": code }).to_string();
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let fault = Fault::Status { status: 400, headers, body };
        shop.sandbox.next_answers(Endpoint::Token, vec![fault]);
        // Told by the command that heard it, and by those after it.
        for _ in 0..2 {
            let ran = shop.line("refresh shop").exits(4);
            let ran = ran.says(&format!("refused the refresh token: {code}")).says("it moved");
            assert!(!ran.stderr.contains("stored and not used"), "{}", ran.stderr);
        }
        shop.line("connect shop").ok();
    }
}
