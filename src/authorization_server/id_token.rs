//! What an ID token's claims must say, once its signature is known to be the issuer's
//! (OpenID Connect Core section 3.1.3.7).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::digest;
use serde_json::{Map, Value};

use super::jose::verify::VerifyError;
use crate::http::printable::printable;
use crate::provider::schema::SignatureAlgorithm;
use crate::secret::Secret;

/// How far `iat` may be from now, in seconds: a new token is minutes old at most (AppAuth has ten too).
const OLDEST: i64 = 600;

/// The longest subject (OpenID Connect Core section 2), in characters.
const LONGEST_SUBJECT: usize = 255;

/// What was asked for, and what is known of the answer.
pub struct Expected<'a> {
    /// Exactly.
    pub issuer: &'a str,
    /// This client.
    pub client_id: &'a str,
    /// Other audiences that the provider file trusts.
    pub audiences: &'a [String],
    /// Of the authorization request, where there was one.
    pub nonce: Option<&'a Secret>,
    /// Seconds since the person last signed in, where that was asked.
    pub max_age: Option<u64>,
    /// What came with the ID token.
    pub access_token: &'a Secret,
    /// Seconds that the clocks may differ.
    pub leeway: u64,
    /// When it came.
    pub now: Timestamp,
}

/// The check that an ID token did not pass. What it holds was cleaned, and is no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// The token itself or its signature.
    #[error("{0}")]
    Signature(#[from] VerifyError),
    /// A claim that must be there is not, or is of another type.
    #[error("it has no `{0}` that can be read")]
    Claim(&'static str),
    /// From another issuer.
    #[error("its `iss` is `{found}`, not `{expected}`")]
    Issuer {
        /// As it says.
        found: String,
        /// As the provider says.
        expected: String,
    },
    /// For another client, or for one more that nobody trusts.
    #[error("its `aud` is {found}, and only this client's id is expected there")]
    Audience {
        /// As it says.
        found: String,
    },
    /// Given to another client.
    #[error("its `azp` is `{found}`, which is not this client's id")]
    AuthorizedParty {
        /// As it says.
        found: String,
    },
    /// Ended already.
    #[error("its `exp` is over since {0} s")]
    Expired(i64),
    /// Issued at another time than now.
    #[error("its `iat` is {0} s away from now")]
    IssuedAt(i64),
    /// Not good yet.
    #[error("its `nbf` is {0} s ahead of now")]
    NotBefore(i64),
    /// Made for another authorization request.
    #[error("its `nonce` is not the one that was sent: it is of another sign-in")]
    Nonce,
    /// About another access token.
    #[error("its `at_hash` is not of the access token that came with it")]
    AccessTokenHash,
    /// The sign-in is too long ago.
    #[error("its `auth_time` is {found} s ago, and {asked} s at most were asked for")]
    TooLongAgo {
        /// Seconds.
        found: i64,
        /// Seconds.
        asked: u64,
    },
}

/// Judges verified claims and gives the subject.
pub fn judge<'a>(
    claims: &'a Map<String, Value>,
    algorithm: SignatureAlgorithm,
    expected: &Expected<'_>,
) -> Result<&'a str, IdTokenError> {
    issuer(claims, expected.issuer)?;
    audience(claims, expected)?;
    times(claims, expected)?;
    if let Some(nonce) = expected.nonce {
        let found = claims.get("nonce").and_then(Value::as_str);
        let found = found.ok_or(IdTokenError::Claim("nonce"))?;
        if Secret::new(found) != *nonce {
            return Err(IdTokenError::Nonce);
        }
    }
    access_token_hash(claims, algorithm, expected.access_token)?;
    signed_in(claims, expected)?;
    subject(claims)
}

/// The subject, which must be there (OpenID Connect Core section 2).
pub fn subject(claims: &Map<String, Value>) -> Result<&str, IdTokenError> {
    let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
    // One that could not be shown as it is could be taken for another.
    let fits = !subject.is_empty()
        && subject.chars().count() <= LONGEST_SUBJECT
        && printable(subject) == subject;
    if fits { Ok(subject) } else { Err(IdTokenError::Claim("sub")) }
}

/// Whose tokens a refresh brought: the claims that must stay as they were (OpenID Connect Core section 12.2).
///
/// `Ok` where all three are the same; else the name of the first that is not.
pub fn same_as_before(
    claims: &Map<String, Value>,
    issuer: &str,
    client_id: &str,
    subject: &str,
) -> Result<(), &'static str> {
    let is = |name: &str, wanted: &str| claims.get(name).and_then(Value::as_str) == Some(wanted);
    if !is("iss", issuer) {
        return Err("iss");
    }
    if !is("sub", subject) {
        return Err("sub");
    }
    match audiences(claims).is_some_and(|all| all.contains(&client_id)) {
        true => Ok(()),
        false => Err("aud"),
    }
}

