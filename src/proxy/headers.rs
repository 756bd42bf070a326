//! Which headers pass, one way and the other.

use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LOCATION, HeaderMap, HeaderName, HeaderValue, LINK,
    LOCATION, TE, TRAILER, VIA,
};

use super::gate::HEADER;
use crate::secret::Secret;

/// Names the reason where the proxy answered in place of the API; the API itself never sends it.
pub const ERROR: &str = "x-keyfob-error";

/// What concerns one connection alone (RFC 9110 section 7.6.1).
const OF_THE_CONNECTION: [&str; 9] = [
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "proxy-authentication-info",
];

/// What a program says that is not for the API: another credential, another address, another method
/// or path than the allow list was asked about, what is said about this way of sending, and a part of
/// a body: the parts of a token that an API repeats are not known for what they are.
const NOT_FOR_THE_API: [&str; 24] = [
    "accept-encoding",
    "authorization",
    "content-length",
    "cookie",
    "cookie2",
    "dpop",
    "expect",
    "forwarded",
    "host",
    "if-range",
    "origin",
    "range",
    "referer",
    "via",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
    "x-override-url",
    HEADER,
];

/// What an API says that is not for a program: a session of its own, what only a browser heeds, that
/// parts can be asked for, and what only the proxy may say.
const NOT_FOR_THE_PROGRAM: [&str; 9] = [
    "accept-ranges",
    "alt-svc",
    "clear-site-data",
    "dpop-nonce",
    "refresh",
    "set-cookie",
    "set-cookie2",
    "strict-transport-security",
    ERROR,
];

