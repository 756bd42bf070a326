//! A request that arrived and the answer to it, as values. Sockets are `server`'s.

use serde_json::Value;
use url::form_urlencoded;

/// A request, read whole.
#[derive(Clone)]
pub struct Request {
    /// As it was sent, upper case.
    pub method: String,
    /// Not decoded.
    pub path: String,
    /// What follows the question mark, not decoded.
    pub query: String,
    /// Names in lower case, in the order of arrival.
    pub headers: Vec<(String, String)>,
    /// Empty for an upload, which is counted and dropped.
    pub body: Vec<u8>,
    /// Bytes that the body had.
    pub body_bytes: u64,
}

impl Request {
    /// Every value of a header.
    pub fn headers_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a header.
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.headers_named(name).next()
    }

    /// The media type of the body, without parameters, in lower case.
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        Some(value.split(';').next()?.trim().to_ascii_lowercase())
    }

    /// A query parameter, decoded; the first where it is repeated.
    pub fn query_value(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Path and query as they stood in the request line.
    pub fn path_and_query(&self) -> String {
        match self.query.is_empty() {
            true => self.path.clone(),
            false => format!("{}?{}", self.path, self.query),
        }
    }
}

/// What an answer carries.
#[derive(Clone)]
pub enum Payload {
    /// These bytes.
    Bytes(Vec<u8>),
    /// That many zero bytes, streamed.
    Zeros(u64),
}

/// An answer.
#[derive(Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// In the order they are sent.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub payload: Payload,
}

impl Answer {
    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), payload: Payload::Bytes(Vec::new()) }
    }

    /// A JSON answer.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::empty(status).with("content-type", "application/json").carrying(body.to_string())
    }

    /// A page.
    pub fn html(status: u16, page: String) -> Self {
        Self::empty(status).with("content-type", "text/html; charset=utf-8").carrying(page)
    }

    /// Adds a header.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the body.
    pub fn carrying(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.payload = Payload::Bytes(body.into());
        self
    }
}