/// Code point by code point: no case, port or slash is evened out.
fn issuer(claims: &Map<String, Value>, expected: &str) -> Result<(), IdTokenError> {
    match claims.get("iss").and_then(Value::as_str) {
        None => Err(IdTokenError::Claim("iss")),
        Some(found) if found == expected => Ok(()),
        Some(found) => {
            Err(IdTokenError::Issuer { found: printable(found), expected: printable(expected) })
        }
    }
}

fn audience(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), IdTokenError> {
    let found = audiences(claims).ok_or(IdTokenError::Claim("aud"))?;
    let trusted = |one: &&str| {
        *one == expected.client_id || expected.audiences.iter().any(|known| known == one)
    };
    if !found.contains(&expected.client_id) || !found.iter().all(trusted) {
        return Err(IdTokenError::Audience { found: printable(&found.join(", ")) });
    }
    match claims.get("azp") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(party)) if party == expected.client_id => Ok(()),
        Some(Value::String(party)) => {
            Err(IdTokenError::AuthorizedParty { found: printable(party) })
        }
        Some(_) => Err(IdTokenError::Claim("azp")),
    }
}

/// One text, or a list of texts that is not empty.
fn audiences(claims: &Map<String, Value>) -> Option<Vec<&str>> {
    match claims.get("aud")? {
        Value::String(one) => Some(vec![one]),
        Value::Array(all) if !all.is_empty() => all.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

fn times(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), IdTokenError> {
    let now = expected.now.as_second();
    let leeway = i64::try_from(expected.leeway).unwrap_or(i64::MAX);
    let over = now.saturating_sub(seconds(claims, "exp")?);
    if over >= leeway {
        return Err(IdTokenError::Expired(over));
    }
    let away = now.saturating_sub(seconds(claims, "iat")?).saturating_abs();
    if away > OLDEST {
        return Err(IdTokenError::IssuedAt(away));
    }
    if claims.contains_key("nbf") {
        let ahead = seconds(claims, "nbf")?.saturating_sub(now);
        if ahead > leeway {
            return Err(IdTokenError::NotBefore(ahead));
        }
    }
    Ok(())
}

/// Seconds since 1970, with a fraction where the server likes (RFC 7519 section 2).
fn seconds(claims: &Map<String, Value>, name: &'static str) -> Result<i64, IdTokenError> {
    let number = claims.get(name).and_then(Value::as_f64);
    let number = number.filter(|it| it.is_finite()).ok_or(IdTokenError::Claim(name))?;
    // `as` saturates: an absurd time is the farthest there is.
    Ok(number.floor() as i64)
}

/// The left half of the access token's hash, in the hash of the signature (OpenID Connect Core section 3.1.3.6).
fn access_token_hash(
    claims: &Map<String, Value>,
    algorithm: SignatureAlgorithm,
    access_token: &Secret,
) -> Result<(), IdTokenError> {
    let found = match claims.get("at_hash") {
        None => return Ok(()),
        Some(found) => found.as_str().ok_or(IdTokenError::Claim("at_hash"))?,
    };
    match found == hash_of(algorithm, access_token) {
        true => Ok(()),
        false => Err(IdTokenError::AccessTokenHash),
    }
}

/// An `at_hash`. Ed25519 signs with SHA-512 inside.
pub fn hash_of(algorithm: SignatureAlgorithm, access_token: &Secret) -> String {
    use SignatureAlgorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let hash = match algorithm {
        RS256 | PS256 | ES256 => &digest::SHA256,
        RS384 | PS384 | ES384 => &digest::SHA384,
        RS512 | PS512 | EdDSA => &digest::SHA512,
    };
    let whole = digest::digest(hash, access_token.expose().as_bytes());
    let whole = whole.as_ref();
    URL_SAFE_NO_PAD.encode(&whole[..whole.len() / 2])
}

fn signed_in(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), IdTokenError> {
    let Some(asked) = expected.max_age else { return Ok(()) };
    let found = expected.now.as_second().saturating_sub(seconds(claims, "auth_time")?);
    let most = i64::try_from(asked.saturating_add(expected.leeway)).unwrap_or(i64::MAX);
    match found <= most {
        true => Ok(()),
        false => Err(IdTokenError::TooLongAgo { found, asked }),
    }
}

#[cfg(test)]
#[path = "id_token_tests.rs"]
mod tests;
