//! As much of HTTP/1.1 as keyfob speaks to this server.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::answer::Answer;

/// No request here is longer, in bytes.
const LONGEST: usize = 16 * 1024;
/// How long a client may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was asked.
pub struct Request {
    pub path: String,
    pub bearer: Option<String>,
    fields: Vec<(String, String)>,
}

impl Request {
    /// A field of the form.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Looks at a whole request and leaves it unread: a connection that is closed like that is reset.
pub fn peek(stream: &TcpStream) -> Option<Request> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut buffer = vec![0; LONGEST];
    let deadline = Instant::now() + PATIENCE;
    let mut before = 0;
    while Instant::now() < deadline {
        let length = stream.peek(&mut buffer).ok()?;
        if let Some(request) = whole(buffer.get(..length)?) {
            return Some(request);
        }
        if length == 0 {
            return None;
        }
        if length == before {
            // What was looked at once is there at once the next time: the rest is on its way.
            std::thread::sleep(Duration::from_millis(1));
        }
        before = length;
    }
    None
}

fn whole(bytes: &[u8]) -> Option<Request> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers: Vec<(String, &str)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
        .collect();
    let header = |name: &str| headers.iter().find(|(known, _)| known == name).map(|it| it.1);
    let length: usize = header("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
    let bearer = header("authorization").and_then(|it| it.strip_prefix("Bearer "));
    let fields = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    (body.len() >= length).then(|| Request { path, bearer: bearer.map(str::to_owned), fields })
}

/// Writes an answer, or resets the connection; whether all of it was handed over.
pub fn send(mut stream: &TcpStream, answer: &Answer) -> bool {
    let Some(bytes) = answer.bytes() else { return false };
    let mut unread = [0; LONGEST];
    // Else closing would reset the connection, and the answer might be lost with it.
    let _ = stream.read(&mut unread);
    let sent = stream.write_all(&bytes).is_ok();
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read(&mut unread);
    sent
}
