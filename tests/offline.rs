//! Without a network: what is known here still works, the rest says so and changes nothing.

use serde_json::Value;

use crate::support::{Shop, World};

/// A connected world whose vendor has gone.
fn cut_off(vendor: &str) -> World {
    let Shop { world, sandbox, .. } = Shop::connected(vendor);
    drop(sandbox);
    world
}

#[test] // AT-29
fn everything_that_is_kept_here_works_without_a_network() {
    let world = cut_off("inkress");
    for line in [
        "status",
        "status shop --json",
        "status --check",
        "token shop",
        "header shop",
        "scopes shop",
        "profile list",
        "profile show shop",
        "provider list",
        "provider show inkress",
        "completions bash",
        "--help",
        "--version",
        "call shop GET /orders --dry-run",
        "call shop GET /orders --curl",
        "refresh shop --within 5m",
        "revoke shop --local-only",
    ] {
        let ran = world.line(line);
        assert_eq!(ran.exit, 0, "{line}: {}", ran.stderr);
    }
}

#[test] // AT-29, T3, RF10
fn what_needs_the_network_exits_7_and_changes_nothing() {
    let world = cut_off("inkress");
    let before: Value = serde_json::from_str(&world.shelf.entry("shop").unwrap()).unwrap();
    for line in
        ["call shop GET /orders", "call shop POST /orders a=b", "refresh shop", "revoke shop"]
    {
        let ran = world.line(line);
        assert_eq!((ran.exit, ran.stdout.as_str()), (7, ""), "{line}: {}", ran.stderr);
    }
    let after: Value = serde_json::from_str(&world.shelf.entry("shop").unwrap()).unwrap();
    assert_eq!(after, before);
    assert_eq!(world.state("shop"), "ready");
    world.pass(7200);
    world.line("token shop").exits(7).says("nothing was spent");
}

#[test] // AT-29
fn a_host_without_a_name_is_told_as_such() {
    let world = World::new();
    *world.stdin.borrow_mut() = br#"{"access_token":"a"}"#.to_vec();
    world.line("import shop --provider inkress --set api_host=nowhere.invalid").exits(0);
    let ran = world.line("call shop GET /orders --retry 0 --json").exits(7);
    let error = ran.failure();
    assert_eq!(error["code"], "network", "{error}");
}

#[test]
fn a_connect_that_cannot_exchange_writes_nothing() {
    let world = World::new();
    let port = crate::support::free_port();
    let host = format!("host=http://127.0.0.1:{port}");
    let secret = world.own_file("secret", "a secret of the client");
    let ran = world.run([
        "connect",
        "gate",
        "--provider",
        "inyo",
        "--client-id",
        "c",
        "--set",
        &host,
        "--client-secret-file",
        secret.to_str().unwrap(),
    ]);
    ran.exits(7).without_product();
    assert_eq!(world.shelf.entry("gate"), None);
    assert!(world.files().keys().all(|path| !path.ends_with("gate.toml")));
}
