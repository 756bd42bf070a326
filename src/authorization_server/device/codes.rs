//! Judges the answer to a device authorization request (RFC 8628 section 3.2).
//!
//! A person reads what is in it and a browser may open it, so nothing of it is kept that a
//! terminal or a browser must not get.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::super::token_response::{error_code, error_of, number_at, wait};
use crate::http::Answer;
use crate::http::error_response::ErrorResponse;
use crate::http::json_path::look_up;
use crate::http::printable::printable;
use crate::http::strict_json::parse_object;
use crate::provider::Provider;
use crate::provider::metadata::is_protected;
use crate::provider::schema::{Device, DeviceFields};
use crate::secret::Secret;

/// Seconds between two questions where the answer does not say (RFC 8628 section 3.2).
const INTERVAL: u64 = 5;
/// Nobody waits longer than that for the next question: a larger number is no interval.
const LONGEST_INTERVAL: u64 = 600;
/// A longer code is none that a person types, in characters.
const LONGEST_USER_CODE: usize = 64;
/// A longer address is none that a person types or a QR code holds, in bytes.
const LONGEST_URI: usize = 2048;

/// The codes, and what the person is to do with them.
#[derive(Debug, Clone, PartialEq)]
pub struct Codes {
    /// Exchanged for tokens; never shown.
    pub device_code: Secret,
    /// What the person types; safe for a terminal.
    pub user_code: String,
    /// Where the person types it: https, or http to this machine.
    pub verification_uri: Url,
    /// The same with the code in it, where the server has one.
    pub verification_uri_complete: Option<Url>,
    /// Seconds the codes live, where the server says so.
    pub lifetime: Option<u64>,
    /// The shortest wait between two questions; never zero.
    pub interval: Duration,
}

/// What a device authorization endpoint's answer comes to.
#[derive(Debug, PartialEq)]
pub enum CodesAnswer {
    /// Codes.
    Given(Codes),
    /// A verdict in the vendor's words.
    Refused(ErrorResponse),
    /// Too many requests; nothing was judged.
    TooMany {
        /// Seconds to wait, where the answer says.
        retry_after: Option<u64>,
    },
    /// Nothing that can be used.
    Unusable {
        /// The status.
        status: u16,
        /// What came instead, without a value of the answer's.
        what: String,
    },
}

/// Judges an answer; an error counts whatever its status is (GitHub sends errors with 200).
pub fn judge_codes(
    provider: &Provider,
    device: &Device,
    answer: &Answer,
    secrets: &[Secret],
    now: Timestamp,
) -> CodesAnswer {
    let status = answer.status;
    let unusable = |what: String| CodesAnswer::Unusable { status, what };
    match status {
        429 => {
            return CodesAnswer::TooMany { retry_after: wait(&answer.headers, now) };
        }
        300..=399 => return unusable("a redirect, which is never followed".into()),
        500.. => return unusable(format!("HTTP {status}")),
        _ => {}
    }
    let object = match parse_object(&answer.body) {
        Ok(object) => Value::Object(object),
        Err(error) => return unusable(format!("no JSON object: {error}")),
    };
    if error_code(provider, &object).is_some() {
        return CodesAnswer::Refused(error_of(provider, answer, now).without(secrets));
    }
    match status {
        200 | 201 => match codes(&device.response, &object) {
            Ok(codes) => CodesAnswer::Given(codes),
            Err(what) => unusable(what),
        },
        _ => unusable(format!("HTTP {status} without an error code")),
    }
}

fn codes(fields: &DeviceFields, object: &Value) -> Result<Codes, String> {
    let lifetime = number_at(object, &fields.expires_in);
    let complete = look_up(object, &fields.verification_uri_complete).filter(|it| !it.is_null());
    Ok(Codes {
        device_code: device_code(object, &fields.device_code)?,
        user_code: user_code(object, &fields.user_code)?,
        verification_uri: address(
            &fields.verification_uri,
            look_up(object, &fields.verification_uri),
        )?,
        // It only spares typing; one that is no good is no reason to fail, and is not used.
        verification_uri_complete: complete
            .and_then(|it| address(&fields.verification_uri_complete, Some(it)).ok()),
        lifetime,
        interval: interval(look_up(object, &fields.interval), lifetime),
    })
}

fn text<'a>(object: &'a Value, path: &str) -> Result<&'a str, String> {
    let text = look_up(object, path).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| format!("no `{path}`"))
}

