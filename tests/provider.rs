//! `provider …` and `completions`: the catalogue, and what a shell asks.

use serde_json::json;

use crate::support::site::{Said, Site};
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
    let shop = Shop::found();
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

/// What an issuer says of itself.
fn issuer() -> Site {
    Site::saying(|origin, asked| match asked.path.as_str() {
        "/.well-known/oauth-authorization-server" => Said::json(
            200,
            &json!({
                "issuer": origin,
                "authorization_endpoint": format!("{origin}/authorize"),
                "token_endpoint": format!("{origin}/token"),
                "scopes_supported": ["orders:read"],
            }),
        ),
        _ => Said::text(404, ""),
    })
}

#[test]
fn a_provider_that_is_not_kept_yet_is_shown_by_its_url_and_not_kept_by_that() {
    let (world, site) = (World::new(), issuer());
    let origin = site.origin();
    let ran = world.run(["provider", "show", origin]).ok();
    ran.says(&format!("keyfob provider new NAME --from {origin}"));
    let shown = world.run(["provider", "show", origin]).ok().stdout;
    for words in [&format!("token: {origin}/token"), "orders:read", "code flow"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let command = shown.lines().find(|line| line.trim().starts_with("keyfob connect")).unwrap();
    assert!(command.contains(&format!("--provider {origin}")), "{command}");
    let redirect = format!("--provider {origin} --print-redirect` prints it");
    assert!(shown.contains(&redirect), "{shown}");
    let document = world.run(["provider", "show", origin, "--json"]).ok().json();
    assert_eq!(document["token"]["url"], format!("{origin}/token"));
    assert_eq!(world.files().len(), 0, "{:?}", world.files().keys());
    let nowhere = Site::saying(|_, _| Said::text(404, ""));
    let ran = world.run(["provider", "show", nowhere.origin()]).exits(3).without_product();
    ran.says("publishes no metadata");
}

#[test]
fn what_a_server_takes_beside_the_first_method_is_shown_with_its_flag() {
    let site = Site::saying(|origin, _| {
        Said::json(
            200,
            &json!({
                "issuer": origin,
                "authorization_endpoint": format!("{origin}/authorize"),
                "token_endpoint": format!("{origin}/token"),
                "token_endpoint_auth_methods_supported":
                    ["client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth"],
                "tls_client_certificate_bound_access_tokens": true,
                "mtls_endpoint_aliases": {"token_endpoint": format!("{origin}/mtls/token")},
            }),
        )
    });
    let shown = World::new().run(["provider", "show", site.origin()]).ok().stdout;
    for words in [
        "client: client id and secret by HTTP Basic",
        "--client-authentication client_secret_post",
        "(--client-key-file)",
        "(--client-certificate-file and --client-key-file)",
        "bound to the certificate of a client that shows one",
        &format!("token, with a certificate: {}/mtls/token", site.origin()),
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}

#[test]
fn a_provider_file_is_written_from_an_issuer_and_not_over_another() {
    let (world, site) = (World::new(), issuer());
    let path = world.home().providers().join("vendor.toml");
    let words = ["provider", "new", "vendor", "--from", site.origin()];
    let ran = world.run(words).ok();
    assert_eq!(ran.stdout, "");
    ran.says(&path.display().to_string()).says("keyfob connect vendor");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(&format!("{}/token", site.origin())), "{text}");
    world.run(["provider", "check", path.to_str().unwrap()]).ok();
    assert!(world.line("provider list").ok().stdout.contains("vendor"));

    std::fs::write(&path, text.replace("orders:read", "orders:mine")).unwrap();
    let asked = site.paths().len();
    world.run(words).exits(2).says("--yes");
    assert_eq!(site.paths().len(), asked, "a server was asked in vain");
    assert!(std::fs::read_to_string(&path).unwrap().contains("orders:mine"));
    let printed = world.run(words.into_iter().chain(["--print"])).ok().stdout;
    assert_eq!(printed, text);
    assert!(std::fs::read_to_string(&path).unwrap().contains("orders:mine"));
    world.run(words.into_iter().chain(["--yes"])).ok();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn what_no_provider_file_can_be_made_of_leaves_none() {
    let (world, site) = (World::new(), issuer());
    let nothing = Site::saying(|_, _| Said::text(404, ""));
    for (name, from, exit, words) in [
        ("../x", site.origin(), 2, "no name"),
        ("inkress", site.origin(), 2, "shipped"),
        ("vendor", "vendor.example", 2, "no URL"),
        ("vendor", "http://vendor.example", 3, "https"),
        ("vendor", nothing.origin(), 3, "publishes no metadata"),
    ] {
        world.run(["provider", "new", name, "--from", from]).exits(exit).says(words);
    }
    assert!(world.files().is_empty(), "{:?}", world.files().keys());
}
