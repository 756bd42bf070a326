//! Judges the answer to a token request (RFC 6749 sections 5.1 and 5.2) at the places the provider names.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::dpop;
use crate::clock::after_seconds;
use crate::http::error_response::{ErrorPlaces, ErrorResponse};
use crate::http::json_path::{first_text, look_up};
use crate::http::retry_after::retry_after;
use crate::http::strict_json::parse_object;
use crate::http::{Answer, HeaderMap};
use crate::provider::Provider;
use crate::provider::schema::Rotation;
use crate::secret::Secret;
use crate::token_set::TokenSet;

/// What a token endpoint's answer comes to.
#[derive(Debug)]
pub enum TokenAnswer {
    /// Tokens.
    Granted(TokenSet),
    /// A verdict in the vendor's words.
    Refused(ErrorResponse),
    /// Too many requests; nothing was judged.
    TooMany {
        /// Seconds to wait, where the answer says.
        retry_after: Option<u64>,
    },
    /// Tokens that are not bound to the key that was proved, where they must be (RFC 9449 section 5).
    Unbound(TokenSet),
    /// Tokens came, but not as the provider file says they come: they cannot be used as it stands.
    Unfit {
        /// The status.
        status: u16,
        /// What is wrong.
        what: String,
    },
    /// Nothing that judges the grant: a 5xx, a page, an answer that makes no sense.
    NoVerdict {
        /// The status.
        status: u16,
        /// What came instead.
        what: String,
        /// Seconds to wait, where the answer says.
        retry_after: Option<u64>,
    },
}

impl TokenAnswer {
    /// Takes the secrets of the request out of the vendor's words, where it quotes them.
    pub fn without(self, secrets: &[Secret]) -> Self {
        match self {
            Self::Refused(error) => Self::Refused(error.without(secrets)),
            other => other,
        }
    }
}

/// What was asked, as far as an answer may leave it out.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Scopes of the request; an absent `scope` means these (RFC 6749 section 5.1).
    pub scopes: Option<Vec<String>>,
    /// The refresh token that stays in force where none comes back (RFC 6749 section 6).
    pub refresh_token: Option<Secret>,
    /// When that one ends.
    pub refresh_expires_at: Option<Timestamp>,
    /// Contexts that an earlier answer carried.
    pub contexts: BTreeMap<String, Value>,
    /// Rights in detail that an earlier answer granted.
    pub authorization_details: Vec<Value>,
    /// A refresh: what a vendor promises beside the first tokens alone may be missing.
    pub renews: bool,
    /// A token was exchanged: its answer says what it issued (RFC 8693 section 2.2.1), which comes
    /// among the contexts as `issued_token_type`, and `token_type` beside it where that is `N_A`.
    pub exchange: bool,
}

/// Judges an answer; times are kept in whole seconds, as the server gives them.
pub fn judge(provider: &Provider, asked: &Asked, answer: &Answer, now: Timestamp) -> TokenAnswer {
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let retry_after = wait(&answer.headers, now);
    let no_verdict =
        |what: String| TokenAnswer::NoVerdict { status: answer.status, what, retry_after };
    match answer.status {
        429 => return TokenAnswer::TooMany { retry_after },
        300..=399 => return no_verdict("a redirect, which is never followed".into()),
        500.. => return no_verdict(format!("HTTP {}", answer.status)),
        _ => {}
    }
    let object = match parse_object(&answer.body) {
        Ok(object) => Value::Object(object),
        Err(error) => return no_verdict(format!("no JSON object: {error}")),
    };
    let success = matches!(answer.status, 200 | 201);
    match error_code(provider, &object).as_deref() {
        // A server that cannot judge now says so with this code (RFC 6749 section 4.1.2.1).
        Some("temporarily_unavailable" | "server_error") => no_verdict("a fault of its own".into()),
        Some("slow_down") => TokenAnswer::TooMany { retry_after },
        Some(_) => TokenAnswer::Refused(error_of(provider, answer, now)),
        None if success => match token_set(provider, asked, &object, now) {
            Ok(tokens) if is_unbound(provider, asked, &object) => TokenAnswer::Unbound(tokens),
            Ok(tokens) => TokenAnswer::Granted(tokens),
            Err(what) if holds_tokens(provider, &object) => {
                TokenAnswer::Unfit { status: answer.status, what }
            }
            Err(what) => no_verdict(what),
        },
        None => no_verdict(format!("HTTP {} without an error code", answer.status)),
    }
}

