//! HMAC with a secret that client and server share (RFC 7518 section 3.2): HS256, for `client_secret_jwt` alone.
//!
//! Nothing here takes a key of a pair: a text that is one is refused, so that no HMAC is ever
//! made with what everybody may know (RFC 8725 section 2.1).

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::{Members, compact, key_text, signing_input};
use crate::secret::Secret;

/// The least length of the secret, in bytes: as long as the hash (RFC 7518 section 3.2).
pub const LEAST: usize = 32;

/// Why a text makes no HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MacError {
    /// Shorter than [`LEAST`].
    #[error("it has {0} bytes, and HS256 needs {LEAST} at least")]
    TooShort(usize),
    /// A key of a pair, or a certificate.
    #[error("it is a key of a pair or a certificate, not a shared secret")]
    KeyOfAPair,
}

/// Makes HMACs with a client secret.
pub struct MacKey<'a>(&'a Secret);

impl<'a> MacKey<'a> {
    /// The algorithm's registered name.
    pub const ALGORITHM: &'static str = "HS256";

    /// Takes a client secret as it is; its UTF-8 bytes are the key (OpenID Connect Core section 10.1).
    pub fn new(client_secret: &'a Secret) -> Result<Self, MacError> {
        if key_text::is_of_a_pair(client_secret) {
            return Err(MacError::KeyOfAPair);
        }
        match client_secret.expose().len() {
            short @ ..LEAST => Err(MacError::TooShort(short)),
            _ => Ok(Self(client_secret)),
        }
    }

    /// Signs claims; the header's `alg` is HS256.
    pub fn sign(&self, header: Members, claims: &Members) -> Secret {
        let input = signing_input(Self::ALGORITHM, header, claims);
        compact(&input, &tag(self.0.expose().as_bytes(), input.as_bytes()))
    }
}

fn tag(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test] // RFC 7515 appendix A.1
    fn the_tag_is_the_rfc_s_own_example() {
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let input = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let tag = tag(&URL_SAFE_NO_PAD.decode(key).unwrap(), input.as_bytes());
        assert_eq!(URL_SAFE_NO_PAD.encode(tag), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    }

    #[test] // CA11
    fn no_hmac_is_made_with_a_key_of_a_pair_or_with_a_short_secret() {
        let of_a_pair = [
            "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----",
            "  -----BEGIN CERTIFICATE-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A",
            r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78L","e":"AQAB"}"#,
            r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapi"}]}"#,
        ];
        for text in of_a_pair {
            let refused = MacKey::new(&Secret::new(text)).err();
            assert_eq!(refused, Some(MacError::KeyOfAPair), "{text}");
        }
        let short = Secret::new("a".repeat(31));
        assert_eq!(MacKey::new(&short).err(), Some(MacError::TooShort(31)));
        assert!(MacKey::new(&Secret::new("a".repeat(32))).is_ok());
    }

    #[test]
    fn a_header_cannot_name_another_algorithm() {
        let secret = Secret::new("a".repeat(32));
        let header = Members::from_iter([("alg".to_owned(), "none".into())]);
        let signed = MacKey::new(&secret).unwrap().sign(header, &Members::new());
        assert!(signed.expose().starts_with(&URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#)));
    }
}
