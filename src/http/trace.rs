//! What `-v` shows of the traffic: lines for stderr in which no secret can be.
//!
//! Redaction is by list and not by pattern (LG2): a header that is not listed shows only a
//! fingerprint, a query only its names. Bodies are not shown at all (LG4).

use hyper::header::HeaderMap;

use super::printable::printable;
use super::request::{HeaderText, Request, shown_url};
use crate::secret::Secret;

/// Takes a line for stderr.
pub trait Trace: Fn(String) {}
impl<T: Fn(String)> Trace for T {}

/// Headers whose values anyone may see; those shown at the first level come first.
const SHOWN_AT_ONCE: [&str; 7] = [
    "content-type",
    "content-length",
    "idempotency-key",
    "idempotency-replay",
    "retry-after",
    "x-request-id",
    "request-id",
];
const SHOWN: [&str; 17] = [
    "accept",
    "accept-encoding",
    "age",
    "allow",
    "cache-control",
    "connection",
    "content-encoding",
    "date",
    "etag",
    "last-modified",
    "server",
    "transfer-encoding",
    "user-agent",
    "vary",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];

/// The lines of a request; `level` is how often `-v` was given.
pub fn request_lines(request: &Request, level: u8) -> Vec<String> {
    if level == 0 {
        return Vec::new();
    }
    let mut lines = vec![format!("> {} {}", request.method, shown_url(&request.url))];
    for (name, value) in &request.headers {
        let text = match value {
            HeaderText::Plain(text) => shown(name, text, level),
            HeaderText::Secret(secret) => (level > 1).then(|| hidden(secret.expose())),
        };
        lines.extend(text.map(|text| format!("> {}: {text}", printable(name).to_lowercase())));
    }
    lines
}

/// The lines of an answer's head.
pub fn answer_lines(status: u16, headers: &HeaderMap, level: u8) -> Vec<String> {
    if level == 0 {
        return Vec::new();
    }
    let reason = hyper::StatusCode::from_u16(status).ok();
    let reason = reason.and_then(|status| status.canonical_reason()).unwrap_or_default();
    let mut lines = vec![format!("< {status} {reason}").trim_end().to_owned()];
    for (name, value) in headers {
        let text = String::from_utf8_lossy(value.as_bytes());
        lines.extend(shown(name.as_str(), &text, level).map(|text| format!("< {name}: {text}")));
    }
    lines
}

fn shown(name: &str, text: &str, level: u8) -> Option<String> {
    let listed = |list: &[&str]| list.iter().any(|listed| listed.eq_ignore_ascii_case(name));
    match level {
        _ if listed(&SHOWN_AT_ONCE) => Some(printable(text)),
        1 => None,
        _ if listed(&SHOWN) => Some(printable(text)),
        _ => Some(hidden(text)),
    }
}

/// A fingerprint; of credentials without their scheme, so that it equals the token's own.
fn hidden(text: &str) -> String {
    match text.split_once(' ') {
        Some((scheme, credentials)) if is_scheme(scheme) => {
            format!("{scheme} {}", fingerprint(credentials.trim()))
        }
        _ => fingerprint(text),
    }
}

fn is_scheme(word: &str) -> bool {
    ["basic", "bearer", "dpop", "oauth"].iter().any(|known| known.eq_ignore_ascii_case(word))
}

fn fingerprint(text: &str) -> String {
    format!("[hidden sha256:{}]", Secret::new(text).fingerprint())
}

#[cfg(test)]
mod tests {
    use hyper::Method;

    use super::*;

    fn request() -> Request {
        let url = "https://api.example/Item?oauth_token=mark1&x\u{1b}[2J=mark2#mark3";
        Request::new(Method::POST, url.parse().unwrap())
            .header("Content-Type", "application/json")
            .header("Accept", "text/plain\u{1b}[31m")
            .header("X-Vendor-Key", "mark4")
            .secret_header("Authorization", Secret::new("OAuth mark5"))
            .body(super::super::Body::Secret(Secret::new("mark6")))
    }

    #[test] // LG1, LG2, LG4
    fn a_request_is_told_without_a_secret() {
        assert_eq!(request_lines(&request(), 0), Vec::<String>::new());
        let brief = request_lines(&request(), 1);
        assert_eq!(brief[0], "> POST https://api.example/Item?oauth_token=[hidden]&x=[hidden]");
        assert_eq!(brief[1..], ["> content-type: application/json"]);
        let full = request_lines(&request(), 2);
        let fingerprint = Secret::new("mark5").fingerprint();
        assert!(full.contains(&format!("> authorization: OAuth [hidden sha256:{fingerprint}]")));
        assert!(full.contains(&"> accept: text/plain".to_owned()), "{full:?}");
        for line in brief.iter().chain(&full) {
            assert!(!line.contains("mark"), "{line}");
        }
    }

    #[test] // LG1, LG2
    fn an_answer_is_told_without_a_secret() {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "text/html".parse().unwrap());
        headers.insert("location", "https://x.example/?code=mark".parse().unwrap());
        headers.insert("set-cookie", "session=mark".parse().unwrap());
        headers.insert("date", "today".parse().unwrap());
        assert_eq!(answer_lines(302, &headers, 1), ["< 302 Found", "< content-type: text/html"]);
        let full = answer_lines(302, &headers, 3);
        assert!(full.contains(&"< date: today".to_owned()));
        assert_eq!(full.iter().filter(|line| line.contains("[hidden sha256:")).count(), 2);
        assert!(!full.concat().contains("mark"));
    }
}
