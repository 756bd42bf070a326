//! `profile …`: what the user said, shown and changed.

use keyfob::sandbox::Endpoint;

use crate::support::shelf::Trouble;
use crate::support::{Shop, World};

#[test]
fn a_profile_is_set_shown_renamed_and_removed() {
    let shop = Shop::connected("inkress");
    shop.line("profile set shop scopes=orders:read,offline_access").ok();
    let shown = shop.line("profile show shop --json").ok().json();
    assert_eq!(shown["scopes"], serde_json::json!(["orders:read", "offline_access"]));
    shop.line("profile rename shop store").ok();
    shop.line("profile show shop").exits(3);
    shop.line("call store GET /orders").ok();
    shop.line("refresh store").ok();
    assert_eq!(shop.world.shelf.entry("shop"), None);
    shop.line("profile remove store").exits(2).says("keyfob revoke store");
    shop.line("profile remove store --yes").ok();
    assert_eq!(shop.world.shelf.entry("store"), None);
    assert!(!shop.line("status").ok().stdout.contains("store"));
}

#[test] // AT-2g
fn a_name_that_is_taken_is_not_written_over() {
    let shop = Shop::connected("inkress");
    *shop.world.stdin.borrow_mut() = br#"{"access_token":"a"}"#.to_vec();
    shop.line("import other --provider imprest --set host=h.example --set organization_id=1").ok();
    let before = shop.world.shelf.entry("other");
    let ran = shop.line("profile rename shop other");
    assert_ne!(ran.exit, 0);
    assert_eq!(shop.world.shelf.entry("other"), before);
    shop.line("call shop GET /orders").ok();
}

#[test] // T17
fn a_secret_is_kept_in_the_store_and_never_in_the_profile() {
    let shop = Shop::of("inkress");
    let secret = shop.how.client.client_secret.as_ref().unwrap().expose().to_owned();
    let mut words = vec!["connect", "shop", "--no-browser", "--timeout", "20ms"]
        .into_iter()
        .map(str::to_owned)
        .collect::<Vec<_>>();
    words.extend(shop.client());
    shop.world.run(words.iter().map(String::as_str)).exits(3).says("there is no client secret");

    let shop = Shop::connected("inkress");
    *shop.world.stdin.borrow_mut() = b"whsec_typed\n".to_vec();
    shop.line("profile secret shop webhook_secret").ok();
    assert!(shop.world.shelf.entry("shop").unwrap().contains("whsec_typed"));
    for (path, text) in shop.world.files() {
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(!text.contains("whsec_typed") && !text.contains(&secret), "{}", path.display());
    }
    // What was typed on the command line is known to everybody, and said so.
    shop.line("profile set shop client_secret=x")
        .exits(2)
        .says("keyfob profile secret shop client_secret");
    shop.line("call shop GET /orders").ok();
}

#[test]
fn a_store_that_refuses_loses_no_secret_and_no_connection() {
    let shop = Shop::connected("inkress");
    let before = shop.world.shelf.entry("shop");
    shop.world.trouble(Trouble::Full { after: 0 });
    *shop.world.stdin.borrow_mut() = b"whsec_typed".to_vec();
    shop.line("profile secret shop webhook_secret").exits(6);
    shop.line("profile rename shop store").exits(6);
    shop.world.trouble(Trouble::None);
    assert_eq!(shop.world.shelf.entry("shop"), before);
    shop.line("call shop GET /orders").ok();
}

#[test]
fn a_secret_that_is_pasted_into_the_wrong_place_is_refused() {
    let shop = Shop::connected("inkress");
    let before = shop.world.shelf.entry("shop");
    *shop.world.stdin.borrow_mut() = b"inkr_a_refresh_token".to_vec();
    shop.line("profile secret shop client_secret").exits(2).says("begins like a refresh_token");
    assert_eq!(shop.world.shelf.entry("shop"), before);
}

#[test]
fn an_empty_value_unsets_and_a_changed_host_is_warned_about() {
    let shop = Shop::connected("inkress");
    shop.line("profile set shop api_host=api.example.com").ok().says("belong to api_host");
    shop.line("call shop GET /orders").exits(3);
    let origin = shop.sandbox.origin();
    shop.world.run(["profile", "set", "shop", &format!("api_host={origin}")]).ok();
    shop.line("call shop GET /orders").ok();
    shop.line("profile set shop auth_host=").ok();
    let shown = shop.line("profile show shop --json").ok().json();
    assert_eq!(shown["settings"]["auth_host"], serde_json::Value::Null);
}

#[test] // AT-2g
fn two_profiles_of_one_vendor_do_not_touch_each_other() {
    let shop = Shop::connected("inkress");
    *shop.world.stdin.borrow_mut() =
        shop.sandbox.dashboard_tokens(&["orders:read"]).to_string().into_bytes();
    let mut words = vec!["import".to_owned(), "second".into()];
    words.extend(shop.client());
    shop.world.run(words.iter().map(String::as_str)).ok();
    let second = shop.world.shelf.entry("second");
    shop.line("refresh shop").ok();
    shop.line("revoke shop").ok();
    assert_eq!(shop.world.shelf.entry("second"), second);
    shop.line("call second GET /orders").ok();
}

#[test]
fn an_empty_home_has_no_profiles() {
    let world = World::new();
    world.line("profile list").ok().without_product();
    assert_eq!(world.line("profile list --json").ok().json()["profiles"], serde_json::json!([]));
    world.line("profile show shop").exits(3);
}

#[test] // TQ14
fn a_host_that_became_plain_http_in_the_profile_is_sent_nothing() {
    let shop = Shop::connected("inkress");
    let path = shop.world.home().configuration.join("profiles/shop.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    // Whoever dials that address comes to this very machine, so that the vendor would hear of it.
    std::fs::write(&path, text.replace("http://127.0.0.1:", "http://0.0.0.0:")).unwrap();
    assert_ne!(std::fs::read_to_string(&path).unwrap(), text);
    let heard = || (shop.token_requests(), shop.seen(Endpoint::Api).len());
    let before = heard();
    for line in ["call shop GET /orders", "refresh shop", "revoke shop"] {
        let ran = shop.line(line).without_product();
        assert_ne!(ran.exit, 0, "{line}");
        assert!(ran.stderr.contains("http"), "{line}: {}", ran.stderr);
    }
    assert_eq!(heard(), before);
    std::fs::write(&path, text).unwrap();
    shop.line("call shop GET /orders").ok();
    assert_ne!(heard(), before, "what would be heard");
}

#[test]
fn setting_back_what_the_tokens_belong_to_warns_of_nothing() {
    let shop = Shop::connected("inkress");
    let origin = shop.sandbox.origin();
    let belong = "the stored tokens belong to";
    let away = shop.line("profile set shop api_host=https://evil.example").ok();
    away.says(&format!("{belong} api_host {origin}"));
    let back = shop.line(&format!("profile set shop api_host={origin}")).ok();
    assert!(!back.stderr.contains("stored tokens"), "{}", back.stderr);
    let client_id = &shop.how.client.client_id;
    shop.line("profile set shop client_id=other").ok().says(&format!("{belong} the client id"));
    let back = shop.line(&format!("profile set shop client_id={client_id}")).ok();
    assert!(!back.stderr.contains("stored tokens"), "{}", back.stderr);
    shop.line("call shop GET /orders").ok();
}
