use super::*;
use crate::sandbox::walk::{self, Decision};
use std::io::{BufRead, BufReader, Write};

fn without(mut parameters: Vec<(String, String)>, name: &str) -> Vec<(String, String)> {
    parameters.retain(|(key, _)| key != name);
    parameters
}

fn with(parameters: Vec<(String, String)>, name: &str, value: &str) -> Vec<(String, String)> {
    let mut parameters = without(parameters, name);
    parameters.push((name.to_owned(), value.to_owned()));
    parameters
}

#[test] // AR7, AR21
fn what_cannot_be_trusted_is_shown_and_never_redirected() {
    let bench = Bench::of("inkress");
    let sound = || bench.authorization_request("orders:read");
    let repeated = [sound(), owned(&[("state", "x")])].concat();
    let cases = [
        (with(sound(), "client_id", "inkid_other"), "invalid_client"),
        (
            with(sound(), "redirect_uri", "http://127.0.0.1:8976/callback/inkress/"),
            "invalid_redirect_uri",
        ),
        (
            with(sound(), "redirect_uri", "http://127.0.0.1:8977/callback/inkress"),
            "invalid_redirect_uri",
        ),
        (
            with(sound(), "redirect_uri", "http://localhost:8976/callback/inkress"),
            "invalid_redirect_uri",
        ),
        (
            with(sound(), "redirect_uri", "http://127.0.0.1:8976/callback/inkress?a=1"),
            "invalid_redirect_uri",
        ),
        (with(sound(), "client_secret", "s"), "invalid_request"),
        (without(sound(), "redirect_uri"), "invalid_request"),
        (repeated, "invalid_request"),
    ];
    for (parameters, code) in cases {
        let received = bench.authorize(&parameters);
        assert_eq!(
            (received.status, received.header("x-sandbox-refused")),
            (400, Some(code)),
            "{parameters:?}"
        );
        assert_eq!(received.header("location"), None);
    }
}

#[test] // AR3, AR12
fn what_is_wrong_otherwise_goes_back_with_the_state() {
    let bench = Bench::of("inkress");
    let sound = || bench.authorization_request("orders:read");
    let cases = [
        (with(sound(), "response_type", "token"), "unsupported_response_type"),
        (without(sound(), "response_type"), "invalid_request"),
        (with(sound(), "scope", "orders:read wallet:everything"), "invalid_scope"),
        (with(sound(), "scope", "orders:read,wallet:read"), "invalid_scope"),
        (without(sound(), "scope"), "invalid_scope"),
        (with(sound(), "code_challenge_method", "plain"), "invalid_request"),
        (with(sound(), "code_challenge", "short"), "invalid_request"),
        (without(without(sound(), "code_challenge"), "code_challenge_method"), "invalid_request"),
    ];
    for (parameters, error) in cases {
        let received = bench.authorize(&parameters);
        assert_eq!(received.status, 302, "{parameters:?}");
        assert_eq!(query_of(&received, "error").as_deref(), Some(error), "{parameters:?}");
        assert_eq!(query_of(&received, "state").as_deref(), Some("st4te"));
        assert!(
            received
                .header("location")
                .unwrap()
                .starts_with("http://127.0.0.1:8976/callback/inkress?")
        );
    }
    assert_eq!(
        query_of(&bench.authorize(&without(sound(), "state")), "error").unwrap(),
        "invalid_request"
    );
}

#[test]
fn an_application_under_review_is_turned_back_at_both_endpoints() {
    let bench = Bench::of("inkress");
    bench.sandbox.set_approved(false);
    let received = bench.authorize(&bench.authorization_request("orders:read"));
    assert_eq!(query_of(&received, "error").as_deref(), Some("unauthorized_client"));
    let refused = bench.token(&[("grant_type", "refresh_token"), ("refresh_token", "inkr_x")]);
    assert_eq!((refused.status, &json_of(&refused)["error"]), (400, &json!("unauthorized_client")));
}

