//! Recipes: listed, refused before anything is sent, run step by step, a secret kept and never shown.

use keyfob::sandbox::{Endpoint, Fault};
use serde_json::{Value, json};

use crate::support::{Ran, Shop};

const ALL: [&str; 8] = [
    "orders:read",
    "wallet:read",
    "merchant_profile:read",
    "financial_accounts:read",
    "payouts:create",
    "payouts:read",
    "webhooks:manage",
    "offline_access",
];

fn granted(scopes: &[&str]) -> Shop {
    let shop = Shop::of("inkress");
    let words: Vec<&str> = scopes.iter().flat_map(|scope| ["--scope", scope]).collect();
    shop.connect_with(&words).ok();
    shop
}

fn shop() -> Shop {
    granted(&ALL)
}

/// What the API has seen, as `METHOD path`.
fn calls(shop: &Shop) -> Vec<String> {
    let seen = shop.seen(Endpoint::Api);
    seen.iter().map(|it| format!("{} {}", it.method, it.path_and_query)).collect()
}

impl Ran {
    fn result(&self) -> Value {
        self.json()["result"].clone()
    }
}

#[test]
fn a_payout_goes_from_the_wallet_to_the_active_bank_account() {
    let shop = shop();
    let ran = shop.line("call shop @payout total:=5000.10 currency_code=JMD").ok();
    let request = ran.result();
    assert_eq!((&request["source_id"], &request["destination_id"]), (&json!(11), &json!(12)));
    assert_eq!((&request["type"], &request["status"]), (&json!(1), &json!("pending")));
    ran.says("Inkress reviews and approves every payout");
    assert_eq!(calls(&shop), ["GET /api/v1/financial_accounts", "POST /api/v1/financial_requests"]);
    let write = shop.seen(Endpoint::Api).pop().unwrap();
    assert!(write.text().contains("\"total\":5000.10,"), "digits stay: {}", write.text());
    assert!(write.header("idempotency-key").is_some());
    let all = shop.line("call shop @payouts --result --jq length").ok();
    assert_eq!(all.stdout, "2\n");
}

#[test]
fn what_is_missing_or_unknown_is_told_with_the_whole_command() {
    let shop = shop();
    let whole = "keyfob call shop @payout total:=5000 currency_code=JMD\n";
    for (line, says) in [
        ("@payout", "@payout needs total and currency_code"),
        ("@payout total=5", "@payout needs currency_code"),
        ("@payout totl=5 currency_code=JMD", "`total` is probably meant"),
        ("@payout total=much currency_code=JMD", "`total` is a number"),
        ("@payout total:=5 total:=6 currency_code=JMD", "given twice"),
        ("@payout total:=5 currency_code=JMD app==me", "neither a query nor headers"),
        ("POST @payout total:=5 currency_code=JMD", "does not go with a recipe"),
        ("@payout total:=5 currency_code=JMD -H X:y", "-H does not go with a recipe"),
        ("@payot", "did you mean @payout?"),
        ("@payout total:=5 currency_code=JMD --jq .[", "--jq"),
    ] {
        shop.line(&format!("call shop {line}")).exits(2).without_product().says(says);
    }
    shop.line("call shop @payout").exits(2).says(whole);
    assert_eq!(calls(&shop), [""; 0]);
    shop.line("call shop @payout total=5 currency_code=JMD").ok();
}

#[test]
fn all_scopes_are_asked_for_before_the_first_step() {
    let shop = granted(&["orders:read", "financial_accounts:read"]);
    let refused = shop.line("call shop @payout total:=5 currency_code=JMD").exits(5);
    refused
        .says("was not granted payouts:create")
        .says("nothing was sent")
        .says("keyfob connect shop --scope orders:read --scope financial_accounts:read --scope offline_access --scope payouts:create");
    assert_eq!(calls(&shop), [""; 0]);
    let forced = shop.line("call shop @payout total:=5 currency_code=JMD --force").exits(5);
    assert!(forced.stdout.contains("unauthorized"), "{}", forced.stdout);
}