/// The program's headers that pass; none that holds the proxy's own secret.
pub fn to_the_api(received: &HeaderMap, secret: &Secret) -> HeaderMap {
    let mut passed = HeaderMap::with_capacity(received.len() + 6);
    let named = named_by_connection(received);
    for (name, value) in received {
        let text = name.as_str();
        // Many servers read `_` as `-`, so that a name with one is another name to them.
        let stays = text.contains('_')
            || OF_THE_CONNECTION.contains(&text)
            || NOT_FOR_THE_API.contains(&text)
            || ["proxy-", "x-forwarded-", "sec-fetch-"].iter().any(|it| text.starts_with(it))
            || named.iter().any(|it| it == text)
            || holds(value, secret);
        if !stays {
            passed.append(name.clone(), value.clone());
        }
    }
    if wants_trailers(received) {
        passed.insert(TE, HeaderValue::from_static("trailers"));
        passed.insert(CONNECTION, HeaderValue::from_static("te"));
    }
    // Bodies are looked through for secrets on their way back.
    passed.insert(hyper::header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    passed.insert(VIA, HeaderValue::from_static("1.1 keyfob"));
    passed
}

/// The API's headers that pass; no permission for web pages is among them.
pub fn to_the_program(received: &mut HeaderMap, asked: &HeaderMap) {
    let named = named_by_connection(received);
    let trailer = received.get(TRAILER).filter(|_| wants_trailers(asked)).cloned();
    let stay: Vec<HeaderName> = received
        .keys()
        .filter(|name| {
            let text = name.as_str();
            OF_THE_CONNECTION.contains(&text)
                || NOT_FOR_THE_PROGRAM.contains(&text)
                || text.starts_with("access-control-")
                || text.starts_with("proxy-")
                || named.iter().any(|it| it == text)
        })
        .cloned()
        .collect();
    for name in stay {
        received.remove(name);
    }
    if let Some(trailer) = trailer {
        received.insert(TRAILER, trailer);
    }
}

/// What follows a body and passes: nothing that is not passed before it, and no address.
pub fn trailers_to_the_program(received: &mut HeaderMap) {
    to_the_program(received, &HeaderMap::new());
    for name in [LOCATION, CONTENT_LOCATION, LINK] {
        received.remove(name);
    }
}

/// Whether the program reads what follows a body (RFC 9110 section 10.1.4).
pub fn wants_trailers(headers: &HeaderMap) -> bool {
    let mut said = headers.get_all(TE).iter().filter_map(|value| value.to_str().ok());
    said.any(|line| line.split(',').any(|it| it.trim().eq_ignore_ascii_case("trailers")))
}

/// The Authorization of a token, never shown in debug output.
pub fn authorization(scheme: &str, token: &Secret) -> Option<(HeaderName, HeaderValue)> {
    let text = zeroize::Zeroizing::new(format!("{scheme} {}", token.expose()));
    let mut value = HeaderValue::from_bytes(text.as_bytes()).ok()?;
    value.set_sensitive(true);
    Some((AUTHORIZATION, value))
}

/// The header of a proof that the client holds the token's key (RFC 9449 section 7.1).
pub fn proof(proof: &Secret) -> Option<(HeaderName, HeaderValue)> {
    let mut value = HeaderValue::from_str(proof.expose()).ok()?;
    value.set_sensitive(true);
    Some((HeaderName::from_static("dpop"), value))
}

fn named_by_connection(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect()
}

fn holds(value: &HeaderValue, secret: &Secret) -> bool {
    memchr::memmem::find(value.as_bytes(), secret.expose().as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    fn names(map: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<&str> = map.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test] // AT-25
    fn only_what_concerns_the_api_reaches_it() {
        let received = map(&[
            ("accept", "application/json"),
            ("accept-encoding", "br"),
            ("authorization", "Bearer secret-secret"),
            ("connection", "close, X-Mine"),
            ("x-mine", "1"),
            ("cookie", "a=b"),
            ("forwarded", "for=1"),
            ("x-forwarded-host", "evil.example"),
            ("host", "127.0.0.1:1"),
            ("proxy-authorization", "Basic x"),
            ("proxy-anything", "x"),
            ("te", "trailers, deflate"),
            ("transfer-encoding", "chunked"),
            ("content-length", "7"),
            ("upgrade", "h2c"),
            ("x-http-method-override", "DELETE"),
            ("x-original-url", "/users"),
            ("x-keyfob-proxy", "secret-secret"),
            ("x-debug", "is secret-secret"),
            ("range", "bytes=0-9"),
            ("if-range", "\"e\""),
            ("x_http_method_override", "DELETE"),
            ("x_original-url", "/admin"),
            ("transfer_encoding", "chunked"),
            ("x_trace", "1"),
            ("x-trace", "1"),
        ]);
        let passed = to_the_api(&received, &Secret::new("secret-secret"));
        let expected = ["accept", "accept-encoding", "connection", "te", "via", "x-trace"];
        assert_eq!(names(&passed), expected);
        assert_eq!(passed["accept-encoding"], "identity");
        assert_eq!(
            (&passed["te"], &passed["connection"]),
            (&"trailers".parse().unwrap(), &"te".parse().unwrap())
        );
    }

    #[test] // AT-25
    fn an_answer_brings_no_session_and_no_permission_for_pages() {
        let answer = [
            ("content-type", "text/plain"),
            ("set-cookie", "session=1"),
            ("access-control-allow-origin", "*"),
            ("connection", "keep-alive, X-Hop"),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("strict-transport-security", "max-age=1"),
            ("x-keyfob-error", "spoofed"),
            ("proxy-authenticate", "Basic"),
            ("trailer", "x-sum"),
            ("accept-ranges", "bytes"),
            ("refresh", "0; url=https://evil.example/"),
            ("etag", "1"),
        ];
        let mut received = map(&answer);
        to_the_program(&mut received, &HeaderMap::new());
        assert_eq!(names(&received), ["content-type", "etag"]);
        let mut received = map(&answer);
        to_the_program(&mut received, &map(&[("te", "Trailers")]));
        assert_eq!(names(&received), ["content-type", "etag", "trailer"]);
    }

    #[test]
    fn the_token_is_hidden_in_debug_output() {
        let (_, value) = authorization("Bearer", &Secret::new("mark")).unwrap();
        assert!(!format!("{value:?}").contains("mark"));
        assert!(authorization("Bearer", &Secret::new("a\r\nb")).is_none());
    }
}
