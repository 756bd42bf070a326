//! Pushed authorization requests (RFC 9126): what goes to the server, what is left for the browser.

use serde_json::json;

use crate::support::browser::Behaviour;
use crate::support::scripted::{Answer, Scripted, honest, names, value};
use crate::support::{Ran, World, free_port, parameters};

/// `connect shop` at a server, for one scope.
fn connect(world: &World, server: &Scripted, authorize: &str, more: &[&str]) -> Ran {
    let authorize = format!("pushed_url = \"{}/par\"\n{authorize}", server.origin);
    let file = world.own_file("plain.toml", server.provider(&authorize, ""));
    let redirect = format!("http://127.0.0.1:{}/cb", free_port());
    let words = ["--redirect-uri", &redirect, "--scope", "items:read"];
    connect_at(world, file.to_str().unwrap(), &[&words, more].concat())
}

/// `connect shop` at a provider, with the client's secret.
fn connect_at(world: &World, provider: &str, more: &[&str]) -> Ran {
    *world.stdin.borrow_mut() = b"s3cret".to_vec();
    let words = ["connect", "shop", "--provider", provider, "--client-id", "me"];
    let secret = ["--client-secret-file", "-"];
    world.run(words.iter().chain(&secret).chain(more).copied())
}

#[test] // EX1, AR19, AR21, TQ7
fn the_request_is_pushed_and_the_browser_carries_only_its_name() {
    let (world, server) = (World::new(), Scripted::honest());
    let ran = connect(&world, &server, "", &["--param", "login_hint=me@example.com"]).ok();
    ran.says("it can be opened once, within 60 s").says("asks Plain for items:read");
    let pushed = server.heard("POST /par").remove(0);
    assert_eq!(pushed.query, []);
    assert_eq!(value(&pushed.headers, "authorization"), Some("Basic bWU6czNjcmV0"));
    let expected = [
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
        "login_hint",
    ];
    assert_eq!(names(&pushed.form), expected);

    let opened = world.browser.opened().remove(0);
    let carried = parameters(&opened);
    assert_eq!(carried.keys().collect::<Vec<_>>(), ["client_id", "request_uri"]);
    let state = value(&pushed.form, "state").unwrap();
    assert!(!opened.contains(state) && !opened.contains("s3cret"), "{opened}");
    assert_eq!(world.state("shop"), "ready");

    // Another attempt pushes anew and shares nothing with the first.
    world.line("connect shop").ok();
    let pushes = server.heard("POST /par");
    assert_eq!((pushes.len(), server.heard("GET /authorize").len()), (2, 2));
    for name in ["state", "code_challenge"] {
        assert_ne!(value(&pushes[0].form, name), value(&pushes[1].form, name), "{name}");
    }
    assert_ne!(world.browser.opened()[1], opened);
}

#[test] // EX1, EX2, AR19, TQ12, LG4
fn a_push_that_is_not_taken_ends_the_attempt_before_any_browser() {
    let redirect_refused = json!({"error": "invalid_redirect_uri", "error_description": "not it"});
    let table: [(u16, String, u8, &str); 10] = [
        (400, json!({"error": "invalid_request"}).to_string(), 5, "invalid_request"),
        (400, redirect_refused.to_string(), 3, "--print-redirect"),
        (400, json!({"error": "invalid_scope"}).to_string(), 5, "invalid_scope"),
        (401, json!({"error": "invalid_client"}).to_string(), 3, "client id or the client secret"),
        (429, String::new(), 7, "left alone"),
        (307, String::new(), 7, "a redirect, which is never followed"),
        (200, "<html>".into(), 7, "no JSON object"),
        (503, "down".into(), 7, "HTTP 503"),
        (201, "{}".into(), 7, "no `request_uri`"),
        (0, String::new(), 7, "gave no answer to the authorization request"),
    ];
    for (status, body, exit, says) in table {
        let evil = Scripted::honest();
        let location = format!("{}/par", evil.origin);
        let server = Scripted::start(move |asked, origin| match asked.line.as_str() {
            "POST /par" => Answer::text(status, &body)
                .with("location", location.clone())
                .with("retry-after", "7"),
            _ => honest(asked, origin),
        });
        let mut world = World::new();
        world.browser(Behaviour::MustStayClosed);
        let ran = connect(&world, &server, "", &["-vv"]).exits(exit).without_product().says(says);
        assert!(ran.stderr.contains("keyfob connect shop"), "{}", ran.stderr);
        let pushed = server.heard("POST /par");
        assert_eq!(pushed.len(), 1, "{status}: a push is not repeated");
        for secret in ["state", "code_challenge"] {
            let secret = value(&pushed[0].form, secret).unwrap();
            assert!(!ran.stderr.contains(secret), "{}", ran.stderr);
        }
        assert_eq!((server.count(), evil.count()), (1, 0), "{status}");
        world.line("status shop").exits(3);
    }
}

#[test] // EX2, DS13
fn a_discovered_server_that_takes_pushed_requests_gets_them() {
    let world = World::new();
    let server = Scripted::described(|origin| {
        json!({
            "pushed_authorization_request_endpoint": format!("{origin}/par"),
            "require_pushed_authorization_requests": true,
        })
    });
    connect_at(&world, &server.origin, &[]).ok();
    assert_eq!(server.heard("POST /par").len(), 1);
    assert_eq!(names(&server.heard("GET /authorize")[0].query), ["client_id", "request_uri"]);
}

#[test] // EX2
fn a_server_that_demands_pushed_requests_and_names_no_place_is_not_asked() {
    let server = Scripted::described(|_| json!({"require_pushed_authorization_requests": true}));
    let mut world = World::new();
    world.browser(Behaviour::MustStayClosed);
    let words = ["connect", "shop", "--provider", &server.origin, "--client-id", "me"];
    world.run(words).exits(3).says("no `pushed_authorization_request_endpoint`");
    assert!(server.heard("GET /authorize").is_empty());
}

