//! JSON Web Signatures, and the keys that make and check them (RFC 7515, 7517, 7518).
//!
//! [`verify`] tells whether a text was signed by a key of a set, and [`jwks`] reads the set. A private
//! key signs in [`sign`]; a shared secret makes an HMAC in [`mac`], which is a room of
//! its own so that no key of a pair ever gets there (RFC 8725 section 3.1). What a token says is
//! its user's to know: client assertions, grants, proofs of possession, ID tokens.

pub mod jwk;
pub mod jwks;
mod key_text;
pub mod mac;
pub mod sign;
pub mod verify;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

pub use crate::provider::schema::SigningAlgorithm as Algorithm;
use crate::secret::Secret;
pub use jwk::PublicJwk;
pub use sign::{KeyError, SigningKey};

/// The members of a header or of claims, in the order they are written.
pub type Members = Map<String, Value>;

/// A key that could not sign: the numbers of an RSA key do not belong together, or there is no randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key cannot sign")]
pub struct CannotSign;

/// What is signed: header and claims in base64url with a dot between (RFC 7515 section 5.1).
///
/// The algorithm is the key's word: it stands first, whatever the header says.
fn signing_input(algorithm: &str, header: Members, claims: &Members) -> String {
    let mut whole = Members::new();
    whole.insert("alg".into(), algorithm.into());
    whole.extend(header.into_iter().filter(|(name, _)| name != "alg"));
    format!("{}.{}", segment(&whole), segment(claims))
}

fn segment(members: &Members) -> String {
    let text = Value::Object(members.clone()).to_string();
    URL_SAFE_NO_PAD.encode(text)
}

/// The three parts of the compact serialization (RFC 7515 section 7.1).
fn compact(signing_input: &str, signature: &[u8]) -> Secret {
    Secret::new(format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
