//! What a token endpoint and an API answer.

use std::sync::LazyLock;

use jiff::Timestamp;
use keyfob::authorization_server::token_response::{Asked, TokenAnswer, error_of, judge};
use keyfob::connection::Entry;
use keyfob::http::{Answer, ErrorPlaces, ErrorResponse, HeaderMap, HeaderValue, printable};
use keyfob::provider::{Provider, catalogue};
use keyfob::random::SystemRandom;
use zeroize::Zeroizing;

/// Every shipped vendor: each has names and places of its own.
static VENDORS: LazyLock<Vec<Provider>> = LazyLock::new(|| {
    catalogue::names()
        .map(|name| catalogue::shipped(name).expect("it is shipped").expect("it is right"))
        .collect()
});

/// A first byte for the status, then a body, as every vendor's token endpoint would be understood.
pub fn token_response(bytes: &[u8]) {
    let (status, body) = status_and_body(bytes);
    let headers = HeaderMap::new();
    let answer = Answer { status, headers, body: Zeroizing::new(body.to_vec()), date: None };
    for vendor in VENDORS.iter() {
        match judge(vendor, &Asked::default(), &answer, Timestamp::UNIX_EPOCH) {
            TokenAnswer::Granted(tokens) => {
                assert!(matches!(status, 200 | 201), "{status}");
                let access_token = tokens.access_token.expose();
                assert!(!access_token.is_empty());
                assert!(access_token.bytes().all(|byte| byte.is_ascii_graphic()));
                kept_as_it_is(tokens);
            }
            TokenAnswer::Refused(error) => shown_in_bounds(&error, body.len()),
            TokenAnswer::NoVerdict { what, .. } | TokenAnswer::Unfit { what, .. } => {
                assert!(printable(&what).chars().count() <= printable_length());
            }
            TokenAnswer::Unbound(_) => unreachable!("no vendor here binds its tokens"),
            TokenAnswer::TooMany { retry_after } => assert!(retry_after.is_none()),
        }
        shown_in_bounds(&error_of(vendor, &answer, Timestamp::UNIX_EPOCH), body.len());
    }
}

fn kept_as_it_is(tokens: keyfob::token_set::TokenSet) {
    let mut entry = Entry::empty(&SystemRandom);
    entry.adopt(tokens);
    let text = entry.encode().expect("an entry can be written");
    assert_eq!(Entry::decode(&text).expect("and read again").tokens, entry.tokens);
}

/// A first byte for the status and the kind, then an API's refusal.
pub fn error_response(bytes: &[u8]) {
    const KINDS: [&str; 4] =
        ["application/json", "text/html", "application/x-www-form-urlencoded", "text/plain"];
    let (status, body) = status_and_body(bytes);
    let kind = KINDS[usize::from(bytes.first().copied().unwrap_or_default()) % KINDS.len()];
    let headers: HeaderMap =
        [(hyper::header::CONTENT_TYPE, HeaderValue::from_static(kind))].into_iter().collect();
    let places = ["a.b".to_owned(), "errors".to_owned()];
    let places = ErrorPlaces { code: &places, message: &places, fields: &places };
    let error = ErrorResponse::read(status, &headers, body, places, Timestamp::UNIX_EPOCH);
    shown_in_bounds(&error, body.len());
}

/// Nothing is longer than what came (three bytes stand for one that is no text), and what is shown is short.
fn shown_in_bounds(error: &ErrorResponse, came: usize) {
    let words = [&error.code, &error.description, &error.uri, &error.request_id];
    for word in words.into_iter().flatten().chain(&error.fields) {
        assert!(word.len() <= 3 * came + 16, "{} bytes of {came}", word.len());
        let shown = printable(word);
        assert!(shown.chars().count() <= printable_length());
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
    }
    assert!(error.fields.len() <= 20);
}

fn printable_length() -> usize {
    keyfob::http::printable::LONGEST
}

fn status_and_body(bytes: &[u8]) -> (u16, &[u8]) {
    const STATUSES: [u16; 10] = [200, 201, 204, 302, 400, 401, 403, 429, 500, 503];
    match bytes.split_first() {
        Some((first, rest)) => (STATUSES[usize::from(*first) % STATUSES.len()], rest),
        None => (200, bytes),
    }
}
