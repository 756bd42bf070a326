//! What is typed wrongly: the nearest right form, and nothing written.

use crate::support::browser::Behaviour;
use crate::support::{World, private_file};

/// A line, its exit code, and what it is answered.
const LINES: [(&str, u8, &str); 59] = [
    // Commands and flags.
    ("conect shop", 2, "connect"),
    ("connect shop --provder inkress", 2, "--provider"),
    ("connect shop --client-secret x", 2, "no flag takes a secret"),
    ("connect shop --password=x", 2, "no flag takes a secret"),
    ("token shop --access-token x", 2, "no flag takes a secret"),
    ("refresh shop --all", 2, "cannot be used with"),
    ("status --within 7d", 2, "--check"),
    ("connect shop --timeout soon", 2, "30s, 5m, 2h or 7d"),
    ("connect shop --timeout 5y", 2, "is no unit"),
    ("connect shop --port 70000", 2, "70000"),
    ("connect shop --flow implicit", 2, "client-credentials"),
    ("connect shop --set host", 2, "KEY=VALUE"),
    ("connect shop --set =x", 2, "KEY=VALUE"),
    ("status --store vault", 2, "keychain"),
    ("status --color sometimes", 2, "always"),
    ("completions tcsh", 2, "bash"),
    ("token", 2, "name one, or set KEYFOB_PROFILE"),
    ("call", 2, "PATH"),
    ("webhook listen shop", 2, "keyfob webhook listen --help"),
    ("--json webhook listen shop", 2, "keyfob webhook listen --help"),
    ("helper git", 2, "keyfob helper git --help"),
    ("helper terraform get", 2, "keyfob helper terraform --help"),
    ("provider check", 2, "keyfob provider check --help"),
    ("profile secret shop", 2, "keyfob profile secret --help"),
    // Profile names.
    ("connect -shop --provider inkress", 2, "-s"),
    ("connect ../shop --provider inkress", 2, "is no profile name"),
    ("connect a/b --provider inkress", 2, "is no profile name"),
    ("connect .hidden --provider inkress", 2, "is no profile name"),
    ("connect Shop! --provider inkress", 2, "is no profile name"),
    ("connect con --provider inkress", 2, "is no profile name"),
    ("token ../../etc/passwd", 2, "is no profile name"),
    // Providers.
    ("connect shop", 3, "there is no provider `shop`"),
    ("connect shop --provider inkres", 3, "did you mean `--provider inkress`?"),
    ("connect shop --provider ./nothing.toml", 3, "cannot be read"),
    ("connect shop --provider http://issuer.example", 3, "cannot be used"),
    ("scopes inkress", 3, "keyfob provider show inkress"),
    ("login shop", 2, "keyfob connect --help"),
    ("logout", 2, "keyfob revoke --help"),
    ("help conect", 2, "a similar subcommand exists: 'connect'"),
    ("call shop GTE /orders", 2, "did you mean GET?"),
    ("sandbox inkres", 3, "keyfob sandbox inkress"),
    ("provider show inkres", 3, "inkress"),
    ("provider check ./nothing.toml", 3, "cannot be read"),
    // Settings.
    ("connect shop --provider inkress --client-id i --set api_hots=x", 2, "--set api_host="),
    (
        "connect shop --provider inkress --client-id i --set api_host=http://api.example",
        2,
        "plain http only for loopback",
    ),
    ("connect shop --provider inkress --client-id i --set api_host=a/b", 2, "--set api_host="),
    (
        "connect shop --provider inkress --client-id i --set api_host=user@host.example",
        2,
        "--set api_host=",
    ),
    (
        "connect shop --provider merchantos --client-id i --set account_id=12a",
        2,
        "--set account_id=12345",
    ),
    (
        "connect shop --provider merchantos --client-id i --set token_in=body",
        2,
        "--set token_in=header",
    ),
    ("connect shop --provider merchantos --client-id my-client", 2, "letters and digits"),
    ("connect shop --provider inyo --client-id i", 2, "--set host="),
    ("connect shop --provider inyo --set host=h.example", 3, "there is no client id"),
    // Scopes, redirects, flows.
    ("connect shop --provider inkress --client-id i --scope order:read", 2, "--scope orders:read"),
    (
        "connect shop --provider inkress --client-id i --scope payments:read",
        2,
        "keeps `payments:read` for itself",
    ),
    (
        "connect shop --provider inkress --client-id i --redirect-uri http://example.com/cb",
        2,
        "is no redirect URI",
    ),
    (
        "connect shop --provider inkress --client-id i --redirect-uri http://127.0.0.1/cb",
        2,
        "compares redirect URIs exactly",
    ),
    ("connect shop --provider inkress --client-id i --flow device", 3, "has no device flow"),
    ("connect shop --provider inkress --client-id i --flow password", 3, "has no password flow"),
    ("profile set nobody client_id=x", 3, "there is no profile `nobody`"),
];

#[test] // CA4
fn a_wrong_line_is_answered_with_the_right_one_and_writes_nothing() {
    let mut world = World::new();
    world.browser(Behaviour::MustStayClosed);
    for (line, exit, words) in LINES {
        let ran = world.line(line);
        assert_eq!(ran.exit, exit, "{line}\n{}", ran.stderr);
        assert_eq!(ran.stdout, "", "{line}");
        assert!(ran.stderr.contains(words), "{line}: not said: {words}\n{}", ran.stderr);
        assert!(world.files().is_empty(), "{line} wrote {:?}", world.files().keys());
    }
}

