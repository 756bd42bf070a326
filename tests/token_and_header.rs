//! `token` and `header`: the only commands whose product is a secret.

use keyfob::sandbox::Endpoint;

use crate::support::Shop;

// RR24: product.md has it that the token is the product wherever it goes, so no flag is asked for a terminal.
#[test]
fn token_is_a_token_and_a_newline() {
    let shop = Shop::connected("inkress");
    let ran = shop.line("token shop").ok();
    assert_eq!(ran.stderr, "");
    let token = ran.stdout.strip_suffix('\n').unwrap();
    assert!(token.starts_with("inka_") && !token.contains(char::is_whitespace));
    let document = shop.line("token shop --json").ok().json();
    assert_eq!(document["access_token"], token);
    assert_eq!(document["expires_at"], "2026-06-01T09:00:00Z");
}

#[test]
fn an_ended_token_is_renewed_first() {
    let shop = Shop::connected("inkress");
    let before = shop.line("token shop").ok().stdout;
    shop.world.pass(3600);
    let after = shop.line("token shop").ok().stdout;
    assert_ne!(before, after);
    assert_eq!(shop.sandbox.rotations(), 1);
}

#[test]
fn header_has_every_line_that_the_vendor_needs() {
    let starts = |vendor: &str| {
        let shop = Shop::of(vendor);
        match vendor {
            "inventorum" => drop(shop.import(&["orders:read"]).ok()),
            "merchantos" => drop(
                shop.connect_with(&["--scope", "employee:all", "--set", "account_id=12345"]).ok(),
            ),
            _ => drop(shop.connect()),
        }
        if vendor == "imprest" {
            shop.line("profile set shop organization_id=5c2d9e10-1a7b-4f6c-b3d8-7e6f5a4b3c2d").ok();
        }
        shop.line("header shop").ok().stdout
    };
    let lines = |text: String| -> Vec<String> { text.lines().map(str::to_owned).collect() };
    let inkress = lines(starts("inkress"));
    assert!(inkress[0].starts_with("Authorization: Bearer inka_"), "{inkress:?}");
    let merchantos = lines(starts("merchantos")).join("\n");
    assert!(merchantos.contains("Authorization: OAuth "), "{merchantos}");
    assert!(merchantos.contains("Accept: application/vnd.merchantos-v2+json"), "{merchantos}");
    assert!(merchantos.contains("User-Agent: keyfob/"), "{merchantos}");
    let imprest = lines(starts("imprest")).join("\n");
    assert!(imprest.contains("X-Organization-Id: 5c2d9e10"), "{imprest}");
    let inventorum = lines(starts("inventorum")).join("\n");
    assert!(inventorum.contains("Accept: application/json"), "{inventorum}");
}

#[test]
fn a_token_that_goes_in_the_query_of_calls_is_still_a_header_for_other_programs() {
    let shop = Shop::of("merchantos");
    shop.connect_with(&[
        "--scope",
        "employee:all",
        "--set",
        "token_in=query",
        "--set",
        "account_id=12345",
    ])
    .ok();
    let ran = shop.line("header shop");
    assert!(ran.ok().stdout.starts_with("Authorization: OAuth "));
    shop.line("call shop GET /Item").ok();
    let seen = shop.seen(Endpoint::Api).pop().unwrap();
    assert!(seen.path_and_query.contains("oauth_token="), "{}", seen.path_and_query);
    assert_eq!(seen.header("authorization"), None);
}
