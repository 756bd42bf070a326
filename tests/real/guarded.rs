//! A server on loopback that lets nobody in without an Authorization header, and remembers which it was shown.
//!
//! It stands for a git host, a registry, a cluster; the programs that ask it are the real ones.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::authority::Authority;

/// No name and no password: what skopeo shows where it has no credentials.
const NOBODY: &str = "Basic Og==";
/// No head of a request is longer, in bytes.
const LONGEST_HEAD: usize = 64 << 10;
/// How long a client may keep silent.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is served to those who are let in; `None` where there is no such page.
pub type Serve = Box<dyn Fn(&Asked) -> Option<Page> + Send + Sync>;

/// A request.
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// An answer of status 200.
pub struct Page {
    pub kind: String,
    pub body: Vec<u8>,
}

/// Serves fixed JSON documents by path.
pub fn pages(pages: impl IntoIterator<Item = (&'static str, serde_json::Value)>) -> Serve {
    let pages: BTreeMap<_, _> = pages.into_iter().collect();
    Box::new(move |asked| {
        let body = pages.get(asked.path.as_str())?.to_string().into_bytes();
        Some(Page { kind: "application/json".into(), body })
    })
}

/// A server of one test.
pub struct Guarded {
    port: u16,
    scheme: &'static str,
    shown: Arc<Mutex<Vec<Option<String>>>>,
    ends: Arc<AtomicBool>,
}

struct Rules {
    challenges: Vec<&'static str>,
    serve: Serve,
    shown: Arc<Mutex<Vec<Option<String>>>>,
    tls: Option<Arc<ServerConfig>>,
}

impl Guarded {
    /// Serves in plain text whoever shows an Authorization header; others are told the challenges.
    pub fn plain(challenges: &[&'static str], serve: impl FnOnce(u16) -> Serve) -> Self {
        Self::start(challenges, serve, None)
    }

    /// The same over TLS; the authority's certificate goes to `authority`.
    pub fn tls(
        challenges: &[&'static str],
        serve: impl FnOnce(u16) -> Serve,
        authority: &Path,
    ) -> Self {
        Self::start(challenges, serve, Some(Arc::new(configuration(authority))))
    }

    fn start(
        challenges: &[&'static str],
        serve: impl FnOnce(u16) -> Serve,
        tls: Option<Arc<ServerConfig>>,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shown = Arc::<Mutex<Vec<_>>>::default();
        let ends = Arc::<AtomicBool>::default();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let rules = Arc::new(Rules {
            challenges: challenges.to_vec(),
            serve: serve(port),
            shown: shown.clone(),
            tls,
        });
        let stop = ends.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::Acquire) {
                    return;
                }
                let rules = rules.clone();
                // A client that breaks off concerns nobody but itself.
                std::thread::spawn(move || rules.converse(stream).is_ok());
            }
        });
        Self { port, scheme, shown, ends }
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.authority())
    }

    /// Host and port.
    pub fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Every Authorization header that came, each once.
    pub fn headers(&self) -> Vec<String> {
        let mut all: Vec<_> = self.shown.lock().unwrap().iter().flatten().cloned().collect();
        all.sort();
        all.dedup();
        all
    }

    /// Whether any request came.
    pub fn was_asked(&self) -> bool {
        !self.shown.lock().unwrap().is_empty()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Release);
        // The one who waits for the next connection sees it.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
    }
}

impl Rules {
    fn converse(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        match &self.tls {
            None => self.answer(stream),
            Some(config) => {
                let connection =
                    ServerConnection::new(config.clone()).map_err(std::io::Error::other)?;
                let mut stream = StreamOwned::new(connection, stream);
                self.answer(&mut stream)?;
                stream.conn.send_close_notify();
                stream.flush()
            }
        }
    }

    /// Answers one request; every connection serves one.
    fn answer(&self, mut stream: impl Read + Write) -> std::io::Result<()> {
        let asked = asked(&mut stream)?;
        let authorization = asked.headers.get("authorization").cloned();
        let authorization = authorization.filter(|shown| shown != NOBODY);
        let is_in = authorization.is_some();
        self.shown.lock().unwrap().push(authorization);
        let page = if is_in { (self.serve)(&asked) } else { None };
        let status = match (is_in, &page) {
            (false, _) => "401 Unauthorized",
            (true, None) => "404 Not Found",
            (true, Some(_)) => "200 OK",
        };
        let Page { kind, body } =
            page.unwrap_or(Page { kind: "text/plain".into(), body: Vec::new() });
        let mut answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\n");
        for challenge in self.challenges.iter().filter(|_| !is_in) {
            answer.push_str(&format!("www-authenticate: {challenge}\r\n"));
        }
        let length = body.len();
        answer.push_str(&format!("content-length: {length}\r\ncontent-type: {kind}\r\n\r\n"));
        stream.write_all(answer.as_bytes())?;
        if asked.method != "HEAD" {
            stream.write_all(&body)?;
        }
        stream.flush()
    }
}

/// Reads a request; its body is as long as Content-Length says.
fn asked(stream: &mut impl Read) -> std::io::Result<Asked> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        match stream.read(&mut part)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => bytes.extend_from_slice(&part[..read]),
        }
        if bytes.len() > LONGEST_HEAD {
            return Err(std::io::Error::other("a head that does not end"));
        }
    };
    let mut body = bytes.split_off(end);
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let (method, target) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.get("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
    let mut rest = vec![0; usize::saturating_sub(length, body.len())];
    stream.read_exact(&mut rest)?;
    body.append(&mut rest);
    Ok(Asked { method, path: path.to_owned(), query: query.to_owned(), headers, body })
}

fn configuration(authority: &Path) -> ServerConfig {
    let issuer = Authority::new();
    std::fs::write(authority, issuer.pem()).unwrap();
    let (certificate, key) = issuer.server();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap()
}
