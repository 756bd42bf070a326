//! How a client proves itself: what is typed against what is known of it, and the command that advice gives.

use serde_json::json;

use crate::register::registered;

#[test] // EX7, CA3
fn a_registered_client_proves_itself_as_the_server_registered_it() {
    let shop = registered();
    shop.line("connect shop --client-authentication none")
        .exits(2)
        .says("`shop` is not registered for none")
        .says("the server registered its client for client_secret_basic");
    shop.line("connect shop --client-authentication client_secret_basic").ok();
    let shown = shop.line("profile show shop --json").ok().json();
    assert_eq!(shown["client"], json!({"auth": "basic"}));
    // A file in which another method was left behind shows the one that is used.
    let file = shop.world.home().configuration.join("profiles/shop.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace("[client]\nauth = \"basic\"", "[client]\nauth = \"id\"");
    assert!(text.contains("auth = \"id\""), "{text}");
    std::fs::write(&file, text).unwrap();
    let shown = shop.line("profile show shop --json").ok().json();
    assert_eq!(shown["client"], json!({"auth": "basic"}));
    let shown = shop.line("profile show shop").ok().stdout;
    assert!(shown.contains("client        client_secret_basic\n"), "{shown}");
    shop.line("refresh shop").ok();
}