/// The ID token of an answer, as it came: nothing in it was checked (OpenID Connect Core section 3.1.3.3).
pub fn id_token(answer: &Answer) -> Option<Secret> {
    let object = parse_object(&answer.body).ok()?;
    object.get("id_token").and_then(Value::as_str).filter(|it| !it.is_empty()).map(Secret::new)
}

/// What an answer itself says of the account: the contexts that identify one, by their names.
pub fn identity_in(provider: &Provider, answer: &Answer) -> BTreeMap<String, Value> {
    let Ok(object) = parse_object(&answer.body) else { return BTreeMap::new() };
    let object = Value::Object(object);
    let identifying = provider.context.iter().filter(|it| it.identifies_account);
    identifying
        .filter_map(|it| Some((it.name.clone(), context(&object, &it.path)?.clone())))
        .collect()
}

/// Whether the grant was certainly spent: something stands where tokens stand.
fn holds_tokens(provider: &Provider, object: &Value) -> bool {
    let fields = &provider.response;
    let there = |path: &str| look_up(object, path).is_some_and(|it| !it.is_null() && it != "");
    there(&fields.access_token) || there(&fields.refresh_token)
}

/// Only a code at the provider's or the standard's own place is a verdict; a gateway has others.
pub(super) fn error_code(provider: &Provider, object: &Value) -> Option<String> {
    first_text(object, &provider.errors.code).or_else(|| first_text(object, &["error".into()]))
}

/// The vendor's error, read at the provider's places; without a code where there is none.
pub fn error_of(provider: &Provider, answer: &Answer, now: Timestamp) -> ErrorResponse {
    let errors = &provider.errors;
    let places =
        ErrorPlaces { code: &errors.code, message: &errors.message, fields: &errors.fields };
    ErrorResponse::read(answer.status, &answer.headers, &answer.body, places, now)
}

pub(super) fn wait(headers: &HeaderMap, now: Timestamp) -> Option<u64> {
    let text = headers.get("retry-after")?.to_str().ok()?;
    Some(retry_after(text, now)?.as_secs())
}

/// Reads the tokens; what is wrong is told without quoting a value.
fn token_set(
    provider: &Provider,
    asked: &Asked,
    object: &Value,
    now: Timestamp,
) -> Result<TokenSet, String> {
    let fields = &provider.response;
    let access_token = secret_at(object, &fields.access_token)?
        .ok_or_else(|| format!("no `{}` in the answer", fields.access_token))?;
    let mut contexts = contexts(provider, asked, object)?;
    match asked.exchange {
        true => contexts.extend(exchanged(provider, object)?),
        false => check_type(provider, object)?,
    }
    let (refresh_token, refresh_expires_at) = refresh_token(provider, asked, object, now)?;
    let lifetime = number_at(object, &fields.expires_in).or(fields.lifetime);
    Ok(TokenSet {
        access_token,
        refresh_token,
        granted: scopes_at(object, &fields.scope).or_else(|| asked.scopes.clone()),
        issued_at: now,
        access_expires_at: lifetime.map(|seconds| after_seconds(now, seconds)),
        refresh_expires_at,
        contexts,
        authorization_details: details(asked, object),
    })
}

/// The rights that were granted in detail (RFC 9396 section 7); an answer that says nothing changes none.
fn details(asked: &Asked, object: &Value) -> Vec<Value> {
    match object.get("authorization_details") {
        Some(Value::Array(details)) => details.clone(),
        _ => asked.authorization_details.clone(),
    }
}

/// The new refresh token, or the old one where none came (an empty one is none).
fn refresh_token(
    provider: &Provider,
    asked: &Asked,
    object: &Value,
    now: Timestamp,
) -> Result<(Option<Secret>, Option<Timestamp>), String> {
    // RFC 6749 section 4.4.3: none is expected for client credentials, and none is kept.
    if provider.refresh.rotation == Rotation::Reissue {
        return Ok((None, None));
    }
    let fields = &provider.response;
    match secret_at(object, &fields.refresh_token)? {
        Some(token) => {
            let lifetime =
                number_at(object, &fields.refresh_expires_in).or(provider.refresh.lifetime);
            Ok((Some(token), lifetime.map(|seconds| after_seconds(now, seconds))))
        }
        None => Ok((asked.refresh_token.clone(), asked.refresh_expires_at)),
    }
}

