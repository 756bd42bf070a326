//! What a server learns of a client's own key or certificate when the client is registered
//! (RFC 7591 section 2, RFC 8705 section 2); nothing secret is among it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::certificate_subject::subject;
use super::dynamic_registration::KnownBy;
use super::jose::{Algorithm, KeyError, SigningKey};
use crate::http::{IdentityError, identity};
use crate::provider::schema::ClientAuthentication;
use crate::secret::Secret;

/// Why a key cannot be registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisteredKeyError {
    /// It cannot be read, or does not sign as the vendor wants it.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Its certificate cannot be read.
    #[error(transparent)]
    Certificate(#[from] IdentityError),
    /// The certificate does not say whose it is.
    #[error("its certificate names no subject")]
    NoSubject,
}

/// What the server is told, by the method that the client proves itself with.
pub fn known_by(
    (method, algorithms, key_id): (ClientAuthentication, &[Algorithm], Option<&str>),
    key: &Secret,
    certificate: Option<&Secret>,
) -> Result<KnownBy, RegisteredKeyError> {
    let own_certificate = || {
        let chain = certificate.map(Secret::expose).unwrap_or_default();
        identity::own_certificate(chain)
    };
    Ok(match method {
        ClientAuthentication::PrivateKeyJwt => {
            let key = SigningKey::read_among(key, algorithms)?;
            let mut members = public(&key);
            members.insert("use".into(), json!("sig"));
            members.insert("alg".into(), json!(key.algorithm().name()));
            if let Some(key_id) = key_id.or(key.key_id()) {
                members.insert("kid".into(), json!(key_id));
            }
            KnownBy { keys: Some(json!({"keys": [members]})), ..KnownBy::default() }
        }
        ClientAuthentication::SelfSignedTlsClientAuth => {
            let mut members = public(&SigningKey::read(key, None)?);
            members.insert("x5c".into(), json!([STANDARD.encode(own_certificate()?)]));
            KnownBy { keys: Some(json!({"keys": [members]})), ..KnownBy::default() }
        }
        ClientAuthentication::TlsClientAuth => {
            let subject = subject(&own_certificate()?).filter(|it| !it.is_empty());
            let subject = subject.ok_or(RegisteredKeyError::NoSubject)?;
            KnownBy { certificate_subject: Some(subject), ..KnownBy::default() }
        }
        _ => KnownBy::default(),
    })
}

fn public(key: &SigningKey) -> Map<String, Value> {
    let public = key.public();
    public.members().iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair};

    /// A key and a certificate that it signed itself.
    fn signed() -> (Secret, Secret, Vec<u8>) {
        let pair = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "shop, till 1");
        params.distinguished_name.push(DnType::OrganizationName, "#Acme + Söhne ");
        let certificate = params.self_signed(&pair).unwrap();
        let pem = Secret::new(certificate.pem());
        (Secret::new(pair.serialize_pem()), pem, certificate.der().to_vec())
    }

    #[test] // EX7, CA6
    fn a_key_is_registered_by_its_public_half_alone() {
        let (key, _, _) = signed();
        let client = (ClientAuthentication::PrivateKeyJwt, &[][..], Some("key-1"));
        let known = known_by(client, &key, None).unwrap();
        let keys = known.keys.unwrap();
        let jwk = keys["keys"][0].as_object().unwrap();
        let names: Vec<&str> = jwk.keys().map(String::as_str).collect();
        assert_eq!(names, ["crv", "kty", "x", "y", "use", "alg", "kid"], "and no `d`");
        assert_eq!(
            (&jwk["alg"], &jwk["kid"], &jwk["use"]),
            (&json!("ES256"), &json!("key-1"), &json!("sig"))
        );
        assert_eq!(known.certificate_subject, None);
    }

    #[test] // EX7, CA8
    fn a_certificate_is_registered_by_itself_or_by_its_subject() {
        let (key, pem, der) = signed();
        let own = (ClientAuthentication::SelfSignedTlsClientAuth, &[][..], None);
        let known = known_by(own, &key, Some(&pem)).unwrap();
        assert_eq!(known.keys.unwrap()["keys"][0]["x5c"], json!([STANDARD.encode(der)]));
        let named = (ClientAuthentication::TlsClientAuth, &[][..], None);
        let known = known_by(named, &key, Some(&pem)).unwrap();
        let expected = r"O=\#Acme \+ Söhne\ ,CN=shop\, till 1";
        assert_eq!(known.certificate_subject.as_deref(), Some(expected));
        assert!(known.keys.is_none());
        assert!(known_by(named, &key, None).is_err());
    }
}
