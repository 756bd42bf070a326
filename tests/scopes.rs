//! `scopes`: what each opens, what was asked for, what was granted.

use crate::support::Shop;

#[test] // AT-19
fn granted_and_asked_for_are_told_apart() {
    let shop = Shop::of("inkress");
    shop.sandbox.grant_at_most(&["orders:read", "offline_access"]);
    shop.connect_with(&["--scope", "orders:read,orders:write"]).ok();
    let table = shop.line("scopes shop").ok().stdout;
    let line = |name: &str| {
        let line = table.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("{table}")).to_owned()
    };
    assert!(line("orders:read").contains("yes") && line("orders:read").contains("GET /orders"));
    assert!(line("orders:write").contains("no, asked for"));
    assert!(line("payments:read").contains("reserved"));
    let document = shop.line("scopes shop --json").ok().json();
    let write = &document["scopes"][1];
    assert_eq!((&write["granted"], &write["requested"]), (&false.into(), &true.into()));
}

#[test]
fn a_vendor_that_does_not_say_what_it_granted_leaves_it_unknown() {
    let shop = Shop::connected("inyo");
    shop.line("scopes shop").ok();
    assert_eq!(shop.world.status("shop")["scopes"]["granted"], serde_json::Value::Null);
}

#[test]
fn before_a_connect_nothing_is_granted() {
    let shop = Shop::connected("inkress");
    shop.line("revoke shop").ok();
    shop.line("scopes shop").ok().says("is not connected");
    let document = shop.line("scopes shop --json").ok().json();
    assert!(document["scopes"].as_array().unwrap().iter().all(|it| it["granted"] == false));
}
