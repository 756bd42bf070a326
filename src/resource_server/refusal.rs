//! What a refused call means: an ended token, a missing scope, or simply no.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;

use super::idempotency::wait_headers;
use super::scope::Judgement;
use super::www_authenticate::{Challenge, is_about_the_proof, parse};
use crate::http::json_path::look_up;
use crate::http::{ErrorPlaces, ErrorResponse, HeaderMap};
use crate::provider::Provider;
use crate::provider::schema::{Action, Errors, Meaning, Success};

/// A refused call, understood as far as the provider file goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal<'a> {
    /// What follows from it.
    pub kind: Kind,
    /// What the vendor said.
    pub response: ErrorResponse,
    /// What the provider file says about it.
    pub meaning: Option<&'a Meaning>,
}

/// What follows from a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The access token has ended or was revoked: one refresh is worth it.
    Expired,
    /// The granted scopes do not open the call: a refresh would be wasted.
    MissingScope {
        /// Any one of these would; empty where nobody says.
        needed: Vec<String>,
    },
    /// The person must authorise again, in a certain way (RFC 9470 section 3); no refresh does that.
    StepUp(StepUp),
    /// The API asks for tokens of other schemes and not for one that is bound to a key (RFC 9449
    /// section 7.1): a refresh would bring the same kind, and be wasted.
    WantsUnbound,
    /// None of these.
    Other,
}

/// What the next authorization must ask for (RFC 9470 section 3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepUp {
    /// How the person is authenticated, in the server's words; separated by spaces.
    pub acr_values: Option<String>,
    /// Seconds since the person was authenticated, at most.
    pub max_age: Option<u64>,
}

impl Refusal<'_> {
    /// Whether the vendor says that the call was not carried out for now.
    pub fn is_postponed(&self) -> bool {
        self.meaning.is_some_and(|meaning| meaning.action == Action::TryLater)
    }
}

/// Tells whether an answer with a status of success is looked at for a refusal: only where the
/// provider says what a good one says, and only in JSON.
pub fn may_hide_a_refusal(provider: &Provider, status: u16, headers: &HeaderMap) -> bool {
    let is_said = words_of_success(provider).next().is_some();
    is_said && (200..300).contains(&status) && is_json(headers)
}

/// What a good answer says: a word of the errors, and one of the envelope.
pub fn words_of_success(provider: &Provider) -> impl Iterator<Item = &Success> {
    let wrapped = provider.api.envelope.as_ref().and_then(|it| it.success.as_ref());
    provider.errors.success.iter().chain(wrapped)
}

/// What a whole JSON body says instead of a word that a good one says, as `state = "error"`; a body
/// without the word is good.
pub fn denial(provider: &Provider, body: &[u8]) -> Option<String> {
    // Most of an answer is not what a word is about, and is passed over without being built.
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(body).ok()?;
    words_of_success(provider).find_map(|word| {
        let leads_to = |name: &String| word.path.starts_with(name.as_str());
        let of_the_word = members.iter().filter(|(name, _)| leads_to(name));
        let read = of_the_word.map(|(name, raw)| Some((name.clone(), raw.get().parse().ok()?)));
        let body = Value::Object(read.collect::<Option<_>>()?);
        let said = look_up(&body, &word.path).filter(|said| **said != word.equals)?;
        Some(format!("{} = {said}", word.path))
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.ends_with("+json")
}

/// Judges an answer of status 400 and above, or one that says no; `body` may be cut short.
pub fn judge<'a>(
    provider: &'a Provider,
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    scope: &Judgement<'_>,
    now: Timestamp,
) -> Refusal<'a> {
    let errors = &provider.errors;
    let places =
        ErrorPlaces { code: &errors.code, message: &errors.message, fields: &errors.fields };
    let mut response = ErrorResponse::read(status, headers, body, places, now);
    let challenges = challenges(status, headers);
    let challenge = challenges.iter().find(|challenge| challenge.parameter("error").is_some());
    complete(&mut response, challenge);
    let by_code = response.code.as_ref().and_then(|code| errors.api.get(code));
    let evidence = Evidence {
        action: by_code.map(|meaning| meaning.action),
        code: response.code.as_deref(),
        asks_to_renew: provider.api.reauth_on.contains(&status) || by_status_renews(errors, status),
        challenge,
        wants_unbound: status == 401 && wants_unbound(provider, &challenges),
    };
    let kind = evidence.kind(scope);
    let meaning = by_code.or_else(|| errors.api.get(&status.to_string()));
    let mut refusal = Refusal { kind, meaning, response };
    let retry = &provider.api.retry;
    if retry.on.contains(&status) || refusal.is_postponed() {
        // A header that counts requests stands on every answer; only here it says when to come back.
        let wait = wait_headers(retry).wait(headers, now);
        refusal.response.retry_after = wait.or(refusal.response.retry_after);
    }
    refusal
}

