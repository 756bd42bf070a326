//! The smallest https server that serves both sides alike: one document, HTTP/1.1, TLS by rustls.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair,
};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::Failure;

/// The document that every request is answered with.
pub const DOCUMENT: &str =
    r#"{"state":"ok","result":{"entries":[{"id":5001,"total":14500,"status":"paid"}]}}"#;
/// No head of a request is longer, in bytes.
const LONGEST_HEAD: usize = 16 << 10;

/// Serves on a port of its own until the process ends; the authority's certificate goes to `authority`.
pub fn start(authority: &Path) -> Result<u16, Failure> {
    let config = Arc::new(configuration(authority)?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            // A client that breaks off concerns nobody but itself.
            std::thread::spawn(move || converse(stream, config).is_ok());
        }
    });
    Ok(port)
}

fn configuration(authority: &Path) -> Result<ServerConfig, Failure> {
    let (certificate, key) = certificate(authority)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(ring::default_provider());
    Ok(ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?)
}

/// A certificate of `localhost` and its key; that of its authority goes to `authority`.
pub fn certificate(authority: &Path) -> Result<(Certificate, KeyPair), Failure> {
    let mut issuer = CertificateParams::new(Vec::new())?;
    issuer.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // An authority with its server's name would look like a certificate that signed itself.
    issuer.distinguished_name.push(DnType::CommonName, "keyfob benchmark authority");
    let issuer = CertifiedIssuer::self_signed(issuer, KeyPair::generate()?)?;
    std::fs::write(authority, issuer.pem())?;
    let key = KeyPair::generate()?;
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &issuer)?;
    Ok((certificate, key))
}

fn converse(stream: TcpStream, config: Arc<ServerConfig>) -> Result<(), Failure> {
    stream.set_nodelay(true)?;
    let mut stream = StreamOwned::new(ServerConnection::new(config)?, stream);
    while let Some(head) = head(&mut stream)? {
        let authorized = head.to_ascii_lowercase().contains("authorization: bearer ");
        let status = if authorized { "200 OK" } else { "401 Unauthorized" };
        let length = DOCUMENT.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{DOCUMENT}"
        );
        stream.write_all(answer.as_bytes())?;
        stream.flush()?;
    }
    Ok(())
}

/// The head of the next request; `None` where the client has closed.
fn head(stream: &mut impl Read) -> Result<Option<String>, Failure> {
    let mut head = Vec::new();
    let mut part = [0; 2048];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut part)? {
            0 => return Ok(None),
            read => head.extend_from_slice(&part[..read]),
        }
        if head.len() > LONGEST_HEAD {
            return Err("a head that does not end".into());
        }
    }
    Ok(Some(String::from_utf8_lossy(&head).into_owned()))
}
