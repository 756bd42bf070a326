//! The public half of a key as a JSON Web Key (RFC 7517), and its thumbprint (RFC 7638).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The members that every key of its kind must have, and no other: none of them is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PublicJwk(BTreeMap<&'static str, String>);

impl PublicJwk {
    /// An RSA key (RFC 7518 section 6.3.1).
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Self {
        Self::of("RSA", [("n", encoded(modulus)), ("e", encoded(exponent))])
    }

    /// A point of P-256 (RFC 7518 section 6.2.1).
    pub fn p256(x: &[u8], y: &[u8]) -> Self {
        Self::of("EC", [("crv", "P-256".to_owned()), ("x", encoded(x)), ("y", encoded(y))])
    }

    /// An Ed25519 key (RFC 8037 section 2).
    pub fn ed25519(x: &[u8]) -> Self {
        Self::of("OKP", [("crv", "Ed25519".to_owned()), ("x", encoded(x))])
    }

    fn of<const N: usize>(kind: &str, members: [(&'static str, String); N]) -> Self {
        Self(members.into_iter().chain([("kty", kind.to_owned())]).collect())
    }

    /// The members by name, in the order of their names.
    pub fn members(&self) -> &BTreeMap<&'static str, String> {
        &self.0
    }

    /// SHA-256 over the required members in the order of their names (RFC 7638 section 3), in base64url.
    pub fn thumbprint(&self) -> String {
        // Every name and value is plain ASCII that JSON does not escape.
        let members: Vec<String> =
            self.0.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        encoded(&Sha256::digest(format!("{{{}}}", members.join(","))))
    }
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    #[test] // RFC 7638 section 3.1, RFC 8037 appendix A.3
    fn the_thumbprints_are_the_rfcs_own() {
        let modulus = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let rsa = PublicJwk::rsa(&decoded(modulus), &decoded("AQAB"));
        assert_eq!(rsa.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        let ed25519 = PublicJwk::ed25519(&decoded("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
        assert_eq!(ed25519.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn a_public_key_is_written_as_its_required_members() {
        let text = serde_json::to_string(&PublicJwk::p256(&[1], &[2])).unwrap();
        assert_eq!(text, r#"{"crv":"P-256","kty":"EC","x":"AQ","y":"Ag"}"#);
    }
}
