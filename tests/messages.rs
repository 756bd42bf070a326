//! Every failure once, as a person reads it: what happened, why, what to do next, and the exit code.
//!
//! Each subject has its failures and their texts in a file of its own.

mod calling;
mod connecting;
mod ending;
#[cfg(feature = "jq")]
mod expressions;
mod profiles;
mod refreshing;
mod shaping;

use std::collections::BTreeSet;

use keyfob::sandbox::Fault;

use crate::support::{Ran, Shop, World};

/// A failure and the texts that are different in every run.
struct Failure {
    name: &'static str,
    ran: Ran,
    different: Vec<(String, &'static str)>,
}

impl Failure {
    /// The exit code and the lines from `error:` on.
    fn shown(&self) -> String {
        let mut text = self.ran.stderr.clone();
        for (what, name) in &self.different {
            text = text.replace(what, name);
        }
        let at = text.find("error:").unwrap_or_else(|| panic!("{}: {text}", self.name));
        format!("## {}\n{}\n{}", self.name, self.ran.exit, &text[at..])
    }
}

fn in_world(name: &'static str, world: &World, ran: Ran) -> Failure {
    let folder = world.folder.path().display().to_string();
    Failure { name, ran, different: vec![(folder, "FOLDER")] }
}

fn in_shop(name: &'static str, shop: &Shop, ran: Ran) -> Failure {
    let mut failure = in_world(name, &shop.world, ran);
    let port = |url: &str| url::Url::parse(url).unwrap().port().unwrap().to_string();
    failure.different.push((port(&shop.redirect_uri), "PORT"));
    failure.different.push((port(&shop.sandbox.origin()), "VENDOR"));
    failure
}

/// A connected shop in which something is prepared, and a line.
fn after(name: &'static str, line: &str, prepare: impl FnOnce(&Shop)) -> Failure {
    let shop = Shop::connected("inkress");
    prepare(&shop);
    let ran = shop.line(line);
    in_shop(name, &shop, ran)
}

/// The same with answers of the token endpoint.
fn token_answers(name: &'static str, line: &str, answers: Vec<Fault>) -> Failure {
    after(name, line, |shop| shop.sandbox.next_token_answers(answers))
}

/// The same with answers of the API.
fn api_answers(name: &'static str, line: &str, answers: Vec<Fault>) -> Failure {
    after(name, line, |shop| shop.sandbox.next_api_answers(answers))
}

fn connecting(name: &'static str, words: &[&str], prepare: impl FnOnce(&mut Shop)) -> Failure {
    let mut shop = Shop::of("inkress");
    prepare(&mut shop);
    let ran = shop.connect_with(words);
    in_shop(name, &shop, ran)
}

fn json(status: u16, body: &str) -> Fault {
    let headers = vec![("content-type".into(), "application/json".into())];
    Fault::Status { status, headers, body: body.into() }
}

#[cfg(feature = "jq")]
#[test]
fn every_failure_of_an_expression_says_what_happened_and_why() {
    as_expected(expressions::failures(), expressions::EXPECTED);
}

/// A subject's failures, and how each of them is to be told.
type Subject = (Vec<Failure>, &'static str);

fn all() -> [Subject; 6] {
    [
        (profiles::failures(), profiles::EXPECTED),
        (connecting::failures(), connecting::EXPECTED),
        (refreshing::failures(), refreshing::EXPECTED),
        (calling::failures(), calling::EXPECTED),
        (shaping::failures(), shaping::EXPECTED),
        (ending::failures(), ending::EXPECTED),
    ]
}

#[test] // ER4
fn every_failure_says_what_happened_why_and_what_to_do() {
    for (failures, expected) in all() {
        as_expected(failures, expected);
    }
}

#[track_caller]
fn as_expected(failures: Vec<Failure>, expected: &'static str) {
    let mut expected: Vec<&str> = expected.trim().split("\n\n").map(str::trim).collect();
    for failure in failures {
        let shown = failure.shown();
        let shown = shown.trim();
        let at = expected.iter().position(|it| it.lines().next() == shown.lines().next());
        let known = at.map(|at| expected.remove(at)).unwrap_or_default();
        assert_eq!(shown, known, "\n--- is ---\n{shown}\n--- was to be ---\n{known}");
    }
    assert_eq!(expected, Vec::<&str>::new(), "nothing fails like this");
}

#[test] // ER4
fn every_exit_code_of_the_table_is_met() {
    let failures = all().into_iter().flat_map(|(failures, _)| failures);
    let codes: BTreeSet<u8> = failures.map(|failure| failure.ran.exit).collect();
    assert_eq!(codes, BTreeSet::from([2, 3, 4, 5, 6, 7, 8, 9]));
}
