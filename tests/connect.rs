//! `connect`: what a person or a script meets on the way to a connection.

use std::sync::Arc;

use keyfob::sandbox::{Endpoint, Fault};

use crate::support::browser::Behaviour;
use crate::support::shelf::Trouble;
use crate::support::signals::AtOnce;
use crate::support::{Shop, World, parameters, private_file};

#[test]
fn the_first_connect_remembers_everything_for_the_next_ones() {
    let shop = Shop::of("inkress");
    let ran =
        shop.connect_with(&["--scope", "orders:read, orders:write", "--scope", "offline_access"]);
    let ran = ran.ok().says("connected `shop` to Inkress: merchant_id 183");
    assert_eq!(ran.stdout, "");
    let page = shop.world.browser.pages().remove(0);
    assert_eq!(page.status, Some(200));
    assert!(page.body.contains("shop"), "{}", page.body);

    let again = shop.line("connect shop").ok();
    assert_eq!(again.stdout, "");
    let asked = parameters(&shop.world.browser.opened()[1]);
    assert_eq!(asked["scope"], "orders:read orders:write offline_access");
    assert_eq!(asked["client_id"], shop.how.client.client_id);
}

#[test] // AR2, AR3, AR6, AR7, TQ5
fn the_authorization_request_carries_pkce_and_state_and_the_address_stands_on_its_own_line() {
    let shop = Shop::of("inkress");
    let ran = shop.connect().ok();
    let opened = shop.world.browser.opened().remove(0);
    assert!(ran.stderr.lines().any(|line| line == opened), "{}", ran.stderr);
    let asked = parameters(&opened);
    assert_eq!(asked["response_type"], "code");
    assert_eq!(asked["code_challenge_method"], "S256");
    assert_eq!(asked["code_challenge"].len(), 43);
    assert_eq!(asked["state"].len(), 43);
    assert_eq!(asked["redirect_uri"], shop.redirect_uri);
    let exchange = shop.seen(Endpoint::Token).remove(0);
    let body: serde_json::Value = serde_json::from_slice(&exchange.body).unwrap();
    assert_eq!(body["redirect_uri"], shop.redirect_uri.as_str());
    assert_eq!(body["grant_type"], "authorization_code");
}

#[test]
fn json_gives_the_status_object_and_nothing_on_standard_error() {
    let shop = Shop::of("inkress");
    let ran = shop.connect_with(&["--scope", "orders:read", "--json"]).ok();
    assert_eq!(ran.stderr, "");
    let status = ran.json();
    assert_eq!(status["profile"], "shop");
    assert_eq!(status["state"], "ready");
    assert_eq!(status["account"]["merchant_id"], 183);
    assert_eq!(status["store"], "keychain");
}

#[test]
fn under_json_the_address_is_shown_where_the_browser_did_not_start() {
    let mut shop = Shop::of("inkress");
    shop.world.browser(Behaviour::Broken);
    let ran =
        shop.connect_with(&["--scope", "orders:read", "--timeout", "30ms", "--json"]).exits(4);
    assert!(ran.stderr.starts_with("http://"), "{}", ran.stderr);
    ran.says("/oauth/authorize?").says("connect-timeout");
}

#[test]
fn the_command_after_a_first_failure_needs_nothing_else() {
    let mut shop = Shop::of("inkress");
    shop.world.browser(Behaviour::Denies);
    let secret = shop.how.client.client_secret.as_ref().unwrap().expose().to_owned();
    let failure = shop.connect_with(&["--scope", "orders:read", "--json"]).exits(5).failure();
    let next = failure["next"].as_array().unwrap().last().unwrap().as_str().unwrap().to_owned();
    assert!(!next.contains(&secret), "{next}");
    shop.world.browser(Behaviour::Allows);
    shop.world.set("KEYFOB_CLIENT_SECRET", &secret);
    let words = next.split(' ').skip(1);
    shop.world.run(words).ok();
    assert_eq!(shop.world.state("shop"), "ready");
    shop.world.browser(Behaviour::Denies);
    shop.line("connect shop").exits(5).says("keyfob connect shop\n");
}