#[test]
fn the_consent_page_names_the_client_and_what_each_scope_grants() {
    let bench = Bench::of("inkress");
    let page = bench.authorize(&bench.authorization_request("orders:read financial_accounts:read"));
    let text = String::from_utf8(page.body.clone()).unwrap();
    for words in [
        "inkid_sandbox",
        "Blue Mountain Coffee",
        "view orders, line items and order details",
        "<em>sensitive</em>",
        "value=\"allow\"",
        "value=\"deny\"",
    ] {
        assert!(text.contains(words), "{words} is missing in {text}");
    }
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
    // A browser holds form-action against the redirect that follows the form.
    assert!(policy.contains("form-action 'self' http://127.0.0.1:8976;"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
}

#[test]
fn a_value_from_the_request_cannot_become_markup() {
    let bench = Bench::of("inkress");
    let uri = "http://127.0.0.1/\"><script>alert(1)</script>";
    let parameters = with(bench.authorization_request("orders:read"), "redirect_uri", uri);
    let page = String::from_utf8(bench.authorize(&parameters).body).unwrap();
    assert!(!page.contains("<script>") && page.contains("&lt;script&gt;"));
}

#[test]
fn a_ticket_is_good_once_and_only_from_our_own_page() {
    let bench = Bench::of("inkress");
    let page = bench.authorize(&bench.authorization_request("orders:read"));
    let granted = bench.decided(&page, "allow");
    assert_eq!(granted.status, 303);
    assert!(query_of(&granted, "code").unwrap().starts_with("inkc_"));
    assert_eq!(query_of(&granted, "state").as_deref(), Some("st4te"));
    assert_eq!(bench.decided(&page, "allow").status, 400);

    let endpoint = bench.path(Endpoint::Authorization);
    let foreign = [FORM, &[("origin", "https://evil.example")]].concat();
    let body = "ticket=whatever&decision=allow";
    assert_eq!(bench.send("POST", &endpoint, &foreign, body).status, 400);
    assert_eq!(bench.send("POST", &endpoint, FORM, body).status, 400);
    assert_eq!(bench.send("DELETE", &endpoint, &[], "").status, 405);
}

#[test]
fn a_ticket_ends_after_ten_minutes() {
    let bench = Bench::of("inkress");
    let page = bench.authorize(&bench.authorization_request("orders:read"));
    bench.clock.forward(600);
    assert_eq!(bench.decided(&page, "allow").status, 400);
}

#[test] // RL8
fn a_person_who_says_no_is_heard() {
    let bench = Bench::of("inkress");
    let page = bench.authorize(&bench.authorization_request("orders:read"));
    let denied = bench.decided(&page, "deny");
    assert_eq!(query_of(&denied, "error").as_deref(), Some("access_denied"));
    assert_eq!(query_of(&denied, "state").as_deref(), Some("st4te"));
    assert_eq!(query_of(&denied, "code"), None);
}

#[test]
fn merchantos_takes_no_redirect_uri_and_gives_no_state() {
    let bench = Bench::of("merchantos");
    let sound = || bench.authorization_request("employee:inventory");
    let page = bench.authorize(&sound());
    assert_eq!(page.status, 200);
    let granted = bench.decided(&page, "allow");
    assert!(query_of(&granted, "code").is_some());
    assert_eq!(query_of(&granted, "state"), None);
    assert!(
        granted
            .header("location")
            .unwrap()
            .starts_with("http://127.0.0.1:8976/callback/merchantos?code=")
    );
    let exact = with(sound(), "redirect_uri", "http://127.0.0.1:8976/callback/merchantos");
    assert_eq!(bench.authorize(&exact).status, 200);
    let other = with(sound(), "redirect_uri", "http://127.0.0.1:8976/callback/other");
    assert_eq!(bench.authorize(&other).status, 400);
    let pkce = with(sound(), "code_challenge", CHALLENGE);
    assert_eq!(query_of(&bench.authorize(&pkce), "error").as_deref(), Some("invalid_request"));
}

#[test] // AR8, RL10
fn a_standard_server_takes_any_loopback_port_and_names_itself() {
    let bench = Bench::of("standard");
    let sound = || bench.authorization_request("items:read");
    for (uri, status) in [
        ("http://127.0.0.1:50123/callback/shop", 200),
        ("http://[::1]:50123/callback/shop", 200),
        ("http://localhost:50123/callback/shop", 400),
        ("https://127.0.0.1:50123/callback/shop", 400),
        ("http://127.0.0.1.evil.example/callback", 400),
        ("http://user@127.0.0.1:50123/callback", 400),
    ] {
        assert_eq!(bench.authorize(&with(sound(), "redirect_uri", uri)).status, status, "{uri}");
    }
    let uri = "http://127.0.0.1:50123/callback/shop?kept=1";
    let page = bench.authorize(&with(sound(), "redirect_uri", uri));
    let granted = bench.decided(&page, "allow");
    assert_eq!(query_of(&granted, "iss"), Some(bench.sandbox.origin()));
    assert!(granted.header("location").unwrap().starts_with(&format!("{uri}&code=")));
}

#[test]
fn a_registered_path_is_held_on_every_port() {
    use crate::provider::schema::RedirectMatch::{Exact, LoopbackAnyPort};
    use crate::sandbox::authorization::redirect_matches;
    let cases = [
        (LoopbackAnyPort, "http://127.0.0.1/callback/a", "http://127.0.0.1:9/callback/a", true),
        (LoopbackAnyPort, "http://127.0.0.1/callback/a", "http://127.0.0.1:9/callback/b", false),
        (LoopbackAnyPort, "http://127.0.0.1", "http://127.0.0.1:9/callback/b", true),
        (LoopbackAnyPort, "https://app.example/cb", "https://app.example/cb", true),
        (LoopbackAnyPort, "https://app.example/cb", "http://127.0.0.1:9/cb", false),
        (Exact, "http://127.0.0.1:8976/a", "http://127.0.0.1:8977/a", false),
    ];
    for (matching, registered, asked, matches) in cases {
        assert_eq!(redirect_matches(matching, registered, asked), matches, "{registered} {asked}");
    }
}

#[test]
fn the_metadata_document_tells_where_everything_is() {
    for (vendor, token) in [("inkress", "/api/v1/hooks/oauth/token"), ("standard", "/token")] {
        let bench = Bench::of(vendor);
        let origin = bench.sandbox.origin();
        let document = json_of(&bench.get("/.well-known/oauth-authorization-server", &[]));
        assert_eq!(document["issuer"], json!(origin));
        assert_eq!(document["token_endpoint"], json!(format!("{origin}{token}")));
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
        assert!(document["revocation_endpoint"].is_string());
        assert!(!document["scopes_supported"].as_array().unwrap().is_empty());
    }
    let imprest = Bench::of("imprest").get("/.well-known/oauth-authorization-server", &[]);
    assert_eq!(imprest.status, 401, "Imprest publishes none: the path is its API's");
}

#[test] // RL16
fn a_scripted_person_walks_to_the_clean_last_page() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://{}/callback/inkress", listener.local_addr().unwrap());
    let bench = Bench::of("inkress");
    bench.sandbox.register_redirect_uri(&uri);
    let parameters = with(bench.authorization_request("orders:read"), "redirect_uri", &uri);
    let url =
        format!("{}?{}", bench.sandbox.url(Endpoint::Authorization).unwrap(), encoded(&parameters));
    let person = walk::in_thread(&url, Decision::Allow);
    let answers = [
        "HTTP/1.1 303 See Other\r\nLocation: /done\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ndone",
    ];
    let asked = answers.map(|answer| {
        let (mut stream, _) = listener.accept().unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
        let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        stream.write_all(answer.as_bytes()).unwrap();
        head[0].clone()
    });
    let page = person.join().unwrap().unwrap();
    assert!(asked[0].starts_with("GET /callback/inkress?code=inkc_"), "{}", asked[0]);
    assert_eq!(asked[1], "GET /done HTTP/1.1");
    assert_eq!((page.status, page.body.as_str()), (Some(200), "done"));
}

#[test]
fn a_walk_that_leaves_loopback_ends_with_the_address_bar() {
    let bench = Bench::of("inkress");
    bench.sandbox.register_redirect_uri("https://app.example/callback");
    let parameters = with(
        bench.authorization_request("orders:read"),
        "redirect_uri",
        "https://app.example/callback",
    );
    let url =
        format!("{}?{}", bench.sandbox.url(Endpoint::Authorization).unwrap(), encoded(&parameters));
    let page = walk::walk(&url, Decision::Allow).unwrap();
    assert_eq!(page.status, None);
    assert!(page.url.starts_with("https://app.example/callback?code=inkc_"));
}

#[test]
fn a_walk_into_a_refusal_ends_on_its_page() {
    let bench = Bench::of("inkress");
    let parameters = with(bench.authorization_request("orders:read"), "client_id", "inkid_other");
    let url =
        format!("{}?{}", bench.sandbox.url(Endpoint::Authorization).unwrap(), encoded(&parameters));
    let page = walk::walk(&url, Decision::Allow).unwrap();
    assert_eq!(page.status, Some(400));
    assert!(page.body.contains("invalid_client"));
}
