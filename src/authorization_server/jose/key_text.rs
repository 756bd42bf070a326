//! A private key as a person has it: PEM of three kinds, or a JSON Web Key. What it can do is not known here.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::KeyError;
use crate::secret::Secret;

/// Bytes that are wiped when dropped.
pub(super) type Bytes = Zeroizing<Vec<u8>>;

/// What a text turned out to be.
pub(super) enum KeyText {
    /// `PRIVATE KEY` (RFC 5958).
    Pkcs8(Bytes),
    /// `RSA PRIVATE KEY` (RFC 8017 appendix A.1.2).
    Pkcs1(Bytes),
    /// `EC PRIVATE KEY` (RFC 5915).
    Sec1(Bytes),
    /// A JSON Web Key.
    Jwk(Box<Jwk>),
}

/// A private JSON Web Key (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2).
#[derive(Deserialize)]
pub(super) struct Jwk {
    pub kty: String,
    pub kid: Option<String>,
    pub alg: Option<String>,
    #[serde(rename = "use")]
    pub usage: Option<String>,
    pub crv: Option<String>,
    pub x: Option<Part>,
    pub y: Option<Part>,
    pub n: Option<Part>,
    pub e: Option<Part>,
    pub d: Option<Part>,
    pub p: Option<Part>,
    pub q: Option<Part>,
    pub dp: Option<Part>,
    pub dq: Option<Part>,
    pub qi: Option<Part>,
}

/// A number or a point in base64url.
pub(super) struct Part(pub Bytes);

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
        // The decoder's own words may quote the text.
        bytes.map(|it| Self(it.into())).map_err(|_| serde::de::Error::custom("not base64url"))
    }
}

/// Whether a text is a key of a pair, public or private, or a certificate.
pub(super) fn is_of_a_pair(text: &Secret) -> bool {
    let text = text.expose().trim_start();
    let is_jwk = || {
        serde_json::from_str::<serde_json::Value>(text)
            .is_ok_and(|it| it.get("kty").is_some() || it.get("keys").is_some())
    };
    text.starts_with("-----BEGIN ")
        || text.starts_with("ssh-")
        || (text.starts_with('{') && is_jwk())
}

/// Reads a text; nothing of it is ever quoted.
pub(super) fn read(text: &Secret) -> Result<KeyText, KeyError> {
    match text.expose().trim_start() {
        text if text.starts_with('{') => jwk(text),
        text => pem(text),
    }
}

fn jwk(text: &str) -> Result<KeyText, KeyError> {
    #[derive(Deserialize)]
    struct Set {
        #[serde(rename = "keys")]
        _keys: Vec<serde::de::IgnoredAny>,
    }
    if serde_json::from_str::<Set>(text).is_ok() {
        return Err(KeyError::Set);
    }
    let jwk: Jwk = serde_json::from_str(text).map_err(|_| KeyError::NotAKey)?;
    match (jwk.kty.as_str(), &jwk.d) {
        ("oct", _) => Err(KeyError::Symmetric),
        (_, None) => Err(KeyError::Public),
        (_, Some(_)) => Ok(KeyText::Jwk(Box::new(jwk))),
    }
}

/// The first key of a PEM file (RFC 7468); what stands around it, such as curve parameters, is passed over.
fn pem(text: &str) -> Result<KeyText, KeyError> {
    let mut wrong = KeyError::NotAKey;
    let mut rest = text;
    while let Some((label, body, after)) = section(rest) {
        rest = after;
        match label {
            "PRIVATE KEY" => return Ok(KeyText::Pkcs8(decoded(body)?)),
            // The old way of encryption keeps the label and adds headers (RFC 1421 section 4.6.1.1).
            _ if body.contains("ENCRYPTED") => wrong = KeyError::Encrypted,
            "RSA PRIVATE KEY" => return Ok(KeyText::Pkcs1(decoded(body)?)),
            "EC PRIVATE KEY" => return Ok(KeyText::Sec1(decoded(body)?)),
            "ENCRYPTED PRIVATE KEY" => wrong = KeyError::Encrypted,
            "OPENSSH PRIVATE KEY" => wrong = KeyError::OpenSsh,
            "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE" if wrong == KeyError::NotAKey => {
                wrong = KeyError::Public;
            }
            _ => {}
        }
    }
    Err(wrong)
}

/// Label, body and what follows of the first section.
fn section(text: &str) -> Option<(&str, &str, &str)> {
    let (_, text) = text.split_once("-----BEGIN ")?;
    let (label, text) = text.split_once("-----")?;
    let (body, text) = text.split_once("-----END ")?;
    let text = text.strip_prefix(label)?.strip_prefix("-----")?;
    Some((label, body, text))
}

fn decoded(body: &str) -> Result<Bytes, KeyError> {
    let text: Zeroizing<String> =
        Zeroizing::new(body.chars().filter(|it| !it.is_whitespace()).collect());
    STANDARD.decode(&*text).map(Bytes::from).map_err(|_| KeyError::NotAKey)
}

/// Wraps a SEC1 key of P-256 as PKCS#8 (RFC 5958 section 2, RFC 5480 section 2.1.1).
pub(super) fn pkcs8_of_sec1(sec1: &[u8]) -> Bytes {
    /// Version 0, then `id-ecPublicKey` on `secp256r1`.
    const HEAD: [u8; 24] = [
        0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
        0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
    ];
    let mut inner = Bytes::from(HEAD.to_vec());
    inner.extend_from_slice(&tagged(0x04, sec1));
    tagged(0x30, &inner)
}

/// A DER value of any length that a key has (X.690 section 8.1).
fn tagged(tag: u8, content: &[u8]) -> Bytes {
    let length = content.len();
    let mut whole = Bytes::from(vec![tag]);
    match u8::try_from(length) {
        Ok(short @ ..0x80) => whole.push(short),
        Ok(one) => whole.extend([0x81, one]),
        Err(_) => {
            whole.push(0x82);
            whole.extend(u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    whole.extend_from_slice(content);
    whole
}

/// Writes PKCS#8 as PEM, for a store.
pub(super) fn to_pem(pkcs8: &[u8]) -> Secret {
    let body = Zeroizing::new(STANDARD.encode(pkcs8));
    let mut text = Zeroizing::new(String::from("-----BEGIN PRIVATE KEY-----\n"));
    for line in body.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push_str("-----END PRIVATE KEY-----");
    Secret::new(text.as_str())
}
