//! Every shipped vendor against its stand-in, from the first authorization to the end, with the
//! exact requests that it sees.

use keyfob::sandbox::{Endpoint, Seen};
use serde_json::{Value, json};

use crate::support::shop::vendor_imports;
use crate::support::{Shop, parameters};

/// One vendor's way through keyfob.
struct Vendor {
    name: &'static str,
    scopes: &'static str,
    settings: &'static [&'static str],
    /// A call that the scopes cover, as typed, and the path it goes to.
    call: (&'static str, &'static str),
    /// A call that the scopes do not cover, and how it ends.
    forbidden: Option<(&'static str, u8)>,
    /// How the token of a call is shown.
    authorization: &'static str,
    /// What every call carries besides.
    header: Option<(&'static str, &'static str)>,
    /// Where the token endpoint is, and how it is spoken to.
    token: (&'static str, &'static str),
    /// Whether the client proves itself in a header.
    basic: bool,
    /// What an ended access token leads to.
    renews: bool,
    /// Whether `revoke` asks the vendor.
    revokes: bool,
}

const VENDORS: [Vendor; 5] = [
    Vendor {
        name: "inkress",
        scopes: "orders:read",
        settings: &[],
        call: ("GET /orders app==me", "/api/v1/orders?app=me"),
        forbidden: Some(("POST /orders total:=1", 5)),
        authorization: "Bearer inka_",
        header: None,
        token: ("/api/v1/hooks/oauth/token", "application/json"),
        basic: false,
        renews: true,
        revokes: true,
    },
    Vendor {
        name: "inyo",
        scopes: "",
        settings: &[],
        call: ("GET /v2/payment", "/v2/payment"),
        forbidden: None,
        authorization: "Bearer ",
        header: None,
        token: ("/oauth/token", "application/json"),
        basic: false,
        renews: true,
        revokes: false,
    },
    Vendor {
        name: "merchantos",
        scopes: "employee:inventory",
        settings: &["account_id=12345", "client_name=Bell-Sync/2"],
        call: ("GET /Item", "/API/Account/12345/Item"),
        forbidden: Some(("GET /Sale", 8)),
        authorization: "OAuth ",
        header: Some(("user-agent", "Bell-Sync/2")),
        token: ("/oauth/access_token.php", "application/x-www-form-urlencoded"),
        basic: false,
        renews: false,
        revokes: false,
    },
    Vendor {
        name: "imprest",
        scopes: "money_in",
        settings: &["organization_id=0b7f3c52-9d0e-4a53-8f0e-3f1f1a2b3c4d"],
        call: ("GET /invoices", "/api/v1/invoices"),
        forbidden: Some(("GET /bills", 5)),
        authorization: "Bearer ",
        header: Some(("x-organization-id", "0b7f3c52-9d0e-4a53-8f0e-3f1f1a2b3c4d")),
        token: ("/oauth/token", "application/x-www-form-urlencoded"),
        basic: false,
        renews: true,
        revokes: false,
    },
    Vendor {
        name: "inventorum",
        scopes: "orders:read",
        settings: &[],
        call: ("GET /orders/", "/api/orders/"),
        forbidden: Some(("GET /products/", 5)),
        authorization: "Bearer ",
        header: Some(("accept", "application/json")),
        token: ("/api/auth/token/", "application/x-www-form-urlencoded"),
        basic: true,
        renews: true,
        revokes: false,
    },
];

fn established(vendor: &Vendor) -> Shop {
    let shop = Shop::of(vendor.name);
    if vendor_imports(&shop.sandbox) {
        shop.import(&[vendor.scopes]).ok();
        return shop;
    }
    let scopes = ["--scope", vendor.scopes];
    let settings = vendor.settings.iter().flat_map(|setting| ["--set", setting]);
    let words: Vec<&str> =
        scopes.into_iter().filter(|_| !vendor.scopes.is_empty()).chain(settings).collect();
    shop.connect_with(&words).ok();
    shop
}

