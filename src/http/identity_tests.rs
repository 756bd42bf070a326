//! The client certificate on a real wire: who sees it, who does not, what is said of one that is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::KeyPair;
use rustls::server::{ResolvesServerCert, WebPkiClientVerifier};

use super::test_server::{Server, client, run};
use super::wire_tests::Authority;
use super::*;
use crate::secret::Secret;

// The server ends each connection: one that was kept might be used in the moment it ends.
const OK: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";

/// A server that asks for a certificate, and tells what it was shown.
fn asking(authority: &Authority, required: bool) -> (Server, Arc<AtomicUsize>) {
    let resolver: Arc<dyn ResolvesServerCert> = authority.config_for("127.0.0.1").cert_resolver;
    let mut roots = rustls::RootCertStore::empty();
    let root = std::fs::read(authority.file("ca.der")).unwrap();
    roots.add(root.into()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
    let verifier = match required {
        true => verifier.build().unwrap(),
        false => verifier.allow_unauthenticated().build().unwrap(),
    };
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(resolver);
    let shown = Arc::new(AtomicUsize::new(0));
    let server = Server::tls_seeing(config, OK, shown.clone());
    (server, shown)
}

fn https(server: &Server) -> url::Url {
    format!("https://127.0.0.1:{}/token", server.port).parse().unwrap()
}

fn identity(authority: &Authority, hosts: Vec<url::Url>) -> Identity {
    let (certificate, key) = authority.client("shop");
    let read = Arc::new(move || Ok((certificate.clone(), Secret::new(key.clone()))));
    Identity { read, hosts }
}

async fn got(client: &Client, server: &Server) -> Result<Answer, HttpError> {
    exchange(client, Request::new(Method::GET, https(server)), Limits::default()).await
}

#[test] // CA8
fn a_certificate_is_shown_to_its_hosts_and_to_nobody_else() {
    let authority = Authority::new();
    let (own, own_shown) = asking(&authority, true);
    let (evil, evil_shown) = asking(&authority, false);
    let plain = client(vec![authority.file("ca.pem")]);
    let named = plain.presenting(identity(&authority, vec![https(&own)]));
    run(async {
        assert_eq!(got(&named, &own).await.unwrap().status, 200);
        assert_eq!(got(&named, &evil).await.unwrap().status, 200);
        assert_eq!(own_shown.load(Ordering::SeqCst), 1, "shown where it belongs");
        assert_eq!(evil_shown.load(Ordering::SeqCst), 0, "another port is another host");
        let error = got(&plain, &own).await.unwrap_err();
        assert!(matches!(error, HttpError::Tls { .. } | HttpError::Reset { .. }), "{error:?}");
    });
    assert_eq!(own.heard().len(), 1, "nothing is heard without a certificate");
}

#[test] // CA8
fn a_certificate_is_read_when_its_host_is_spoken_to_and_not_before() {
    let authority = Authority::new();
    let (server, _) = asking(&authority, false);
    let (other, _) = asking(&authority, false);
    let reads = Arc::new(AtomicUsize::new(0));
    let (count, (certificate, key)) = (reads.clone(), authority.client("shop"));
    let read = Arc::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
        Ok((certificate.clone(), Secret::new(key.clone())))
    });
    let identity = Identity { read, hosts: vec![https(&server)] };
    let client = client(vec![authority.file("ca.pem")]).presenting(identity);
    run(async {
        got(&client, &other).await.unwrap();
        assert_eq!(reads.load(Ordering::SeqCst), 0);
        got(&client, &server).await.unwrap();
        got(&client, &server).await.unwrap();
    });
    assert_eq!(reads.load(Ordering::SeqCst), 1);
}

/// As `openssl x509 -req` makes them without extensions.
const VERSION_1: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBFzCBvwIUSILBpClqRgeBmD5Ogv2KHfbIWgQwCgYIKoZIzj0EAwIwDjEMMAoG\n\
A1UEAwwDb2xkMCAXDTI2MTEyMTA0MzE0OFoYDzIxMjYxMDI4MDQzMTQ4WjAOMQww\n\
CgYDVQQDDANvbGQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASClGfS5gDVPUOM\n\
qehs81lrFT7LvsQUzXqynk00KEqennS6l3x0BW9UPCCuyjKHVWpkY0tPvQcpmcHg\n\
I3YsjWIJMAoGCCqGSM49BAMCA0cAMEQCICnKjYJKNEf41aAPH6L5A6z2t0iJlbR+\n\
V0iU5lTG53pCAiAMYiyb5GiWn/bBmXSaOP6BhSLHvYa4VZWkEEKLdXnEdg==\n\
-----END CERTIFICATE-----\n\
";

#[test] // CA8
fn what_is_no_certificate_is_said_before_anything_is_sent() {
    let authority = Authority::new();
    let (server, _) = asking(&authority, false);
    let (certificate, key) = authority.client("shop");
    let other_key = KeyPair::generate().unwrap().serialize_pem();
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    let unusable = |detail: &str| IdentityError::Unusable(detail.to_owned());
    let cases = [
        ((certificate.clone(), encrypted), IdentityError::EncryptedKey),
        ((certificate.clone(), old.to_owned()), IdentityError::EncryptedKey),
        ((certificate.clone(), certificate.clone()), IdentityError::NoKey),
        ((key.clone(), key.clone()), IdentityError::NoCertificate),
        (("\u{1}0\u{2}".to_owned(), key.clone()), IdentityError::NotPem),
        ((certificate.clone(), "0".to_owned()), IdentityError::NotPem),
        ((VERSION_1.to_owned(), key.clone()), IdentityError::OldCertificate),
        ((certificate.clone(), other_key), unusable("keys may not be consistent: KeyMismatch")),
    ];
    for ((certificate, key), expected) in cases {
        let read = Arc::new(move || Ok((certificate.clone(), Secret::new(key.clone()))));
        let identity = Identity { read, hosts: vec![https(&server)] };
        let client = client(vec![authority.file("ca.pem")]).presenting(identity);
        let error = run(got(&client, &server)).unwrap_err();
        assert!(error.never_reached() && !error.may_pass());
        assert_eq!(error, HttpError::Identity { problem: expected });
    }
    assert_eq!(server.heard(), Vec::<String>::new());
}
