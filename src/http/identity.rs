//! Who this client is to the few hosts that ask for a certificate (mutual TLS, RFC 8705 section 2).
//!
//! Whoever else asks, sees none: a certificate names its holder.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use url::Url;

use super::error::HttpError;
use super::printable::printable;
use crate::secret::Secret;

/// Reads the chain as PEM, the own certificate first, and its key as PEM.
pub type ReadIdentity = dyn Fn() -> Result<(String, Secret), String> + Send + Sync;

/// A certificate, and who may see it.
#[derive(Clone)]
pub struct Identity {
    /// Asked once, at the first connection to one of `hosts`; an error says why it cannot be read.
    pub read: Arc<ReadIdentity>,
    /// By scheme, host and port; their paths do not count.
    pub hosts: Vec<Url>,
}

/// Why a certificate and its key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum IdentityError {
    /// They could not be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// It is a PKCS#12 file, or DER.
    #[error("it is not PEM")]
    NotPem,
    /// There is no certificate in it.
    #[error("there is no certificate in it")]
    NoCertificate,
    /// There is no private key in it.
    #[error("there is no private key in it")]
    NoKey,
    /// The key needs a passphrase.
    #[error("its private key is encrypted")]
    EncryptedKey,
    /// An X.509 certificate of version 1, as `openssl x509 -req` makes without extensions.
    #[error("its certificate is of X.509 version 1")]
    OldCertificate,
    /// The server does not take it.
    #[error("the server does not take it: {0}")]
    Refused(String),
    /// The key belongs to another certificate, or is of a kind that is not known.
    #[error("{0}")]
    Unusable(String),
}

impl Identity {
    /// Whether a host may see it.
    pub(super) fn is_for(&self, url: &Url) -> bool {
        url.scheme() == "https"
            && self.hosts.iter().any(|host| {
                host.scheme() == url.scheme()
                    && host.host() == url.host()
                    && host.port_or_known_default() == url.port_or_known_default()
            })
    }

    /// How a host is spoken to that may see it.
    pub(super) fn offered(
        &self,
        config: rustls::ConfigBuilder<rustls::ClientConfig, rustls::client::WantsClientCert>,
    ) -> Result<rustls::ClientConfig, HttpError> {
        let unusable = |problem| HttpError::Identity { problem };
        let (chain, key) =
            (self.read)().map_err(|why| unusable(IdentityError::Unreadable(printable(&why))))?;
        let chain = certificates(&chain).map_err(unusable)?;
        let key = private_key(&key).map_err(unusable)?;
        config.with_client_auth_cert(chain, key).map_err(|error| unusable(refused(&error)))
    }
}

/// Whether a chain holds a certificate, before its key is there.
pub fn check_chain(chain: &str) -> Result<(), IdentityError> {
    certificates(chain).map(drop)
}

/// The client's own certificate of a chain, as DER.
pub fn own_certificate(chain: &str) -> Result<Vec<u8>, IdentityError> {
    let chain = certificates(chain)?;
    Ok(chain.first().map(|own| own.to_vec()).unwrap_or_default())
}

/// Whether a key can be read, before its certificate is there.
pub fn check_key(key: &Secret) -> Result<(), IdentityError> {
    private_key(key).map(drop)
}

/// Whether both can be used, and belong together.
pub fn check(chain: &str, key: &Secret) -> Result<(), IdentityError> {
    let (chain, key) = (certificates(chain)?, private_key(key)?);
    CertifiedKey::from_der(chain, key, &ring::default_provider())
        .map(drop)
        .map_err(|error| refused(&error))
}

fn certificates(chain: &str) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let found: Result<Vec<_>, pem::Error> =
        CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) if !chain.contains("-----BEGIN ") => Err(IdentityError::NotPem),
        Ok(_) => Err(IdentityError::NoCertificate),
        Err(error) => Err(IdentityError::Unusable(printable(&error.to_string()))),
    }
}

fn private_key(key: &Secret) -> Result<PrivateKeyDer<'static>, IdentityError> {
    let text = key.expose();
    match PrivateKeyDer::from_pem_slice(text.as_bytes()) {
        Ok(key) if !is_encrypted(text) => Ok(key),
        _ if is_encrypted(text) => Err(IdentityError::EncryptedKey),
        Err(_) if !text.contains("-----BEGIN ") => Err(IdentityError::NotPem),
        _ => Err(IdentityError::NoKey),
    }
}

/// PKCS#8 says so in its first line, the older kinds in a header (RFC 1421 section 4.6.1.1).
fn is_encrypted(key: &str) -> bool {
    key.contains("BEGIN ENCRYPTED PRIVATE KEY") || key.contains("Proc-Type: 4,ENCRYPTED")
}

fn refused(error: &rustls::Error) -> IdentityError {
    let words = error.to_string();
    match words.contains("UnsupportedCertVersion") {
        true => IdentityError::OldCertificate,
        false => IdentityError::Unusable(printable(&words)),
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Identity").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}