#[test]
fn an_issuer_may_be_named_again_and_leaves_no_file_where_nobody_was_connected() {
    let mut shop = Shop::of("standard");
    std::fs::remove_file(shop.world.home().providers().join("standard.toml")).unwrap();
    let secret = shop.how.client.client_secret.as_ref().unwrap().expose().to_owned();
    shop.world.set("KEYFOB_CLIENT_SECRET", &secret);
    let origin = shop.sandbox.origin();
    let connect = |shop: &Shop| {
        let id = shop.how.client.client_id.as_str();
        let words = ["connect", "shop", "--provider", &origin, "--client-id", id];
        let redirect = ["--redirect-uri", shop.redirect_uri.as_str()];
        shop.world.run(words.into_iter().chain(redirect))
    };
    let files = |shop: &Shop| std::fs::read_dir(shop.world.home().providers()).unwrap().count();
    shop.world.browser(Behaviour::Denies);
    connect(&shop).exits(5);
    assert_eq!(files(&shop), 0);
    shop.world.browser(Behaviour::Allows);
    connect(&shop).ok();
    connect(&shop).ok();
    assert_eq!(files(&shop), 1);
    shop.line("refresh shop").ok();
    // Another attempt that fails takes nothing from the connection that is there.
    shop.world.browser(Behaviour::Denies);
    connect(&shop).exits(5);
    assert_eq!(files(&shop), 1);
    shop.line("refresh shop").ok();
}

#[test]
fn under_json_nobody_chooses_from_a_list_that_is_not_shown() {
    let mut shop = Shop::of("imprest");
    let secret = shop.how.client.client_secret.as_ref().unwrap().expose().to_owned();
    shop.world.seat(&["2"]);
    shop.world.set("KEYFOB_CLIENT_SECRET", &secret);
    let failure = shop.connect_with(&["--scope", "money_in", "--json"]).exits(2).failure();
    assert!(failure["causes"].to_string().contains("Example Holdings"), "{failure}");
}

#[test]
fn a_denial_is_said_in_the_terminal_and_on_the_page_and_writes_nothing() {
    let mut shop = Shop::of("inkress");
    shop.world.browser(Behaviour::Denies);
    shop.connect().exits(5).without_product().says("the authorization was denied");
    let page = shop.world.browser.pages().remove(0);
    assert!(page.body.contains("access_denied"), "{}", page.body);
    assert_eq!(shop.world.shelf.entry("shop"), None);
    shop.line("status shop").exits(3);
}

#[test]
fn an_app_that_is_not_approved_is_told_where_to_look() {
    let shop = Shop::of("inkress");
    shop.sandbox.set_approved(false);
    shop.connect().exits(5).says("unauthorized_client").says("Developer > Developer Apps");
}

#[test] // AT-8d, TQ10
fn the_page_tells_that_the_exchange_failed() {
    let shop = Shop::of("inkress");
    shop.sandbox.next_token_answers(vec![Fault::Html]);
    shop.connect().exits(7).says("a code works once, so start again");
    let page = shop.world.browser.pages().remove(0);
    assert!(page.body.contains("no connection was made"), "{}", page.body);
    assert_eq!(shop.token_requests(), 1, "a code is never sent twice");
}

#[test] // AT-19
fn fewer_scopes_than_asked_for_is_a_warning() {
    let shop = Shop::of("inkress");
    shop.sandbox.grant_at_most(&["orders:read", "offline_access"]);
    let ran = shop.connect_with(&["--scope", "orders:read,orders:write"]).ok();
    ran.says("warning: Inkress did not grant orders:write");
    assert_eq!(shop.world.status("shop")["scopes"]["requested"][1], "orders:write");
}

#[test] // AT-19
fn a_reserved_scope_and_a_misspelt_one_are_refused_before_the_browser_opens() {
    let mut shop = Shop::of("inkress");
    shop.world.browser(Behaviour::MustStayClosed);
    shop.connect_with(&["--scope", "payments:read"]).exits(2).says("asks not to request it");
    let ran = shop.connect_with(&["--scope", "order:read"]).exits(2);
    ran.says("did you mean `--scope orders:read`?");
}

#[test] // AT-14, A29
fn another_account_than_before_needs_a_yes() {
    let shop = Shop::connected("inkress");
    shop.sandbox.answer_with("merchant_id", 999.into());
    let ran = shop.line("connect shop").exits(2);
    ran.says("merchant_id 183").says("merchant_id 999").says("connect shop --yes");
    assert_eq!(shop.world.status("shop")["account"]["merchant_id"], 183);
    shop.line("connect shop --yes").ok();
    assert_eq!(shop.world.status("shop")["account"]["merchant_id"], 999);
}