#[test] // T18
fn the_same_lines_under_json_give_one_document() {
    let mut world = World::new();
    world.browser(Behaviour::MustStayClosed);
    for (line, exit, _) in LINES {
        let ran = world.line(&format!("{line} --json"));
        assert_eq!(ran.stdout, "", "{line}");
        let error = ran.failure();
        assert_eq!(error["exit"], exit, "{line}: {error}");
        assert_eq!(ran.exit, exit, "{line}: {error}");
        for key in ["code", "message", "causes", "next"] {
            assert!(!error[key].is_null(), "{line}: {key}");
        }
    }
}

#[test] // A13
fn names_and_values_with_control_characters_never_reach_the_terminal() {
    let world = World::new();
    for words in [
        ["connect", "a\u{1b}[2J", "--provider", "inkress"],
        ["connect", "shop", "--provider", "x\u{1b}]0;title\u{7}"],
        ["connect", "shop", "--provider=inkress", "--scope=a\u{1b}[31mb"],
        ["connect", "shop", "--provider=inkress", "--set=api_host=x\u{1b}[31my"],
        ["connect", "shop", "--provider=inkress", "--flow=\u{1b}[31m"],
        ["connect", "shop", "--provider=inkress", "--client-id=i\r\nx"],
    ] {
        let ran = world.run(words);
        assert!(ran.exit == 2 || ran.exit == 3, "{words:?} {}", ran.stderr);
        let odd = |c: char| c.is_control() && c != '\n';
        assert!(!ran.stderr.contains(odd), "{:?}", ran.stderr);
        assert!(world.files().is_empty(), "{words:?}");
    }
}

#[test]
fn items_that_make_no_sense_are_not_sent() {
    let shop = crate::support::Shop::connected("inkress");
    for words in [
        ["/orders", "total:=1,5"],
        ["/orders", "bare"],
        ["/orders", "note=@/does/not/exist"],
        ["/orders", "Authorization:Bearer x"],
        ["/orders", "Host:evil.example"],
        ["/orders", "X-A:b\r\nX-C: d"],
        ["/orders", "-dx=y"],
    ] {
        let ran = shop.world.run(["call", "shop", "POST"].into_iter().chain(words).chain(["a=b"]));
        assert_eq!(ran.exit, 2, "{words:?}: {} {}", ran.stdout, ran.stderr);
        assert_eq!(shop.calls(), 0, "{words:?}");
    }
}

#[test]
fn a_broken_profile_file_names_its_line() {
    let world = World::new();
    let folder = world.home().configuration.join("profiles");
    for (text, words) in [
        ("provider = \"inkress\"\nclientid = \"x\"\n", "shop.toml:2"),
        ("provider = \n", "shop.toml:1"),
        ("", "shop.toml"),
    ] {
        private_file(&folder.join("shop.toml"), text);
        world.line("status").exits(3).without_product().says(words);
    }
    private_file(&folder.join("shop.toml"), b"provider = \"\xff\"");
    world.line("token shop").exits(3).says("not UTF-8");
}

#[test]
fn a_broken_configuration_is_told_and_an_unknown_store_is_refused() {
    let mut world = World::new();
    let folder = world.home().configuration;
    private_file(&folder.join("config.toml"), "stor = \"file\"\n");
    world.line("status").exits(3).says("config.toml cannot be read");
    std::fs::remove_file(folder.join("config.toml")).unwrap();
    world.set("KEYFOB_STORE", "keychian");
    world
        .line("connect shop --provider inkress --client-id i")
        .exits(2)
        .says("did you mean `keychain`?");
}

#[test] // ER4
fn how_a_command_is_used_is_no_cause_of_what_was_typed_wrongly() {
    let world = World::new();
    for line in ["call shop /x --paginate --curl", "call shop /x --retry -1"] {
        let ran = world.line(line).exits(2).says("keyfob call --help");
        assert!(!ran.stderr.contains("[OPTIONS]"), "{line}: {}", ran.stderr);
    }
}

#[test] // ER4
fn a_configuration_that_cannot_be_read_is_named_with_its_path_and_line() {
    let world = World::new();
    let path = world.home().configuration.join("config.toml");
    for (text, line) in [("# mine\nstor = 1\n", 2), ("store = \"cupboard\"", 1), ("\n\n= 3", 3)] {
        private_file(&path, text);
        let ran = world.line("status").exits(3);
        let ran = ran.says(&format!("{} cannot be read", path.display()));
        ran.says(&format!("cause: line {line}: "));
    }
}

#[cfg(unix)]
#[test] // ER4
fn a_home_that_is_no_folder_is_told_as_one_and_keeps_nobody_from_what_needs_none() {
    let world = World::new();
    let home = world.home().configuration;
    std::fs::write(&home, "in the way").unwrap();
    let ran = world.line("status").exits(6).says("cause: it is no folder");
    let ran = ran.says(&format!("ls -ld {}", home.display())).says("export KEYFOB_HOME=");
    assert!(!ran.stderr.contains("make room"), "{}", ran.stderr);
    assert!(world.line("completions bash").ok().stdout.contains("keyfob"));
    world.line("demo").ok();
}
