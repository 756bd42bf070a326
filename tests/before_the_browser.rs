//! What is known, said and done before a browser opens, so that nobody is sent there in vain.

use std::net::TcpListener;
use std::sync::Arc;

use keyfob::sandbox::Endpoint;
use serde_json::Value;

use crate::register::{entry, methods, register, registered};
use crate::support::Shop;
use crate::support::browser::Behaviour;
use crate::support::signals::After;
use crate::support::site::{Said, Site};
use crate::support::world::{Ran, World};

/// The commands that a failure advises.
fn advised(ran: &Ran) -> Vec<String> {
    let lines = ran.stderr.lines().filter_map(|line| line.strip_prefix("       "));
    lines.filter(|line| line.starts_with("keyfob ")).map(str::to_owned).collect()
}

/// Somebody else's program on a port, until it is dropped.
fn squatter() -> (TcpListener, String) {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port().to_string();
    (holder, port)
}

#[test] // EX7, AR10, RL3
fn nothing_is_registered_for_a_port_that_another_program_has() {
    let mut shop = Shop::of("standard");
    shop.world.browser(Behaviour::MustStayClosed);
    let (holder, port) = squatter();
    let host = format!("host={}", shop.sandbox.origin());
    let line = ["connect", "shop", "--provider", "standard", "--set", &host, "--register"];
    let line = line.into_iter().chain(["--port", &port]);
    let ran = shop.world.run(line.clone()).exits(3).says(&format!("port {port} is in use"));
    assert!(advised(&ran).last().unwrap().ends_with("--register --port …"), "{}", ran.stderr);
    assert!(shop.sandbox.log().is_empty(), "the server has heard nothing");
    assert!(!shop.world.home().configuration.join("profiles/shop.toml").exists());
    assert!(shop.world.shelf.entry("shop").is_none());
    drop(holder);
    shop.world.browser(Behaviour::Allows);
    shop.world.run(line).ok();
    let sent = &shop.seen(Endpoint::Registration)[0].body;
    let sent: Value = serde_json::from_slice(sent).unwrap();
    let uri = sent["redirect_uris"][0].as_str().unwrap();
    assert!(uri.starts_with(&format!("http://127.0.0.1:{port}/")), "{uri}");
}

#[test] // EX7, AR10, RL3
fn a_registration_is_not_changed_for_a_port_that_another_program_has() {
    let shop = registered();
    let (_holder, port) = squatter();
    shop.line(&format!("connect shop --port {port}")).exits(3).says("is in use");
    assert_eq!(methods(&shop), ["POST"]);
    shop.line("connect shop").ok();
}

#[test] // EX7, RL3
fn a_port_that_nobody_named_is_a_free_one_before_it_is_registered() {
    // The same numbers come in every world of a test: the first world says which port is next.
    let pinned = |world: World| {
        let site = Site::saying(|origin, _| Said::registers_clients(origin));
        let ran =
            world.run(["connect", "shop", "--provider", site.origin(), "--register", "--yes"]);
        assert_ne!(ran.exit, 0, "it registers nobody");
        let asked = site.asked().into_iter().find(|it| it.path == "/register").unwrap();
        let asked: Value = serde_json::from_str(&asked.body).unwrap();
        let uri: url::Url = asked["redirect_uris"][0].as_str().unwrap().parse().unwrap();
        uri.port().unwrap()
    };
    let first = pinned(World::new());
    let Ok(_holder) = TcpListener::bind(("127.0.0.1", first)) else { return };
    assert_ne!(pinned(World::new()), first);
}

#[test] // EX7
fn a_client_of_one_s_own_is_given_up_by_the_commands_that_are_advised() {
    let shop = Shop::connected("standard");
    let own = entry(&shop)["client_id"].clone();
    let refused = shop.line("connect shop --register").exits(2).says("has a client id already");
    let advised = advised(&refused);
    let expected = [
        "keyfob revoke shop",
        "keyfob profile set shop client_id=",
        "keyfob connect shop --register",
    ];
    assert_eq!(advised, expected);
    for line in &advised {
        let line = line.strip_prefix("keyfob ").unwrap();
        shop.line(line).ok();
    }
    assert_eq!(methods(&shop), ["POST"]);
    assert_ne!(entry(&shop)["client_id"], own);
    shop.line("refresh shop").ok();

    // Whoever takes the client id out first is told of the rest.
    let shop = Shop::connected("standard");
    shop.line("profile set shop client_id=").ok();
    let refused = shop.line("connect shop --register").exits(2).says("revoke the connection first");
    let advised = self::advised(&refused);
    assert_eq!(advised, ["keyfob revoke shop", "keyfob connect shop --register"]);
    advised.iter().for_each(|line| drop(shop.line(line.strip_prefix("keyfob ").unwrap()).ok()));

    // Where nothing is connected there is nothing to end.
    let shop = Shop::connected("standard");
    shop.line("revoke shop").ok();
    let refused = shop.line("connect shop --register").exits(2);
    assert_eq!(self::advised(&refused), expected[1..]);
}