#[test]
fn a_value_that_is_not_there_or_not_the_only_one_stops_the_recipe() {
    let shop = shop();
    let accounts = "/api/v1/financial_accounts";
    let second = json!({"id": 13, "type": "bank_account", "active": true});
    shop.sandbox.put_record(accounts, second);
    let line = "call shop @payout total:=5 currency_code=JMD";
    let several = shop.line(line).exits(3).without_product();
    several
        .says("step 1 of @payout found several values for destination_id")
        .says("it could be 12, 13")
        .says("nothing further was sent")
        .says("keyfob call shop @payout currency_code=JMD total:=5 destination_id:=12\n");
    let chosen = shop.line(&format!("{line} destination_id:=13")).ok();
    assert_eq!(chosen.result()["destination_id"], 13);
    shop.sandbox.put_record(accounts, json!({"id": 12, "type": "bank_account", "active": false}));
    shop.sandbox.put_record(accounts, json!({"id": 13, "type": "bank_account", "active": false}));
    shop.line(line).exits(3).says("found no destination_id").says("destination_id:=12");
    let before = shop.calls();
    shop.line(&format!("{line} destination_id:=13 source_id:=11")).ok();
    assert_eq!(shop.calls(), before + 1, "a step with nothing to find out is left out");
    let writes = calls(&shop).iter().filter(|call| call.starts_with("POST")).count();
    assert_eq!(writes, 2, "only the two that were whole");
}

#[test]
fn a_step_that_fails_ends_the_recipe_and_a_write_can_be_repeated() {
    let shop = shop();
    let line = "call shop @payout total:=5 currency_code=JMD --retry 0";
    shop.sandbox.next_api_answers(vec![Fault::status(500)]);
    let first = shop.line(line).exits(9).without_product();
    first.says("this was step 1 of @payout (choose the wallet and the active bank account)");
    assert_eq!(calls(&shop).len(), 1);
    shop.sandbox
        .next_api_answers(vec![Fault::Slow(std::time::Duration::ZERO), Fault::RotateThenReset]);
    let lost = shop.line(line).exits(7).without_product();
    let key = shop.seen(Endpoint::Api).pop().unwrap().header("idempotency-key").unwrap().to_owned();
    lost.says(&format!("Idempotency-Key {key}")).says(&format!("--idempotency-key {key}"));
    let again = shop.line(&format!("{line} --idempotency-key {key}")).ok();
    again.says("stored");
    assert_eq!(shop.sandbox.records("/api/v1/financial_requests").len(), 2, "carried out once");
}

#[test]
fn a_dry_run_shows_every_step_and_sends_nothing() {
    let shop = shop();
    shop.world.shelf.reads();
    let ran = shop.line("call shop @payout total:=5 currency_code=JMD --dry-run").ok();
    assert!(ran.stdout.contains("GET ") && ran.stdout.contains("/financial_accounts\n"));
    assert!(ran.stdout.contains("\"source_id\":\"{source_id}\""), "{}", ran.stdout);
    let curl = shop.line("call shop @merchant --curl").ok();
    assert!(curl.stdout.contains("/merchants/183"), "{}", curl.stdout);
    let json = shop.line("call shop @payout total:=5 currency_code=JMD --dry-run --json").ok();
    assert_eq!(json.json()["requests"].as_array().unwrap().len(), 2);
    assert_eq!((calls(&shop).len(), shop.world.shelf.reads()), (0, 0));
}

#[test]
fn the_documented_recipes_do_what_they_say() {
    let shop = shop();
    let all = shop.line("call shop @contribution").ok().result();
    assert_eq!(all.get("currency_code"), None);
    let one = shop.line("call shop @contribution currency_code=USD").ok().result();
    assert_eq!(one["currency_code"], "USD");
    assert_eq!(shop.line("call shop @balances").ok().result()["merchant_id"], 183);
    assert_eq!(shop.line("call shop @merchant").ok().result()["id"], 183);
    let changed = shop.line("call shop @reconcile since=2026-05-29T12:00:00Z").ok().result();
    assert_eq!(changed["entries"][0]["id"], 5003);
    let calls = shop.calls();
    for dry in ["", " --dry-run"] {
        let refused = shop.line(&format!("call shop @reconcile since=yesterday{dry}")).exits(2);
        let refused = refused.says("`since` takes a time").says("`yesterday` was given");
        let line = "keyfob call shop @reconcile since=2026-05-29T10:15:00Z";
        let refused = refused.says(line).without_product();
        assert!(!refused.stderr.contains("=="), "{}", refused.stderr);
    }
    assert_eq!(shop.calls(), calls, "nothing was sent");
    shop.line("call shop @reconcile since=yesterday --force").exits(8);
    let hook = "call shop @register_webhook url=https://a.example/hook event=orders.paid";
    let id = shop.line(hook).ok().result()["id"].clone();
    assert_eq!(shop.line("call shop @webhooks").ok().result()["entries"][0]["id"], id);
    shop.line(&format!("call shop @delete_webhook id={id}")).ok().without_product();
    assert_eq!(shop.line("call shop @webhooks").ok().result()["entries"], json!([]));
}

