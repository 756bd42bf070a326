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

#[test]
fn a_removal_that_asks_first_offers_what_was_typed() {
    let shop = Shop::connected("inkress");
    let offers = |line: &str, offered: &str| {
        let ran = shop.line(line).exits(2).without_product();
        assert!(ran.stderr.lines().any(|it| it.trim() == offered), "{offered}: {}", ran.stderr);
    };
    offers("profile remove shop --unregister", "keyfob profile remove shop --yes --unregister");
    offers("profile remove shop", "keyfob profile remove shop --yes");
}

#[test] // ST13
fn an_import_asks_for_no_secret_that_came_another_way() {
    let shop = Shop::of("inkress");
    let secret = shop.how.client.client_secret.as_ref().unwrap().expose().to_owned();
    let tokens = shop.sandbox.dashboard_tokens(&["orders:read", "offline_access"]);
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let file = shop.world.own_file("secret", &secret).display().to_string();
    for (name, words, variables) in [
        ("file", vec!["--client-secret-file", &file], vec![]),
        ("variable", vec![], vec![("KEYFOB_CLIENT_SECRET", &secret)]),
    ] {
        let mut world = World::new();
        world.clock = shop.world.clock.clone();
        variables.iter().for_each(|(name, value)| world.set(name, value));
        world.seat(&[&text("access_token"), &text("refresh_token")]);
        let mut all = vec!["import".to_owned(), "shop".to_owned()];
        all.extend(shop.client().into_iter().chain(words.into_iter().map(str::to_owned)));
        world.run(all.iter().map(String::as_str)).ok();
        let asked = world.person.as_ref().unwrap().asked();
        assert_eq!(asked.len(), 2, "{name}: {asked:?}");
        assert_eq!(world.line("token shop").ok().stdout.trim(), text("access_token"), "{name}");
    }
    let mut world = World::new();
    world.set("KEYFOB_CLIENT_ID", &shop.how.client.client_id);
    world.seat(&["", "inka_1", ""]);
    world.line("import shop --provider inkress").ok();
    let asked = world.person.as_ref().unwrap().asked();
    assert!(!asked.iter().any(|it| it.contains("Client id")), "{asked:?}");
}

#[test] // T18
fn a_redirect_uri_is_a_document_where_one_is_wanted() {
    let world = World::new();
    let ran = world.line("connect shop --provider inkress --print-redirect --json").ok();
    assert_eq!(ran.json(), json!({"redirect_uri": "http://127.0.0.1:8976/callback/inkress"}));
    assert!(world.files().is_empty());
}

#[test] // T18, AT-20
fn a_check_that_finds_something_fails_with_a_document() {
    let shop = Shop::connected("inkress");
    assert_eq!(shop.line("status --check --json").ok().stderr, "");
    let ran = shop.line("status --check --within 31d --json").exits(4);
    assert_eq!(ran.json()["profiles"][0]["needs_attention"], true, "the product is whole");
    let failure = ran.failure();
    assert_eq!((&failure["code"], &failure["exit"]), (&json!("attention-needed"), &json!(4)));
    let message = failure["message"].as_str().unwrap();
    assert!(message.starts_with("`shop` needs a refresh before 2026-07-01"), "{message}");
    assert_eq!(failure["next"], json!(["keyfob refresh shop"]));
    shop.line("revoke shop").ok();
    let failure = shop.line("status shop --check --json").exits(4).failure();
    assert_eq!(failure["message"], "`shop` needs a person");
    assert_eq!(failure["next"], json!(["keyfob connect shop"]));
}

#[test]
fn a_status_names_the_account_that_a_setting_holds() {
    let shop = Shop::of("imprest");
    shop.connect().exits(2);
    assert_eq!(shop.world.status("shop")["account"], json!({}));
    shop.line(&format!("profile set shop organization_id={BAKERY}")).ok();
    assert_eq!(shop.world.status("shop")["account"], json!({"organization_id": BAKERY}));
    let table = shop.line("status").ok().stdout;
    assert!(table.contains(&format!("organization_id {BAKERY}")), "{table}");
    let shop = Shop::of("merchantos");
    let scope = ["--scope", "employee:inventory"];
    let settings = ["--set", "account_id=12345", "--set", "client_name=Bell/2"];
    shop.connect_with(&[&scope[..], &settings[..]].concat()).ok();
    assert_eq!(shop.world.status("shop")["account"], json!({"account_id": "12345"}));
    shop.line("revoke shop").ok();
    assert_eq!(shop.world.status("shop")["account"], json!({}), "nobody has authorised it");
}

