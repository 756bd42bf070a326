//! Crowds on one lock: fifty callers whose lock file somebody removes, and a refresh against a revocation.

use std::process::{Child, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keyfob::sandbox::{Behaviour, Endpoint};
use keyfob::system::Home;

use crate::support::program::{Life, Program, text};

/// Sets a flag when it goes, also where a panic takes it along.
struct Sets<'a>(&'a AtomicBool);

impl Drop for Sets<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test] // A22, RF5, ST6
fn a_lock_file_that_is_removed_again_and_again_lets_no_second_refresh_in() {
    let program = Program::expired(Behaviour::default());
    program.sandbox.latency(Duration::from_millis(150));
    let lock = Home::under(&program.home()).sealed().join("shop.lock");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let remover = scope.spawn(|| {
            let mut removed = 0_u32;
            while !done.load(Ordering::Relaxed) {
                removed += u32::from(std::fs::remove_file(&lock).is_ok());
                std::thread::sleep(Duration::from_micros(200));
            }
            removed
        });
        let over = Sets(&done);
        let outputs = at_once(&program, 50);
        drop(over);
        assert!(remover.join().unwrap() > 5, "it was removed under those who hold it");
        are_one_token(&outputs);
    });
    let sandbox = &program.sandbox;
    assert_eq!((sandbox.counts(Endpoint::Token), sandbox.spent_tokens_seen()), (1, 0));
}

/// Asks for the token in so many processes at once.
fn at_once(program: &Program, processes: usize) -> Vec<Output> {
    let children: Vec<Child> =
        (0..processes).map(|_| program.command(["token", "shop"]).spawn().unwrap()).collect();
    children.into_iter().map(|child| child.wait_with_output().unwrap()).collect()
}

#[track_caller]
fn are_one_token(outputs: &[Output]) {
    for output in outputs {
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(output.stdout, outputs[0].stdout);
    }
}

#[test] // RR18, AT-16f, RF18
fn forty_processes_share_one_token_of_a_client_that_has_no_refresh_token() {
    let program = Program::beside("inyo", Behaviour::default());
    program.import_into(&program.home(), "shop", Life::Over);
    are_one_token(&at_once(&program, 40));
    assert_eq!(program.sandbox.counts(Endpoint::Token), 1, "of the vendor's sixty a minute");
    let request = program.sandbox.log().into_iter().find(|it| it.endpoint == Endpoint::Token);
    assert!(!request.unwrap().text().contains("refresh"), "the client's own proof is all");
    assert_eq!(program.sandbox.refusals(), Vec::<String>::new());
}

// Six rounds are what an ordinary run has time for; nothing holds the four of a round to one moment,
// and so many come in one order and so many in another.
#[test] // RV6
fn a_refresh_and_a_revocation_at_once_leave_nothing_alive() {
    let program = Program::beside("inkress", Behaviour::default());
    for round in 0..6 {
        program.import_into(&program.home(), "shop", Life::Over);
        let lines = ["token shop", "revoke shop", "refresh shop", "call shop GET /orders"];
        let children: Vec<Child> =
            lines.map(|line| program.command(line.split(' ')).spawn().unwrap()).into();
        for (line, child) in lines.iter().zip(children) {
            let output = child.wait_with_output().unwrap();
            // Whoever came before the revocation was served, whoever came after is told to connect.
            let exit = output.status.code().unwrap();
            assert!(matches!(exit, 0 | 4 | 8), "{round} {line}: {exit} {}", text(&output.stderr));
            assert!(*line != "revoke shop" || exit == 0, "{round}: {}", text(&output.stderr));
        }
        let status = text(&program.run("status shop").stdout);
        assert!(status.contains("never-connected"), "{round}: {status}");
        assert_eq!(program.sandbox.grants_alive(), 0, "{round}");
        assert_eq!(program.run("token shop").status.code(), Some(4), "{round}");
    }
    assert_eq!(program.sandbox.spent_tokens_seen(), 0);
}
