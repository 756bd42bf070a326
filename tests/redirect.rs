//! The way back from the browser: what ends the wait, what does not, and in which three modes.

use keyfob::sandbox::Endpoint;
use url::Url;

use crate::support::browser::Behaviour;
use crate::support::{Shop, parameters};

/// Requests that are no answer, for the redirect URI and state of an authorization request.
fn strays(authorization: &Url) -> Vec<String> {
    let asked = parameters(authorization.as_str());
    let (redirect, state) = (&asked["redirect_uri"], &asked["state"]);
    let origin = Url::parse(redirect).unwrap().origin().ascii_serialization();
    vec![
        format!("{origin}/"),
        format!("{origin}/favicon.ico"),
        format!("{origin}/callback/other?code=x&state={state}"),
        redirect.clone(),
        format!("{redirect}?code=inkc_x"),
        format!("{redirect}?code=inkc_x&state=of-an-earlier-attempt"),
        format!("{redirect}?code=inkc_x&state={state}&state={state}"),
        format!("{redirect}?code=inkc_x&code=inkc_y&state={state}"),
        format!("{redirect}?error=access_denied&state=wrong"),
        format!("{redirect}?state={state}"),
    ]
}

#[test] // AT-8c, T8, RL11
fn only_the_right_path_and_state_end_the_wait() {
    let mut shop = Shop::of("inkress");
    shop.world.browser(Behaviour::stray(strays));
    shop.connect().ok().says("connected `shop`");
    let answers = shop.world.browser.stray_answers();
    assert_eq!(answers.len(), 10);
    assert!(answers.iter().all(|it| it.is_some_and(|it| (400..500).contains(&it))), "{answers:?}");
    assert_eq!(shop.token_requests(), 1, "no stray code was exchanged");
}

#[test] // AT-8c
fn a_wrong_state_is_refused_even_where_an_absent_one_is_taken() {
    for vendor in ["merchantos", "standard"] {
        let mut shop = Shop::of(vendor);
        let wrong = format!("{}?code=x&state=wrong", shop.redirect_uri);
        shop.world.browser(Behaviour::stray(move |_| vec![wrong.clone()]));
        let account = ["--set", "account_id=1"];
        match vendor {
            "merchantos" => {
                shop.connect_with(&[&["--scope", "employee:all"], &account[..]].concat())
            }
            _ => shop.connect(),
        }
        .ok();
        assert_eq!(shop.world.browser.stray_answers(), [Some(400)], "{vendor}");
        assert_eq!(shop.token_requests(), 1, "{vendor}: no stray code was exchanged");
    }
}

#[test] // AT-8c
fn a_wait_in_vain_names_the_redirect_uri() {
    let mut shop = Shop::of("inkress");
    shop.world.browser(Behaviour::Forgets);
    let ran = shop.connect_with(&["--scope", "orders:read", "--timeout", "30ms"]).exits(4);
    ran.without_product().says(&format!("registered exactly as {}", shop.redirect_uri));
}

#[test] // AT-9
fn the_redirect_uri_is_the_same_at_both_endpoints_in_every_spelling() {
    for spelling in
        ["http://127.0.0.1:PORT/cb", "http://localhost:PORT/a/b?c=d", "http://127.0.0.1:PORT"]
    {
        let shop = Shop::of("inkress");
        let port = crate::support::free_port().to_string();
        let uri = spelling.replace("PORT", &port);
        shop.sandbox.register_redirect_uri(&uri);
        let mut words =
            vec!["connect".to_owned(), "shop".into(), "--redirect-uri".into(), uri.clone()];
        words.extend(shop.client());
        words.extend(shop.secret_on_stdin().map(str::to_owned));
        shop.world.run(words.iter().map(String::as_str)).ok();
        let asked = parameters(&shop.world.browser.opened()[0]);
        assert_eq!(asked["redirect_uri"], uri);
        let exchange = shop.seen(Endpoint::Token).remove(0);
        let body: serde_json::Value = serde_json::from_slice(&exchange.body).unwrap();
        assert_eq!(body["redirect_uri"], uri.as_str());
    }
}

#[test] // AT-9
fn where_any_port_will_do_a_free_one_is_taken() {
    let shop = Shop::of("standard");
    shop.sandbox.register_redirect_uri("http://127.0.0.1/callback/standard");
    let mut words = vec!["connect".to_owned(), "shop".into()];
    words.extend(shop.client());
    words.extend(shop.secret_on_stdin().map(str::to_owned));
    shop.world.run(words.iter().map(String::as_str)).ok();
    let asked = parameters(&shop.world.browser.opened()[0]);
    let uri = Url::parse(&asked["redirect_uri"]).unwrap();
    assert_eq!((uri.host_str(), uri.path()), (Some("127.0.0.1"), "/callback/standard"));
    assert!(uri.port().is_some_and(|port| port >= 1024));
}

#[test] // AT-9
fn a_page_of_the_user_s_own_needs_somebody_to_paste() {
    let mut shop = Shop::of("inkress");
    shop.world.browser(Behaviour::MustStayClosed);
    let uri = "https://me.example/cb";
    let mut words = vec!["connect".to_owned(), "shop".into(), "--redirect-uri".into(), uri.into()];
    words.extend(shop.client());
    words.extend(shop.secret_on_stdin().map(str::to_owned));
    let ran = shop.world.run(words.iter().map(String::as_str)).exits(2);
    let ran = ran.says("nobody is here to paste").says(uri);
    let advised: Vec<&str> =
        ran.stderr.lines().filter(|it| it.contains("keyfob connect")).collect();
    assert!(advised[0].contains(&format!("--redirect-uri {uri}")), "on a terminal: {advised:?}");
    let loopback = "--redirect-uri http://127.0.0.1:8976/callback/inkress";
    assert!(advised[1].contains(loopback) && !advised[1].contains(uri), "{advised:?}");
}

#[test] // AT-9, T9
fn a_redirect_uri_that_is_not_registered_is_shown_by_the_vendor_and_the_wait_says_which_it_was() {
    let shop = Shop::of("inkress");
    let other = format!("http://127.0.0.1:{}/cb", crate::support::free_port());
    let mut words =
        vec!["connect".to_owned(), "shop".into(), "--redirect-uri".into(), other.clone()];
    words.extend(shop.client());
    words.extend(["--timeout".to_owned(), "300ms".to_owned()]);
    words.extend(shop.secret_on_stdin().map(str::to_owned));
    shop.world.run(words.iter().map(String::as_str)).exits(4).says(&other);
    let page = shop.world.browser.pages().remove(0);
    assert!(page.body.contains("not registered"), "{}", page.body);
}

#[test] // A30
fn a_browser_that_does_not_start_leaves_the_address_to_the_person() {
    let mut shop = Shop::of("inkress");
    shop.world.browser(Behaviour::Broken);
    let ran = shop.connect_with(&["--scope", "orders:read", "--timeout", "30ms"]).exits(4);
    ran.says("no browser was started").says("/oauth/authorize?");
}