#[test]
fn what_a_profile_asks_for_is_requested_before_and_after_it_is_connected() {
    let shop = Shop::connected("inkress");
    let requested = || shop.world.status("shop")["scopes"]["requested"].clone();
    let asked = requested();
    assert_ne!(asked, json!([]));
    shop.line("revoke shop").ok();
    assert_eq!(requested(), asked);
    assert_eq!(shop.world.status("shop")["scopes"]["granted"], Value::Null);
}

#[test] // T18
fn a_list_of_profiles_is_whole_although_one_cannot_be_read() {
    let world = World::new();
    import(&world, "import till --provider inventorum", r#"{"access_token":"a"}"#).ok();
    let broken = world.home().configuration.join("profiles/broken.toml");
    std::fs::write(&broken, "provider = \n").unwrap();
    for line in ["status", "profile list"] {
        let ran = world.line(line).exits(3).says("broken.toml:1");
        let row = ran.stdout.lines().find(|it| it.starts_with("broken")).expect(&ran.stdout);
        assert!(row.contains("cannot be read") && ran.stdout.contains("till"), "{}", ran.stdout);
        let ran = world.line(&format!("{line} --json")).exits(3);
        let profiles = ran.json()["profiles"].clone();
        assert_eq!(profiles[0]["profile"], "broken", "{line}");
        assert_eq!(profiles[0]["error"]["code"], "bad-profile-file", "{line}");
        assert_eq!(profiles[1]["profile"], "till", "{line}");
        assert_eq!(ran.failure()["code"], "bad-profile-file", "{line}");
    }
    let ran = world.line("status --json").exits(3);
    let broken = &ran.json()["profiles"][0];
    assert_eq!((&broken["state"], &broken["needs_attention"]), (&Value::Null, &json!(true)));
}

#[test]
fn a_wait_of_nothing_is_no_wait() {
    let shop = Shop::connected("inkress");
    let calls = shop.sandbox.log().len();
    for line in ["call shop GET /orders", "sync shop /orders", "connect shop --no-browser"] {
        for timeout in ["0", "0ms"] {
            let ran = shop.line(&format!("{line} --timeout {timeout}")).exits(2).without_product();
            ran.says("nothing answers in no time");
        }
    }
    assert_eq!(shop.sandbox.log().len(), calls);
    shop.line("status --check --within 0").ok();
}

#[test]
fn an_organization_that_the_vendor_does_not_list_is_not_kept_as_chosen() {
    let shop = Shop::of("imprest");
    let connect = |organization: &str| {
        let setting = format!("organization_id={organization}");
        shop.connect_with(&["--scope", "money_in", "--set", &setting])
    };
    let ran = connect("bogus").exits(2).without_product();
    ran.says("`bogus` is not among them")
        .says(&format!("profile set shop organization_id={BAKERY}"));
    assert_eq!(shop.world.state("shop"), "ready", "the connection is kept");
    let shown = shop.line("profile show shop --json").ok().json();
    assert_eq!(shown["settings"]["organization_id"], Value::Null);
    connect(BAKERY).ok();
    // Without a list there is nothing to hold it against.
    shop.sandbox.next_answers(Endpoint::Api, vec![Fault::status(500); 3]);
    connect("other").ok();
}

#[test]
fn a_recipe_is_no_line_of_a_batch_and_no_list() {
    let shop = Shop::connected("inkress");
    let ran = import(&shop.world, "call shop --batch -", "{\"id\":1,\"path\":\"@payouts\"}\n");
    assert_ne!(ran.exit, 0);
    assert!(ran.stdout.contains("`path` names a recipe"), "{}", ran.stdout);
    let ran = shop.line("sync shop @reconcile").exits(2).without_product();
    ran.says("@reconcile is a recipe").says("keyfob call shop @reconcile\n");
    assert_eq!(shop.calls(), 0);
}
