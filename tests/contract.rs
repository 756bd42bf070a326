//! Sentences of the command line's contract that no other file here is about.

use keyfob::sandbox::{Endpoint, Fault};
use serde_json::{Value, json};

use crate::support::{Ran, Shop, World};

const BAKERY: &str = "0b7f3c52-9d0e-4a53-8f0e-3f1f1a2b3c4d";

fn import(world: &World, line: &str, document: &str) -> Ran {
    *world.stdin.borrow_mut() = document.as_bytes().to_vec();
    world.line(line)
}

/// A connected Inkress shop that may pay out.
fn with_payouts() -> Shop {
    let shop = Shop::of("inkress");
    let scopes = ["financial_accounts:read", "payouts:create", "webhooks:manage", "orders:read"];
    let words: Vec<&str> = scopes.iter().flat_map(|scope| ["--scope", scope]).collect();
    shop.connect_with(&words).ok();
    shop
}

#[test]
fn what_comes_out_of_an_answer_is_no_curl_command() {
    let shop = with_payouts();
    let line = "call shop @payout total:=5000 currency_code=JMD";
    let ran = shop.line(&format!("{line} --curl")).exits(2).without_product();
    let ran = ran.says("the answer of GET /financial_accounts gives destination_id and source_id");
    let whole = "@payout currency_code=JMD total:=5000 destination_id:=… source_id:=… --curl\n";
    ran.says("keyfob call shop GET /financial_accounts\n").says(whole);
    shop.line(&format!("{line} source_id:=11 --curl")).exits(2).says("gives destination_id\n");
    let given = shop.line(&format!("{line} source_id:=11 destination_id:=12 --curl")).ok();
    assert!(given.stdout.contains("\"source_id\":11,\"destination_id\":12"), "{}", given.stdout);
    shop.line(&format!("{line} --dry-run")).ok();
    // Nor is one what puts a secret into the store.
    let ran = shop.line("call shop @rotate_webhook_secret id=1 --curl").exits(2).without_product();
    ran.says("holds a secret");
    assert_eq!(shop.calls(), 0);
}

#[test] // RR23
fn a_curl_command_trusts_and_finds_what_the_call_does() {
    let shop = Shop::connected("inkress");
    let plain = shop.line("call shop GET /orders --curl").ok().stdout;
    assert!(plain.starts_with("keyfob header shop | curl -g -H @- http"), "{plain}");
    let trust = shop.world.own_file("trust.pem", "");
    let trust = trust.to_str().unwrap();
    let words = ["call", "shop", "/orders", "--curl", "--cacert", trust, "--store", "keychain"];
    let curl = shop.world.run(words).ok().stdout;
    let expected = format!(
        "keyfob header shop --cacert {trust} --store keychain | curl -g --cacert {trust} -H @- http"
    );
    assert!(curl.starts_with(&expected), "{curl}");
    // The configuration's file is found by `keyfob header` itself.
    std::fs::write(
        shop.world.home().configuration.join("config.toml"),
        format!("cacert = {trust:?}\n"),
    )
    .unwrap();
    let curl = shop.line("call shop GET /orders --curl").ok().stdout;
    let expected = format!("keyfob header shop | curl -g --cacert {trust} -H @- http");
    assert!(curl.starts_with(&expected), "{curl}");
}

#[test] // RR23
fn a_header_of_one_call_alone_is_no_curl_command() {
    let shop = Shop::of("imprest");
    shop.connect().exits(2);
    let line = format!("call shop GET /invoices --set organization_id={BAKERY}");
    let ran = shop.line(&format!("{line} --curl")).exits(2).without_product();
    ran.says(&format!("keyfob profile set shop organization_id={BAKERY}\n"));
    shop.line(&format!("profile set shop organization_id={BAKERY}")).ok();
    shop.line("call shop GET /invoices --curl").ok();
    let origin = shop.sandbox.origin();
    shop.line(&format!("call shop GET /invoices --set host={origin} --curl")).ok();
}
