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