/// A body as a JSON object, whatever its form on the wire.
fn body(seen: &Seen) -> Value {
    match seen.header("content-type") {
        Some("application/json") => serde_json::from_slice(&seen.body).unwrap(),
        _ => json!(parameters(&format!("http://x/?{}", seen.text()))),
    }
}

/// Its members in order, without those that are different in every run.
fn members(seen: &Seen) -> Vec<String> {
    let mut members: Vec<String> = body(seen).as_object().unwrap().keys().cloned().collect();
    members.sort();
    members
}

#[test]
fn every_vendor_is_connected_called_renewed_and_ended() {
    for vendor in &VENDORS {
        let shop = established(vendor);
        assert_eq!(shop.world.state("shop"), "ready", "{}", vendor.name);
        token_requests_have_the_vendor_s_form(vendor, &shop);
        calls_carry_what_the_vendor_wants(vendor, &shop);
        a_call_outside_the_scopes_ends_as_such(vendor, &shop);
        an_ended_token_is_renewed_or_told(vendor, &shop);
        the_end_is_the_vendor_s(vendor, &shop);
        assert_eq!(shop.sandbox.spent_tokens_seen(), 0, "{}", vendor.name);
    }
}

fn token_requests_have_the_vendor_s_form(vendor: &Vendor, shop: &Shop) {
    for seen in shop.seen(Endpoint::Token) {
        assert_eq!((seen.method.as_str(), seen.path_and_query.as_str()), ("POST", vendor.token.0));
        assert_eq!(seen.header("content-type"), Some(vendor.token.1), "{}", vendor.name);
        let basic = seen.header("authorization").is_some_and(|it| it.starts_with("Basic "));
        assert_eq!(basic, vendor.basic, "{}", vendor.name);
    }
}

fn calls_carry_what_the_vendor_wants(vendor: &Vendor, shop: &Shop) {
    shop.line(&format!("call shop {}", vendor.call.0)).ok();
    let seen = shop.seen(Endpoint::Api).pop().unwrap();
    assert_eq!(seen.path_and_query, vendor.call.1);
    assert!(
        seen.header("authorization").unwrap().starts_with(vendor.authorization),
        "{}",
        vendor.name
    );
    if let Some((name, value)) = vendor.header {
        assert_eq!(seen.header(name), Some(value), "{}", vendor.name);
    }
}

fn a_call_outside_the_scopes_ends_as_such(vendor: &Vendor, shop: &Shop) {
    let Some((call, exit)) = vendor.forbidden else { return };
    let (rotations, requests) = (shop.sandbox.rotations(), shop.token_requests());
    let ran = shop.line(&format!("call shop {call} --force"));
    assert_eq!(ran.exit, exit, "{}: {}", vendor.name, ran.stderr);
    let after = (shop.sandbox.rotations(), shop.token_requests());
    assert_eq!(after, (rotations, requests), "{}: nothing is spent on it", vendor.name);
}

fn an_ended_token_is_renewed_or_told(vendor: &Vendor, shop: &Shop) {
    shop.sandbox.expire_access_tokens();
    let requests = shop.token_requests();
    let ran = shop.line(&format!("call shop {}", vendor.call.0));
    match vendor.renews {
        true => assert_eq!(
            (ran.exit, shop.token_requests()),
            (0, requests + 1),
            "{}: {}",
            vendor.name,
            ran.stderr
        ),
        false => assert_eq!(
            (ran.exit, shop.token_requests()),
            (4, requests),
            "{}: {}",
            vendor.name,
            ran.stderr
        ),
    }
}

fn the_end_is_the_vendor_s(vendor: &Vendor, shop: &Shop) {
    shop.line("revoke shop").ok();
    let asked = shop.sandbox.counts(Endpoint::Revocation) > 0;
    assert_eq!(asked, vendor.revokes, "{}", vendor.name);
    assert_eq!(shop.world.state("shop"), "never-connected");
}

