//! Who comes in, and what is passed on of what they ask.

use std::io::{Read as _, Write as _};

use super::running::Behind;
use super::upstream::{Upstream, ok};

fn behind() -> Behind {
    Behind::new(Upstream::answering(|_, stream| stream.write_all(ok("{}").as_bytes()).unwrap()))
}

#[test] // AT-25
fn a_program_uses_the_api_with_the_secret_in_place_of_the_token() {
    let behind = behind();
    let proxy = behind.proxy(&[]);
    let (host, secret) = (proxy.host().to_owned(), proxy.secret.clone());
    let port = host.rsplit(':').next().unwrap();
    for (host, shown) in [
        (host.clone(), format!("Authorization: Bearer {secret}")),
        (host.clone(), format!("authorization: token {secret}")),
        (format!("localhost:{port}"), format!("X-Keyfob-Proxy: {secret}")),
    ] {
        let answer = proxy.raw(&format!("GET /orders HTTP/1.1\r\nHost: {host}\r\n{shown}\r\n\r\n"));
        assert_eq!((answer.status, answer.text().as_str()), (200, "{}"), "{shown}");
    }
    for seen in behind.upstream.seen() {
        assert_eq!(seen.line(), "GET /api/v1/orders");
        assert_eq!(seen.header("authorization"), Some(format!("Bearer {}", behind.token)));
        assert_eq!(
            seen.header("host"),
            behind.upstream.origin.strip_prefix("http://").map(Into::into)
        );
        assert!(!seen.head.contains(&secret), "{}", seen.head);
    }
    assert_eq!(behind.upstream.seen().len(), 3);
    assert_eq!(behind.upstream.connections(), 1, "one connection to the API is kept");
}

#[test] // AT-25
fn strangers_pages_and_other_hosts_reach_nothing() {
    let behind = behind();
    let proxy = behind.proxy(&[]);
    let (host, secret) = (proxy.host(), &proxy.secret);
    let port = host.rsplit(':').next().unwrap();
    let shown = format!("X-Keyfob-Proxy: {secret}\r\n");
    let own = format!("Host: {host}\r\n");
    let api = behind.upstream.origin.strip_prefix("http://").unwrap();
    for (request, status, code) in [
        (format!("GET / HTTP/1.1\r\n{own}"), 401, "proxy-secret-missing"),
        (format!("GET / HTTP/1.1\r\n{own}X-Keyfob-Proxy: x\r\n"), 401, "proxy-secret-wrong"),
        (
            format!("GET / HTTP/1.1\r\n{own}Authorization: Bearer {}\r\n", behind.token),
            401,
            "proxy-secret-wrong",
        ),
        (format!("GET /{secret}/orders HTTP/1.1\r\n{own}"), 401, "proxy-secret-missing"),
        (format!("GET / HTTP/1.1\r\nHost: evil.example:{port}\r\n{shown}"), 421, "foreign-host"),
        (format!("GET / HTTP/1.1\r\nHost: {api}\r\n{shown}"), 421, "foreign-host"),
        (format!("GET / HTTP/1.1\r\n{shown}"), 421, "foreign-host"),
        (
            format!("GET http://{api}/api/v1/orders HTTP/1.1\r\nHost: {api}\r\n{shown}"),
            421,
            "foreign-host",
        ),
        (format!("GET http://{api}/api/v1/orders HTTP/1.1\r\n{own}{shown}"), 421, "foreign-host"),
        (format!("CONNECT {api} HTTP/1.1\r\nHost: {api}\r\n{shown}"), 501, "no-tunnel"),
        (
            format!("GET / HTTP/1.1\r\n{own}{shown}Origin: https://evil.example\r\n"),
            403,
            "from-browser",
        ),
        (format!("GET / HTTP/1.1\r\n{own}{shown}Origin: http://{host}\r\n"), 403, "from-browser"),
        (
            format!("GET / HTTP/1.1\r\n{own}{shown}Sec-Fetch-Site: cross-site\r\n"),
            403,
            "from-browser",
        ),
        (
            format!(
                "OPTIONS / HTTP/1.1\r\n{own}Origin: null\r\nAccess-Control-Request-Method: GET\r\n"
            ),
            403,
            "from-browser",
        ),
        (format!("TRACE / HTTP/1.1\r\n{own}{shown}"), 405, "no-trace"),
        (
            format!("GET / HTTP/1.1\r\n{own}{shown}Connection: Upgrade\r\nUpgrade: websocket\r\n"),
            501,
            "no-upgrade",
        ),
    ] {
        let answer = proxy.raw(&format!("{request}\r\n"));
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{request}");
        assert!(!answer.head.to_lowercase().contains("access-control"), "{}", answer.head);
        let said = format!("{}{}", answer.head, answer.text());
        assert!(!said.contains(&behind.token) && !said.contains(secret.as_str()), "{said}");
    }
    assert_eq!(behind.upstream.connections(), 0, "{:#?}", behind.upstream.seen());
}

