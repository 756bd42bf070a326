//! A JSON Web Token that the client signs about itself, each time a request is sent (RFC 7523 section 3).
//!
//! What is known beforehand is kept here as a value; `jti`, `iat` and `exp` come with the
//! signature, so that no two requests carry the same token, a repetition included. Which
//! parameter it is, and what it says, its users know: `client_authentication` and `grant`.

use jiff::Timestamp;
use serde_json::Value;

use super::jose::mac::{MacError, MacKey};
use super::jose::{Algorithm, CannotSign, KeyError, Members, SigningKey};
use crate::random::{Random, uuid_v4};
use crate::secret::Secret;

/// What an assertion is signed with.
#[derive(Debug, Clone, PartialEq)]
pub enum Signer {
    /// The client's private key.
    PrivateKey {
        /// PEM or a JSON Web Key; absent where nobody gave one.
        key: Option<Secret>,
        /// What the vendor takes; empty where it does not say.
        algorithms: Vec<Algorithm>,
        /// The `kid`, where it is not the key's own.
        key_id: Option<String>,
    },
    /// The client secret; absent where nobody gave one.
    ClientSecret(Option<Secret>),
}

/// An assertion without its signature.
#[derive(Debug, Clone, PartialEq)]
pub struct Assertion {
    /// The parameter that carries it.
    pub parameter: &'static str,
    /// What signs it.
    pub signer: Signer,
    /// The header's `typ`.
    pub kind: &'static str,
    /// All but `jti`, `iat` and `exp`.
    pub claims: Members,
    /// How long it is good for, in seconds.
    pub lifetime: u32,
}

/// Why there is no assertion; nothing secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// There is no private key.
    #[error("there is no private key to sign with")]
    NoKey,
    /// There is no client secret.
    #[error("there is no client secret to sign with")]
    NoSecret,
    /// The private key is none, or not one for this.
    #[error("the private key cannot be used: {0}")]
    Key(#[from] KeyError),
    /// The client secret makes no HMAC.
    #[error("the client secret cannot sign: {0}")]
    Secret(#[from] MacError),
    /// It failed to sign.
    #[error(transparent)]
    CannotSign(#[from] CannotSign),
}

impl Assertion {
    /// Whether it could be signed, before anything is sent or spent.
    pub fn check(&self) -> Result<(), AssertionError> {
        match &self.signer {
            Signer::PrivateKey { key, algorithms, .. } => {
                SigningKey::read_among(key.as_ref().ok_or(AssertionError::NoKey)?, algorithms)?;
            }
            Signer::ClientSecret(secret) => {
                MacKey::new(secret.as_ref().ok_or(AssertionError::NoSecret)?)?;
            }
        }
        Ok(())
    }

    /// Signs it for one request: an identifier of its own, and times that begin now.
    pub fn sign(&self, now: Timestamp, random: &dyn Random) -> Result<Secret, AssertionError> {
        let now = now.as_second();
        let mut claims = self.claims.clone();
        claims.insert("jti".into(), uuid_v4(random).into());
        claims.insert("iat".into(), now.into());
        claims.insert("exp".into(), (now + i64::from(self.lifetime)).into());
        let mut header = Members::from_iter([("typ".to_owned(), Value::from(self.kind))]);
        match &self.signer {
            Signer::PrivateKey { key, algorithms, key_id } => {
                let key = key.as_ref().ok_or(AssertionError::NoKey)?;
                let key = SigningKey::read_among(key, algorithms)?;
                if let Some(key_id) = key_id.as_deref().or(key.key_id()) {
                    header.insert("kid".into(), key_id.into());
                }
                Ok(key.sign(header, &claims)?)
            }
            Signer::ClientSecret(secret) => {
                let secret = secret.as_ref().ok_or(AssertionError::NoSecret)?;
                Ok(MacKey::new(secret)?.sign(header, &claims))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::random::SystemRandom;

    fn assertion(signer: Signer) -> Assertion {
        let claims = Members::from_iter([("iss".to_owned(), Value::from("me"))]);
        Assertion { parameter: "client_assertion", signer, kind: "x+jwt", claims, lifetime: 60 }
    }

    fn part(token: &Secret, place: usize) -> Value {
        let part = token.expose().split('.').nth(place).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test] // CA6, CA7
    fn each_signature_has_an_identifier_of_its_own_and_ends_soon() {
        let key = Some(SigningKey::generate().unwrap());
        let signer =
            Signer::PrivateKey { key, algorithms: Vec::new(), key_id: Some("key-1".to_owned()) };
        let assertion = assertion(signer);
        let now = Timestamp::from_second(1_000).unwrap();
        let [one, two] = [(); 2].map(|()| assertion.sign(now, &SystemRandom).unwrap());
        assert_eq!(
            part(&one, 0),
            serde_json::json!({"alg": "ES256", "typ": "x+jwt", "kid": "key-1"})
        );
        let claims = part(&one, 1);
        assert_eq!((&claims["iat"], &claims["exp"]), (&1_000.into(), &1_060.into()));
        assert_eq!(claims["iss"], "me");
        assert_ne!(claims["jti"], part(&two, 1)["jti"]);
    }

    #[test] // CA11
    fn what_cannot_sign_is_known_before_anything_is_sent() {
        let no_key = Signer::PrivateKey { key: None, algorithms: Vec::new(), key_id: None };
        assert_eq!(assertion(no_key).check(), Err(AssertionError::NoKey));
        let secret = |text: &str| assertion(Signer::ClientSecret(Some(Secret::new(text))));
        assert_eq!(secret("short").check(), Err(AssertionError::Secret(MacError::TooShort(5))));
        assert_eq!(secret(&"s".repeat(32)).check(), Ok(()));
        let none = assertion(Signer::ClientSecret(None));
        assert_eq!(none.sign(Timestamp::UNIX_EPOCH, &SystemRandom), Err(AssertionError::NoSecret));
    }
}