#[test] // TQ1, TQ2, TQ7, TQ8
fn the_first_token_request_has_exactly_the_members_that_the_documents_name() {
    let expected: [(&str, &[&str]); 4] = [
        (
            "inkress",
            &["client_id", "client_secret", "code", "code_verifier", "grant_type", "redirect_uri"],
        ),
        ("inyo", &["clientId", "secretId"]),
        ("merchantos", &["client_id", "client_secret", "code", "grant_type", "redirect_uri"]),
        (
            "imprest",
            &["client_id", "client_secret", "code", "code_verifier", "grant_type", "redirect_uri"],
        ),
    ];
    for (name, names) in expected {
        let vendor = VENDORS.iter().find(|it| it.name == name).unwrap();
        let shop = established(vendor);
        let first = shop.seen(Endpoint::Token).remove(0);
        assert_eq!(members(&first), names, "{name}");
    }
}

#[test] // RF1
fn a_refresh_request_has_exactly_the_members_that_the_documents_name() {
    let expected: [(&str, &[&str]); 4] = [
        ("inkress", &["client_id", "client_secret", "grant_type", "refresh_token"]),
        ("inyo", &["clientId", "secretId"]),
        ("imprest", &["client_id", "client_secret", "grant_type", "refresh_token"]),
        ("inventorum", &["grant_type", "refresh_token"]),
    ];
    for (name, names) in expected {
        let vendor = VENDORS.iter().find(|it| it.name == name).unwrap();
        let shop = established(vendor);
        shop.line("refresh shop").ok();
        assert_eq!(members(&shop.seen(Endpoint::Token).pop().unwrap()), names, "{name}");
    }
}

#[test]
fn the_authorization_request_has_exactly_the_parameters_that_the_documents_name() {
    let expected: [(&str, &[&str]); 3] = [
        (
            "inkress",
            &[
                "client_id",
                "code_challenge",
                "code_challenge_method",
                "redirect_uri",
                "response_type",
                "scope",
                "state",
            ],
        ),
        ("merchantos", &["client_id", "response_type", "scope", "state"]),
        (
            "imprest",
            &[
                "client_id",
                "code_challenge",
                "code_challenge_method",
                "redirect_uri",
                "response_type",
                "scope",
                "state",
            ],
        ),
    ];
    for (name, names) in expected {
        let vendor = VENDORS.iter().find(|it| it.name == name).unwrap();
        let shop = established(vendor);
        let asked = parameters(&shop.world.browser.opened()[0]);
        assert_eq!(asked.keys().collect::<Vec<_>>(), names, "{name}");
    }
}

#[test] // RR11
fn inyo_takes_a_403_for_an_ended_token_as_well() {
    let behaviour =
        keyfob::sandbox::Behaviour { ended_token_status: Some(403), ..Default::default() };
    let shop = Shop::behaving("inyo", behaviour).and_connected();
    shop.sandbox.expire_access_tokens();
    shop.line("call shop GET /v2/payment").ok();
    assert_eq!(shop.token_requests(), 2);
}

#[test] // RR11, ER1
fn inventorum_s_nested_error_is_read_and_its_words_are_quoted() {
    let shop = Shop::connected("inventorum");
    let ran = shop.line("call shop GET /products/ --force");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    let narrow = Shop::of("inventorum");
    narrow.import(&["orders:read"]).ok();
    let ran = narrow.line("call shop GET /products/").exits(5);
    ran.says("scope.wrong").says("Your scope does not allow access here.");
}

#[test]
fn a_plain_server_by_the_book_works_from_a_user_s_own_provider_file() {
    let shop = Shop::connected("standard");
    shop.line("call shop GET /items").ok();
    shop.sandbox.expire_access_tokens();
    shop.line("call shop GET /items").ok();
    shop.line("refresh shop").ok();
    let request = shop.seen(Endpoint::Token).pop().unwrap();
    assert!(request.header("authorization").unwrap().starts_with("Basic "));
    shop.line("revoke shop").ok();
    assert_eq!(shop.sandbox.grants_alive(), 0);
}