fn device_code(object: &Value, path: &str) -> Result<Secret, String> {
    let code = text(object, path)?;
    match code.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(Secret::new(code)),
        false => Err(format!("characters in `{path}` that no code has")),
    }
}

/// A code with anything in it that a terminal obeys was not made for a person to read.
fn user_code(object: &Value, path: &str) -> Result<String, String> {
    let code = text(object, path)?.trim();
    let is_typed = !code.is_empty() && code.chars().count() <= LONGEST_USER_CODE;
    match is_typed && printable(code) == code {
        true => Ok(code.to_owned()),
        false => Err(format!("a `{path}` that nobody can type")),
    }
}

/// An address that a person or a browser may be sent to; which scheme it has decides what opens it.
fn address(path: &str, value: Option<&Value>) -> Result<Url, String> {
    let given = value.and_then(Value::as_str).ok_or_else(|| format!("no `{path}`"))?;
    let refused = |why: &str| Err(format!("a `{path}` that {why}"));
    if given.len() > LONGEST_URI {
        return refused("is too long");
    }
    // As it stands: the parser would pass over what is hidden in it.
    if given.chars().any(is_hidden) {
        return refused("has a character that no address has");
    }
    let Ok(url) = Url::parse(given) else { return refused("is no address") };
    if !is_protected(&url) {
        return refused("is neither https nor http to this machine");
    }
    match url.username().is_empty() && url.password().is_none() {
        true => Ok(url),
        false => refused("has a user name or a password"),
    }
}

fn is_hidden(character: char) -> bool {
    character.is_control()
        || character.is_whitespace()
        || matches!(character, '"' | '\'' | '`' | '\\' | '<' | '>')
        || printable(&character.to_string()).is_empty()
}

