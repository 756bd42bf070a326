//! What passes, one way and the other: headers, redirects, secrets that come back.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::running::Behind;
use super::upstream::{Upstream, chunk, ok};

#[test] // AT-25, RR7, RR15
fn the_providers_headers_are_added_and_the_connections_own_are_not_passed() {
    let behind = Behind::new(Upstream::saying("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"));
    let proxy = behind.proxy(&[]);
    let cookies = "Cookie: a=b\r\nForwarded: for=1\r\nProxy-Authorization: Basic x\r\nX-Mine: 1\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nReferer: http://x/";
    assert_eq!(proxy.ask_with("GET /orders?a=b%20c&d", cookies).status, 200);
    let seen = behind.upstream.seen().remove(0);
    assert_eq!(seen.line(), "GET /api/v1/orders?a=b%20c&d");
    for name in ["cookie", "forwarded", "proxy-authorization", "x-hop", "referer", "x-keyfob-proxy"]
    {
        assert_eq!(seen.header(name), None, "{name}");
    }
    assert_eq!(seen.header("x-mine").as_deref(), Some("1"));
    assert_eq!(seen.header("accept-encoding").as_deref(), Some("identity"));

    proxy.send("POST /notes", "{\"a\":1}");
    let mine = "Idempotency-Key: mine\r\nContent-Length: 0";
    proxy.ask_with("POST /notes", mine);
    let seen = behind.upstream.seen();
    assert_eq!(seen[0].header("idempotency-key"), None);
    assert_eq!(seen[1].header("idempotency-key").unwrap().len(), 36);
    assert_eq!(seen[1].body, b"{\"a\":1}");
    assert_eq!(seen[2].header("idempotency-key").as_deref(), Some("mine"));
}

