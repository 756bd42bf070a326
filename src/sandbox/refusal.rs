//! Why a request is refused, and the status and shape each vendor says it with.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::json_template;
use super::message::Answer;

/// What is wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// A parameter is missing, repeated, empty, unknown or malformed.
    InvalidRequest,
    /// The client did not prove who it is.
    InvalidClient,
    /// The client is not approved.
    UnauthorizedClient,
    /// The code or refresh token is not good.
    InvalidGrant,
    /// The redirect URI differs.
    InvalidRedirectUri,
    /// No such grant here.
    UnsupportedGrantType,
    /// No such scope here.
    InvalidScope,
    /// Only codes are given.
    UnsupportedResponseType,
    /// The person said no.
    AccessDenied,
    /// The person said no, and a client asks at the token endpoint.
    DeviceDenied,
    /// The person has not decided yet.
    AuthorizationPending,
    /// The questions come faster than they may.
    SlowDown,
    /// The device code has ended.
    ExpiredToken,
    /// The content type is not the one the vendor takes.
    UnsupportedMediaType,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// Too many requests in a minute.
    RateLimited,
    /// An API call shows no access token.
    TokenMissing,
    /// An API call shows one that is unknown, has ended or was revoked.
    TokenInvalid,
    /// The granted scopes do not open the call.
    InsufficientScope,
    /// A header that the vendor wants on every call is missing.
    HeaderMissing,
    /// The call names no account, or one that is not the person's.
    ContextUnknown,
    /// Nothing is there.
    NotFound,
    /// An idempotency key came with another request.
    IdempotencyKeyReused,
    /// The body is too large.
    TooLarge,
}

/// Status, code and words where the vendor's table says nothing else (RFC 6749 section 5.2, RFC 6750 section 3.1).
fn standard(refusal: Refusal) -> (u16, &'static str) {
    match refusal {
        Refusal::InvalidRequest => (400, "invalid_request"),
        Refusal::InvalidClient => (401, "invalid_client"),
        Refusal::UnauthorizedClient => (400, "unauthorized_client"),
        Refusal::InvalidGrant | Refusal::InvalidRedirectUri => (400, "invalid_grant"),
        Refusal::UnsupportedGrantType => (400, "unsupported_grant_type"),
        Refusal::InvalidScope => (400, "invalid_scope"),
        Refusal::UnsupportedResponseType => (400, "unsupported_response_type"),
        Refusal::AccessDenied => (403, "access_denied"),
        Refusal::DeviceDenied => (400, "access_denied"),
        Refusal::AuthorizationPending => (400, "authorization_pending"),
        Refusal::SlowDown => (400, "slow_down"),
        Refusal::ExpiredToken => (400, "expired_token"),
        Refusal::UnsupportedMediaType => (415, "invalid_request"),
        Refusal::MethodNotAllowed => (405, "invalid_request"),
        Refusal::RateLimited => (429, "rate_limited"),
        Refusal::TokenMissing => (401, ""),
        Refusal::TokenInvalid => (401, "invalid_token"),
        Refusal::InsufficientScope => (403, "insufficient_scope"),
        Refusal::HeaderMissing => (406, "not_acceptable"),
        Refusal::ContextUnknown => (400, "unknown_account"),
        Refusal::NotFound => (404, "not_found"),
        Refusal::IdempotencyKeyReused => (409, "idempotency_key_reused"),
        Refusal::TooLarge => (413, "too_large"),
    }
}

/// A refusal with its reason.
#[derive(Debug, Clone)]
pub struct Refused {
    /// What is wrong.
    pub what: Refusal,
    /// Why, in words that name no secret.
    pub because: String,
    /// Seconds until it is worth another try.
    pub retry_after: Option<u64>,
    /// The scope that would have opened the call.
    pub scope: Option<String>,
}

impl Refused {
    /// A refusal with its reason.
    pub fn new(what: Refusal, because: impl Into<String>) -> Self {
        Self { what, because: because.into(), retry_after: None, scope: None }
    }
}

/// Whose shape an error has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Token and revocation endpoint.
    Token,
    /// The resource server.
    Api,
}

/// How a vendor writes its errors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorFacts {
    /// The body at the token endpoint: `{code}`, `{message}`, `{status}`.
    pub token_body: Value,
    /// The body at the resource server.
    pub api_body: Value,
    /// Whether the resource server sends `WWW-Authenticate` (RFC 6750 section 3).
    pub challenge: bool,
    /// Where status, code or words differ from the standard's.
    pub refusal: BTreeMap<Refusal, Words>,
}

impl Default for ErrorFacts {
    fn default() -> Self {
        let body = json!({"error": "{code}", "error_description": "{message}"});
        Self {
            token_body: body.clone(),
            api_body: body,
            challenge: false,
            refusal: BTreeMap::new(),
        }
    }
}

/// What a vendor says in place of the standard's words.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Words {
    /// The status.
    pub status: Option<u16>,
    /// The code; empty where the vendor gives none.
    pub code: Option<String>,
    /// The words; the sandbox's own reason where absent.
    pub message: Option<String>,
}

impl ErrorFacts {
    /// The code a vendor gives a refusal.
    pub fn code(&self, refusal: Refusal) -> &str {
        let said = self.refusal.get(&refusal).and_then(|words| words.code.as_deref());
        said.unwrap_or_else(|| standard(refusal).1)
    }

    /// The status a vendor gives a refusal.
    pub fn status(&self, refusal: Refusal) -> u16 {
        let said = self.refusal.get(&refusal).and_then(|words| words.status);
        said.unwrap_or_else(|| standard(refusal).0)
    }

    /// Writes a refusal the vendor's way; `X-Sandbox-Reason` tells a person what the vendor would not.
    pub fn answer(&self, side: Side, refused: &Refused) -> Answer {
        let status = self.status(refused.what);
        let answer = Answer::json(status, &self.body(side, refused, status))
            .with("cache-control", "no-store")
            .with("x-sandbox-reason", printable(&refused.because));
        let answer = match refused.retry_after {
            Some(seconds) => answer.with("retry-after", seconds.to_string()),
            None => answer,
        };
        match self.challenge && side == Side::Api && matches!(status, 401 | 403) {
            true => answer.with("www-authenticate", self.challenge(refused)),
            false => answer,
        }
    }

    fn body(&self, side: Side, refused: &Refused, status: u16) -> Value {
        let template = match side {
            Side::Token => &self.token_body,
            Side::Api => &self.api_body,
        };
        let words = self.refusal.get(&refused.what);
        let message = words.and_then(|words| words.message.as_deref()).unwrap_or(&refused.because);
        json_template::fill(template, &|name| match name {
            "status" => Some(json!(status)),
            "message" => Some(json!(message)),
            "code" => {
                Some(self.code(refused.what)).filter(|code| !code.is_empty()).map(Value::from)
            }
            _ => None,
        })
    }

    fn challenge(&self, refused: &Refused) -> String {
        let mut challenge = String::from("Bearer realm=\"sandbox\"");
        let code = self.code(refused.what);
        if !code.is_empty() {
            challenge += &format!(
                ", error=\"{code}\", error_description=\"{}\"",
                printable(&refused.because)
            );
        }
        if let Some(scope) = &refused.scope {
            challenge += &format!(", scope=\"{scope}\"");
        }
        challenge
    }
}

/// What a header may carry: names from a request are quoted in reasons.
fn printable(text: &str) -> String {
    let fits = |c: char| (c == ' ' || c.is_ascii_graphic()) && c != '"' && c != '\\';
    text.chars().map(|c| if fits(c) { c } else { '?' }).collect()
}
