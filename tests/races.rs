//! Many processes, one rolling token.

use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Output, Stdio};
use std::time::Duration;

use keyfob::clock::SystemClock;
use keyfob::sandbox::walk::{Decision, walk};
use keyfob::sandbox::{Behaviour, Endpoint};
use keyfob::store::lock::Lock;
use keyfob::system::Home;

use crate::support::program::{Life, Program, text};
use crate::support::{Shop, until};

/// Starts that many, and only then waits for the first.
fn all_at_once(program: &Program, count: usize, line: &str) -> Vec<Output> {
    let children: Vec<Child> =
        (0..count).map(|_| program.command(line.split(' ')).spawn().unwrap()).collect();
    children.into_iter().map(|child| child.wait_with_output().unwrap()).collect()
}

#[test] // T1, AT-1a, RF5, RF7, A24
fn fifty_processes_on_an_expired_connection_make_one_token_request() {
    let program = Program::expired(Behaviour::default());
    program.sandbox.latency(Duration::from_millis(150));
    let outputs = all_at_once(&program, 50, "token shop");
    for output in &outputs {
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(output.stdout, outputs[0].stdout);
    }
    assert!(text(&outputs[0].stdout).starts_with("inka_"));
    let sandbox = &program.sandbox;
    assert_eq!((sandbox.counts(Endpoint::Token), sandbox.rotations()), (1, 1));
    assert_eq!((sandbox.spent_tokens_seen(), sandbox.grants_alive()), (0, 1));
}

