//! What a server says of a token, judged (RFC 7662 section 2.2). The request is in `about_token`.

use serde_json::{Map, Value};

use super::token_response::error_of;
use crate::http::Answer;
use crate::http::error_response::ErrorResponse;
use crate::http::strict_json::parse_object;
use crate::provider::Provider;
use jiff::Timestamp;

/// What the server says of a token.
#[derive(Debug)]
pub enum Introspected {
    /// It is good; the members are the server's own words, not cleaned.
    Active(Map<String, Value>),
    /// It has ended, or is none of this server's: nothing else is said (RFC 7662 section 2.2).
    Inactive,
    /// The server does not let this client ask.
    Refused(ErrorResponse),
    /// Nothing that says anything about the token.
    NoVerdict {
        /// The status.
        status: u16,
        /// What came instead.
        what: String,
        /// Seconds to wait, where the answer says.
        retry_after: Option<u64>,
    },
}

/// Judges an answer.
pub fn judge(provider: &Provider, answer: &Answer, now: Timestamp) -> Introspected {
    let error = error_of(provider, answer, now);
    let retry_after = error.retry_after.map(|wait| wait.as_secs());
    let no_verdict =
        |what: String| Introspected::NoVerdict { status: answer.status, what, retry_after };
    match answer.status {
        200 => {}
        400..=428 | 430..=499 if error.code.is_some() => return Introspected::Refused(error),
        // RFC 7662 section 2.3: the client is not let in, in words or without.
        401 | 403 => return Introspected::Refused(error),
        status => return no_verdict(format!("HTTP {status}")),
    }
    let object = match parse_object(&answer.body) {
        Ok(object) => object,
        Err(error) => return no_verdict(format!("no JSON object: {error}")),
    };
    match object.get("active") {
        Some(Value::Bool(true)) => Introspected::Active(object),
        Some(Value::Bool(false)) => Introspected::Inactive,
        _ => no_verdict("no `active` that is true or false".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization_server::example::provider;
    use crate::http::HeaderMap;

    #[test] // RV9
    fn only_a_true_or_false_in_an_object_with_status_200_is_a_verdict() {
        let judged = |status, body: &str| {
            let body = zeroize::Zeroizing::new(body.as_bytes().to_vec());
            let answer = Answer { status, headers: HeaderMap::new(), body, date: None };
            judge(&provider(), &answer, Timestamp::UNIX_EPOCH)
        };
        assert!(matches!(judged(200, r#"{"active":true}"#), Introspected::Active(_)));
        assert!(matches!(judged(200, r#"{"active":false,"sub":"x"}"#), Introspected::Inactive));
        for status in [400, 401, 403] {
            let refused = judged(status, r#"{"error":"invalid_client"}"#);
            assert!(matches!(refused, Introspected::Refused(_)), "{status}");
        }
        assert!(matches!(judged(401, ""), Introspected::Refused(_)));
        let nothing = [
            (200, "<html>"),
            (200, "[]"),
            (200, "{}"),
            (200, r#"{"active":"true"}"#),
            (200, r#"{"active":true,"active":false}"#),
            (201, r#"{"active":true}"#),
            (302, r#"{"active":true}"#),
            (404, ""),
            (429, r#"{"error":"slow_down"}"#),
            (503, r#"{"active":false}"#),
        ];
        for (status, body) in nothing {
            let judged = judged(status, body);
            assert!(matches!(judged, Introspected::NoVerdict { .. }), "{status} {body} {judged:?}");
        }
    }
}