#[test] // A16, RF14
fn a_stored_client_secret_is_not_pushed_to_an_endpoint_that_never_had_it() {
    let (mut world, server, evil) = (World::new(), Scripted::honest(), Scripted::honest());
    connect(&world, &server, "", &[]).ok();
    let file = world.folder.path().join("plain.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let swapped = text.replace(&format!("{}/par", server.origin), &format!("{}/par", evil.origin));
    std::fs::write(&file, swapped).unwrap();
    world.browser(Behaviour::MustStayClosed);
    let ran = world.line("connect shop").exits(3).says("was never used at that endpoint");
    assert!(ran.stderr.contains("keyfob connect shop --client-secret-file"), "{}", ran.stderr);
    assert_eq!(evil.count(), 0);
    // Who gives the secret again has said yes, and it holds from then on.
    world.browser(Behaviour::Allows);
    *world.stdin.borrow_mut() = b"s3cret".to_vec();
    world.line("connect shop --client-secret-file -").ok();
    world.line("connect shop").ok();
    assert_eq!(evil.heard("POST /par").len(), 2);
    // What is kept when the connection ends is still not for a third one.
    world.line("revoke shop --local-only").ok();
    let text = std::fs::read_to_string(&file).unwrap();
    let third = text.replace(&format!("{}/par", evil.origin), "http://127.0.0.1:1/par");
    std::fs::write(&file, third).unwrap();
    world.browser(Behaviour::MustStayClosed);
    world.line("connect shop").exits(3).says("was never used at that endpoint");
}

/// The provider file has the device flow from now on, with its endpoint on that server.
fn asks_codes_at(world: &World, codes: &Scripted) {
    let file = world.folder.path().join("plain.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let flows = text.replace("\"authorization_code\"]", "\"authorization_code\", \"device_code\"]");
    let text = format!("{flows}[device]\nurl = \"{}/device\"\n", codes.origin);
    std::fs::write(&file, text).unwrap();
}

#[test] // A16, RF14
fn a_stored_client_secret_goes_to_no_device_endpoint_that_never_had_it() {
    let (mut world, server, evil) = (World::new(), Scripted::honest(), Scripted::honest());
    connect(&world, &server, "", &[]).ok();
    asks_codes_at(&world, &evil);
    world.browser(Behaviour::MustStayClosed);
    let ran = world.line("connect shop --flow device").exits(3);
    ran.says("was never used at that endpoint");
    assert_eq!(evil.count(), 0);
}

/// A device authorization endpoint alone, on a server of its own.
fn codes() -> Scripted {
    Scripted::start(|asked, origin| match asked.line.as_str() {
        "POST /device" => Answer::json(
            200,
            &json!({
                "device_code": "d", "user_code": "WDJB-MJHT", "expires_in": 600,
                "verification_uri": format!("{origin}/enter"),
            }),
        ),
        _ => Answer::text(404, ""),
    })
}

#[test] // A16, RF14
fn a_secret_that_was_given_for_a_device_endpoint_is_remembered_for_that_one() {
    let server = Scripted::start(|asked, origin| {
        let grant = value(&asked.form, "grant_type").unwrap_or_default();
        match grant.ends_with(":device_code") {
            true => Answer::json(200, &json!({"access_token": "a", "token_type": "Bearer"})),
            false => honest(asked, origin),
        }
    });
    let (mut world, codes) = (World::new(), codes());
    connect(&world, &server, "", &[]).ok();
    asks_codes_at(&world, &codes);
    world.browser(Behaviour::MustStayClosed);
    world.line("connect shop --flow device").exits(3);
    *world.stdin.borrow_mut() = b"s3cret".to_vec();
    world.line("connect shop --flow device --client-secret-file -").ok();
    world.line("connect shop --flow device").ok();
    assert_eq!(codes.heard("POST /device").len(), 2);
    // The browser's flow pushed the same secret before, and still may.
    world.browser(Behaviour::Allows);
    world.line("connect shop --flow code").ok();
    assert_eq!(server.heard("POST /par").len(), 2);
    // Another secret was given for the other flow alone.
    *world.stdin.borrow_mut() = b"another".to_vec();
    world.line("connect shop --flow code --client-secret-file -").ok();
    world.line("connect shop --flow device").exits(3).says("was never used at that endpoint");
    assert_eq!(codes.heard("POST /device").len(), 2);
}

#[test] // AR25
fn many_scopes_still_work_and_what_no_browser_takes_goes_by_push() {
    let scopes: Vec<String> =
        (0..60).map(|number| format!("area-{number}:read:{}", "x".repeat(24))).collect();
    let scopes = scopes.join(",");
    let details = format!(r#"[{{"type":"x","a":"{}"}}]"#, "é".repeat(3000));
    let server = Scripted::honest();
    for pushes in [false, true] {
        let world = World::new();
        let authorize = format!("pushed_url = \"{}/par\"", server.origin);
        let text = server.provider(if pushes { &authorize } else { "" }, "");
        let file = world.own_file("plain.toml", text);
        let rights = world.own_file("rights.json", &details);
        let connect = |more: &[&str]| {
            connect_at(&world, file.to_str().unwrap(), &[&["--scope", &scopes], more].concat())
        };
        connect(&[]).ok();
        let rights = ["--authorization-details", rights.to_str().unwrap()];
        match pushes {
            true => connect(&rights).ok(),
            false => connect(&rights).exits(2).says("longer than a browser takes"),
        };
    }
}
