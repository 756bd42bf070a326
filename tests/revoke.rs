//! `revoke`: the provider first, then here.

use keyfob::sandbox::{Endpoint, Fault};

use crate::support::Shop;

#[test] // AT-21, RV2
fn refresh_token_first_then_access_token_then_forgotten() {
    let shop = Shop::connected("inkress");
    let ran = shop.line("revoke shop").ok();
    assert!(ran.stdout.starts_with("shop: revoked at Inkress"), "{}", ran.stdout);
    let tokens: Vec<String> = shop
        .seen(Endpoint::Revocation)
        .iter()
        .map(|it| serde_json::from_slice::<serde_json::Value>(&it.body).unwrap())
        .map(|body| body["token"].as_str().unwrap()[..5].to_owned())
        .collect();
    assert_eq!(tokens, ["inkr_", "inka_"]);
    assert_eq!(shop.world.state("shop"), "never-connected");
    assert_eq!(shop.sandbox.grants_alive(), 0);
    // The profile stays, its client secret too.
    shop.line("connect shop").ok();
}

#[test] // RV2, RV4
fn a_provider_that_refuses_or_is_not_there_leaves_the_connection_as_it_is() {
    let refuses = Fault::Status {
        status: 400,
        headers: vec![("content-type".into(), "application/json".into())],
        body: r#"{"error":"unauthorized_client"}"#.into(),
    };
    // The body of a 200 says nothing (RFC 7009 section 2.2), not even as HTML.
    for (fault, exit) in
        [(refuses, 5), (Fault::status(503), 7), (Fault::Reset, 7), (Fault::Html, 0)]
    {
        let shop = Shop::connected("inkress");
        shop.sandbox.next_answers(Endpoint::Revocation, vec![fault.clone()]);
        let ran = shop.line("revoke shop");
        assert_eq!(ran.exit, exit, "{fault:?} {}", ran.stderr);
        if exit != 0 {
            assert_eq!(ran.stdout, "");
            ran.says("it is kept").says("keyfob revoke shop --local-only");
            assert_eq!(shop.world.state("shop"), "ready");
            shop.line("call shop GET /orders").ok();
        }
    }
}

#[test] // RV8
fn local_only_asks_nobody_and_says_that_the_tokens_live_on() {
    let shop = Shop::connected("inkress");
    shop.line("revoke shop --local-only").ok().says("Settings > Connected apps");
    assert_eq!(shop.sandbox.counts(Endpoint::Revocation), 0);
    assert_eq!(shop.world.state("shop"), "never-connected");
}

#[test] // RV7
fn a_vendor_without_revocation_is_forgotten_with_a_warning_that_names_the_place() {
    for (vendor, place) in [
        ("merchantos", "ask its support"),
        ("imprest", "remove the app in Imprest"),
        ("inyo", "rotate the client secret"),
        ("inventorum", "https://connect.inventorum.com/apps"),
    ] {
        let shop = Shop::of(vendor);
        match vendor {
            "inventorum" => drop(shop.import(&["orders:read"]).ok()),
            // The organization is still to be chosen, and the connection is kept.
            "imprest" => drop(shop.connect()),
            _ => drop(shop.connect().ok()),
        }
        let ran = shop.line("revoke shop").ok().says("warning:").says(place);
        assert_eq!(ran.stdout, "shop: forgotten here\n", "{vendor}");
        assert_eq!(shop.world.state("shop"), "never-connected", "{vendor}");
    }
}

#[test]
fn what_is_not_connected_cannot_be_revoked_and_all_passes_it_over() {
    let shop = Shop::connected("inkress");
    shop.line("revoke shop").ok();
    shop.line("revoke shop").exits(4);
    shop.line("revoke --all").ok().says("no profile is connected");
    shop.line("revoke nobody").exits(3);
}

#[test] // RV6
fn a_revoked_connection_is_not_revived_by_a_journal() {
    let shop = Shop::connected("inkress");
    shop.world.trouble(crate::support::shelf::Trouble::Full { after: 1 });
    shop.line("refresh shop").exits(6);
    shop.world.trouble(crate::support::shelf::Trouble::None);
    shop.line("revoke shop --local-only").ok();
    shop.line("token shop").exits(4);
    let journal = shop.world.home().journal();
    let left = shop.world.files().keys().filter(|it| it.starts_with(&journal)).count();
    assert_eq!(left, 0);
}

#[test] // RV8
fn a_slip_in_one_name_is_told_before_another_profile_is_ended() {
    let shop = Shop::connected("inkress");
    shop.line("revoke shop nope").exits(3).without_product().says("there is no profile `nope`");
    assert_eq!(shop.world.state("shop"), "ready");
    assert_eq!(shop.sandbox.counts(Endpoint::Revocation), 0);
}

/// Rewrites a URL in the provider file of `standard`.
fn moved(shop: &Shop, from: &str, to: &str) {
    let file = shop.world.home().providers().join("standard.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(&file, text.replace(from, to)).unwrap();
}

#[test] // RV9, A16
fn another_introspection_endpoint_keeps_nobody_from_revoking_and_another_of_the_rest_does() {
    let shop = Shop::connected("standard");
    let elsewhere = "https://evil.example/i";
    moved(&shop, "{host}/introspect", elsewhere);
    for line in ["token shop", "refresh shop", "introspect shop"] {
        shop.line(line).exits(3).says(elsewhere).says("nothing was sent");
    }
    for (endpoint, path) in [("{host}/revoke", "/elsewhere"), ("{host}/token", "/t")] {
        let away = format!("https://evil.example{path}");
        moved(&shop, endpoint, &away);
        shop.line("revoke shop").exits(3).says(&away).says("nothing was sent");
        moved(&shop, &away, endpoint);
    }
    assert_eq!(shop.sandbox.counts(Endpoint::Revocation), 0);
    shop.line("revoke shop").ok();
    assert_eq!(shop.seen(Endpoint::Revocation).len(), 2);
    assert_eq!(shop.sandbox.grants_alive(), 0);
    assert_eq!(shop.world.state("shop"), "never-connected");
}
