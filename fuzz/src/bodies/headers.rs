//! Headers of an answer.

use std::time::Duration;

use jiff::Timestamp;
use keyfob::http::retry_after::{LONGEST, WaitHeaders, retry_after as wait};
use keyfob::http::{HeaderMap, HeaderName, HeaderValue};
use keyfob::resource_server::{link_header, rate_fields, www_authenticate as challenges};

/// `WWW-Authenticate`, one header a line.
pub fn www_authenticate(bytes: &[u8]) {
    let text = super::text(bytes);
    let parsed = challenges::parse(text.lines());
    let parts = |it: &keyfob::resource_server::Challenge| {
        let parameters: usize =
            it.parameters.iter().map(|(name, value)| name.len() + value.len()).sum();
        it.scheme.len() + it.token68.as_deref().unwrap_or_default().len() + parameters
    };
    assert!(parsed.iter().map(parts).sum::<usize>() <= text.len());
    assert!(parsed.iter().all(|it| !it.scheme.is_empty()));
}

/// `Link`, one header a line. What is exchanged is found again.
pub fn link(bytes: &[u8]) {
    let text = super::text(bytes);
    if let Some(target) = link_header::next(text.lines()) {
        assert!(text.contains(target), "{target}");
        assert!(!target.contains('>'), "{target}");
    }
    for header in text.lines() {
        let Some(other) =
            link_header::with_targets(header, |_| Some("https://other.example/".into()))
        else {
            continue;
        };
        assert!(other.len() <= 26 * header.len() + 26);
        if let Some(target) = link_header::next([other.as_str()]) {
            assert_eq!(target, "https://other.example/", "{header:?} became {other:?}");
        }
    }
}

/// `Retry-After` and the vendors' own, never more than an hour.
pub fn retry_after(bytes: &[u8]) {
    let text = super::text(bytes);
    let now = Timestamp::from_second(1_700_000_000).expect("a moment");
    let believed =
        |wait: Option<Duration>| assert!(wait.is_none_or(|wait| wait <= LONGEST), "{wait:?}");
    believed(wait(&text, now));
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    for name in ["retry-after", "x-ratelimit-reset", "ratelimit", "ratelimit-remaining"] {
        let headers: HeaderMap =
            [(HeaderName::from_static(name), value.clone())].into_iter().collect();
        for in_milliseconds in [false, true] {
            let names = vec![name.to_owned()];
            let words = WaitHeaders { after: names.clone(), at: names, in_milliseconds };
            believed(words.wait(&headers, now));
        }
        let _ = rate_fields::used_up_for(&headers, || now);
    }
}