/// The challenges of the statuses where RFC 6750 section 3.1 puts one.
fn challenges(status: u16, headers: &HeaderMap) -> Vec<Challenge> {
    if !matches!(status, 400 | 401 | 403) {
        return Vec::new();
    }
    let texts = headers.get_all("www-authenticate").iter().filter_map(|value| value.to_str().ok());
    parse(texts)
}

/// Whether the API names schemes, and the one of a token that is bound to a key is not among them.
fn wants_unbound(provider: &Provider, challenges: &[Challenge]) -> bool {
    let scheme = &provider.api.authorization.scheme;
    provider.client.dpop_bound_access_tokens
        && !challenges.is_empty()
        && !challenges.iter().any(|challenge| challenge.is(scheme))
}

/// Takes from the challenge what the body does not say.
fn complete(response: &mut ErrorResponse, challenge: Option<&Challenge>) {
    let parameter = |name: &str| challenge?.parameter(name).map(str::to_owned);
    response.code = response.code.take().or_else(|| parameter("error"));
    response.description = response.description.take().or_else(|| parameter("error_description"));
}

fn by_status_renews(errors: &Errors, status: u16) -> bool {
    errors.api.get(&status.to_string()).is_some_and(|meaning| meaning.action == Action::Refresh)
}

/// Everything that speaks for one reading or another.
struct Evidence<'a> {
    /// What the provider file says about the code.
    action: Option<Action>,
    code: Option<&'a str>,
    asks_to_renew: bool,
    challenge: Option<&'a Challenge>,
    wants_unbound: bool,
}

