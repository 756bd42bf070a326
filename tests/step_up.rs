//! An API that wants the person to be authenticated in another way (RFC 9470).

use crate::support::World;
use crate::support::browser::Behaviour;
use crate::support::scripted::{Answer, Scripted, honest, value};

const CHALLENGE: &str = r#"Bearer error="insufficient_user_authentication", error_description="A different level is required", acr_values="urn:a urn:b;$(id)", max_age="300""#;

/// A connection to a server whose API always answers with that challenge.
fn connected(challenge: &'static str) -> (World, Scripted) {
    let server = Scripted::start(move |asked, origin| match asked.line.as_str() {
        "GET /me" => Answer::text(401, "{}").with("www-authenticate", challenge),
        _ => honest(asked, origin),
    });
    let world = World::new();
    let file = world.own_file("plain.toml", server.provider("", ""));
    *world.stdin.borrow_mut() = b"s3cret".to_vec();
    let words = ["connect", "shop", "--provider", file.to_str().unwrap(), "--client-id", "me"];
    world.run(words.into_iter().chain(["--client-secret-file", "-"])).ok();
    (world, server)
}

#[test] // RR12, A12, AR24
fn a_step_up_challenge_names_the_command_and_neither_refreshes_nor_opens_a_browser() {
    let (mut world, server) = connected(CHALLENGE);
    let before = server.heard("POST /token").len();
    world.browser(Behaviour::MustStayClosed);
    let ran = world.line("call shop GET /me").exits(4);
    assert_eq!(ran.stdout, "{}");
    let ran = ran.says("wants a stronger authorization of `shop`").says("A different level");
    let next = ran.stderr.lines().last().unwrap().trim().to_owned();
    assert_eq!(
        next,
        "keyfob connect shop --param acr_values='urn:a urn:b;$(id)' --param max_age=300"
    );
    let failure = world.line("call shop GET /me --json").exits(4).failure();
    assert_eq!(failure["code"], "step-up-needed");
    assert_eq!(failure["oauth_error"], "insufficient_user_authentication");
    assert_eq!(server.heard("GET /me").len(), 2, "each call is sent once");
    assert_eq!(server.heard("POST /token").len(), before, "no refresh token is spent");

    // A person runs it; the API that goes on asking stops the next call after one as well.
    world.browser(Behaviour::Allows);
    let words = shlex::split(&next).unwrap();
    world.run(words.iter().skip(1).map(String::as_str)).ok();
    let asked = server.heard("GET /authorize").pop().unwrap();
    assert_eq!(value(&asked.query, "acr_values"), Some("urn:a urn:b;$(id)"));
    assert_eq!(value(&asked.query, "max_age"), Some("300"));
    world.line("call shop GET /me").exits(4).says("if it was just done, ask who runs the API");
    assert_eq!(server.heard("GET /me").len(), 3);
    assert_eq!(world.state("shop"), "ready", "the connection serves other calls");
}

#[test] // RR12
fn a_challenge_without_sense_asks_for_nothing_in_particular() {
    let (world, server) =
        connected(r#"Bearer error="insufficient_user_authentication", max_age="-1""#);
    let ran = world.line("call shop GET /me").exits(4);
    assert!(ran.stderr.ends_with("       keyfob connect shop\n"), "{}", ran.stderr);
    assert_eq!(server.heard("GET /me").len(), 1);
}
