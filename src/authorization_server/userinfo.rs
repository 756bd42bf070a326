//! The userinfo request as a value, and its answer judged (OpenID Connect Core section 5.3).

use serde_json::{Map, Value};
use url::Url;

use super::jose::jwks::Keys;
use super::jose::verify::{self, VerifyError};
use crate::http::printable::printable;
use crate::http::strict_json::parse_object;
use crate::http::{Answer, Method, Request};
use crate::provider::schema::SignatureAlgorithm;
use crate::secret::Secret;

/// Why an answer says nothing of the person. Holds no part of it but what was cleaned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserinfoError {
    /// Neither 200 nor anything that could be read.
    #[error("it answered with HTTP {0}")]
    Status(u16),
    /// Not one JSON object.
    #[error("its answer is no JSON object: {0}")]
    NotAnObject(String),
    /// Signed, and not by the issuer.
    #[error("its answer cannot be verified: {0}")]
    Signature(#[from] VerifyError),
    /// Signed by or for somebody else.
    #[error("the `{0}` of its signed answer is another one")]
    Claim(&'static str),
    /// About another person (OpenID Connect Core section 5.3.2).
    #[error("its `sub` is not the one of the ID token: it is about another account")]
    OtherSubject,
}

/// What the answer must agree with.
pub struct Expected<'a> {
    /// Of the verified ID token.
    pub subject: &'a str,
    /// For a signed answer.
    pub issuer: &'a str,
    /// For a signed answer.
    pub client_id: &'a str,
    /// For a signed answer.
    pub algorithms: &'a [SignatureAlgorithm],
}

/// The scheme of a token that is bound to nothing.
pub const BEARER: &str = "Bearer";

/// Asks with the access token in the header, which no URL shows (RFC 6750 section 2.1).
pub fn request(endpoint: Url, scheme: &str, access_token: &Secret) -> Request {
    let bearer = Secret::new(format!("{scheme} {}", access_token.expose()));
    Request::new(Method::GET, endpoint)
        .header("Accept", "application/json, application/jwt;q=0.5")
        .secret_header("Authorization", bearer)
}

/// Whether an answer is signed, so that keys are needed to judge it.
pub fn is_signed(answer: &Answer) -> bool {
    let kind = answer.header("content-type").unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/jwt"))
}

/// The claims of an answer that is about the subject.
pub fn judge(
    answer: &Answer,
    keys: &Keys,
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, UserinfoError> {
    if answer.status != 200 {
        return Err(UserinfoError::Status(answer.status));
    }
    let claims = match is_signed(answer) {
        true => signed(answer, keys, expected)?,
        false => parse_object(&answer.body)
            .map_err(|error| UserinfoError::NotAnObject(printable(&error.to_string())))?,
    };
    match claims.get("sub").and_then(Value::as_str) == Some(expected.subject) {
        true => Ok(claims),
        false => Err(UserinfoError::OtherSubject),
    }
}

fn signed(
    answer: &Answer,
    keys: &Keys,
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, UserinfoError> {
    let text = std::str::from_utf8(&answer.body)
        .map_err(|_| UserinfoError::NotAnObject("it is no text".into()))?;
    let token = Secret::new(text.trim());
    let claims = verify::read(&token, expected.algorithms)?.verified(keys)?.clone();
    let is = |name: &str, wanted: &str| match claims.get(name) {
        Some(Value::String(one)) => one == wanted,
        Some(Value::Array(all)) => all.iter().any(|one| one == wanted),
        _ => false,
    };
    match (is("iss", expected.issuer), is("aud", expected.client_id)) {
        (true, true) => Ok(claims),
        (false, _) => Err(UserinfoError::Claim("iss")),
        (_, false) => Err(UserinfoError::Claim("aud")),
    }
}