#[test] // EX7
fn a_provider_file_that_is_new_is_gone_on_with_by_a_command_to_paste() {
    let site = Site::saying(|origin, _| Said::registers_clients(origin));
    let world = World::new();
    let ran = world.line(&format!("provider new mine --from {}", site.origin())).ok();
    ran.says("keyfob connect mine --register\n").says("keyfob connect mine --client-id …\n");
}

/// What the store and the profile keep of a client that was registered.
fn registered_as(shop: &Shop) -> Value {
    assert_eq!(entry(shop)["tokens"], Value::Null);
    shop.line("profile show shop --json").ok().json()["client_id"].clone()
}

#[test] // EX7
fn what_is_left_of_a_wait_in_vain_is_said_as_it_is() {
    const STAYS: &str = "what was registered stays, and no token is kept";
    const NOTHING: &str = "nothing is kept";
    let mut shop = Shop::of("standard");
    shop.world.browser(Behaviour::Forgets);
    let ran = register(&shop, &["--timeout", "30ms"]).exits(4);
    let ran = ran.says(&format!("Ctrl-C ends it, and {STAYS}"));
    let ran = ran.says(&format!("hint:  {STAYS}; start again, with more time if it is needed"));
    assert!(!ran.stderr.contains(NOTHING), "{}", ran.stderr);
    assert_eq!(advised(&ran)[0], "keyfob connect shop --timeout 15m");
    let client = registered_as(&shop);
    assert!(client.is_string());

    // The next one registers nothing.
    let ran = shop.line("connect shop --timeout 30ms").exits(4);
    let ran = ran.says(&format!("Ctrl-C ends it, and {NOTHING}"));
    let ran = ran.says(&format!("hint:  {NOTHING}; start again"));
    assert!(!ran.stderr.contains(STAYS), "{}", ran.stderr);
    assert_eq!(registered_as(&shop), client);

    // It may change what is registered.
    let ran = shop.line("connect shop --scope items:write --timeout 30ms").exits(4);
    ran.says(&format!("Ctrl-C ends it, and {STAYS}"));
    assert_eq!(methods(&shop), ["POST", "PUT"]);
}

#[test] // EX7
fn a_signal_leaves_what_was_registered_and_says_so() {
    // While the registration is on its way, and while the browser is waited for.
    for waits in [0, 1] {
        let mut shop = Shop::of("standard");
        shop.world.browser(Behaviour::Forgets);
        shop.world.interruption = Arc::new(After::waits(waits));
        let ran = register(&shop, &[]).exits(130).without_product();
        let ran = ran.says("cause: what was registered stays, and no token is kept\n");
        assert!(!ran.stderr.contains("nothing is kept"), "{}", ran.stderr);
        assert_eq!(methods(&shop), ["POST"]);
        let client = entry(&shop)["registration"]["client_id"].clone();
        shop.world.interruption = Arc::new(After::waits(usize::MAX));
        shop.world.browser(Behaviour::Allows);
        let line = advised(&ran).pop().unwrap();
        shop.line(line.strip_prefix("keyfob ").unwrap()).ok();
        assert_eq!(entry(&shop)["client_id"], client, "{line}");
        assert_eq!(methods(&shop)[0], "POST");
    }
}

#[test] // T4
fn scopes_that_a_connection_would_lose_are_named_with_the_command_that_keeps_them() {
    let shop = Shop::of("standard");
    shop.connect_with(&["--scope", "items:read", "--scope", "items:write"]).ok();
    let ran = shop.line("connect shop --scope profile").ok();
    let (command, rest) = ("keyfob connect shop --scope", "profile --scope items:read");
    let ran = ran.says(&format!(
        "warning: `shop` was granted items:read, items:write before, and does not ask for it now; \
         to ask for all of it: {command} {rest} --scope items:write\n"
    ));
    assert!(ran.stderr.find("warning:") < ran.stderr.find("/authorize?"), "{}", ran.stderr);
    let granted = |shop: &Shop| shop.world.status("shop")["scopes"]["granted"].clone();
    assert_eq!(granted(&shop), serde_json::json!(["profile"]), "what it means is as it was");

    // What asks for all of them says nothing, and nothing is lost by asking for the same again.
    let all = "connect shop --scope profile --scope items:read --scope items:write";
    for line in [all, "connect shop"] {
        let ran = shop.line(line).ok();
        assert!(!ran.stderr.contains("before"), "{line}: {}", ran.stderr);
    }
    assert_eq!(granted(&shop).as_array().unwrap().len(), 3);
    // Where nothing is connected there is nothing to lose.
    shop.line("revoke shop").ok();
    let ran = shop.line("connect shop --scope profile").ok();
    assert!(!ran.stderr.contains("before"), "{}", ran.stderr);
}
