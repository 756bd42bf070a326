//! A request as a value. Printing one shows no secret.

use std::fmt;
use std::io::Read;
use std::path::PathBuf;

use bytes::Bytes;
use hyper::Method;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use url::Url;
use zeroize::Zeroizing;

use super::error::HttpError;
use crate::secret::Secret;

/// What is sent, once.
pub struct Request {
    /// As written; methods are case-sensitive (RFC 9110 section 9.1).
    pub method: Method,
    /// https, or plain http to loopback.
    pub url: Url,
    /// Names and values in order.
    pub headers: Vec<(String, HeaderText)>,
    /// What follows the headers.
    pub body: Body,
    /// The issuer whose metadata named the URL: only one on this machine or its network may lead there.
    pub named_by: Option<String>,
}

/// A header's value.
#[derive(Clone, PartialEq, Eq)]
pub enum HeaderText {
    /// May be seen by anyone.
    Plain(String),
    /// Must not be seen.
    Secret(Secret),
}

/// What a request carries.
#[derive(Default)]
pub enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// Bytes in memory.
    Bytes(Bytes),
    /// Text that holds a secret; wiped when it was sent.
    Secret(Secret),
    /// A file, read while it is sent.
    File(PathBuf),
    /// A stream such as standard input, read while it is sent; cannot be sent twice.
    Stream(Box<dyn Read + Send>),
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: Vec::new(), body: Body::Empty, named_by: None }
    }

    /// Adds a header that anyone may see.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), HeaderText::Plain(value.into())));
        self
    }

    /// Adds a header that nobody must see.
    pub fn secret_header(mut self, name: impl Into<String>, value: Secret) -> Self {
        self.headers.push((name.into(), HeaderText::Secret(value)));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// Says which issuer named the URL, where it was not a person.
    pub fn named_by(mut self, issuer: Option<String>) -> Self {
        self.named_by = issuer;
        self
    }

    /// The same request once more; `None` where the body is a stream.
    pub fn again(&self) -> Option<Self> {
        Some(Self {
            method: self.method.clone(),
            url: self.url.clone(),
            headers: self.headers.clone(),
            body: self.body.again()?,
            named_by: self.named_by.clone(),
        })
    }

    /// Name and port as in the URL.
    pub fn host(&self) -> String {
        host_of(&self.url)
    }
}

/// Name and port as in the URL.
pub fn host_of(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => format!("{}:", url.scheme()),
    }
}

/// A URL for people: the query's values hidden, no user name, no fragment.
pub fn shown_url(url: &Url) -> String {
    let mut shown = format!("{}://{}{}", url.scheme(), host_of(url), url.path());
    for (position, (name, _)) in url.query_pairs().enumerate() {
        shown.push(if position == 0 { '?' } else { '&' });
        shown.push_str(&super::printable::printable(&name));
        shown.push_str("=[hidden]");
    }
    shown
}

impl Body {
    /// The same body once more; `None` for a stream.
    pub fn again(&self) -> Option<Self> {
        match self {
            Self::Empty => Some(Self::Empty),
            Self::Bytes(bytes) => Some(Self::Bytes(bytes.clone())),
            Self::Secret(secret) => Some(Self::Secret(secret.clone())),
            Self::File(path) => Some(Self::File(path.clone())),
            Self::Stream(_) => None,
        }
    }

    /// Tells whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }
}

/// Gives the secret's bytes to the HTTP library; they are wiped when it lets go of them.
pub(super) fn guarded_bytes(secret: &Secret) -> Bytes {
    Bytes::from_owner(Zeroizing::new(secret.expose().as_bytes().to_vec()))
}

/// How many headers follow those of a request: what it accepts, who sends it, where to, how long.
const ADDED: usize = 5;

/// The headers as the HTTP library takes them; line breaks and the like are refused (RR6).
pub(super) fn header_map(headers: &[(String, HeaderText)]) -> Result<HeaderMap, HttpError> {
    let mut map = HeaderMap::with_capacity(headers.len() + ADDED);
    for (name, text) in headers {
        let value = text.value().ok_or_else(|| invalid(name))?;
        // This one is in nearly every request, and needs no look at its letters.
        let name = match name.as_str() {
            "Authorization" => AUTHORIZATION,
            other => HeaderName::from_bytes(other.as_bytes()).map_err(|_| invalid(other))?,
        };
        map.append(name, value);
    }
    Ok(map)
}

fn invalid(name: &str) -> HttpError {
    let name = super::printable::printable(name);
    HttpError::InvalidRequest { detail: format!("the header `{name}` cannot be written") }
}

impl HeaderText {
    /// Gives the value itself; written only beside the output or request that needs it.
    pub fn expose(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(secret) => secret.expose(),
        }
    }

    fn value(&self) -> Option<HeaderValue> {
        match self {
            Self::Plain(text) => HeaderValue::from_bytes(text.as_bytes()).ok(),
            Self::Secret(secret) => {
                let mut value = HeaderValue::from_bytes(secret.expose().as_bytes()).ok()?;
                value.set_sensitive(true);
                Some(value)
            }
        }
    }
}

impl From<&str> for HeaderText {
    fn from(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }
}

impl From<String> for HeaderText {
    fn from(text: String) -> Self {
        Self::Plain(text)
    }
}

impl From<Secret> for HeaderText {
    fn from(secret: Secret) -> Self {
        Self::Secret(secret)
    }
}

impl fmt::Debug for HeaderText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => write!(formatter, "{text:?}"),
            Self::Secret(secret) => write!(formatter, "{secret:?}"),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("empty"),
            Self::Bytes(bytes) => write!(formatter, "[{} bytes]", bytes.len()),
            Self::Secret(_) => formatter.write_str("[hidden]"),
            Self::File(path) => write!(formatter, "file {path:?}"),
            Self::Stream(_) => formatter.write_str("stream"),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("method", &self.method)
            .field("url", &shown_url(&self.url))
            .field("headers", &self.headers)
            .field("body", &self.body)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        let url = "https://api.example/Item?oauth_token=mark1&page=mark2".parse().unwrap();
        Request::new(Method::POST, url)
            .header("Accept", "text/plain")
            .secret_header("Authorization", Secret::new("Bearer mark3"))
            .body(Body::Secret(Secret::new("client_secret=mark4")))
    }

    #[test] // LG6
    fn a_printed_request_shows_no_secret() {
        let printed = format!("{:?}", request());
        assert!(!printed.contains("mark"), "{printed}");
        assert!(printed.contains("https://api.example/Item?oauth_token=[hidden]"), "{printed}");
    }

    #[test] // LG6
    fn a_secret_header_is_marked_sensitive() {
        let map = header_map(&request().headers).unwrap();
        assert!(map["authorization"].is_sensitive());
        assert!(!map["accept"].is_sensitive());
    }

    #[test] // RR6, A23
    fn line_breaks_never_get_into_a_header() {
        for (name, value) in [("X", "a\r\nEvil: b"), ("X", "a\0"), ("X\r\nY", "a"), ("", "a")] {
            let headers = [(name.to_owned(), HeaderText::from(value))];
            assert!(header_map(&headers).is_err(), "{name:?}: {value:?}");
        }
    }

    #[test] // RR21
    fn only_a_stream_cannot_be_sent_twice() {
        assert!(request().again().is_some());
        let stream = request().body(Body::Stream(Box::new(std::io::empty())));
        assert!(stream.again().is_none());
    }
}
