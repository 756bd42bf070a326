//! Servers that ask every client for a certificate, and remember who showed one.

use std::collections::BTreeMap;
use std::io::{Read, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::server::WebPkiClientVerifier;
use serde_json::{Value, json};

use super::served::Served;

/// An authority that vouches for servers and clients.
pub struct Authority {
    /// Its certificate, as PEM.
    pub file: PathBuf,
    der: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// One whose certificate is written into a folder.
    pub fn in_folder(folder: &Path) -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let file = folder.join("ca.pem");
        std::fs::write(&file, certificate.pem()).unwrap();
        Self { file, der: certificate.der().to_vec(), issuer: Issuer::new(params, key) }
    }

    /// A certificate for a client and its key, as PEM.
    pub fn client(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["shop".to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// What a server needs that asks every client for a certificate and lets all of them in.
    pub fn server(&self) -> rustls::ServerConfig {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.der.clone().into()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
            .allow_unauthenticated()
            .build()
            .unwrap();
        rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(
                vec![certificate.der().clone()],
                rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap()
    }
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Came {
    /// Where.
    pub path: String,
    /// The form.
    pub form: BTreeMap<String, String>,
    /// Whether it came with a body or header that proves anything else.
    pub has_authorization: bool,
    /// The certificate that the client showed.
    pub shown: Option<Vec<u8>>,
}

/// A server that lets everybody in and remembers, until it is dropped.
pub struct Certified {
    /// Its origin.
    pub origin: String,
    came: Arc<Mutex<Vec<Came>>>,
    _served: Served,
}

impl Certified {
    /// One that names these endpoints' origin as its `mtls_endpoint_aliases`, or none.
    pub fn new(authority: &Authority, aliases: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("https://{}", listener.local_addr().unwrap());
        let came = Arc::<Mutex<Vec<Came>>>::default();
        let notes = came.clone();
        let metadata = metadata(&origin, aliases);
        let mut given = 0;
        let served = serve(listener, Arc::new(authority.server()), move |request| {
            let path = request.path();
            let answer = match path.as_str() {
                "/.well-known/oauth-authorization-server" => (200, metadata.clone()),
                // A client is known by its certificate, or not at all.
                "/token" | "/revoke" | "/introspect" if request.shown.is_none() => {
                    (401, json!({"error": "invalid_client"}))
                }
                "/token" => {
                    given += 1;
                    let token = format!("access-token-{given}");
                    let kind = "Bearer";
                    (200, json!({"access_token": token, "token_type": kind, "expires_in": 3600}))
                }
                "/introspect" => (200, json!({"active": true})),
                _ => (200, json!({})),
            };
            let has_authorization = request.head.to_lowercase().contains("\r\nauthorization:");
            let Request { form, shown, .. } = request;
            notes.lock().unwrap().push(Came { path, form, has_authorization, shown });
            answer
        });
        Self { origin, came, _served: served }
    }

    /// Everything that came, oldest first.
    pub fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }

    /// Paths, and whether each request came with a certificate.
    pub fn seen(&self) -> Vec<(String, bool)> {
        self.came().into_iter().map(|it| (it.path, it.shown.is_some())).collect()
    }
}

fn metadata(origin: &str, aliases: Option<&str>) -> Value {
    let methods = ["client_secret_basic", "private_key_jwt", "tls_client_auth"];
    let mut metadata = json!({
        "issuer": origin,
        "token_endpoint": format!("{origin}/token"),
        "revocation_endpoint": format!("{origin}/revoke"),
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": methods,
        "tls_client_certificate_bound_access_tokens": true,
    });
    if let Some(alias) = aliases {
        metadata["mtls_endpoint_aliases"] = json!({
            "token_endpoint": format!("{alias}/token"),
            "revocation_endpoint": format!("{alias}/revoke"),
        });
    }
    metadata
}

/// One request over TLS.
pub struct Request {
    /// Its first line and its headers.
    pub head: String,
    /// The form.
    pub form: BTreeMap<String, String>,
    /// The certificate that the client showed.
    pub shown: Option<Vec<u8>>,
}

impl Request {
    /// Path and query.
    pub fn path(&self) -> String {
        self.head.split(' ').nth(1).unwrap_or_default().to_owned()
    }
}

/// Answers every request with a status and a document, one after the other, until what it gives is dropped.
pub fn serve(
    listener: TcpListener,
    config: Arc<rustls::ServerConfig>,
    mut answer: impl FnMut(Request) -> (u16, Value) + Send + 'static,
) -> Served {
    Served::by(listener, move |stream| {
        let session = rustls::ServerConnection::new(config.clone()).unwrap();
        let mut stream = rustls::StreamOwned::new(session, stream);
        let Some((head, body)) = heard(&mut stream) else {
            // What is left unread would take the alert away from the client.
            let _ = stream.sock.shutdown(std::net::Shutdown::Write);
            let _ = std::io::copy(&mut stream.sock, &mut std::io::sink());
            return;
        };
        let form = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let shown = stream.conn.peer_certificates().map(|chain| chain[0].to_vec());
        let (status, document) = answer(Request { head, form, shown });
        let text = document.to_string();
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            text.len()
        );
        // A client that has gone wants no answer.
        let _ = stream.write_all(format!("{head}{text}").as_bytes());
        stream.conn.send_close_notify();
        let _ = stream.flush();
    })
}

/// Head and body of one request; `None` where the client went before its end.
fn heard(stream: &mut impl Read) -> Option<(String, String)> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 16 << 10]);
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_lowercase().strip_prefix("content-length: ").map(|it| it.parse().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return Some((head.to_owned(), body.to_owned()));
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
    }
}