/// A token of unknown type must not be used (RFC 6749 section 7.1); a provider may say that none is named.
fn check_type(provider: &Provider, object: &Value) -> Result<(), String> {
    let fields = &provider.response;
    let kind = look_up(object, &fields.token_type).and_then(Value::as_str);
    if provider.client.dpop_bound_access_tokens {
        // Whether it is bound is judged apart: one that is not can still be revoked.
        return Ok(());
    }
    match kind {
        // Vendors leave it out (MerchantOS does), and there is but one type that needs no more said.
        None | Some("") => Ok(()),
        Some(kind)
            if kind.eq_ignore_ascii_case("bearer")
                || kind.eq_ignore_ascii_case(&provider.api.authorization.scheme) =>
        {
            Ok(())
        }
        Some(_) => Err("a token of a type that is not known".into()),
    }
}

/// Whoever needs the binding discards a token without it (RFC 9449 section 5).
fn is_unbound(provider: &Provider, asked: &Asked, object: &Value) -> bool {
    let kind = look_up(object, &provider.response.token_type).and_then(Value::as_str);
    let is = |name: &str| kind.is_some_and(|kind| kind.eq_ignore_ascii_case(name));
    // What was exchanged for no access token is bound to nothing, and no call is made with it.
    provider.client.dpop_bound_access_tokens && !is(dpop::SCHEME) && !(asked.exchange && is("N_A"))
}

/// What an exchange issued; what is no access token has the type `N_A` (RFC 8693 section 2.2.1).
fn exchanged(provider: &Provider, object: &Value) -> Result<Vec<(String, Value)>, String> {
    let name = "issued_token_type";
    let issued = look_up(object, name).and_then(Value::as_str).filter(|it| !it.is_empty());
    let issued = issued.ok_or_else(|| format!("no `{name}` in the answer"))?;
    let mut said = vec![(name.to_owned(), issued.into())];
    match look_up(object, &provider.response.token_type).and_then(Value::as_str) {
        Some(kind) if kind.eq_ignore_ascii_case("N_A") => {
            said.push(("token_type".to_owned(), "N_A".into()));
        }
        _ => check_type(provider, object)?,
    }
    Ok(said)
}

fn contexts(
    provider: &Provider,
    asked: &Asked,
    object: &Value,
) -> Result<BTreeMap<String, Value>, String> {
    let mut contexts = asked.contexts.clone();
    for wanted in &provider.context {
        match context(object, &wanted.path) {
            Some(value) => {
                contexts.insert(wanted.name.clone(), value.clone());
            }
            // Its refresh token is spent: tokens that can be used are never put away for that.
            None if wanted.required && !asked.renews && !contexts.contains_key(&wanted.name) => {
                return Err(format!("no `{}` in the answer", wanted.path));
            }
            None => {}
        }
    }
    Ok(contexts)
}

/// What can name an account or a place: a number, yes or no, or a text with something in it.
fn context<'o>(object: &'o Value, path: &str) -> Option<&'o Value> {
    look_up(object, path).filter(|value| match value {
        Value::String(text) => !text.is_empty(),
        other => other.is_number() || other.is_boolean(),
    })
}

/// A token: a string of visible ASCII (RFC 6749 appendix A.12); absent, null and empty are none.
fn secret_at(object: &Value, path: &str) -> Result<Option<Secret>, String> {
    match look_up(object, path) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(Some(Secret::new(text.as_str())))
        }
        Some(Value::String(_)) => Err(format!("characters in `{path}` that no token has")),
        Some(_) => Err(format!("`{path}` is no text")),
    }
}

/// A lifetime in whole seconds, also as text or with a fraction; zero and nonsense mean "not known".
pub(super) fn number_at(object: &Value, path: &str) -> Option<u64> {
    let number = match look_up(object, path)? {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        _ => return None,
    };
    // `as` saturates: an absurd lifetime becomes the longest there is.
    (number.is_finite() && number >= 1.0).then_some(number as u64)
}