/// At least a second, and less than the codes live; anything else is no interval (attack A27).
fn interval(value: Option<&Value>, lifetime: Option<u64>) -> Duration {
    let given = match value {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    let longest = LONGEST_INTERVAL.min(lifetime.unwrap_or(u64::MAX)) as f64;
    let seconds = match given {
        // A part of a second is waited for whole.
        Some(seconds) if seconds > 0.0 && seconds.ceil() <= longest => seconds.ceil() as u64,
        _ => INTERVAL,
    };
    Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::example::{answer, provider};
    use super::*;

    fn judged(provider: &Provider, status: u16, body: &str) -> CodesAnswer {
        let device = provider.device.as_ref().unwrap();
        let answer = answer(status, body);
        judge_codes(provider, device, &answer, &[Secret::new("long-s3cret")], Timestamp::UNIX_EPOCH)
    }

    /// A good answer with one member changed.
    fn with(member: &str, value: Value) -> CodesAnswer {
        let mut body = json!({
            "device_code": "d1",
            "user_code": "WDJB-MJHT",
            "verification_uri": "https://as.example/device",
            "verification_uri_complete": "https://as.example/device?user_code=WDJB-MJHT",
            "expires_in": 600,
            "interval": 7,
        });
        body[member] = value;
        judged(&provider(""), 200, &body.to_string())
    }

    #[track_caller]
    fn given(answer: CodesAnswer) -> Codes {
        match answer {
            CodesAnswer::Given(codes) => codes,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_codes_are_read() {
        let codes = given(with("x", json!(1)));
        assert_eq!(codes.device_code, Secret::new("d1"));
        assert_eq!(codes.user_code, "WDJB-MJHT");
        assert_eq!(codes.lifetime, Some(600));
        assert_eq!(codes.interval, Duration::from_secs(7));
        assert!(codes.verification_uri_complete.unwrap().query().is_some());
    }

    #[test] // DV2
    fn another_name_is_known_only_where_the_file_maps_it() {
        let google = r#"{"device_code":"d","user_code":"GQVQ-JKEC",
            "verification_url":"https://www.google.com/device","expires_in":1800,"interval":5}"#;
        let says = CodesAnswer::Unusable { status: 200, what: "no `verification_uri`".into() };
        assert_eq!(judged(&provider(""), 200, google), says);
        let mapped = provider("response.verification_uri = \"verification_url\"\n");
        let codes = given(judged(&mapped, 200, google));
        assert_eq!(codes.verification_uri.as_str(), "https://www.google.com/device");
        assert_eq!(codes.verification_uri_complete, None);
    }

    #[test] // DV4, DV8, A27
    fn an_interval_that_is_none_becomes_five_seconds() {
        let interval = |value: Value| given(with("interval", value)).interval.as_secs();
        for none in [
            json!(null),
            json!(0),
            json!(-1),
            json!(1e9),
            json!(600.1),
            json!(1e300),
            json!("soon"),
            json!("NaN"),
            json!("inf"),
            json!([]),
        ] {
            assert_eq!(interval(none.clone()), 5, "{none}");
        }
        let kept =
            [(json!("5"), 5), (json!(1), 1), (json!(0.2), 1), (json!(2.5), 3), (json!(90), 90)];
        for (value, seconds) in kept {
            assert_eq!(interval(value.clone()), seconds, "{value}");
        }
    }

    #[test]
    fn an_odd_lifetime_is_not_known_rather_than_over() {
        for odd in [json!(0), json!(-1), json!(null), json!("x"), json!([])] {
            assert_eq!(given(with("expires_in", odd.clone())).lifetime, None, "{odd}");
        }
        assert_eq!(given(with("expires_in", json!("300"))).lifetime, Some(300));
        assert_eq!(given(with("expires_in", json!(1e300))).lifetime, Some(u64::MAX));
    }

    #[test] // DV2, A8, A9, A13
    fn an_address_that_must_not_be_opened_is_refused_and_never_quoted() {
        let hostile = [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "ms-msdt:/id",
            "http://as.example/device",
            "https://u:p@as.example/",
            "-flag",
            "/device",
            "",
            "https://as.example/\u{1b}]8;;https://evil.example\u{7}",
            "https://as.example/`id`",
            "https://as.example/a b",
            "https://as.example/\"x",
            "https://as.example/\u{202e}ecived",
            "https://as.example/\n",
            "https:\\\\as.example",
        ];
        for uri in hostile {
            let CodesAnswer::Unusable { what, .. } = with("verification_uri", json!(uri)) else {
                panic!("{uri:?} was taken");
            };
            assert!(what.contains("`verification_uri`"), "{what}");
            assert!(!what.contains("example") && !what.contains("alert"), "{what}");
            let codes = given(with("verification_uri_complete", json!(uri)));
            assert_eq!(codes.verification_uri_complete, None, "{uri:?}");
        }
        let long = format!("https://as.example/{}", "x".repeat(LONGEST_URI));
        assert!(matches!(with("verification_uri", json!(long)), CodesAnswer::Unusable { .. }));
        for uri in ["https://as.example/device", "http://127.0.0.1:9/device", "http://localhost/d"]
        {
            given(with("verification_uri", json!(uri)));
        }
    }

    #[test] // DV2, A13
    fn a_code_that_nobody_can_type_is_refused_and_never_quoted() {
        let hostile = [
            json!("AB\u{1b}[2KCD"),
            json!("AB\u{1b}]52;c;ZXZpbA==\u{7}"),
            json!("AB\r\nCD"),
            json!("AB\u{202e}CD"),
            json!("AB\u{9b}1mCD"),
            json!("x".repeat(65)),
            json!(""),
            json!("  "),
            json!(7),
            json!(null),
        ];
        for code in hostile {
            let CodesAnswer::Unusable { what, .. } = with("user_code", code.clone()) else {
                panic!("{code} was taken");
            };
            assert!(what.contains("`user_code`") && !what.contains("AB"), "{what}");
        }
        for bad in [json!(""), json!("d\n"), json!("dø"), json!(null), json!(["d"])] {
            let answer = with("device_code", bad.clone());
            assert!(matches!(answer, CodesAnswer::Unusable { .. }), "{bad}");
        }
    }

    #[test]
    fn what_is_no_answer_is_unusable_and_an_error_is_one_with_any_status() {
        let good = r#"{"device_code":"d","user_code":"u","verification_uri":"https://a.example/"}"#;
        let twice = good.replace("{\"device", "{\"user_code\":\"v\",\"device");
        for (status, body) in
            [(302, good), (500, good), (404, good), (200, "<html>"), (200, "[]"), (200, &twice)]
        {
            let answer = judged(&provider(""), status, body);
            assert!(matches!(answer, CodesAnswer::Unusable { .. }), "{status} {body}: {answer:?}");
        }
        for status in [200, 400, 401] {
            let body = r#"{"error":"device_flow_disabled","error_description":"long-s3cret said"}"#;
            let CodesAnswer::Refused(error) = judged(&provider(""), status, body) else {
                panic!("{status}");
            };
            assert_eq!(error.code.as_deref(), Some("device_flow_disabled"));
            assert!(!error.description.unwrap().contains("long-s3cret"));
        }
        let answer = judged(&provider(""), 429, "");
        assert_eq!(answer, CodesAnswer::TooMany { retry_after: None });
    }
}