#[test] // AT-25
fn the_allow_list_is_asked_about_what_is_sent() {
    let behind = behind();
    let proxy = behind.proxy(&["--allow", "GET /orders*", "--allow", "POST /notes"]);
    for line in ["GET /orders", "GET /%6frders/5?x=/users", "HEAD /orders", "GET /api/v1/orders"] {
        assert_eq!(proxy.ask(line).status, 200, "{line}");
    }
    assert_eq!(proxy.send("POST /notes", "{}").status, 200);
    let sent: Vec<String> =
        behind.upstream.seen().iter().map(|seen| seen.line().to_owned()).collect();
    let expected = [
        "GET /api/v1/orders",
        "GET /api/v1/orders/5?x=/users",
        "HEAD /api/v1/orders",
        "GET /api/v1/orders",
        "POST /api/v1/notes",
    ];
    assert_eq!(sent, expected);
    for line in [
        "GET /users",
        "DELETE /orders/5",
        "POST /orders",
        "get /orders",
        "GET /x/orders",
        "GET /api/v1/users",
        "GET /api/v2/orders",
        "GET /",
        "GET /?/orders",
    ] {
        let answer = proxy.ask(line);
        assert_eq!((answer.status, answer.code().as_str()), (403, "not-allowed"), "{line}");
    }
    for line in [
        "GET /orders/../users",
        "GET /orders/%2e%2e/users",
        "GET /orders/..%2fusers",
        "GET /orders/%2e%2e%2Fusers",
        "GET /orders/%252e%252e%252fusers",
        "GET /orders/..;/users",
        "GET /orders//users",
        "GET /orders%2f%2fusers",
        "GET /orders\\..\\users",
        "GET /orders%5c..%5cusers",
        "GET //evil.example/orders",
        "GET /orders%00",
        "GET /orders/%0d%0aX:y",
    ] {
        assert_eq!(proxy.ask(line).status, 400, "{line}");
    }
    let override_method = proxy.ask_with("GET /orders", "X-HTTP-Method-Override: DELETE");
    assert_eq!(override_method.status, 200);
    let rewritten = proxy.ask_with("GET /orders", "X-Original-URL: /api/v1/users");
    assert_eq!(rewritten.status, 200);
    let seen = behind.upstream.seen();
    assert_eq!(seen.len(), expected.len() + 2);
    for seen in &seen[expected.len()..] {
        assert_eq!(seen.header("x-http-method-override").or(seen.header("x-original-url")), None);
    }
}

#[test] // AT-25
fn read_only_passes_what_reads_and_what_is_named() {
    let behind = behind();
    let proxy = behind.proxy(&["--read-only"]);
    assert_eq!(proxy.ask("GET /orders").status, 200);
    assert_eq!(proxy.ask("OPTIONS /orders").status, 200);
    for line in ["POST /merchants/account/balances", "DELETE /orders/5", "PATCH /x", "get /orders"]
    {
        let answer = proxy.ask(line);
        assert_eq!((answer.status, answer.code().as_str()), (403, "not-allowed"), "{line}");
    }
    let named = ["--read-only", "--allow", "* *", "--allow", "POST /merchants/account/balances"];
    let proxy = behind.proxy(&named);
    assert_eq!(proxy.ask("GET /orders").status, 200);
    assert_eq!(proxy.send("POST /merchants/account/balances", "{}").status, 200);
    assert_eq!(proxy.send("POST /orders", "{}").status, 403);
}

#[test] // AT-4a
fn a_request_that_the_scopes_do_not_open_is_not_sent() {
    let behind = behind();
    let proxy = behind.proxy(&[]);
    let answer = proxy.ask("GET /users");
    assert_eq!((answer.status, answer.code().as_str()), (403, "scope-missing"));
    assert!(answer.text().contains("customers:read"), "{}", answer.text());
    assert_eq!(behind.upstream.connections(), 0);
}

#[test] // AT-25
fn another_method_in_the_query_is_refused() {
    let behind = behind();
    let proxy = behind.proxy(&["--allow", "POST /orders"]);
    for query in ["_method=DELETE", "a=1&%5FMETHOD=delete", "_HttpMethod=PATCH"] {
        let answer = proxy.send(&format!("POST /orders?{query}"), "{}");
        assert_eq!((answer.status, answer.code().as_str()), (403, "method-in-query"), "{query}");
    }
    assert_eq!(behind.upstream.connections(), 0);
    assert_eq!(proxy.send("POST /orders?method=card", "{}").status, 200);
}

#[test]
fn a_head_that_never_ends_is_cut_off() {
    let behind = behind();
    let proxy = behind.proxy(&[]);
    let flood = format!("{}{}", proxy.head("GET /orders"), "X-A: b\r\n".repeat(200));
    assert_eq!(proxy.raw(&format!("{flood}\r\n")).status, 431);
    let mut stream = proxy.connect();
    let long = vec![b'a'; 1 << 20];
    let _ = stream.write_all(b"GET /").and_then(|()| stream.write_all(&long));
    // The answer may be lost where the connection closes before all of it was read.
    let mut answer = Vec::new();
    let end = stream.read_to_end(&mut answer).map(|_| 0);
    assert!(super::upstream::is_closed(&end), "{end:?}");
    let answer = String::from_utf8_lossy(&answer);
    let is_refused = answer.is_empty() || answer.contains(" 414 ") || answer.contains(" 431 ");
    assert!(is_refused, "{answer}");
    for nonsense in
        ["\x16\x03\x01\x02\0\x01", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"]
    {
        let mut stream = proxy.connect();
        stream.write_all(nonsense.as_bytes()).unwrap();
        drop(stream);
    }
    assert_eq!(proxy.ask("GET /orders").status, 200);
    assert_eq!(behind.upstream.seen().len(), 1);
}

// Elsewhere one address of this network is configured, and no other can be bound.
#[cfg(target_os = "linux")]
#[test] // AT-25
fn it_listens_on_loopback_alone() {
    let behind = behind();
    let proxy = behind.proxy(&[]);
    let port: u16 = proxy.host().rsplit(':').next().unwrap().parse().unwrap();
    // Another address of this machine is free, so nobody has taken all of them.
    assert!(std::net::TcpListener::bind(("127.0.0.2", port)).is_ok());
}
