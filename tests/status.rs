//! `status`: what is known without network, keychain or refresh.

use crate::support::shelf::Trouble;
use crate::support::{Shop, World, private_file};

#[test]
fn the_table_shows_every_profile_and_the_states_follow_the_clock() {
    let shop = Shop::connected("inkress");
    let ran = shop.line("status").ok();
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with("PROFILE"), "{}", lines[0]);
    assert!(
        lines[1].contains("merchant_id 183") && lines[1].contains("60 min left"),
        "{}",
        lines[1]
    );
    shop.world.pass(3700);
    // The access token alone has ended: the next command renews it.
    assert_eq!(shop.world.status("shop")["needs_attention"], false);
    shop.world.pass(31 * 86_400);
    assert_eq!(shop.world.status("shop")["needs_attention"], true);
    assert_eq!(shop.world.state("shop"), "expired");
}

#[test] // AT-2f
fn nothing_but_files_is_touched() {
    let shop = Shop::connected("inkress");
    let requests = shop.sandbox.log().len();
    shop.world.trouble(Trouble::Locked);
    shop.world.pass(7200);
    for line in [
        "status",
        "status shop --json",
        "status --check",
        "scopes shop",
        "profile list",
        "profile show shop",
    ] {
        shop.line(line).ok();
    }
    assert_eq!(shop.sandbox.log().len(), requests);
}

#[test] // AT-20
fn check_exits_4_when_one_needs_a_person_or_soon_will() {
    let shop = Shop::connected("inkress");
    shop.line("status --check").ok();
    shop.line("status --check --within 29d").ok();
    let ran = shop.line("status --check --within 31d").exits(4);
    assert!(ran.stdout.contains("shop"));
    shop.sandbox.revoke_all();
    shop.line("refresh shop").exits(4);
    shop.line("status --check").exits(4);
    shop.line("status shop").ok();
}

#[test]
fn a_profile_that_cannot_be_read_stops_no_other() {
    let shop = Shop::connected("inkress");
    let folder = shop.world.home().configuration.join("profiles");
    private_file(&folder.join("broken.toml"), "provider = \n");
    let ran = shop.line("status").exits(3).says("broken.toml:1").says("rm ");
    assert!(ran.stdout.contains("shop"), "{}", ran.stdout);
    shop.line("status shop").ok();
    shop.line("status --check").exits(4);
    let ran = shop.line("status --json").exits(3);
    // The product is whole: one that cannot be read is there by its name.
    assert_eq!(ran.json()["profiles"].as_array().unwrap().len(), 2);
    assert_eq!(ran.failure()["code"], "bad-profile-file");
    shop.line("refresh --all").ok();
    // A damaged record says nothing, and is written anew.
    let record = folder.join("shop.record.json");
    private_file(&record, "{");
    assert_eq!(shop.world.state("shop"), "never-connected");
    let ran = shop.line("refresh --all").ok();
    assert!(ran.stdout.starts_with("shop: refreshed"), "{}", ran.stdout);
    assert_eq!(shop.world.state("shop"), "ready");
    private_file(&record, "{");
    shop.line("revoke --all").ok();
    assert_eq!(shop.sandbox.grants_alive(), 0);
}

#[test]
fn an_empty_home_has_an_empty_list() {
    let world = World::new();
    world.line("status").ok().without_product().says("no profiles yet");
    assert_eq!(world.line("status --json").ok().json()["profiles"].as_array().unwrap().len(), 0);
    assert!(world.files().is_empty());
}

#[test]
fn a_token_that_cannot_be_renewed_needs_attention_when_it_ends() {
    let shop = Shop::of("standard");
    *shop.world.stdin.borrow_mut() = br#"{"access_token":"a","expires_in":600}"#.to_vec();
    let mut words = vec!["import".to_owned(), "shop".to_owned()];
    words.extend(shop.client());
    shop.world.run(words.iter().map(String::as_str)).ok();
    assert_eq!(shop.world.state("shop"), "ready");
    shop.world.pass(601);
    assert_eq!(shop.world.state("shop"), "expired");
    assert_eq!(shop.world.status("shop")["needs_attention"], true);
    shop.line("token shop").exits(4).says("cannot be renewed");
}

#[test] // AT-10d
fn a_fresh_token_costs_one_read_of_the_keychain_and_what_shows_files_none() {
    let shop = Shop::connected("inkress");
    shop.world.shelf.reads();
    for (line, reads) in [
        ("token shop", 1),
        ("header shop", 1),
        ("call shop GET /orders", 1),
        ("refresh shop --within 5m", 1),
        ("status", 0),
        ("scopes shop", 0),
        ("profile list", 0),
        ("profile show shop", 0),
        ("provider list", 0),
        ("call shop GET /orders --dry-run", 0),
        ("--help", 0),
        ("completions zsh", 0),
    ] {
        shop.line(line).ok();
        assert_eq!(shop.world.shelf.reads(), reads, "{line}");
    }
}

#[test]
fn a_check_of_one_profile_that_was_never_connected_needs_a_person() {
    let shop = Shop::connected("inkress");
    shop.line("revoke shop").ok();
    shop.line("status --check").ok();
    shop.line("status shop").ok();
    shop.line("status shop --check").exits(4).says("`shop` needs a person: `keyfob connect shop`");
}

#[test] // AT-20
fn a_check_tells_why_and_asks_for_no_person_where_a_refresh_will_do() {
    let shop = Shop::connected("inkress");
    let ran = shop.line("status --check --within 60d").exits(4);
    ran.says(
        "`shop` needs a refresh before 2026-07-01, when its refresh token ends: `keyfob refresh shop`",
    );
    shop.world.pass(3 * 86_400);
    shop.line("refresh shop").ok();
    shop.line("status --check --within 29d").ok();
    shop.world.pass(31 * 86_400);
    let ran = shop.line("status --check").exits(4);
    ran.says("`shop` needs a person, for its access token has ended and cannot be renewed: `keyfob connect shop`");
}

#[test] // AT-20
fn a_check_asks_for_a_person_where_a_refresh_may_not_prolong_or_nothing_renews() {
    let world = World::new();
    let line = "import till --provider imprest --set host=h.example --set organization_id=1";
    let import = |document: &str| {
        *world.stdin.borrow_mut() = document.as_bytes().to_vec();
        world.line(line).ok();
    };
    import(r#"{"access_token":"a","expires_in":864000}"#);
    world
        .line("status --check --within 30d")
        .exits(4)
        .says("`till` needs a person before 2026-06-11, when its access token ends: `keyfob connect till`");
    import(r#"{"access_token":"b","refresh_token":"r","refresh_token_expires_in":864000}"#);
    world
        .line("status --check --within 30d")
        .exits(4)
        .says("`till` needs a person before 2026-06-11, when its refresh token ends: `keyfob connect till`");
}

#[test] // AT-20
fn a_check_tells_that_the_provider_ended_it() {
    let shop = Shop::connected("inkress");
    shop.sandbox.revoke_all();
    shop.line("refresh shop").exits(4);
    let ran = shop.line("status --check").exits(4);
    ran.says("`shop` needs a person, for its authorization has ended: `keyfob connect shop`");
}
