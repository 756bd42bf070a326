//! A published set of keys (RFC 7517 section 5), as far as a signature can be checked with them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature;
use serde_json::{Map, Value};

use crate::http::strict_json::parse_object;
use crate::provider::schema::SignatureAlgorithm;

/// The largest set that is read, in bytes.
pub const LARGEST: usize = 256 << 10;

/// The most keys of a set that are looked at.
const MOST: usize = 64;

/// The keys of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys(Vec<Key>);

/// One public key that may check signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    id: Option<String>,
    /// What alone it is for, where it says so.
    algorithm: Option<String>,
    material: Material,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// Why a body is no set of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// Not one JSON object.
    #[error("it is no JSON object: {0}")]
    NotAnObject(String),
    /// The object has no list of keys.
    #[error("it has no list `keys`")]
    NoKeys,
}

/// Whether a signature fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// One of the keys made it.
    Signed,
    /// No key has that id, or none is of that kind.
    NoKey,
    /// There are keys, and none of them made it.
    Forged,
}

impl Keys {
    /// Reads a set; a key that cannot be understood is passed over and the others serve (RFC 7517 section 5).
    pub fn read(body: &[u8]) -> Result<Self, JwksError> {
        let object =
            parse_object(body).map_err(|error| JwksError::NotAnObject(error.to_string()))?;
        let keys = object.get("keys").and_then(Value::as_array).ok_or(JwksError::NoKeys)?;
        Ok(Self(keys.iter().take(MOST).filter_map(Value::as_object).filter_map(key).collect()))
    }

    /// Checks a signature with the key of that id, or with all that fit where the token names none.
    pub fn check(
        &self,
        algorithm: SignatureAlgorithm,
        id: Option<&str>,
        message: &[u8],
        signature: &[u8],
    ) -> Fit {
        let mut fitting = self.0.iter().filter(|key| key.is_for(algorithm, id)).peekable();
        if fitting.peek().is_none() {
            return Fit::NoKey;
        }
        match fitting.any(|key| key.material.made(algorithm, message, signature)) {
            true => Fit::Signed,
            false => Fit::Forged,
        }
    }
}

impl Key {
    fn is_for(&self, algorithm: SignatureAlgorithm, id: Option<&str>) -> bool {
        (id.is_none() || self.id.as_deref() == id)
            && self.algorithm.as_deref().is_none_or(|only| only == algorithm.name())
            && self.material.verifier(algorithm).is_some()
    }
}

impl Material {
    /// How this kind of key checks that algorithm; none where it cannot.
    ///
    /// RSA keys have 2048 to 8192 bits (RFC 7518 section 3.3): the library refuses others.
    fn verifier(&self, algorithm: SignatureAlgorithm) -> Option<Verifier> {
        use SignatureAlgorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        let rsa = |parameters| Some(Verifier::Rsa(parameters));
        let other = |parameters| Some(Verifier::Other(parameters));
        match (self, algorithm) {
            (Self::Rsa { .. }, RS256) => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
            (Self::Rsa { .. }, RS384) => rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
            (Self::Rsa { .. }, RS512) => rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
            (Self::Rsa { .. }, PS256) => rsa(&signature::RSA_PSS_2048_8192_SHA256),
            (Self::Rsa { .. }, PS384) => rsa(&signature::RSA_PSS_2048_8192_SHA384),
            (Self::Rsa { .. }, PS512) => rsa(&signature::RSA_PSS_2048_8192_SHA512),
            (Self::P256(_), ES256) => other(&signature::ECDSA_P256_SHA256_FIXED),
            (Self::P384(_), ES384) => other(&signature::ECDSA_P384_SHA384_FIXED),
            (Self::Ed25519(_), EdDSA) => other(&signature::ED25519),
            _ => None,
        }
    }

    fn made(&self, algorithm: SignatureAlgorithm, message: &[u8], made: &[u8]) -> bool {
        match (self, self.verifier(algorithm)) {
            (Self::Rsa { modulus, exponent }, Some(Verifier::Rsa(parameters))) => {
                let key = signature::RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(parameters, message, made).is_ok()
            }
            (
                Self::P256(point) | Self::P384(point) | Self::Ed25519(point),
                Some(Verifier::Other(parameters)),
            ) => signature::UnparsedPublicKey::new(parameters, point).verify(message, made).is_ok(),
            _ => false,
        }
    }
}

