//! An API that does what a test says, byte by byte.

use std::io::{self, ErrorKind, Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::served::Served;

/// The longest wait for the other side.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Request line and headers.
    pub head: String,
    /// What followed, as far as its length was told.
    pub body: Vec<u8>,
}

impl Seen {
    /// Method and path.
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap().strip_suffix(" HTTP/1.1").unwrap()
    }

    /// A header's values, joined.
    pub fn header(&self, name: &str) -> Option<String> {
        header(&self.head, name)
    }

    fn read_body(&mut self, stream: &mut TcpStream) -> bool {
        let length = self.header("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
        self.body.resize(length, 0);
        stream.read_exact(&mut self.body).is_ok()
    }
}

/// A header's values in a head, joined.
pub fn header(head: &str, name: &str) -> Option<String> {
    let pairs = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let values: Vec<&str> = pairs
        .filter(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .collect();
    (!values.is_empty()).then(|| values.join(", "))
}

type Answer = dyn Fn(&Seen, &mut TcpStream) + Send + Sync;

/// The API, until it is dropped.
pub struct Upstream {
    /// Scheme, host and port.
    pub origin: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
    /// Where token requests go.
    vendor: Arc<Mutex<String>>,
    _served: Served,
}

impl Upstream {
    /// Answers each request so; the connection is kept.
    pub fn answering(answer: impl Fn(&Seen, &mut TcpStream) + Send + Sync + 'static) -> Self {
        Self::start(true, Arc::new(answer))
    }

    /// The same, and the answer reads the body itself.
    pub fn reading(answer: impl Fn(&Seen, &mut TcpStream) + Send + Sync + 'static) -> Self {
        Self::start(false, Arc::new(answer))
    }

    /// Answers everything with these bytes.
    pub fn saying(answer: &'static str) -> Self {
        Self::answering(move |_, stream| stream.write_all(answer.as_bytes()).unwrap())
    }

    fn start(reads_bodies: bool, answer: Arc<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (seen, connections) =
            (Arc::<Mutex<Vec<Seen>>>::default(), Arc::<AtomicUsize>::default());
        let vendor = Arc::<Mutex<String>>::default();
        let (all, count, host) = (seen.clone(), Arc::clone(&connections), vendor.clone());
        let served = Served::by(listener, move |mut stream| {
            let (all, answer, count) = (all.clone(), answer.clone(), Arc::clone(&count));
            let vendor = host.lock().unwrap().clone();
            std::thread::spawn(move || {
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                let mut is_first = true;
                while let Some(mut request) = receive(&mut stream) {
                    if request.line().contains("/oauth/") {
                        return pass_to(&vendor, &request.head, stream);
                    }
                    count.fetch_add(usize::from(is_first), Ordering::SeqCst);
                    is_first = false;
                    if reads_bodies && !request.read_body(&mut stream) {
                        return;
                    }
                    all.lock().unwrap().push(request.clone());
                    answer(&request, &mut stream);
                }
            });
        });
        Self { origin, seen, connections, vendor, _served: served }
    }

    /// Has token requests answered by the vendor's stand-in.
    pub fn tokens_from(&self, origin: &str) {
        *self.vendor.lock().unwrap() = origin.strip_prefix("http://").unwrap().to_owned();
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How many connections came.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn receive(stream: &mut TcpStream) -> Option<Seen> {
    Some(Seen { head: read_head(stream)?, body: Vec::new() })
}

/// Hands a connection over to the vendor's stand-in.
pub fn pass_to(vendor: &str, head: &str, stream: TcpStream) {
    let mut far = TcpStream::connect(vendor).unwrap();
    let own = header(head, "host").unwrap();
    far.write_all(head.replacen(&own, vendor, 1).as_bytes()).unwrap();
    let (mut from, mut to) = (stream.try_clone().unwrap(), far.try_clone().unwrap());
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    let (mut from, mut to) = (far, stream);
    // Either side may break off, as it likes.
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(std::net::Shutdown::Both);
}

/// Reads up to the empty line; `None` where the other side is gone.
pub fn read_head(stream: &mut TcpStream) -> Option<String> {
    read_head_of(stream)
}

/// The same from a stream of any kind.
pub fn read_head_of(stream: &mut impl Read) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    Some(String::from_utf8(head).unwrap())
}

/// Whether a read that gave this met the end of the connection, and not the end of our patience.
pub fn is_closed(read: &io::Result<usize>) -> bool {
    match read {
        Ok(count) => *count == 0,
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

/// An answer of 200 with this body.
pub fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// One piece of a chunked body.
pub fn chunk(stream: &mut TcpStream, piece: &[u8]) {
    write!(stream, "{:x}\r\n", piece.len()).unwrap();
    stream.write_all(piece).unwrap();
    stream.write_all(b"\r\n").unwrap();
    stream.flush().unwrap();
}
