//! Which certificates are trusted: the operating system's and the user's, read at the first handshake.
//!
//! A command that speaks to nobody, or to loopback alone, opens no certificate file. On Linux the
//! system's one bundle file is read here, since reading its folder of single files as well takes
//! five times as long.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};

use super::error::HttpError;

/// The largest certificate file that is read.
const LARGEST_FILE: u64 = 16 << 20;

/// Checks a server's chain and name; loads what it trusts when it is first asked.
pub(super) struct Trust {
    extra: Vec<PathBuf>,
    provider: Arc<CryptoProvider>,
    loaded: OnceLock<Result<Arc<dyn ServerCertVerifier>, HttpError>>,
}

impl Trust {
    /// Trusts the operating system's certificates and those in the extra files and folders.
    pub fn new(extra: Vec<PathBuf>, provider: Arc<CryptoProvider>) -> Self {
        Self { extra, provider, loaded: OnceLock::new() }
    }

    /// Why the certificates could not be loaded, if that was tried and failed.
    pub fn failure(&self) -> Option<HttpError> {
        self.loaded.get()?.as_ref().err().cloned()
    }

    fn verifier(&self) -> Result<&Arc<dyn ServerCertVerifier>, rustls::Error> {
        self.loaded
            .get_or_init(|| load(&self.extra, &self.provider))
            .as_ref()
            .map_err(|failure| rustls::Error::General(failure.to_string()))
    }
}

#[cfg(any(target_os = "macos", target_os = "windows"))]
fn load(
    extra: &[PathBuf],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, HttpError> {
    let roots = certificates_in_all(extra)?;
    rustls_platform_verifier::Verifier::new_with_extra_roots(roots, provider.clone())
        .map(|verifier| Arc::new(verifier) as Arc<dyn ServerCertVerifier>)
        .map_err(|error| unusable(Path::new("the system's trust"), &error))
}

#[cfg(not(any(target_os = "macos", target_os = "windows")))]
fn load(
    extra: &[PathBuf],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, HttpError> {
    let mut roots = system_roots();
    for path in extra {
        let (added, _) = roots.add_parsable_certificates(certificates_in(path)?);
        if added == 0 {
            return Err(unusable(path, &"none of them can be trusted as an authority"));
        }
    }
    rustls::client::WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone())
        .build()
        .map(|verifier| verifier as Arc<dyn ServerCertVerifier>)
        .map_err(|error| unusable(Path::new("the system's bundle"), &error))
}

/// Where Linux distributions keep their bundle, the most common first.
#[cfg(not(any(target_os = "macos", target_os = "windows")))]
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/ssl/cert.pem",
];

/// The first bundle that holds a certificate, else the folder, else Mozilla's list as compiled in.
#[cfg(not(any(target_os = "macos", target_os = "windows")))]
fn system_roots() -> rustls::RootCertStore {
    let mut roots = rustls::RootCertStore::empty();
    for place in BUNDLES.iter().chain(&["/etc/ssl/certs"]) {
        if let Ok(certificates) = certificates_in(Path::new(place)) {
            roots.add_parsable_certificates(certificates);
        }
        if !roots.is_empty() {
            return roots;
        }
    }
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    roots
}

#[cfg(any(target_os = "macos", target_os = "windows"))]
fn certificates_in_all(paths: &[PathBuf]) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let mut all = Vec::new();
    for path in paths {
        all.extend(certificates_in(path)?);
    }
    Ok(all)
}

/// Reads the certificates of a file, or of every file of a folder; none at all is an error.
fn certificates_in(path: &Path) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let found = match path.is_dir() {
        true => certificates_in_folder(path)?,
        false => certificates_in_file(path)?,
    };
    match found.is_empty() {
        true => Err(unusable(path, &"there is no certificate in it")),
        false => Ok(found),
    }
}

/// Reads a folder such as `SSL_CERT_DIR` names; files that hold something else are passed over.
fn certificates_in_folder(path: &Path) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|error| unusable(path, &error))? {
        let file = entry.map_err(|error| unusable(path, &error))?.path();
        if file.is_file() {
            found.extend(certificates_in_file(&file).unwrap_or_default());
        }
    }
    // OpenSSL's folders hold each certificate twice, once under its hash.
    found.sort_by(|one: &CertificateDer<'_>, other| one.as_ref().cmp(other.as_ref()));
    found.dedup();
    Ok(found)
}

/// Reads PEM, or one certificate as DER.
fn certificates_in_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LARGEST_FILE).read_to_end(&mut bytes))
        .map_err(|error| unusable(path, &error))?;
    if bytes.starts_with(&[0x30]) {
        return Ok(vec![CertificateDer::from(bytes)]);
    }
    CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, why: &dyn fmt::Display) -> HttpError {
    HttpError::Certificates { path: path.display().to_string(), detail: why.to_string() }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.verifier()?.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Trust").field("extra", &self.extra).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // TQ13
    fn a_file_that_holds_no_certificate_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "no certificate here\n").unwrap();
        for path in [empty.as_path(), &folder.path().join("absent.pem"), folder.path()] {
            let Err(HttpError::Certificates { path: named, .. }) = certificates_in(path) else {
                panic!("{path:?} was accepted");
            };
            assert_eq!(named, path.display().to_string());
        }
    }
}
