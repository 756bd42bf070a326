//! Without a network: what is known here still works, the rest says so and changes nothing.

#[cfg(target_os = "linux")]
use keyfob::sandbox::Behaviour;
use serde_json::Value;

#[cfg(target_os = "linux")]
use crate::support::tracing::skipped;
use crate::support::{Shop, World};

#[test] // AT-29
fn everything_that_is_kept_here_works_without_a_network() {
    let world = Shop::gone("inkress");
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
    let world = Shop::gone("inkress");
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

#[cfg(target_os = "linux")]
#[test] // AT-29
fn a_machine_without_a_route_keeps_what_it_has() {
    use crate::support::program::{Life, Program, text};
    use std::process::Command;
    let unshare = || {
        let mut unshare = Command::new("unshare");
        unshare.arg("-rn");
        unshare
    };
    if !unshare().arg("true").output().is_ok_and(|it| it.status.success()) {
        skipped("no network namespace can be made here");
        return;
    }
    let program = Program::beside("inkress", Behaviour::default());
    program.import_into(&program.home(), "shop", Life::Ahead);
    for (line, exit) in [
        ("status", 0),
        ("token shop", 0),
        ("call shop GET /orders", 7),
        ("refresh shop", 7),
        ("token shop", 0),
    ] {
        let model = program.command(line.split(' '));
        let mut command = unshare();
        command.arg(model.get_program()).args(model.get_args()).env_clear();
        for (name, value) in model.get_envs() {
            command.env(name, value.unwrap());
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(exit), "{line}: {}", text(&output.stderr));
        assert_eq!(output.stdout.is_empty(), exit != 0, "{line}");
    }
    assert!(program.sandbox.log().is_empty());
    assert!(program.run("refresh shop").status.success());
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