#[test] // AT-21
fn a_grant_of_another_account_that_nobody_holds_any_more_is_revoked() {
    let shop = Shop::connected("inkress");
    shop.sandbox.answer_with("merchant_id", 999.into());
    shop.line("connect shop").exits(2).says("was not wanted was revoked at Inkress");
    assert_eq!(shop.sandbox.grants_alive(), 1);
    shop.line("call shop GET /orders").ok();
    shop.line("connect shop --yes").ok().says("that this one replaces was revoked");
    assert_eq!(shop.sandbox.grants_alive(), 1);
    shop.line("call shop GET /orders").ok();
}

#[test] // AT-21
fn a_replaced_grant_of_the_same_account_is_left_alone_where_the_new_one_could_end_with_it() {
    let shop = Shop::connected("inkress");
    let ran = shop.line("connect shop").ok();
    assert!(!ran.stderr.contains("revoked"), "{}", ran.stderr);
    assert_eq!(shop.sandbox.grants_alive(), 2);
}

#[test] // AT-21
fn a_replaced_grant_that_cannot_be_revoked_is_told_and_the_new_one_is_kept() {
    let shop = Shop::connected("inkress");
    shop.sandbox.answer_with("merchant_id", 999.into());
    shop.sandbox.next_answers(Endpoint::Revocation, vec![Fault::status(503)]);
    shop.line("connect shop --yes").ok().says("may live on at Inkress");
    shop.line("call shop GET /orders").ok();
}

#[test]
fn a_person_may_say_yes_to_another_account() {
    let mut shop = Shop::connected("inkress");
    shop.sandbox.answer_with("merchant_id", 999.into());
    shop.world.seat(&["n"]);
    shop.line("connect shop").exits(2);
    shop.world.seat(&["y"]);
    shop.line("connect shop").ok();
    assert_eq!(shop.world.status("shop")["account"]["merchant_id"], 999);
}

#[test] // AT-8a, AR10
fn a_busy_port_is_said_and_never_moved() {
    let shop = Shop::of("inkress");
    let port = url::Url::parse(&shop.redirect_uri).unwrap().port().unwrap();
    let _busy = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    shop.connect().exits(3).says(&format!("port {port} is in use"));
    assert!(shop.world.browser.opened().is_empty());
}

#[test] // AT-5
fn without_a_browser_variable_none_is_started_and_the_tunnel_is_named() {
    let mut shop = Shop::of("inkress");
    shop.world.browser(Behaviour::MustStayClosed);
    shop.world.environment.remove("BROWSER");
    let ran = shop.connect_with(&["--scope", "orders:read", "--timeout", "50ms"]).exits(4);
    let port = url::Url::parse(&shop.redirect_uri).unwrap().port().unwrap();
    ran.says(&format!("ssh -L {port}:127.0.0.1:{port}")).says("nobody came back");
}

#[test] // AT-6c
fn over_ssh_and_with_no_browser_the_default_stays_closed() {
    let mut shop = Shop::of("inkress");
    shop.world.browser(Behaviour::MustStayClosed);
    shop.world.set("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22");
    shop.world.environment.remove("BROWSER");
    shop.world.terminals.stderr = true;
    shop.connect_with(&["--timeout", "50ms"]).exits(4).says("ssh -L");
    shop.world.set("BROWSER", "x");
    shop.connect_with(&["--timeout", "50ms", "--no-browser"]).exits(4).says("--no-browser");
}

#[test] // TQ16
fn a_vendor_without_a_code_flow_names_import() {
    let shop = Shop::of("inventorum");
    let ran = shop.line("connect till --provider inventorum").exits(3);
    ran.says("keyfob import till --provider inventorum").says("--flow password");
}

#[test] // T10, ST1, ST2, ST3
fn a_locked_or_absent_keychain_is_known_before_the_person_is_asked() {
    let mut shop = Shop::of("inkress");
    shop.world.browser(Behaviour::MustStayClosed);
    for (trouble, words) in [
        (Trouble::Locked, "the keychain is locked"),
        (Trouble::Absent, "there is no keychain on this machine"),
    ] {
        shop.world.trouble(trouble);
        shop.connect().exits(6).says(words).says("--store file");
    }
    assert_eq!(shop.sandbox.log().len(), 0);
}

#[test] // AT-10g
fn a_store_that_keeps_nothing_is_found_out() {
    let shop = Shop::of("inkress");
    shop.world.trouble(Trouble::Forgetful);
    shop.connect().exits(6).says("the store did not keep what was written");
}