#[test] // AT-25
fn names_in_braces_are_filled_from_the_connection() {
    let behind = Behind::new(Upstream::saying("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
    let proxy = behind.proxy(&["--allow", "GET /merchants/{merchant_id}"]);
    assert_eq!(proxy.ask("GET /merchants/%7Bmerchant_id%7D").status, 200);
    assert_eq!(proxy.ask("GET /merchants/{merchant_id}").status, 200);
    assert_eq!(proxy.ask("GET /merchants/184").status, 403);
    assert_eq!(proxy.ask("GET /merchants/{nobody}").status, 400);
    let seen = behind.upstream.seen();
    assert!(seen.iter().all(|seen| seen.line() == "GET /api/v1/merchants/183"), "{seen:#?}");
}

#[test] // AT-25
fn an_answer_brings_no_cookie_and_no_permission_for_pages() {
    let behind = Behind::new(Upstream::saying(
        "HTTP/1.1 201 Made\r\ncontent-length: 2\r\nset-cookie: s=1\r\naccess-control-allow-origin: *\r\n\
         connection: X-Hop\r\nx-hop: 1\r\netag: \"e\"\r\nx-two: a\r\nx-two: b\r\n\r\n{}",
    ));
    let answer = behind.proxy(&[]).ask("GET /orders");
    assert_eq!((answer.status, answer.text().as_str()), (201, "{}"));
    for name in ["set-cookie", "access-control-allow-origin", "x-hop"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
    assert_eq!(answer.header("etag").as_deref(), Some("\"e\""));
    assert_eq!(answer.header("x-two").as_deref(), Some("a, b"));
}

#[test] // AT-25
fn an_api_that_repeats_the_token_repeats_stars() {
    let behind = Behind::new(Upstream::answering(|seen, stream| {
        let token = seen.header("authorization").unwrap();
        let (_, bare) = token.split_once(' ').unwrap();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nx-echo: {token}\r\nx-{bare}: 1\r\ntransfer-encoding: chunked\r\ntrailer: x-last\r\n\r\n"
        )
        .unwrap();
        let body = format!("{{\"said\":\"{token}\",\"again\":\"{bare}\"}}");
        let middle = body.find(bare).unwrap() + bare.len() / 2;
        chunk(stream, &body.as_bytes()[..middle]);
        for byte in body.as_bytes()[middle..].chunks(1) {
            chunk(stream, byte);
        }
        write!(stream, "0\r\nx-last: {bare}\r\n\r\n").unwrap();
    }));
    let proxy = behind.proxy(&[]);
    let answer = proxy.ask_with("GET /orders", "TE: trailers");
    let everything = format!("{}{}{}", answer.head, answer.text(), answer.trailers);
    assert!(!everything.contains(&behind.token), "{everything}");
    let stars = "*".repeat(behind.token.len());
    assert_eq!(answer.text(), format!("{{\"said\":\"Bearer {stars}\",\"again\":\"{stars}\"}}"));
    assert_eq!(answer.header("x-echo"), Some(format!("Bearer {stars}")));
    assert!(answer.trailers.contains(&stars), "trailers: {:?}", answer.trailers);
    assert!(answer.is_whole);
}

#[test] // AT-25
fn a_token_that_is_repeated_in_other_words_is_stars_too() {
    let behind = Behind::new(Upstream::answering(|seen, stream| {
        let token = seen.header("authorization").unwrap().split_once(' ').unwrap().1.to_owned();
        let escaped: String = token.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let json: String = token.bytes().map(|byte| format!("\\u{byte:04X}")).collect();
        let basic = STANDARD.encode(format!("x:{token}"));
        stream.write_all(ok(&format!("{escaped} {json} {basic}")).as_bytes()).unwrap();
    }));
    let answer = behind.proxy(&[]).ask("GET /orders");
    let length = behind.token.len();
    let words: Vec<String> = answer.text().split(' ').map(str::to_owned).collect();
    assert_eq!(words[..2], ["*".repeat(3 * length), "*".repeat(6 * length)]);
    assert!(words[2].matches('*').count() >= length * 8 / 6 - 1, "{}", words[2]);
}

#[test] // AT-25
fn an_api_that_repeats_everything_repeats_no_secret() {
    let behind = Behind::new(Upstream::answering(|seen, stream| {
        let head = seen.head.replace("\r\n", "|");
        stream.write_all(ok(&head).as_bytes()).unwrap();
    }));
    let proxy = behind.proxy(&[]);
    let leak = format!("X-Mine: {0}\r\nAuthorization: Bearer {0}", proxy.secret);
    let line = format!("GET /orders?mine={}", proxy.secret);
    let answer = proxy.ask_with(&line, &leak);
    assert_eq!(answer.status, 200);
    assert!(!answer.text().contains(&behind.token), "{}", answer.text());
    assert!(!answer.text().contains(&proxy.secret), "{}", answer.text());
    proxy.says("GET /orders?mine=[hidden] 200");
    assert!(!proxy.stderr().contains(&proxy.secret));
}

#[test] // AT-25, RR5
fn a_redirect_is_told_as_the_proxys_own_or_not_at_all() {
    let behind = Behind::new(Upstream::answering(|seen, stream| {
        let to = seen.line().split("to=").nth(1).unwrap();
        let own = format!("http://{}", seen.header("host").unwrap());
        let to =
            to.replace("OWN", &own).replace("TOKEN", &seen.header("authorization").unwrap()[7..]);
        write!(stream, "HTTP/1.1 307 No\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n").unwrap();
    }));
    let proxy = behind.proxy(&[]);
    let stars = "*".repeat(behind.token.len());
    for (to, expected) in [
        ("OWN/api/v1/orders/6?x=1", "/api/v1/orders/6?x=1"),
        ("6", "/api/v1/6"),
        ("/api/v1/orders?t=TOKEN", &format!("/api/v1/orders?t={stars}")),
    ] {
        let answer = proxy.ask(&format!("GET /orders?to={to}"));
        assert_eq!(answer.status, 307, "{to}: {}", answer.text());
        assert_eq!(answer.header("location"), Some(format!("{}{expected}", proxy.address)));
    }
    for to in ["https://evil.example/TOKEN", "//evil.example/", "OWN/login", "OWN:1/api/v1/x"] {
        let answer = proxy.ask(&format!("GET /orders?to={to}"));
        assert_eq!((answer.status, answer.code().as_str()), (502, "redirect-elsewhere"), "{to}");
        assert_eq!(answer.header("location"), None);
        assert!(!answer.text().contains(&behind.token));
    }
    assert_eq!(behind.upstream.seen().len(), 7, "nobody follows a redirect here");
}

#[test] // AT-25
fn links_lead_to_the_proxy_or_are_not_told() {
    let behind = Behind::new(Upstream::answering(|seen, stream| {
        let own = format!("http://{}/api/v1", seen.header("host").unwrap());
        write!(
            stream,
            "HTTP/1.1 201 Made\r\nlink: <{own}/orders?page=2>; rel=\"next\", <https://evil.example/>; rel=\"last\"\r\n\
             content-location: /api/v1/orders/5\r\nlocation: https://evil.example/\r\n\
             refresh: 0; url=https://evil.example/\r\ncontent-length: 0\r\n\r\n"
        )
        .unwrap();
    }));
    let proxy = behind.proxy(&[]);
    let answer = proxy.ask("GET /orders");
    assert_eq!(answer.status, 201, "{}", answer.text());
    let next = format!("<{}/api/v1/orders?page=2>; rel=\"next\"", proxy.address);
    assert_eq!(answer.header("link"), Some(next));
    let about = format!("{}/api/v1/orders/5", proxy.address);
    assert_eq!(answer.header("content-location"), Some(about));
    assert_eq!((answer.header("location"), answer.header("refresh")), (None, None));
    assert_eq!(proxy.ask("GET /api/v1/orders?page=2").status, 201, "the link can be followed");
    assert_eq!(behind.upstream.seen()[1].line(), "GET /api/v1/orders?page=2");
}

#[test] // AT-25
fn a_name_with_an_underscore_is_not_passed_and_no_part_of_a_body_is_asked_for() {
    let behind = Behind::new(Upstream::saying(
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\naccept-ranges: bytes\r\n\r\n{}",
    ));
    let proxy = behind.proxy(&["--read-only"]);
    let sent = "x_http_method_override: DELETE\r\nIdempotency_Key: 9\r\nx_original_url: /admin\r\n\
                transfer_encoding: chunked\r\nRange: bytes=0-9\r\nIf-Range: \"e\"\r\nX-Mine: 1";
    let answer = proxy.ask_with("GET /orders", sent);
    assert_eq!((answer.status, answer.header("accept-ranges")), (200, None));
    let seen = behind.upstream.seen().remove(0);
    let names = seen.head.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0));
    let names: Vec<&str> = names.collect();
    let passed = |name: &&&str| name.contains('_') || name.to_ascii_lowercase().contains("range");
    assert_eq!(names.iter().find(passed), None, "{names:?}");
    assert_eq!(seen.header("x-mine").as_deref(), Some("1"));
}

