//! `provider …` and `completions`: the catalogue, and what a shell asks.

use crate::support::{Shop, World};

const STANDARD: &str = include_str!("../src/sandbox/vendors/standard_provider.toml");

#[test]
fn the_list_has_the_five_and_the_user_s_own() {
    let shop = Shop::of("standard");
    let list = shop.line("provider list").ok().stdout;
    for name in ["imprest", "inkress", "inventorum", "inyo", "merchantos", "standard"] {
        assert!(list.lines().any(|line| line.starts_with(name)), "{name}\n{list}");
    }
    let list = shop.line("provider list --json").ok().json();
    assert_eq!(list["providers"].as_array().unwrap().len(), 6);
}

#[test]
fn show_tells_how_to_register_and_what_each_scope_opens() {
    let world = World::new();
    for (name, words) in [
        ("inkress", "Developer Apps"),
        ("inyo", "60 a minute"),
        ("merchantos", "register.php"),
        ("imprest", "Developer Portal"),
        ("inventorum", "connect.inventorum.com/apps"),
    ] {
        let shown = world.line(&format!("provider show {name}")).ok().stdout;
        assert!(shown.contains(words), "{shown}");
    }
}

#[test]
fn check_names_the_line_and_the_nearest_right_word() {
    let world = World::new();
    let good = world.own_file("good.toml", STANDARD);
    world.run(["provider", "check", good.to_str().unwrap()]).ok();
    for (was, is, words) in [
        ("[discovery]", "[discovry]", "discovery"),
        ("schema = 1", "schema = 99", "schema"),
        ("url = \"{host}/token\"", "url = \"http://token.example/token\"", "http"),
        ("auth = \"basic\"", "auth = \"basik\"", "basic"),
    ] {
        let text = STANDARD.replacen(was, is, 1);
        assert_ne!(text, STANDARD);
        let line = text.lines().position(|line| line.contains(is)).unwrap() + 1;
        let file = world.own_file("bad.toml", &text);
        let ran = world.run(["provider", "check", file.to_str().unwrap()]);
        assert_eq!(ran.exit, 3, "{is}: {}{}", ran.stdout, ran.stderr);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains(words), "{is}: {said}");
        assert!(said.contains(&format!("bad.toml:{line}")), "{is}: {said}");
    }
}

#[test]
fn a_provider_is_found_at_its_issuer() {
    let shop = Shop::of("standard");
    let secret = shop.secret_on_stdin();
    let origin = shop.sandbox.origin();
    let mut words =
        vec!["connect", "found", "--provider", &origin, "--client-id", &shop.how.client.client_id];
    words.extend(["--redirect-uri", &shop.redirect_uri, "--scope", "items:read"]);
    words.extend(secret);
    shop.world.run(words).ok();
    assert_eq!(shop.world.state("found"), "ready");
    shop.line("refresh found").ok();
    shop.line("revoke found").ok();
}

#[test]
fn every_shell_has_a_script() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = world.line(&format!("completions {shell}")).ok().stdout;
        assert!(script.contains("keyfob"), "{shell}");
    }
    assert!(world.files().is_empty());
}

#[test] // CA5
fn a_provider_file_has_no_place_for_a_secret() {
    let world = World::new();
    for (table, word) in [
        ("[client]", "secret_value"),
        ("[client]", "client_secret"),
        ("[client]", "id"),
        ("[token]", "client_secret"),
        ("[authorize]", "client_secret"),
    ] {
        let text = STANDARD.replacen(table, &format!("{table}\n{word} = \"hunter2\""), 1);
        assert_ne!(text, STANDARD, "{table}");
        let file = world.own_file("own.toml", text);
        let ran = world.run(["provider", "check", file.to_str().unwrap()]).exits(3);
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    }
    for name in keyfob::provider::catalogue::names() {
        let shown = world.line(&format!("provider show {name} --json")).ok().json();
        assert_eq!(shown["client"].get("client_secret"), None, "{name}");
    }
}
