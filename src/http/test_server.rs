//! A real server on loopback for this room's tests: says what it is told to, remembers what it heard.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a connection reads from and writes to.
pub trait Connection: Read + Write {}
impl<T: Read + Write> Connection for T {}

/// Listens until the test ends.
pub struct Server {
    pub port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers every request with these bytes and closes the connection.
    pub fn answering(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::talking(move |connection, _| drop(connection.write_all(&bytes)))
    }

    /// Reads one request a connection, then lets the test talk.
    pub fn talking(talk: impl Fn(&mut dyn Connection, &str) + Send + Sync + 'static) -> Self {
        Self::wrapped(|stream| Some(Box::new(stream)), talk)
    }

    /// Speaks TLS with this certificate chain and key.
    pub fn tls(config: rustls::ServerConfig, answer: &'static str) -> Self {
        let config = Arc::new(config);
        Self::wrapped(
            move |stream| {
                let session = rustls::ServerConnection::new(config.clone()).ok()?;
                Some(Box::new(rustls::StreamOwned::new(session, stream)))
            },
            move |connection, _| {
                let _ = connection.write_all(answer.as_bytes());
                let _ = connection.flush();
            },
        )
    }

    /// The same, and counts the clients that show a certificate.
    pub fn tls_seeing(
        config: rustls::ServerConfig,
        answer: &'static str,
        shown: Arc<AtomicUsize>,
    ) -> Self {
        let config = Arc::new(config);
        Self::wrapped(
            move |mut stream| {
                let mut session = rustls::ServerConnection::new(config.clone()).ok()?;
                while session.is_handshaking() {
                    session.complete_io(&mut stream).ok()?;
                }
                shown.fetch_add(usize::from(session.peer_certificates().is_some()), SeqCst);
                Some(Box::new(rustls::StreamOwned::new(session, stream)))
            },
            move |connection, _| {
                let _ = connection.write_all(answer.as_bytes());
                let _ = connection.flush();
            },
        )
    }

    fn wrapped(
        wrap: impl Fn(TcpStream) -> Option<Box<dyn Connection + Send>> + Send + 'static,
        talk: impl Fn(&mut dyn Connection, &str) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (notes, talk) = (heard.clone(), Arc::new(talk));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
                let Some(mut connection) = wrap(stream) else { continue };
                let (notes, talk) = (notes.clone(), talk.clone());
                std::thread::spawn(move || {
                    let Some(request) = read_request(&mut *connection) else { return };
                    notes.lock().unwrap().push(request.clone());
                    talk(&mut *connection, &request);
                });
            }
        });
        Self { port, heard }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> url::Url {
        format!("http://127.0.0.1:{}{path}", self.port).parse().unwrap()
    }

    /// Every request so far, head and body.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// Reads a head and as much body as it announces, chunked coding undone only as far as needed.
pub fn read_request(connection: &mut dyn Connection) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            let chunked = head.contains("transfer-encoding: chunked");
            if (chunked && body.ends_with("0\r\n\r\n"))
                || (!chunked && body.len() >= length.unwrap_or(0))
            {
                return Some(text.into_owned());
            }
        }
        match connection.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
    }
}

/// A client that trusts these files too and knows no proxy.
pub fn client(extra_roots: Vec<std::path::PathBuf>) -> super::Client {
    let proxies = super::Proxies::none();
    let options = super::Options { extra_roots, user_agent: "keyfob/test".into(), proxies };
    super::Client::new(options).unwrap()
}

/// Runs a future as the program does: one thread, one runtime.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}