#[test] // AT-4b, RF5, RF13
fn processes_whose_token_was_refused_refresh_it_once() {
    let ends = Behaviour { refresh_ends_access: true, ..Behaviour::default() };
    let program = Program::beside("inkress", ends);
    program.import_into(&program.home(), "shop", Life::Ahead);
    program.sandbox.expire_access_tokens();
    for output in all_at_once(&program, 10, "call shop GET /orders") {
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    assert_eq!((program.sandbox.rotations(), program.sandbox.spent_tokens_seen()), (1, 0));
}

#[test] // AT-1b, AT-1e
fn a_held_lock_stops_no_other_home_no_other_profile_and_no_fresh_token() {
    let program = Program::expired(Behaviour::default());
    let other = program.folder.path().join("other");
    program.import_into(&other, "shop", Life::Over);
    program.import_into(&program.home(), "second", Life::Over);
    program.import_into(&program.home(), "fresh", Life::Ahead);
    let locks = Home::under(&program.home()).sealed();
    let held = |name: &str| Lock::try_take(&locks.join(name), &SystemClock).unwrap().unwrap();
    let _held = [held("shop.lock"), held("fresh.lock")];
    for (home, profile) in
        [(&other, "shop"), (&program.home(), "second"), (&program.home(), "fresh")]
    {
        let output = program.command_in(home, ["token", profile]).output().unwrap();
        assert!(output.status.success(), "{profile}: {}", text(&output.stderr));
    }
    assert_eq!(program.sandbox.rotations(), 2);
}

/// Takes a free lock; a child that another test is just starting may hold a copy for a moment.
fn own(path: &std::path::Path, clock: &dyn keyfob::clock::Clock) -> Lock {
    let taken = std::cell::RefCell::new(None);
    crate::support::until("the lock is ours", || {
        *taken.borrow_mut() = Lock::try_take(path, clock).unwrap();
        taken.borrow().is_some()
    });
    taken.into_inner().unwrap()
}

#[test] // AT-1e, RF18
fn the_wait_for_the_lock_is_bounded_and_names_the_holder() {
    let shop = Shop::connected("inkress");
    let path = shop.world.home().locks().join("shop.lock");
    let held = own(&path, &*shop.world.clock);
    let us = std::process::id();
    let ran = shop.line("refresh shop").exits(6);
    ran.says(&format!("waiting: process {us} is refreshing `shop`"))
        .says(&format!("process {us} has held it since 2026-06-01T08:00:00Z; waited 30 s"));
    assert_eq!(shop.sandbox.rotations(), 0);
    drop(held);
    shop.line("refresh shop").ok();
}

#[cfg(target_os = "linux")]
#[test] // AT-1c, RF18
fn killing_the_holder_frees_the_others() {
    let program = Program::expired(Behaviour::default());
    let lock = Home::under(&program.home()).sealed().join("shop.lock");
    let mut holder = std::process::Command::new("flock")
        .args(["--no-fork", lock.to_str().unwrap(), "sleep", "600"])
        .spawn()
        .unwrap();
    until("the lock is held", || matches!(Lock::try_take(&lock, &SystemClock), Ok(None)));
    let heard = program.folder.path().join("heard");
    let mut first = program.command(["token", "shop"]);
    let first = first.stderr(File::create(&heard).unwrap()).spawn().unwrap();
    let second = program.command(["token", "shop"]).spawn().unwrap();
    until("it says that it waits", || {
        std::fs::read_to_string(&heard).unwrap().contains("waiting:")
    });
    holder.kill().unwrap();
    holder.wait().unwrap();
    for child in [first, second] {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    assert_eq!(program.sandbox.rotations(), 1);
}

#[test] // AT-1f
fn parallel_first_connects_open_one_browser_tab() {
    const PROCESSES: usize = 12;
    let program = Program::beside("inkress", Behaviour::default());
    let folder = program.folder.path();
    let opened = folder.join("opened");
    let browser = folder.join("browser");
    std::fs::write(&browser, format!("#!/bin/sh\necho \"$1\" >> '{}'\n", opened.display()))
        .unwrap();
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).unwrap();
    let how = program.sandbox.how_to_connect();
    let mut words = vec!["connect", "shop", "--provider", "inkress", "--client-id"];
    words.extend([how.client.client_id.as_str(), "--redirect-uri", &how.client.redirect_uri]);
    let settings: Vec<String> =
        how.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
    words.extend(settings.iter().flat_map(|it| ["--set", it.as_str()]));
    let heard = |number: usize| folder.join(format!("heard-{number}"));
    let children: Vec<Child> = (0..PROCESSES)
        .map(|number| {
            program
                .command(words.iter().copied())
                .env("BROWSER", &browser)
                .env("KEYFOB_CLIENT_SECRET", how.client.client_secret.as_ref().unwrap().expose())
                .stdout(Stdio::null())
                .stderr(File::create(heard(number)).unwrap())
                .spawn()
                .unwrap()
        })
        .collect();
    until("all but one wait", || {
        let waiting = (0..PROCESSES)
            .filter(|number| std::fs::read_to_string(heard(*number)).unwrap().contains("waiting:"));
        let has_address = std::fs::read_to_string(&opened).is_ok_and(|it| it.ends_with('\n'));
        waiting.count() == PROCESSES - 1 && has_address
    });
    let address = std::fs::read_to_string(&opened).unwrap();
    let page = walk(address.trim(), Decision::Allow).unwrap();
    assert_eq!(page.status, Some(200), "{}", page.body);
    for (number, child) in children.into_iter().enumerate() {
        let output = child.wait_with_output().unwrap();
        let said = std::fs::read_to_string(heard(number)).unwrap();
        assert!(output.status.success(), "{said}");
    }
    assert_eq!(std::fs::read_to_string(&opened).unwrap().lines().count(), 1);
    assert_eq!(program.sandbox.counts(Endpoint::Token), 1);
}

#[test] // AT-1f
fn a_connect_that_asks_for_something_else_opens_a_tab_of_its_own() {
    let program = Program::beside("inkress", Behaviour::default());
    let folder = program.folder.path();
    let how = program.sandbox.how_to_connect();
    let connecting = |number: usize, scope: &str| {
        let (opened, heard) =
            (folder.join(format!("opened-{number}")), folder.join(format!("heard-{number}")));
        let browser = folder.join(format!("browser-{number}"));
        std::fs::write(&browser, format!("#!/bin/sh\necho \"$1\" > '{}'\n", opened.display()))
            .unwrap();
        std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut command =
            program.command(["connect", "shop", "--provider", "inkress", "--scope", scope]);
        command.args([
            "--client-id",
            &how.client.client_id,
            "--redirect-uri",
            &how.client.redirect_uri,
        ]);
        for (name, value) in &how.settings {
            command.args(["--set", &format!("{name}={value}")]);
        }
        let child = command
            .env("BROWSER", &browser)
            .env("KEYFOB_CLIENT_SECRET", how.client.client_secret.as_ref().unwrap().expose())
            .stdout(Stdio::null())
            .stderr(File::create(&heard).unwrap())
            .spawn()
            .unwrap();
        (child, opened, heard)
    };
    let allow = |opened: &std::path::Path| {
        let has_address = || std::fs::read_to_string(opened).is_ok_and(|it| it.ends_with('\n'));
        until("a tab is opened", has_address);
        let address = std::fs::read_to_string(opened).unwrap();
        assert_eq!(walk(address.trim(), Decision::Allow).unwrap().status, Some(200));
        address
    };
    let (first, first_opened, _) = connecting(1, "orders:read");
    until("the first has its turn", || first_opened.exists());
    let (second, second_opened, second_heard) = connecting(2, "customers:read");
    until("the second waits", || {
        std::fs::read_to_string(&second_heard).unwrap().contains("waiting:")
    });
    allow(&first_opened);
    assert!(first.wait_with_output().unwrap().status.success());
    assert!(allow(&second_opened).contains("customers%3Aread"));
    let said = || std::fs::read_to_string(&second_heard).unwrap();
    assert!(second.wait_with_output().unwrap().status.success(), "{}", said());
    assert!(said().contains("granted customers:read"), "{}", said());
}