impl Evidence<'_> {
    /// The vendor's code counts most, then the challenge, then the status.
    ///
    /// What would be an ended token is a missing scope where the table says that the granted
    /// scopes do not open the call: Inkress answers 401 to both, and each needless refresh
    /// spends a single-use token.
    fn kind(&self, scope: &Judgement<'_>) -> Kind {
        let said = self.challenge.and_then(|challenge| challenge.parameter("error"));
        let says = |code: &str| said == Some(code) || (said.is_none() && self.code == Some(code));
        let renewal_helps = match self.action {
            Some(Action::MissingScope) => return self.missing_scope(scope),
            Some(action) => action == Action::Refresh,
            None if says("insufficient_user_authentication") => return self.step_up(),
            None if says("insufficient_scope") => return self.missing_scope(scope),
            // The token was not judged: a refresh would spend a refresh token for nothing.
            None if is_about_the_proof(said.or(self.code)) => return Kind::Other,
            None if says("invalid_token") => true,
            None if self.asks_to_renew && self.wants_unbound => return Kind::WantsUnbound,
            None => self.asks_to_renew,
        };
        let by_status = self.action.is_none() && !says("invalid_token");
        match (renewal_helps, scope) {
            (true, Judgement::Missing { .. }) => self.missing_scope(scope),
            // A table may be short of a method; what the vendor says of the token counts more.
            (true, Judgement::NoneOpens) if by_status => self.missing_scope(scope),
            (true, _) => Kind::Expired,
            (false, _) => Kind::Other,
        }
    }

    /// What is no non-negative integer is no age (RFC 9470 section 3).
    fn step_up(&self) -> Kind {
        let said = |name: &str| self.challenge.and_then(|challenge| challenge.parameter(name));
        let digits = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
        Kind::StepUp(StepUp {
            acr_values: said("acr_values").filter(|it| !it.trim().is_empty()).map(str::to_owned),
            max_age: said("max_age").filter(digits).and_then(|text| text.parse().ok()),
        })
    }

    /// The challenge names the scopes, else the table does.
    fn missing_scope(&self, scope: &Judgement<'_>) -> Kind {
        let said = self.challenge.and_then(|challenge| challenge.parameter("scope"));
        let needed = match (said, scope) {
            (Some(said), _) => said.split_whitespace().map(str::to_owned).collect(),
            (None, Judgement::Missing { needed }) => {
                needed.iter().map(|scope| scope.name.clone()).collect()
            }
            (None, _) => Vec::new(),
        };
        Kind::MissingScope { needed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue::shipped;
    use crate::provider::schema::Scope;

    fn missing(needed: &[&str]) -> Kind {
        Kind::MissingScope { needed: needed.iter().map(|name| (*name).to_owned()).collect() }
    }

    fn judged(name: &str, status: u16, header: &str, body: &str, scope: &Judgement<'_>) -> Kind {
        let provider = shipped(name).unwrap().unwrap();
        let mut headers = HeaderMap::new();
        if !header.is_empty() {
            headers.append("www-authenticate", "Negotiate".parse().unwrap());
            headers.append("www-authenticate", header.parse().unwrap());
        }
        judge(&provider, status, &headers, body.as_bytes(), scope, Timestamp::UNIX_EPOCH).kind
    }

    #[test] // RR9, RR10, RR11, AT-4a, AT-4d
    fn each_vendor_is_understood_as_it_means() {
        let unlisted = Judgement::NotListed;
        let wrong = r#"{"error":{"key":"scope.wrong","description":"no"}}"#;
        let ended = r#"{"error":{"key":"token.invalid"}}"#;
        let inyo = r#"{"status":401,"message":"Unauthorized","responseCode":"SE_001"}"#;
        let insufficient = r#"Bearer error="insufficient_scope", scope="a b""#;
        let reuse = r#"{"error":"idempotency_key_reuse_with_different_payload"}"#;
        let cases = [
            ("inventorum", 401, "", ended, Kind::Expired),
            ("inventorum", 401, "", wrong, missing(&[])),
            ("inventorum", 403, "", wrong, missing(&[])),
            ("inventorum", 401, "", "", Kind::Expired),
            ("inventorum", 403, "", "", Kind::Other),
            ("inyo", 401, "", inyo, Kind::Expired),
            ("inyo", 403, "", "<html>", Kind::Expired),
            ("inyo", 404, "", inyo, Kind::Expired),
            ("inyo", 500, "", "", Kind::Other),
            ("inkress", 401, "", "{}", Kind::Expired),
            ("inkress", 409, "", reuse, Kind::Other),
            ("inkress", 403, insufficient, "", missing(&["a", "b"])),
            ("inkress", 401, insufficient, "", missing(&["a", "b"])),
            ("inkress", 403, r#"Bearer error="insufficient_scope""#, "", missing(&[])),
            ("inkress", 403, "", r#"{"error":"insufficient_scope"}"#, missing(&[])),
            ("inkress", 403, r#"Bearer error="invalid_token""#, "", Kind::Expired),
            ("inkress", 503, r#"Bearer error="invalid_token""#, "", Kind::Other),
            ("merchantos", 401, "", "", Kind::Expired),
            ("imprest", 403, "", "", Kind::Other),
        ];
        for (name, status, header, body, expected) in cases {
            let kind = judged(name, status, header, body, &unlisted);
            assert_eq!(kind, expected, "{name} {status} {header} {body}");
        }
    }

    #[test] // SC2, RF13
    fn an_api_that_asks_for_no_bound_token_is_not_answered_with_another_one() {
        let mut provider = shipped("merchantos").unwrap().unwrap();
        let mut judged = |is_bound: bool, status, challenges: &[&str], body: &str| {
            provider.client.dpop_bound_access_tokens = is_bound;
            provider.api.authorization.scheme = if is_bound { "DPoP" } else { "Bearer" }.into();
            let mut headers = HeaderMap::new();
            for challenge in challenges {
                headers.append("www-authenticate", challenge.parse().unwrap());
            }
            let scope = Judgement::NotListed;
            let now = Timestamp::UNIX_EPOCH;
            judge(&provider, status, &headers, body.as_bytes(), &scope, now).kind
        };
        let bearer = r#"Bearer realm="api""#;
        let ended = r#"Bearer error="invalid_token""#;
        assert_eq!(judged(true, 401, &[bearer], "{}"), Kind::WantsUnbound);
        assert_eq!(judged(true, 401, &["Negotiate", "Basic realm=x"], ""), Kind::WantsUnbound);
        assert_eq!(judged(true, 401, &[], "{}"), Kind::Expired, "it says nothing of schemes");
        assert_eq!(judged(true, 401, &[bearer, "dpop algs=\"ES256\""], ""), Kind::Expired);
        assert_eq!(judged(true, 401, &[ended], ""), Kind::Expired, "it has read the token");
        assert_eq!(judged(true, 401, &[bearer], r#"{"error":"invalid_token"}"#), Kind::Expired);
        assert_eq!(judged(true, 404, &[bearer], ""), Kind::Other);
        assert_eq!(judged(false, 401, &[bearer], ""), Kind::Expired);
    }

    #[test] // RR12
    fn a_step_up_challenge_says_what_to_ask_for_and_is_no_ended_token() {
        let step_up = |acr_values: Option<&str>, max_age| {
            Kind::StepUp(StepUp { acr_values: acr_values.map(str::to_owned), max_age })
        };
        let error = r#"Bearer error="insufficient_user_authentication""#;
        let cases = [
            ("", step_up(None, None)),
            (r#", acr_values="urn:a urn:b", max_age="5""#, step_up(Some("urn:a urn:b"), Some(5))),
            (", max_age=0", step_up(None, Some(0))),
            (r#", acr_values=" ", max_age="-1""#, step_up(None, None)),
            (r#", max_age="+5""#, step_up(None, None)),
            (r#", max_age="5.0""#, step_up(None, None)),
            (r#", max_age="99999999999999999999""#, step_up(None, None)),
            (r#", max_age="""#, step_up(None, None)),
        ];
        for (rest, expected) in cases {
            let header = format!("{error}{rest}");
            for scope in [Judgement::NotListed, Judgement::Missing { needed: Vec::new() }] {
                assert_eq!(judged("inkress", 401, &header, "{}", &scope), expected, "{header}");
            }
        }
        let not_401 = judged("inkress", 500, error, "", &Judgement::NotListed);
        assert_eq!(not_401, Kind::Other);
    }

    #[test] // RR11, AT-4a
    fn an_inkress_401_on_a_call_that_is_not_covered_spends_no_refresh_token() {
        let provider = shipped("inkress").unwrap().unwrap();
        let needed: Vec<&Scope> = vec![&provider.scope[1]];
        let not_covered = Judgement::Missing { needed };
        assert_eq!(judged("inkress", 401, "", "", &not_covered), missing(&["orders:write"]));
        assert_eq!(judged("inkress", 401, "", "", &Judgement::Covered), Kind::Expired);
        assert_eq!(judged("inkress", 401, "", "", &Judgement::Unknown), Kind::Expired);
        assert_eq!(judged("inkress", 404, "", "", &not_covered), Kind::Other);
        let none_opens = Judgement::NoneOpens;
        assert_eq!(judged("inkress", 401, "", "", &none_opens), missing(&[]));
        let ended = r#"Bearer error="invalid_token""#;
        assert_eq!(judged("inkress", 401, ended, "", &none_opens), Kind::Expired);
    }

    #[test] // ER1, T22
    fn the_vendors_words_and_the_files_meaning_travel_along() {
        let provider = shipped("inventorum").unwrap().unwrap();
        let body =
            br#"{"error":{"key":"scope.wrong","description":"Not yours","fields":{"a":"b"}}}"#;
        let headers = HeaderMap::new();
        let now = Timestamp::UNIX_EPOCH;
        let refusal = judge(&provider, 403, &headers, body, &Judgement::NotListed, now);
        assert_eq!(refusal.response.description.as_deref(), Some("Not yours"));
        assert_eq!(refusal.response.fields, ["a: b"]);
        assert_eq!(refusal.meaning.unwrap().action, Action::MissingScope);
        let inkress = shipped("inkress").unwrap().unwrap();
        let refusal = judge(&inkress, 401, &headers, b"", &Judgement::Covered, now);
        assert!(refusal.meaning.unwrap().meaning.contains("401"));
    }

    #[test] // AT-4d
    fn a_refusal_in_a_good_status_is_told_by_the_providers_word() {
        let mut provider = shipped("inventorum").unwrap().unwrap();
        assert!(words_of_success(&provider).next().is_none());
        provider.errors.success = Some(Success { path: "ok".into(), equals: true.into() });
        let cases = [
            (r#"{"ok":false,"error":"token_expired"}"#, true),
            (r#"{"ok":true}"#, false),
            (r#"{"ok":"true"}"#, true),
            (r#"{"other":1}"#, false),
            (r#"[false]"#, false),
            (r#"{"ok":false"#, false),
            ("", false),
            (r#"{"list":[{"ok":false}],"okay":false}"#, false),
        ];
        for (body, expected) in cases {
            assert_eq!(denial(&provider, body.as_bytes()).is_some(), expected, "{body}");
        }
        provider.errors.success = Some(Success { path: "meta.ok".into(), equals: true.into() });
        for (body, expected) in [
            (r#"{"meta":{"ok":false}}"#, true),
            (r#"{"meta.ok":false}"#, true),
            (r#"{"meta":1}"#, false),
        ] {
            assert_eq!(denial(&provider, body.as_bytes()).is_some(), expected, "{body}");
        }
        let inkress = shipped("inkress").unwrap().unwrap();
        let said = denial(&inkress, br#"{"state":"error"}"#);
        assert_eq!(said.as_deref(), Some(r#"state = "error""#), "the envelope's word counts too");
        let looked_at = |kind: &str, status| {
            let mut headers = HeaderMap::new();
            headers.insert("content-type", kind.parse().unwrap());
            may_hide_a_refusal(&provider, status, &headers)
        };
        assert!(looked_at("application/json; charset=utf-8", 200));
        assert!(looked_at("application/problem+json", 201));
        assert!(!looked_at("application/x-ndjson", 200));
        assert!(!looked_at("text/event-stream", 200));
        assert!(!looked_at("application/json", 404));
    }

    #[test] // RR14, AT-4d
    fn a_code_may_postpone_a_call_and_a_vendors_header_say_for_how_long() {
        let mut provider = shipped("inkress").unwrap().unwrap();
        provider.api.retry.at = vec!["x-reset".into()];
        let later =
            Meaning { meaning: "too many".into(), hint: String::new(), action: Action::TryLater };
        provider.errors.api.insert("RATELIMITED".into(), later);
        let mut headers = HeaderMap::new();
        headers.insert("x-reset", "1000000042".parse().unwrap());
        let judged = |status, body: &str| {
            let now = Timestamp::from_second(1_000_000_000).unwrap();
            let scope = Judgement::Covered;
            let refusal = judge(&provider, status, &headers, body.as_bytes(), &scope, now);
            let seconds = refusal.response.retry_after.map(|wait| wait.as_secs());
            (refusal.kind.clone(), refusal.is_postponed(), seconds)
        };
        let limited = r#"{"error":"RATELIMITED"}"#;
        assert_eq!(judged(400, limited), (Kind::Other, true, Some(42)));
        assert_eq!(judged(429, "{}"), (Kind::Other, false, Some(42)));
        assert_eq!(judged(404, "{}"), (Kind::Other, false, None));
    }
}