enum Verifier {
    Rsa(&'static signature::RsaParameters),
    Other(&'static dyn signature::VerificationAlgorithm),
}

/// A key that is public, asymmetric and not meant for something else.
fn key(members: &Map<String, Value>) -> Option<Key> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let optional = |name: &str| match members.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(value) => Some(Some(value.as_str()?.to_owned())),
    };
    if optional("use")?.is_some_and(|it| it != "sig") {
        return None;
    }
    if let Some(operations) = members.get("key_ops") {
        operations.as_array()?.iter().find(|it| *it == "verify")?;
    }
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
    let coordinate = |name: &str, length: usize| bytes(name).filter(|it| it.len() == length);
    let point =
        |length| Some([&[4], &*coordinate("x", length)?, &*coordinate("y", length)?].concat());
    let material = match (text("kty")?, text("crv")) {
        ("RSA", None) => {
            Material::Rsa { modulus: number(bytes("n")?), exponent: number(bytes("e")?) }
        }
        ("EC", Some("P-256")) => Material::P256(point(32)?),
        ("EC", Some("P-384")) => Material::P384(point(48)?),
        ("OKP", Some("Ed25519")) => Material::Ed25519(coordinate("x", 32)?),
        _ => return None,
    };
    Some(Key { id: optional("kid")?, algorithm: optional("alg")?, material })
}

/// Some servers write a zero in front, which RFC 7518 section 6.3.1.1 does not want.
fn number(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn point() -> String {
        URL_SAFE_NO_PAD.encode([7; 32])
    }

    fn count(keys: Value) -> usize {
        Keys::read(json!({ "keys": keys }).to_string().as_bytes()).unwrap().0.len()
    }

    #[test] // DS16, DS9
    fn a_key_with_wrong_types_does_not_spoil_the_set() {
        let good = json!({"kty": "OKP", "crv": "Ed25519", "x": point(), "kid": "a"});
        let bad = json!([
            good,
            7, null, "x", [], {},
            {"kty": 7}, {"kty": "oct", "k": "c2VjcmV0"},
            {"kty": "RSA", "n": 5, "e": "AQAB"}, {"kty": "RSA", "n": "%%", "e": "AQAB"},
            {"kty": "EC", "crv": "P-256", "x": point()},
            {"kty": "EC", "crv": "P-521", "x": point(), "y": point()},
            {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
            {"kty": "OKP", "crv": "Ed25519", "x": point(), "use": "enc"},
            {"kty": "OKP", "crv": "Ed25519", "x": point(), "use": 1},
            {"kty": "OKP", "crv": "Ed25519", "x": point(), "kid": {}},
            {"kty": "OKP", "crv": "Ed25519", "x": point(), "key_ops": ["sign"]},
            {"kty": "OKP", "crv": "Ed25519", "x": point(), "key_ops": "verify"},
            {"kty": "OKP", "crv": "Ed25519", "x": point(), "use": "sig", "key_ops": ["verify"]},
        ]);
        assert_eq!(count(bad), 2);
        assert_eq!(count(json!([])), 0);
        assert_eq!(count(json!(vec![good; 10_000])), MOST);
    }

    #[test] // DS9
    fn what_is_no_set_is_refused_without_a_crash() {
        let deep = format!("{{\"keys\":{}", "[".repeat(100_000));
        let nested = format!("{{\"keys\":{}{}}}", "[".repeat(200), "]".repeat(200));
        for body in ["", "[]", "null", "<html>", "{", "{\"keys\":[],\"keys\":[]}", &deep, &nested] {
            assert!(
                matches!(Keys::read(body.as_bytes()), Err(JwksError::NotAnObject(_))),
                "{body}"
            );
        }
        for body in ["{}", r#"{"keys":{}}"#, r#"{"keys":null}"#, r#"{"keys":"x"}"#] {
            assert_eq!(Keys::read(body.as_bytes()), Err(JwksError::NoKeys), "{body}");
        }
    }
}
