//! A signed token in its compact form (RFC 7515 section 3.1), judged in the order of RFC 8725 section 3.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::jwks::{Fit, Keys};
use crate::http::printable::printable;
use crate::http::strict_json::parse_object;
use crate::provider::schema::SignatureAlgorithm;
use crate::secret::Secret;

/// The longest token that is looked at, in bytes.
const LONGEST: usize = 64 << 10;

/// The longest key id that is looked for.
const LONGEST_ID: usize = 1024;

/// A token that was read but not verified: nothing in it may be relied on.
pub struct Unverified<'a> {
    /// What it says it is signed with; one of those that are expected.
    pub algorithm: SignatureAlgorithm,
    key_id: Option<String>,
    message: &'a [u8],
    signature: Vec<u8>,
    claims: Map<String, Value>,
}

/// What is wrong with a token. Holds no part of it but the name of an algorithm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Not three parts of base64url with JSON objects in them.
    #[error("it is no signed token: {0}")]
    Malformed(&'static str),
    /// Signed with something that was not agreed on, `none` included (RFC 8725 section 3.1).
    #[error("it is signed with `{found}`, and {} is expected", .expected.join(" or "))]
    Algorithm {
        /// Its `alg`, cleaned.
        found: String,
        /// What is expected.
        expected: Vec<&'static str>,
    },
    /// It demands something that is not understood (RFC 7515 section 4.1.11).
    #[error("its `crit` demands what keyfob does not know")]
    Critical,
    /// It is of another kind (RFC 8725 section 3.11).
    #[error("its `typ` is `{0}`: it is another kind of token")]
    Kind(String),
    /// No key of the issuer's has its id, or none is of its kind.
    #[error("the issuer publishes no key that it could be signed with")]
    NoKey,
    /// None of the issuer's keys made the signature.
    #[error("its signature was not made by the issuer")]
    Forged,
}

impl VerifyError {
    /// Whether other keys of the issuer's might help: it may have changed them (OpenID Connect Core section 10.1.1).
    pub fn may_be_rotation(&self) -> bool {
        matches!(self, Self::NoKey | Self::Forged)
    }
}

/// Reads a token; keys that it brings itself (`jwk`, `jku`, `x5u`, `x5c`) are never looked at.
pub fn read<'a>(
    token: &'a Secret,
    expected: &[SignatureAlgorithm],
) -> Result<Unverified<'a>, VerifyError> {
    let text = token.expose();
    let [header, claims, signature] = parts(text)?;
    let header = object(header)?;
    let algorithm = algorithm(&header, expected)?;
    if header.contains_key("crit") {
        return Err(VerifyError::Critical);
    }
    kind(&header)?;
    let signature =
        URL_SAFE_NO_PAD.decode(signature).map_err(|_| VerifyError::Malformed("not base64url"))?;
    let signed = text.rfind('.').map_or(0, |at| at);
    Ok(Unverified {
        algorithm,
        key_id: key_id(&header)?,
        message: &text.as_bytes()[..signed],
        signature,
        claims: object(claims)?,
    })
}

/// The claims of a token whose signature is not looked at: only for what came from the token
/// endpoint itself, over TLS (OpenID Connect Core section 3.1.3.7, 6), and then only to compare.
pub fn claims_unverified(token: &Secret) -> Result<Map<String, Value>, VerifyError> {
    let [_, claims, _] = parts(token.expose())?;
    object(claims)
}

impl Unverified<'_> {
    /// The claims, if one of the keys signed them.
    pub fn verified(&self, keys: &Keys) -> Result<&Map<String, Value>, VerifyError> {
        match keys.check(self.algorithm, self.key_id.as_deref(), self.message, &self.signature) {
            Fit::Signed => Ok(&self.claims),
            Fit::NoKey => Err(VerifyError::NoKey),
            Fit::Forged => Err(VerifyError::Forged),
        }
    }
}

fn parts(text: &str) -> Result<[&str; 3], VerifyError> {
    if text.len() > LONGEST {
        return Err(VerifyError::Malformed("it is longer than 64 KiB"));
    }
    let parts: Vec<&str> = text.split('.').take(6).collect();
    match parts.len() {
        5 => Err(VerifyError::Malformed("it is encrypted, which keyfob does not read")),
        _ => parts.try_into().map_err(|_| VerifyError::Malformed("it has not three parts")),
    }
}

/// No member twice, nothing deep, nothing behind it.
fn object(part: &str) -> Result<Map<String, Value>, VerifyError> {
    let text = URL_SAFE_NO_PAD.decode(part).map_err(|_| VerifyError::Malformed("not base64url"))?;
    parse_object(&text).map_err(|_| VerifyError::Malformed("a part is no JSON object"))
}

fn algorithm(
    header: &Map<String, Value>,
    expected: &[SignatureAlgorithm],
) -> Result<SignatureAlgorithm, VerifyError> {
    let found = header.get("alg").and_then(Value::as_str).unwrap_or_default();
    let known = expected.iter().find(|algorithm| algorithm.name() == found);
    known.copied().ok_or_else(|| VerifyError::Algorithm {
        found: printable(found),
        expected: expected.iter().map(|algorithm| algorithm.name()).collect(),
    })
}

/// An access token or a logout token names its kind; an ID token names none, or the most general.
fn kind(header: &Map<String, Value>) -> Result<(), VerifyError> {
    match header.get("typ") {
        None => Ok(()),
        Some(Value::String(kind)) if kind.eq_ignore_ascii_case("jwt") => Ok(()),
        Some(Value::String(kind)) => Err(VerifyError::Kind(printable(kind))),
        Some(_) => Err(VerifyError::Malformed("its `typ` is no text")),
    }
}

fn key_id(header: &Map<String, Value>) -> Result<Option<String>, VerifyError> {
    match header.get("kid") {
        None => Ok(None),
        Some(Value::String(id)) if id.len() <= LONGEST_ID => Ok(Some(id.clone())),
        Some(_) => Err(VerifyError::Malformed("its `kid` is no text that is a key's id")),
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
