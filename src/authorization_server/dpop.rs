//! Proofs that the client holds a key: one for every request, bound to it (RFC 9449).
//!
//! Which nonce a server wants and what its clock says is the caller's to know.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::jose::{CannotSign, Members, SigningKey};
use crate::secret::Secret;

/// The request header that carries a proof.
pub const PROOF: &str = "DPoP";
/// What a new key signs its proofs with, by its name in RFC 7518.
pub const ALGORITHM: &str = "ES256";
/// The scheme of a token that is bound to a key, and its `token_type` (RFC 9449 section 7.1).
pub const SCHEME: &str = "DPoP";
/// The response header with the value that the next proof must carry.
pub const NONCE: &str = "dpop-nonce";
/// The request that a proof is made for.
pub struct Proven<'a> {
    /// As it is sent.
    pub method: &'a str,
    /// Where it goes; query and fragment are no part of a proof.
    pub url: &'a Url,
    /// The token that goes with it, to a resource server.
    pub access_token: Option<&'a Secret>,
    /// What the server gave for it.
    pub nonce: Option<&'a str>,
    /// By the server's clock, as far as that is known.
    pub at: Timestamp,
    /// Used once.
    pub id: String,
}

/// Makes a proof (RFC 9449 section 4.2).
pub fn proof(key: &SigningKey, request: &Proven<'_>) -> Result<Secret, CannotSign> {
    let public = key.public();
    let members = public.members().iter();
    let public: Members =
        members.map(|(name, it)| ((*name).to_owned(), it.as_str().into())).collect();
    let header = Members::from_iter([
        ("typ".to_owned(), Value::from("dpop+jwt")),
        ("jwk".to_owned(), Value::Object(public)),
    ]);
    let mut claims = Members::from_iter([
        ("jti".to_owned(), Value::from(request.id.as_str())),
        ("htm".to_owned(), request.method.into()),
        ("htu".to_owned(), target(request.url).into()),
        ("iat".to_owned(), request.at.as_second().into()),
    ]);
    if let Some(token) = request.access_token {
        let hash = Sha256::digest(token.expose().as_bytes());
        claims.insert("ath".to_owned(), URL_SAFE_NO_PAD.encode(hash).into());
    }
    if let Some(nonce) = request.nonce {
        claims.insert("nonce".to_owned(), nonce.into());
    }
    key.sign(header, &claims)
}

fn target(url: &Url) -> String {
    let mut target = url.clone();
    target.set_query(None);
    target.set_fragment(None);
    target.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(request: &Proven<'_>) -> (Value, Value) {
        let key = SigningKey::read(&SigningKey::generate().unwrap(), None).unwrap();
        let proof = proof(&key, request).unwrap();
        let mut parts = proof.expose().split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
        let mut read = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
        (read(), read())
    }

    fn asked<'a>(url: &'a Url, token: Option<&'a Secret>, nonce: Option<&'a str>) -> Proven<'a> {
        let at = Timestamp::from_second(1_562_262_616).unwrap();
        Proven { method: "GET", url, access_token: token, nonce, at, id: "one".into() }
    }

    #[test] // SC1
    fn a_proof_names_the_request_and_holds_the_public_key_alone() {
        let url = Url::parse("https://api.test/a/b?secret=1#top").unwrap();
        let (header, claims) = made(&asked(&url, None, None));
        assert_eq!((&header["typ"], &header["alg"]), (&"dpop+jwt".into(), &ALGORITHM.into()));
        let members: Vec<&String> = header["jwk"].as_object().unwrap().keys().collect();
        assert_eq!(members, ["crv", "kty", "x", "y"], "and no `d`");
        let expected = serde_json::json!({
            "jti": "one", "htm": "GET", "htu": "https://api.test/a/b", "iat": 1_562_262_616,
        });
        assert_eq!(claims, expected);
    }

    #[test] // SC2, RFC 9449 section 7.1
    fn a_proof_for_an_api_is_bound_to_its_token() {
        let url = Url::parse("https://resource.example.org/protectedresource").unwrap();
        let token = Secret::new("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU");
        let (_, claims) = made(&asked(&url, Some(&token), Some("n1")));
        assert_eq!(claims["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
        assert_eq!(claims["nonce"], "n1");
    }
}