#[test]
fn settings_and_client_id_are_asked_for_and_without_a_person_named() {
    let mut world = World::new();
    world
        .run(["connect", "gate", "--provider", "inyo", "--client-id", "x"])
        .exits(2)
        .says("needs the setting `host`");
    world
        .run(["connect", "gate", "--provider", "inyo", "--set", "host=h.example"])
        .exits(3)
        .says("there is no client id");
    world.seat(&[]);
    world.run(["connect", "gate", "--provider", "inyo"]).exits(3);
    assert_eq!(world.person.as_ref().unwrap().asked().len(), 1);
}

#[test]
fn a_person_answers_for_client_id_settings_and_secret() {
    let mut shop = Shop::of("inyo");
    let secret = shop.how.client.client_secret.as_ref().unwrap().expose().to_owned();
    let origin = shop.sandbox.origin();
    shop.world.seat(&[&shop.how.client.client_id, &origin, &secret]);
    shop.line("connect gate --provider inyo").ok();
    assert_eq!(shop.world.state("gate"), "ready");
}

#[test]
fn print_redirect_prints_it_and_stops() {
    let world = World::new();
    let ran = world.line("connect shop --provider inkress --print-redirect").ok();
    assert_eq!(ran.stdout, "http://127.0.0.1:8976/callback/inkress\n");
    let ran = world.line("connect shop --provider inkress --print-redirect --port 9000").ok();
    assert_eq!(ran.stdout, "http://127.0.0.1:9000/callback/inkress\n");
    assert!(world.files().is_empty());
}

#[test]
fn an_organization_is_taken_where_there_is_one_and_named_where_there_are_more() {
    let shop = Shop::of("imprest");
    let ran = shop.connect().exits(2).says("is not chosen").says("Example Holdings");
    assert_eq!(ran.stdout, "");
    assert_eq!(shop.world.state("shop"), "ready", "the connection is kept");
    shop.line("call shop GET /invoices --set organization_id=0b7f3c52-9d0e-4a53-8f0e-3f1f1a2b3c4d")
        .ok();

    let mut chosen = Shop::of("imprest");
    let secret = chosen.how.client.client_secret.as_ref().unwrap().expose().to_owned();
    chosen.world.seat(&["2"]);
    chosen.world.set("KEYFOB_CLIENT_SECRET", &secret);
    chosen.connect().ok();
    let call = chosen.line("call shop GET /invoices").ok();
    drop(call);
    let seen = chosen.seen(Endpoint::Api).pop().unwrap();
    assert_eq!(seen.header("x-organization-id"), Some("5c2d9e10-1a7b-4f6c-b3d8-7e6f5a4b3c2d"));
}

#[test] // TQ16
fn the_password_flow_is_used_once_and_kept_nowhere() {
    let shop = Shop::of("inventorum");
    let owner = shop.how.owner.as_ref().unwrap();
    let password = shop.world.own_file("password", owner.password.expose());
    let mut words = vec!["connect".to_owned(), "till".to_owned()];
    words.extend(shop.client());
    words.extend(["--flow", "password", "--username", &owner.username].map(str::to_owned));
    words.extend(["--password-file".to_owned(), password.display().to_string()]);
    words.extend(shop.secret_on_stdin().map(str::to_owned));
    shop.world.run(words.iter().map(String::as_str)).ok().says("kept nowhere");
    let request = shop.seen(Endpoint::Token).remove(0);
    assert!(request.text().contains("grant_type=password"), "{}", request.text());
    assert!(!shop.world.shelf.entry("till").unwrap().contains("\"sandbox\""));
    // What was connected so is connected so again, although the vendor's other tokens are imported.
    shop.sandbox.revoke_all();
    shop.line("refresh till").exits(4).says("keyfob connect till\n");
}

#[test] // ER4
fn a_password_that_is_wrong_is_told_as_one_and_tried_again() {
    let shop = Shop::of("inventorum");
    let owner = shop.how.owner.as_ref().unwrap();
    let password = shop.world.own_file("password", "another one");
    let mut words = vec!["connect".to_owned(), "till".to_owned()];
    words.extend(shop.client());
    words.extend(["--flow", "password", "--username", &owner.username].map(str::to_owned));
    words.extend(["--password-file".to_owned(), password.display().to_string()]);
    words.extend(shop.secret_on_stdin().map(str::to_owned));
    let ran = shop.world.run(words.iter().map(String::as_str)).exits(4);
    let ran = ran.says("did not take the name and the password").says("keyfob connect till");
    assert!(!ran.stderr.contains("import") && !ran.stderr.contains("dashboard"), "{}", ran.stderr);
    // The line that is advised connects, with the right password.
    let line = ran.stderr.lines().find(|it| it.contains("keyfob connect till")).unwrap();
    std::fs::write(&password, owner.password.expose()).unwrap();
    shop.secret_on_stdin();
    let mut again = shlex::split(line).unwrap();
    again.extend(["--client-secret-file", "-"].map(str::to_owned));
    shop.world.run(again[1..].iter().map(String::as_str)).ok();
}