#[test] // AT-25
fn an_answer_that_cannot_be_looked_through_is_not_passed() {
    let behind = Behind::new(Upstream::saying(
        "HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 3\r\n\r\nabc",
    ));
    let answer = behind.proxy(&[]).ask_with("GET /orders", "Accept-Encoding: br");
    assert_eq!((answer.status, answer.code().as_str()), (502, "encoded"));
}

#[test]
fn heads_without_bodies_keep_their_length() {
    let behind = Behind::new(Upstream::answering(|seen, stream| {
        let status = if seen.line().ends_with("304") { "304 Same" } else { "200 OK" };
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 1234\r\n\r\n").unwrap();
    }));
    let proxy = behind.proxy(&[]);
    let answer = proxy.ask("HEAD /orders");
    assert_eq!((answer.status, answer.header("content-length").as_deref()), (200, Some("1234")));
    assert_eq!(proxy.ask("HEAD /orders/304").status, 304);
    proxy.says("HEAD /orders/304 304");
    assert!(!proxy.stderr().contains("cut-off"), "{}", proxy.stderr());
}

#[test]
fn an_api_that_is_not_there_or_talks_nonsense_is_a_bad_gateway() {
    let behind = Behind::new(Upstream::answering(|seen, stream| match seen.line() {
        "GET /api/v1/orders/nonsense" => stream.write_all(b"SSH-2.0-OpenSSH\r\n\r\n").unwrap(),
        _ => stream.shutdown(std::net::Shutdown::Both).unwrap(),
    }));
    let proxy = behind.proxy(&[]);
    let answer = proxy.ask("GET /orders/nonsense");
    assert_eq!((answer.status, answer.code().as_str()), (502, "network"));
    assert!(!answer.text().contains(&behind.token));
    // A read is tried once more, in case a kept connection had just ended; a write with its key too.
    assert_eq!(proxy.ask("GET /orders/gone").status, 502);
    let gone = behind.upstream.seen().iter().filter(|it| it.line().ends_with("gone")).count();
    assert_eq!(gone, 2);
}