#[test]
fn a_rotated_secret_goes_into_the_store_and_nowhere_else() {
    let shop = shop();
    let line = "call shop @rotate_webhook_secret id=17";
    let kept = |shop: &Shop| -> Value {
        let entry: Value = serde_json::from_str(&shop.world.shelf.entry("shop").unwrap()).unwrap();
        entry["secrets"]["webhook_secret"].clone()
    };
    let first = shop.line(&format!("{line} -vv")).ok().without_product();
    let old = kept(&shop);
    let secret = old.as_str().expect("it is kept");
    assert!(secret.starts_with("whsec_") && !first.stderr.contains(secret), "{}", first.stderr);
    let json = shop.line(&format!("{line} --json")).ok();
    assert_eq!(json.json()["kept"], json!(["webhook_secret"]));
    let new = kept(&shop);
    assert_ne!(new, old);
    assert!(!json.stdout.contains(new.as_str().unwrap()));
    // An answer in another shape is no reason to forget the old one, and its key brings it again.
    shop.sandbox.next_api_answers(vec![Fault::Status {
        status: 200,
        headers: vec![("content-type".into(), "application/json".into())],
        body: "{\"state\":\"ok\",\"result\":{\"secret\":\"other\"}}".into(),
    }]);
    let odd = shop.line(line).exits(9).without_product();
    odd.says("holds no webhook_secret").says("--idempotency-key").says("profile secret shop");
    assert_eq!(kept(&shop), new);
}

#[test] // AT-16d
fn on_github_a_rotated_secret_is_masked_before_it_is_told_that_it_is_kept() {
    let mut shop = shop();
    shop.world.set("GITHUB_ACTIONS", "true");
    let told = shop.line("call shop @rotate_webhook_secret id=17").ok().stderr;
    let entry: Value = serde_json::from_str(&shop.world.shelf.entry("shop").unwrap()).unwrap();
    let mask = format!("::add-mask::{}\n", entry["secrets"]["webhook_secret"].as_str().unwrap());
    let at = |text: &str| told.find(text).unwrap_or_else(|| panic!("{text}: {told}"));
    assert!(at(&mask) < at("is kept in the"));
}

#[test]
fn recipes_are_listed_without_network_and_keychain() {
    let shop = granted(&["orders:read"]);
    shop.world.shelf.reads();
    let ran = shop.line("recipes shop").ok();
    let row = |name: &str| {
        let mut lines = ran.stdout.lines();
        lines.find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}")).to_owned()
    };
    assert!(row("@payout ").ends_with("no") && row("@reconcile ").ends_with("yes"));
    assert!(row("@contribution").contains("[currency_code]"));
    ran.says("run one: keyfob call shop @payout total:=5000 currency_code=JMD");
    let document = shop.line("recipes shop --json").ok().json();
    assert_eq!(document["recipes"][0]["calls"][1], "POST /financial_requests");
    assert_eq!(document["recipes"][0]["granted"], false);
    let shown = shop.line("provider show inkress").ok().stdout;
    assert!(shown.contains("@payout: ask for a payout") && shown.contains("app==me"), "{shown}");
    assert_eq!((shop.calls(), shop.world.shelf.reads()), (0, 0));
    Shop::connected("inyo").line("recipes shop").ok().without_product().says("has no recipes");
}

#[test]
fn other_vendors_recipes_run() {
    // The connection is kept where an organization is still to be chosen: exit 2.
    let imprest = Shop::of("imprest");
    imprest.connect().exits(2);
    let organizations = imprest.line("call shop @organizations").ok();
    assert_eq!(organizations.json()[0]["name"], "Example Bakery Ltd");
    let products = Shop::connected("inventorum").line("call shop @products page=2").ok();
    assert_eq!(products.json()["results"][0]["id"], 11);
    let items = Shop::connected("merchantos").line("call shop @items").ok();
    assert_eq!(items.json()["Item"][0]["itemID"], "1");
    let accounts = Shop::connected("merchantos").line("call shop @accounts").ok();
    assert_eq!(accounts.json()["Account"][0]["accountID"], "12345");
}

#[test]
fn a_provider_file_whose_expression_is_wrong_is_told_with_its_line() {
    let shop = Shop::of("standard");
    let file = shop.world.home().providers().join("standard.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let recipe = "[[recipes]]\nname = 'add'\ndoes = 'add one'\n\n[[recipes.steps]]\nmethod = 'POST'\npath = '/items'\nbody = '{name: .name | }'\n";
    std::fs::write(&file, format!("{text}\n{recipe}")).unwrap();
    let line = text.lines().count() + 1 + 8;
    let checked = shop.line(&format!("provider check {}", file.display())).exits(3);
    checked.says(&format!("standard.toml:{line}: jq does not understand"));
    let shop = shop.and_connected();
    shop.line("call shop @add").exits(3).says("an expression of @add (/items)");
    assert_eq!(shop.calls(), 0);
}
