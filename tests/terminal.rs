//! The paste lane on a real terminal, with the real binary.

use std::process::Command;
use std::time::Duration;

use expectrl::process::unix::WaitStatus;
use expectrl::session::OsSession;
use expectrl::{Expect as _, Regex, Session};
use keyfob::sandbox::walk::{Decision, walk};
use keyfob::sandbox::{Behaviour, Endpoint};
use keyfob::system::Home;

use crate::support::program::Program;

/// `connect` to a page of the user's own, on a terminal.
fn connect(program: &Program, redirect_uri: &str) -> OsSession {
    program.sandbox.register_redirect_uri(redirect_uri);
    let how = program.sandbox.how_to_connect();
    let mut words = vec!["connect", "shop", "--provider", "inkress", "--scope", "orders:read"];
    let settings: Vec<String> =
        how.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
    words.extend(settings.iter().flat_map(|it| ["--set", it.as_str()]));
    words.extend([
        "--client-id",
        &how.client.client_id,
        "--redirect-uri",
        redirect_uri,
        "--no-browser",
    ]);
    let model = program.command(words.iter().copied());
    let mut command = Command::new(model.get_program());
    command.args(model.get_args()).env_clear().env("TERM", "dumb");
    for (name, value) in model.get_envs() {
        command.env(name, value.unwrap());
    }
    command.env("KEYFOB_CLIENT_SECRET", how.client.client_secret.unwrap().expose());
    let mut session = Session::spawn(command).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(30)));
    session
}

/// Walks as the person would, and gives the address that the browser ends at.
fn address_at_the_end(session: &mut OsSession) -> String {
    let found = session.expect(Regex(r"http://[^\s]+authorize\?[^\s]+\r\n")).unwrap();
    let url = String::from_utf8(found.get(0).unwrap().to_vec()).unwrap();
    session.expect("press Enter").unwrap();
    let page = walk(url.trim(), Decision::Allow).unwrap();
    assert_eq!(page.status, None, "the browser left this machine");
    page.url
}

#[test] // AT-6a, AT-6b, AT-9, A30
fn the_address_of_a_page_of_one_s_own_is_pasted() {
    let program = Program::beside("inkress", Behaviour::default());
    let mut session = connect(&program, "https://me.example/cb");
    let address = address_at_the_end(&mut session);
    session.send_line("https://me.example/cb?code=inkc_x&state=of-an-earlier-attempt").unwrap();
    session.expect("from an earlier attempt").unwrap();
    session.send_line(&address).unwrap();
    let told = session.expect("connected `shop` to Inkress").unwrap();
    let shown = String::from_utf8_lossy(told.before()).into_owned();
    assert!(!shown.contains("code="), "a paste is not echoed: {shown}");
    assert!(matches!(session.get_process().wait(), Ok(WaitStatus::Exited(_, 0))));
}

#[test] // AT-7, RL24, A8
fn junk_at_the_prompt_is_refused_with_a_word_and_never_sent() {
    let program = Program::beside("inkress", Behaviour::default());
    let mut session = connect(&program, "https://me.example/cb");
    let address = address_at_the_end(&mut session);
    let state = crate::support::parameters(&address)["state"].clone();
    let elsewhere = format!("https://other.example/cb?code=inkc_x&state={state}");
    let without_answer = format!("https://me.example/cb?state={state}");
    for (junk, word) in [
        ("", "nothing was pasted"),
        ("   ", "nothing was pasted"),
        ("keyfob status shop", "the pasted text holds blanks"),
        (&elsewhere, "https://other.example/cb, not the redirect URI"),
        (&without_answer, "neither a code nor an error"),
        ("https://me.example/cb", "the pasted address holds no parameters"),
        ("https://me.example/cb?code=inkc_x", "carries no state"),
        ("session=1&page=2", "neither a code nor an error"),
        ("\u{1b}[200~inkc_\u{1}x\u{1b}[201~", "the pasted text holds control characters"),
    ] {
        session.send_line(junk).unwrap();
        session.expect(word).unwrap_or_else(|error| panic!("{junk:?}: {error}"));
        session.expect("Paste the address that the browser ends at").unwrap();
    }
    assert_eq!(program.sandbox.counts(Endpoint::Token), 0);
    session.send_line(&address).unwrap();
    session.expect("connected `shop` to Inkress").unwrap();
    assert_eq!(program.sandbox.counts(Endpoint::Token), 1);
}

#[test] // AT-6b, AT-7
fn a_bare_code_is_enough_where_pkce_protects_it() {
    let program = Program::beside("inkress", Behaviour::default());
    let mut session = connect(&program, "https://me.example/cb");
    let address = address_at_the_end(&mut session);
    let code = crate::support::parameters(&address)["code"].clone();
    session.send_line(format!("  {code} ")).unwrap();
    session.expect("connected `shop` to Inkress").unwrap();
}

#[test]
fn ctrl_c_ends_the_wait_with_130() {
    let program = Program::beside("inkress", Behaviour::default());
    let mut session = connect(&program, "https://me.example/cb");
    session.expect("press Enter").unwrap();
    session.send("\u{3}").unwrap();
    session.expect("interrupted").unwrap();
    assert!(matches!(session.get_process().wait(), Ok(WaitStatus::Exited(_, 130))));
    let profiles = Home::under(&program.home()).configuration.join("profiles");
    assert!(!profiles.join("shop.toml").exists());
}
