//! Commands to paste, as they are typed.

use clap::Parser as _;

use super::*;
use crate::cli::args::{Cli, Command};
use crate::profile::{Profile, Registered};
use crate::provider::catalogue::shipped;
use crate::provider::schema::ClientAuthentication;

fn given(line: &str) -> Given {
    let words = shlex::split(line).unwrap();
    let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
    match &cli.command {
        Command::Connect(args) => Given::of_connect(&cli.global, args),
        Command::Import(args) => Given::of_client(&cli.global, &args.client),
        _ => panic!("{line}"),
    }
}

#[test]
fn every_flag_of_connect_that_matters_again_is_repeated_as_it_was_typed() {
    let line = "keyfob connect shop --provider inkress --client-id=-x --client-secret-file s \
                --client-key-file k --client-certificate-file c --set host='a b' --store file \
                --cacert ca --yes --scope a --scope b \
                --redirect-uri http://127.0.0.1:1/x --resource https://a.test \
                --authorization-details d --flow code --dpop=false --userinfo --param a=b \
                --no-browser --username me --password-file p --assertion-file j \
                --subject-token-file t --subject-token-type urn:a --actor-token-file u \
                --actor-token-type urn:b --requested-token-type urn:c";
    let expected: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(given(line).command("connect", "shop", &[]), expected.join(" "));
    for line in [
        "keyfob connect shop --provider https://api.test --authorization-server https://as.test",
        "keyfob connect shop --register --initial-access-token-file f --port 8080 --dpop",
        "keyfob connect shop --print-client-document --userinfo=false",
        "keyfob connect shop --print-redirect",
    ] {
        assert_eq!(given(line).command("connect", "shop", &[]), line);
    }
}

#[test]
fn what_advice_adds_takes_the_place_of_what_says_the_same_or_the_contrary() {
    let cases: [(&str, Plus<'_>, &str); 11] = [
        ("--scope a --scope b", &[("--scope", "c"), ("--scope", "d")], "--scope c --scope d"),
        ("--set a=1 --set b=2", &[("--set", "a=…")], "--set b=2 --set a=…"),
        ("--redirect-uri http://127.0.0.1:1/", &[("--port", "80")], "--port 80"),
        (
            "--register --initial-access-token-file f --dpop",
            &[("--client-id", "…")],
            "--dpop --client-id …",
        ),
        ("--client-id x", &[("--register", "")], "--register"),
        (
            "--client-id x --client-authentication none",
            &[("--client-secret-file", "…")],
            "--client-id x --client-secret-file …",
        ),
        (
            "--client-authentication client_secret_post",
            &[("--client-secret-file", "…")],
            "--client-authentication client_secret_post --client-secret-file …",
        ),
        (
            "--client-certificate-file c --client-key-file k",
            &[("--client-authentication", "none")],
            "--client-authentication none",
        ),
        ("--dpop", &[("--dpop", "=false")], "--dpop=false"),
        (
            "--flow code --port 80 --no-browser --param a=b",
            &[("--flow", "device")],
            "--param a=b --no-browser --flow device",
        ),
        ("--timeout 1s --yes", &[("--timeout", "15m"), ("--yes", "")], "--timeout 15m --yes"),
    ];
    for (typed, plus, expected) in cases {
        let command = given(&format!("keyfob connect shop {typed}"));
        let command = command.command("connect", "shop", plus);
        assert_eq!(command, format!("keyfob connect shop {expected}"));
        // It is one that can be typed.
        given(&command);
    }
}

#[test]
fn import_is_given_what_it_takes_and_a_file_what_it_does_not_say() {
    let given = given("keyfob connect shop --provider x --scope a --port 8 --timeout 9s --yes");
    assert_eq!(given.command("import", "shop", &[]), "keyfob import shop --provider x --yes");
    let once = given.for_once().command("connect", "shop", &[]);
    assert_eq!(once, "keyfob connect shop --yes");
}

#[test] // CA4
fn what_came_on_standard_input_is_asked_for_or_comes_there_again() {
    let asked = given("keyfob connect shop --client-secret-file - --scope a");
    assert_eq!(asked.command("connect", "shop", &[]), "keyfob connect shop --scope a");
    let again = given("keyfob connect shop --assertion-file - --scope a");
    let command = again.command("connect", "shop", &[]);
    assert_eq!(command, "keyfob connect shop --scope a --assertion-file - < FILE");
    let other = again.command("connect", "shop", &[("--assertion-file", "…")]);
    assert_eq!(other, "keyfob connect shop --scope a --assertion-file …");
}

#[test]
fn a_profile_that_is_gone_is_made_again_with_all_that_it_said() {
    let provider = shipped("inkress").unwrap().unwrap();
    let profile = Profile {
        provider: "inkress".into(),
        flow: Some(Flow::AuthorizationCode),
        dpop: true,
        userinfo: true,
        params: [("a".to_owned(), "it's".to_owned())].into(),
        authorization_details: Some(r#"[{"type":"x"}]"#.into()),
        ..Profile::default()
    };
    let command = Given::of(&profile, &provider).command("connect", "shop", &[]);
    assert_eq!(
        command,
        "printf %s '[{\"type\":\"x\"}]' | keyfob connect shop --provider inkress --authorization-details - --flow code --dpop --userinfo --param a=\"it's\""
    );
    let import = Given::of(&profile, &provider).command("import", "shop", &[]);
    assert_eq!(import, "keyfob import shop --provider inkress");
    let registered = Registered {
        endpoint: "https://as.test/register".into(),
        at: jiff::Timestamp::UNIX_EPOCH,
        authentication: ClientAuthentication::Basic,
        secret_expires_at: None,
    };
    let own = Profile {
        provider: "x".into(),
        client_id: Some("given".into()),
        registered: Some(registered),
        ..Profile::default()
    };
    let command = Given::of(&own, &provider).command("connect", "shop", &[]);
    assert_eq!(command, "keyfob connect shop --provider x --register");
    let exchange = Profile { flow: Some(Flow::TokenExchange), ..Profile::default() };
    let command = Given::of(&exchange, &provider).command("connect", "shop", &[]);
    assert!(command.ends_with("--subject-token-file … --subject-token-type …"), "{command}");
}
