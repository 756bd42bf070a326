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
    const STAYS: &str = "what was registered stays, and nothing else is changed";
    const NOTHING: &str = "nothing is changed";
    let mut shop = Shop::of("standard");
    shop.world.browser(Behaviour::Forgets);
    let ran = register(&shop, &["--timeout", "30ms"]).exits(4);
    let ran = ran.says(&format!("Ctrl-C ends it: {STAYS}"));
    let ran = ran.says(&format!("hint:  {STAYS}; start again, with more time if it is needed"));
    assert!(!ran.stderr.contains(NOTHING), "{}", ran.stderr);
    assert_eq!(advised(&ran)[0], "keyfob connect shop --timeout 15m");
    let client = registered_as(&shop);
    assert!(client.is_string());

    // The next one registers nothing.
    let ran = shop.line("connect shop --timeout 30ms").exits(4);
    let ran = ran.says(&format!("Ctrl-C ends it: {NOTHING}"));
    let ran = ran.says(&format!("hint:  {NOTHING}; start again"));
    assert!(!ran.stderr.contains(STAYS), "{}", ran.stderr);
    assert_eq!(registered_as(&shop), client);

    // It may change what is registered.
    let ran = shop.line("connect shop --scope items:write --timeout 30ms").exits(4);
    ran.says(&format!("Ctrl-C ends it: {STAYS}"));
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
        let ran = ran.says("cause: what was registered stays, and nothing else is changed\n");
        assert!(!ran.stderr.contains("nothing is changed"), "{}", ran.stderr);
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

/// A server that says this of the algorithms of proofs.
fn binding(algorithms: Option<&'static [&'static str]>) -> Site {
    Site::saying(move |origin, _| {
        let mut document = serde_json::json!({
            "issuer": origin,
            "authorization_endpoint": format!("{origin}/authorize"),
            "token_endpoint": format!("{origin}/token"),
            "registration_endpoint": format!("{origin}/register"),
        });
        if let Some(algorithms) = algorithms {
            document["dpop_signing_alg_values_supported"] = algorithms.into();
        }
        Said::json(200, &document)
    })
}

#[test] // SC5
fn a_server_that_does_not_say_that_it_binds_tokens_is_found_out_before_the_browser() {
    for (algorithms, why) in [
        (None, "its metadata has no `dpop_signing_alg_values_supported`"),
        (Some(&[][..]), "its metadata has no `dpop_signing_alg_values_supported`"),
        (
            Some(&["RS256", "PS512"][..]),
            "signed with RS256, PS512, and keyfob signs them with ES256",
        ),
    ] {
        let (site, mut world) = (binding(algorithms), World::new());
        world.browser(Behaviour::MustStayClosed);
        let origin = site.origin();
        for more in [["--client-id", "c"], ["--register", "--yes"]] {
            let line = ["connect", "shop", "--provider", origin, "--dpop"].into_iter().chain(more);
            let ran = world.run(line).exits(3).says(why);
            let advised = advised(&ran);
            assert!(advised[0].starts_with("keyfob connect shop "), "{advised:?}");
            assert!(advised[0].contains(more[0]) && advised[0].ends_with("--dpop=false"));
            assert_eq!(advised.len(), 1, "the metadata is as new as can be");
            ran.says("have `keyfob provider new` write a file and add `dpop_algorithms");
        }
        let line =
            ["connect", "shop", "--provider", origin, "--dpop", "--client-id", "c", "--json"];
        assert_eq!(world.run(line).exits(3).failure()["code"], "dpop-not-supported");
        assert!(site.paths().iter().all(|it| it.contains("/.well-known/")), "{:?}", site.paths());
        assert!(world.files().keys().all(|it| it.extension().is_none_or(|it| it != "toml")));
    }
    let (site, mut world) = (binding(Some(&["RS256", "ES256"])), World::new());
    world.browser(Behaviour::Forgets);
    let line = ["connect", "shop", "--provider", site.origin(), "--dpop", "--client-id", "c"];
    world.run(line.into_iter().chain(["--timeout", "30ms"])).exits(4).says("dpop_jkt=");
}

