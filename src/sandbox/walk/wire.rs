//! One HTTP/1.1 request over one loopback connection, blocking and bounded.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use url::Url;

/// How long a peer may stay silent.
const SILENCE: Duration = Duration::from_secs(30);
/// Bytes of an answer that are read.
const LIMIT: u64 = 8 * 1024 * 1024;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, whole.
    pub body: Vec<u8>,
}

impl Received {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Only plain HTTP on loopback is spoken.
    #[error("this address is not on loopback")]
    NotLoopback,
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Connection(#[from] io::Error),
    /// The peer closed before the answer was whole.
    #[error("the connection closed before the answer was whole")]
    CutOff,
    /// What came is not HTTP.
    #[error("the answer is not HTTP")]
    NotHttp,
}

/// Whether a URL is plain HTTP on loopback.
pub fn is_loopback(url: &Url) -> bool {
    url.scheme() == "http" && address(url).is_some()
}

fn address(url: &Url) -> Option<SocketAddr> {
    let addresses = url.socket_addrs(|| None).ok()?;
    addresses.into_iter().find(|address| address.ip().is_loopback())
}

/// Sends a request and reads the whole answer.
pub fn send(
    method: &str,
    url: &Url,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Received, WireError> {
    let address = address(url).filter(|_| url.scheme() == "http").ok_or(WireError::NotLoopback)?;
    let mut stream = TcpStream::connect_timeout(&address, SILENCE)?;
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    stream.write_all(&written(method, url, headers, body))?;
    let mut bytes = Vec::new();
    stream.take(LIMIT).read_to_end(&mut bytes)?;
    received(&bytes)
}

fn written(method: &str, url: &Url, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let mut text = format!("{method} {}{query} HTTP/1.1\r\nhost: {host}\r\n", url.path());
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!("connection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    [text.as_bytes(), body].concat()
}

fn received(bytes: &[u8]) -> Result<Received, WireError> {
    if bytes.is_empty() {
        return Err(WireError::CutOff);
    }
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or(WireError::CutOff)?;
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| WireError::NotHttp)?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let status = status.ok_or(WireError::NotHttp)?;
    let mut received = Received { status, headers, body: Vec::new() };
    received.body = body(&received, &bytes[end + 4..])?;
    Ok(received)
}

fn body(received: &Received, rest: &[u8]) -> Result<Vec<u8>, WireError> {
    if received.header("transfer-encoding") == Some("chunked") {
        return dechunked(rest);
    }
    match received.header("content-length").map(str::parse::<usize>) {
        Some(Ok(length)) if rest.len() < length => Err(WireError::CutOff),
        Some(Ok(length)) => Ok(rest[..length].to_vec()),
        Some(Err(_)) => Err(WireError::NotHttp),
        None => Ok(rest.to_vec()),
    }
}

/// RFC 9112 section 7.1.
fn dechunked(mut rest: &[u8]) -> Result<Vec<u8>, WireError> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n").ok_or(WireError::CutOff)?;
        let line = std::str::from_utf8(&rest[..end]).map_err(|_| WireError::NotHttp)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| WireError::NotHttp)?;
        let chunk = rest.get(end + 2..).and_then(|it| it.get(..size)).ok_or(WireError::CutOff)?;
        if size == 0 {
            return Ok(body);
        }
        body.extend_from_slice(chunk);
        rest = rest.get(end + 2 + size + 2..).ok_or(WireError::CutOff)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunked_answer_is_put_together_and_a_short_one_is_cut_off() {
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice();
        let whole = [head, b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"].concat();
        assert_eq!(received(&whole).unwrap().body, b"abcde");
        let short = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
        assert!(matches!(received(short), Err(WireError::CutOff)));
    }
}
