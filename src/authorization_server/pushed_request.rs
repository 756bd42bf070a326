//! The pushed authorization request and its answer as values (RFC 9126).

use jiff::Timestamp;
use serde_json::Value;

use super::client_authentication::ClientRegistration;
use super::token_request::{ServerRequest, server_request};
use super::token_response::error_of;
use crate::http::Answer;
use crate::http::error_response::ErrorResponse;
use crate::http::strict_json::parse_object;
use crate::provider::schema::BodyFormat;
use crate::provider::{MissingValue, Provider, Values};
use crate::secret::Secret;

/// What the answer to a push comes to.
#[derive(Debug, PartialEq)]
pub enum PushAnswer {
    /// The browser is sent with this in place of the parameters.
    Taken(Pushed),
    /// A verdict in the vendor's words.
    Refused(ErrorResponse),
    /// Too many requests.
    TooMany {
        /// Seconds to wait, where the answer says.
        retry_after: Option<u64>,
    },
    /// Nothing that judges the request.
    NoVerdict {
        /// The status.
        status: u16,
        /// What came instead.
        what: String,
    },
}

/// A request that lies at the server, for one use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Its name there.
    pub request_uri: String,
    /// Seconds in which the browser must come with it.
    pub expires_in: Option<u64>,
}

/// The longest name that is taken, in bytes.
const LONGEST_NAME: usize = 4096;

/// Makes the request that carries the parameters, with the client authentication of the token endpoint.
pub fn pushed_request(
    provider: &Provider,
    pushed_url: &str,
    values: &Values,
    registration: &ClientRegistration,
    parameters: &[(String, String)],
) -> Result<ServerRequest, MissingValue> {
    // RFC 9126 section 2.1: it is what this makes, so it is never in it.
    let own = parameters.iter().filter(|(name, _)| name != "request_uri");
    let own = own.map(|(name, value)| (name.clone(), Secret::new(value.as_str()))).collect();
    let form = BodyFormat::Form;
    let mut request = server_request(provider, values, registration, form, own, client_id_once)?;
    request.url = values.render_url(pushed_url)?;
    Ok(request)
}

/// Client authentication may name the client as well (RFC 6749 section 3.1: no parameter twice).
fn client_id_once(mut parameters: Vec<(String, Secret)>) -> Vec<(String, Secret)> {
    let mut seen = false;
    parameters.retain(|(name, _)| name != "client_id" || !std::mem::replace(&mut seen, true));
    parameters
}

/// The parameters that are left for the browser (RFC 9126 section 4).
pub fn parameters_of(client_id: &str, pushed: &Pushed) -> Vec<(String, String)> {
    vec![
        ("client_id".to_owned(), client_id.to_owned()),
        ("request_uri".to_owned(), pushed.request_uri.clone()),
    ]
}

/// Judges the answer to a push (RFC 9126 sections 2.2 and 2.3).
pub fn judge(provider: &Provider, answer: &Answer, now: Timestamp) -> PushAnswer {
    let status = answer.status;
    let no_verdict = |what: &str| PushAnswer::NoVerdict { status, what: what.to_owned() };
    let error = error_of(provider, answer, now);
    match status {
        429 => {
            let retry_after = error.retry_after.map(|wait| wait.as_secs());
            return PushAnswer::TooMany { retry_after };
        }
        300..=399 => return no_verdict("a redirect, which is never followed"),
        500.. => return PushAnswer::NoVerdict { status, what: format!("HTTP {status}") },
        _ => {}
    }
    let Ok(object) = parse_object(&answer.body) else {
        return no_verdict("no JSON object");
    };
    match (status, taken(&object)) {
        (200 | 201, Some(pushed)) => PushAnswer::Taken(pushed),
        (200 | 201, None) => no_verdict("no `request_uri` that can be used"),
        _ if error.code.is_some() => PushAnswer::Refused(error),
        _ => no_verdict("no error code"),
    }
}

fn taken(object: &serde_json::Map<String, Value>) -> Option<Pushed> {
    let request_uri = object.get("request_uri").and_then(Value::as_str)?;
    let is_fit = !request_uri.is_empty()
        && request_uri.len() <= LONGEST_NAME
        && request_uri.bytes().all(|byte| byte.is_ascii_graphic());
    let expires_in = object.get("expires_in").and_then(Value::as_u64);
    is_fit.then(|| Pushed { request_uri: request_uri.to_owned(), expires_in })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HeaderMap;
    use crate::provider::catalogue;
    use crate::provider::schema::ClientAuthentication;

    fn answered(status: u16, body: &str) -> PushAnswer {
        let provider = catalogue::shipped("inkress").unwrap().unwrap();
        let body = zeroize::Zeroizing::new(body.as_bytes().to_vec());
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "7".parse().unwrap());
        let answer = Answer { status, headers, body, date: None };
        judge(&provider, &answer, Timestamp::UNIX_EPOCH)
    }

    #[test] // EX1
    fn a_push_is_taken_refused_or_judges_nothing() {
        let name = "urn:ietf:params:oauth:request_uri:6esc";
        let fine = format!(r#"{{"request_uri":"{name}","expires_in":60}}"#);
        let pushed = Pushed { request_uri: name.into(), expires_in: Some(60) };
        assert_eq!(answered(201, &fine), PushAnswer::Taken(pushed));
        assert_eq!(answered(429, ""), PushAnswer::TooMany { retry_after: Some(7) });
        let refused = answered(400, r#"{"error":"invalid_redirect_uri"}"#);
        assert!(
            matches!(refused, PushAnswer::Refused(it) if it.code.as_deref() == Some("invalid_redirect_uri"))
        );
        let long = format!(r#"{{"request_uri":"{}"}}"#, "a".repeat(LONGEST_NAME + 1));
        let nothing = [
            (201, "{}"),
            (201, r#"{"request_uri":""}"#),
            (201, r#"{"request_uri":7}"#),
            (201, r#"{"request_uri":"a b"}"#),
            (201, r#"{"request_uri":"a","request_uri":"b"}"#),
            (201, long.as_str()),
            (204, ""),
            (302, fine.as_str()),
            (400, "<html>"),
            (400, "{}"),
            (503, fine.as_str()),
        ];
        for (status, body) in nothing {
            let answer = answered(status, body);
            assert!(matches!(answer, PushAnswer::NoVerdict { .. }), "{status} {body}: {answer:?}");
        }
    }

    #[test] // EX1, TQ7
    fn a_push_carries_the_client_s_credentials_and_no_parameter_twice() {
        let mut provider = catalogue::shipped("inkress").unwrap().unwrap();
        let registration = ClientRegistration {
            client_id: "id".into(),
            client_secret: Some(Secret::new("s")),
            private_key: None,
        };
        let parameters = [
            ("client_id".to_owned(), "id".to_owned()),
            ("request_uri".to_owned(), "urn:x".to_owned()),
            ("state".to_owned(), "st".to_owned()),
        ];
        let mut body = |auth| {
            provider.client.auth = auth;
            let url = "https://as.test/par";
            let values = Values::default();
            let request = pushed_request(&provider, url, &values, &registration, &parameters);
            let request = request.unwrap();
            let basic = request.headers.iter().any(|(name, _)| name == "Authorization");
            (request.body.expose().to_owned(), basic)
        };
        let post = ("client_id=id&state=st&client_secret=s".to_owned(), false);
        assert_eq!(body(ClientAuthentication::Post), post);
        assert_eq!(body(ClientAuthentication::Basic), ("client_id=id&state=st".into(), true));
        assert_eq!(body(ClientAuthentication::Id), ("client_id=id&state=st".into(), false));
    }
}