#[test] // SC5
fn a_provider_file_that_wants_bound_tokens_is_named_where_its_server_does_not_say_so() {
    let (site, mut world) = (binding(None), World::new());
    world.browser(Behaviour::Forgets);
    world.line(&format!("provider new mine --from {}", site.origin())).ok();
    let file = world.home().providers().join("mine.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let with = |words: &str| {
        std::fs::write(&file, text.replace("[client]\n", &format!("[client]\n{words}"))).unwrap();
    };
    let line = "connect mine --client-id c --timeout 30ms";
    with("dpop_bound_access_tokens = true\n");
    let ran = world.line(line).exits(3).says("mine.toml wants it");
    assert!(!ran.stderr.contains("--dpop=false"), "{}", ran.stderr);
    let advised = advised(&ran);
    assert!(advised[0].starts_with("keyfob provider check /"), "{advised:?}");
    assert_eq!(advised[1..], ["keyfob connect mine --client-id c"]);
    // Either way that it names leads on.
    with("dpop_bound_access_tokens = true\ndpop_algorithms = [\"ES256\"]\n");
    world.line(advised[0].strip_prefix("keyfob ").unwrap()).ok();
    world.line(line).exits(4).says("dpop_jkt=");
    with("");
    world.line(line).exits(4);
}

#[test] // SC5
fn what_was_found_before_is_read_anew_by_a_command_to_paste() {
    let shop = Shop::of("standard");
    let origin = shop.sandbox.origin();
    let mut words = vec!["connect", "shop", "--provider", &origin, "--client-id"];
    words.extend([&*shop.how.client.client_id, "--redirect-uri", &shop.redirect_uri]);
    words.extend(shop.secret_on_stdin());
    shop.world.run(words).ok();
    let ran = shop.line("connect shop --dpop").exits(3).says("reads it anew");
    let anew = format!("keyfob connect shop --dpop --provider {origin}");
    assert_eq!(advised(&ran), ["keyfob connect shop --dpop=false", &anew]);
    shop.line("refresh shop").ok();
    shop.line(anew.strip_prefix("keyfob ").unwrap()).exits(3);
    shop.line("connect shop --dpop=false").ok();
}

#[test] // SC5, EX7
fn tokens_without_their_binding_leave_nothing_of_it_in_a_profile_that_was_just_registered() {
    let shop = Shop::of("standard");
    let dpop = |shop: &Shop| shop.line("profile show shop --json").ok().json()["dpop"].clone();
    // The file of this vendor was found nowhere, so only the tokens tell.
    let ran = register(&shop, &["--dpop"]).exits(3).says("is not bound to the key");
    assert_eq!(advised(&ran), ["keyfob connect shop --dpop=false"]);
    assert_eq!(dpop(&shop), false);
    shop.line("connect shop").ok();
    assert_eq!(dpop(&shop), false);

    // Who gives up waiting has not learnt that it cannot be had.
    let mut shop = Shop::of("standard");
    shop.world.browser(Behaviour::Forgets);
    register(&shop, &["--dpop", "--timeout", "30ms"]).exits(4);
    assert_eq!(dpop(&shop), true);
}

#[test] // SC5
fn a_file_that_wants_bound_tokens_is_named_when_they_come_unbound() {
    let shop = Shop::of("standard");
    let file = shop.world.home().providers().join("standard.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        text.replace("[client]\n", "[client]\ndpop_bound_access_tokens = true\n"),
    )
    .unwrap();
    let ran =
        shop.connect().exits(3).says("is not bound to the key").says("standard.toml wants it");
    assert!(!ran.stderr.contains("--dpop=false"), "{}", ran.stderr);
    std::fs::write(&file, text).unwrap();
    for line in advised(&ran) {
        let _ = shop.secret_on_stdin();
        let line = line.strip_prefix("keyfob ").unwrap().to_owned();
        let more = if line.starts_with("connect") { " --client-secret-file -" } else { "" };
        shop.line(&format!("{line}{more}")).ok();
    }
}