#[test] // ER4
fn a_damaged_entry_is_told_with_the_name_and_the_way_back_by_connect_too() {
    let shop = Shop::connected("inkress");
    shop.world.trouble(Trouble::Damaged);
    for line in ["connect shop --client-id other", "connect shop", "refresh shop", "export shop"] {
        let ran = shop.line(line).exits(6).says("keyfob profile remove shop --yes");
        let ran = ran.says("keyfob connect shop --provider inkress");
        assert!(!ran.stderr.contains('…'), "{line}: {}", ran.stderr);
    }
}

#[test]
fn a_signal_while_the_person_is_waited_for_writes_nothing() {
    let mut shop = Shop::of("inkress");
    shop.world.browser(Behaviour::Forgets);
    shop.world.interruption = Arc::new(AtOnce);
    let ran =
        shop.connect().exits(130).without_product().says("Ctrl-C ends it: nothing is changed");
    ran.says("error: interrupted\ncause: nothing is changed\n");
    assert_eq!(shop.world.shelf.entry("shop"), None);
    shop.line("status shop").exits(3);
}

#[cfg(unix)]
#[test] // ST15
fn through_sudo_it_is_said_whose_connection_it_becomes() {
    let mut shop = Shop::of("inkress");
    let plain = shop.connect().ok();
    assert!(!plain.stderr.contains("runs as root"), "{}", plain.stderr);
    shop.world.set("SUDO_USER", "ada");
    let ran = shop.line("connect shop").ok();
    let is_root = rustix::process::geteuid().is_root();
    let warned = ran.stderr.contains("warning: this runs as root, so ada will not have");
    assert_eq!(warned, is_root, "{}", ran.stderr);
}

#[test] // T15
fn a_flag_stands_before_the_environment_and_that_before_the_profile() {
    let mut shop = Shop::connected("inkress");
    let asked =
        |shop: &Shop| parameters(shop.world.browser.opened().last().unwrap())["client_id"].clone();
    shop.world.browser(Behaviour::Forgets);
    shop.world.set("KEYFOB_CLIENT_ID", "inkid_environment");
    shop.line("connect shop --timeout 20ms").exits(4);
    assert_eq!(asked(&shop), "inkid_environment");
    shop.line("connect shop --timeout 20ms --client-id inkid_flag").exits(4);
    assert_eq!(asked(&shop), "inkid_flag");
    shop.world.environment.remove("KEYFOB_CLIENT_ID");
    shop.line("connect shop --timeout 20ms").exits(4);
    assert_eq!(asked(&shop), shop.how.client.client_id, "a connect in vain changes nothing");
}

#[test] // T10, AT-10f, ST2
fn the_store_is_the_one_that_was_chosen_and_stays_it() {
    let mut shop = Shop::of("inkress");
    let folder = shop.world.home().configuration;
    private_file(&folder.join("config.toml"), "store = \"file\"\n");
    shop.connect().ok();
    assert_eq!(shop.world.status("shop")["store"], "file");
    // What the environment says later is for connections to come.
    shop.world.set("KEYFOB_STORE", "keychain");
    shop.line("refresh shop").ok();
    assert_eq!(shop.world.status("shop")["store"], "file");
    assert_eq!(shop.world.shelf.entry("shop"), None);
    shop.line("token shop --store keychain").exits(4);
}

#[test] // AT-21
fn a_replaced_grant_of_the_same_account_is_revoked_where_the_provider_says_that_only_it_ends() {
    let shop = Shop::of("standard");
    let file = shop.world.home().providers().join("standard.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("[revoke]", "[revoke]\nreach = \"token\"")).unwrap();
    let shop = shop.and_connected();
    shop.line("connect shop").ok().says("that this one replaces was revoked");
    assert_eq!(shop.sandbox.grants_alive(), 1);
    shop.line("call shop GET /items").ok();
}