/// Scopes as text (any white space, or commas, between them) or as an array.
fn scopes_at(object: &Value, path: &str) -> Option<Vec<String>> {
    let split = |text: &str| -> Vec<String> {
        text.split(|c: char| c.is_whitespace() || c == ',')
            .filter(|scope| !scope.is_empty())
            .map(str::to_owned)
            .collect()
    };
    match look_up(object, path)? {
        Value::String(text) if !text.trim().is_empty() => Some(split(text)),
        Value::Array(items) => {
            Some(items.iter().filter_map(Value::as_str).flat_map(split).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue;

    fn answered(vendor: &str, status: u16, body: &str) -> TokenAnswer {
        let provider = catalogue::shipped(vendor).unwrap().unwrap();
        let asked = Asked {
            scopes: Some(vec!["asked".into()]),
            refresh_token: Some(Secret::new("old")),
            ..Asked::default()
        };
        let answer = Answer {
            status,
            headers: HeaderMap::new(),
            body: zeroize::Zeroizing::new(body.as_bytes().to_vec()),
            date: None,
        };
        judge(&provider, &asked, &answer, Timestamp::UNIX_EPOCH)
    }

    fn granted(vendor: &str, body: &str) -> TokenSet {
        match answered(vendor, 200, body) {
            TokenAnswer::Granted(tokens) => tokens,
            other => panic!("{other:?}"),
        }
    }

    const INKRESS: &str = r#"{"access_token":"inka_1","token_type":"Bearer","expires_in":3600,
        "refresh_token":"inkr_1","scope":"orders:read offline_access","merchant_id":183}"#;

    #[test] // TS9
    fn inkress_gives_its_merchant_as_a_number_and_thirty_days() {
        let tokens = granted("inkress", INKRESS);
        assert_eq!(tokens.contexts["merchant_id"], 183);
        assert_eq!(tokens.granted.unwrap(), ["orders:read", "offline_access"]);
        assert_eq!(tokens.access_expires_at.unwrap().as_second(), 3600);
        assert_eq!(tokens.refresh_expires_at.unwrap().as_second(), 2_592_000);
    }

    #[test] // TS5, TQ17
    fn inyo_s_names_are_known_only_where_the_file_maps_them() {
        let body =
            r#"{"accessToken":"eyJ","tokenType":"Bearer","expiresIn":3600,"refresh_token":"r"}"#;
        assert_eq!(granted("inyo", body).refresh_token, None);
        assert!(matches!(answered("inkress", 200, body), TokenAnswer::Unfit { .. }));
    }

    #[test] // SC5, SC6
    fn a_token_that_is_not_bound_to_the_key_is_discarded() {
        let mut provider = catalogue::shipped("merchantos").unwrap().unwrap();
        provider.client.dpop_bound_access_tokens = true;
        let judged = |kind: &str| {
            let body = format!(r#"{{"access_token":"a"{kind}}}"#);
            let body = zeroize::Zeroizing::new(body.into_bytes());
            let answer = Answer { status: 200, headers: HeaderMap::new(), body, date: None };
            judge(&provider, &Asked::default(), &answer, Timestamp::UNIX_EPOCH)
        };
        for kind in ["DPoP", "dpop", "dPOP"] {
            let answer = judged(&format!(r#","token_type":"{kind}""#));
            assert!(matches!(answer, TokenAnswer::Granted(_)), "{kind}: {answer:?}");
        }
        for kind in ["", r#","token_type":"Bearer""#, r#","token_type":"OAuth""#] {
            let answer = judged(kind);
            assert!(matches!(answer, TokenAnswer::Unbound(_)), "{kind}: {answer:?}");
        }
        provider.client.dpop_bound_access_tokens = false;
        let body = zeroize::Zeroizing::new(br#"{"access_token":"a","token_type":"DPoP"}"#.to_vec());
        let answer = Answer { status: 200, headers: HeaderMap::new(), body, date: None };
        let answer = judge(&provider, &Asked::default(), &answer, Timestamp::UNIX_EPOCH);
        assert!(matches!(answer, TokenAnswer::Unfit { .. }), "no key was shown: {answer:?}");
    }

    #[test] // TS9, RF3
    fn what_came_with_the_first_tokens_need_not_come_with_the_next() {
        let provider = catalogue::shipped("inkress").unwrap().unwrap();
        let body = br#"{"access_token":"inka_2","token_type":"Bearer"}"#.to_vec();
        let body = zeroize::Zeroizing::new(body);
        let answer = Answer { status: 200, headers: HeaderMap::new(), body, date: None };
        let judged = |renews| {
            let asked = Asked { renews, ..Asked::default() };
            judge(&provider, &asked, &answer, Timestamp::UNIX_EPOCH)
        };
        assert!(matches!(judged(false), TokenAnswer::Unfit { .. }));
        assert!(matches!(judged(true), TokenAnswer::Granted(_)));
    }

    #[test] // TS8, RF3
    fn scopes_split_at_any_white_space_and_an_absent_refresh_token_stays() {
        let body = "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"scope\":\"orders:read orders:create\\nbasic:read  x\",\"refresh_token\":\"\"}";
        let tokens = granted("inventorum", body);
        assert_eq!(tokens.granted.unwrap(), ["orders:read", "orders:create", "basic:read", "x"]);
        assert_eq!(tokens.refresh_token, Some(Secret::new("old")));
        assert_eq!(tokens.access_expires_at.unwrap().as_second(), 36_000);
    }

    #[test] // TS4, TS6, AT-28
    fn an_absent_type_is_bearer_and_an_absent_end_is_not_known() {
        let tokens = granted("merchantos", r#"{"access_token":"m","scope":"employee:register"}"#);
        assert_eq!(tokens.access_expires_at, None);
    }

    #[test] // TS6
    fn odd_lifetimes_neither_crash_nor_overflow() {
        let end = |text: &str| {
            let body = format!(r#"{{"access_token":"a","expires_in":{text}}}"#);
            granted("merchantos", &body).access_expires_at.map(Timestamp::as_second)
        };
        for unknown in ["0", "-1", "null", "\"soon\"", "[]", "-1e300", "\"NaN\""] {
            assert_eq!(end(unknown), None, "{unknown}");
        }
        assert_eq!(end("\"3600\""), Some(3600));
        assert_eq!(end("3600.0"), Some(3600));
        assert_eq!(end("9223372036854775808"), Some(Timestamp::MAX.as_second()));
    }

    #[test] // TS1, TS3, TS10, TS14, AT-3
    fn only_a_verdict_is_a_verdict() {
        let no_verdict = [
            (302, INKRESS),
            (500, r#"{"error":"invalid_grant"}"#),
            (503, ""),
            (200, "<html>log in</html>"),
            (200, "{\"access_token\":"),
            (200, r#"{"token_type":"Bearer"}"#),
            (200, r#"{"access_token":"","token_type":"Bearer"}"#),
            (200, r#"{"access_token":"a","access_token":"b","token_type":"Bearer"}"#),
            (401, "<html>no</html>"),
            (404, "{}"),
            (408, ""),
            (400, r#"{"error":"temporarily_unavailable"}"#),
        ];
        for (status, body) in no_verdict {
            let answer = answered("inkress", status, body);
            assert!(matches!(answer, TokenAnswer::NoVerdict { .. }), "{status} {body}: {answer:?}");
        }
        let unfit = [
            r#"{"access_token":7,"token_type":"Bearer"}"#,
            r#"{"access_token":"a\nb","token_type":"Bearer"}"#,
            r#"{"access_token":"a","token_type":"mac","merchant_id":1}"#,
            r#"{"access_token":"a","token_type":"Bearer"}"#,
        ];
        for body in unfit {
            let provider = catalogue::shipped("inkress").unwrap().unwrap();
            let answer = Answer {
                status: 200,
                headers: HeaderMap::new(),
                body: zeroize::Zeroizing::new(body.as_bytes().to_vec()),
                date: None,
            };
            let judged = judge(&provider, &Asked::default(), &answer, Timestamp::UNIX_EPOCH);
            assert!(matches!(judged, TokenAnswer::Unfit { .. }), "{body}: {judged:?}");
        }
        for status in [200, 400, 401, 403] {
            let answer = answered("inkress", status, r#"{"error":"invalid_grant"}"#);
            assert!(matches!(answer, TokenAnswer::Refused(_)), "{status}");
        }
        assert!(matches!(answered("inkress", 429, ""), TokenAnswer::TooMany { .. }));
    }
}
