//! Short requests with an answer that is read whole: token, revocation and metadata endpoints.

use std::fmt;
use std::time::Duration;

use hyper::header::{DATE, HeaderMap};
use jiff::Timestamp;
use zeroize::{Zeroize, Zeroizing};

use super::client::Client;
use super::error::{HttpError, of_answer};
use super::request::{Request, host_of};
use super::upload::Progress;

/// What an exchange may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the first packet to the last byte.
    pub total: Duration,
    /// Bytes of the body after decompression.
    pub max_body: usize,
}

impl Default for Limits {
    /// 30 s and 1 MiB (TQ15, TS12).
    fn default() -> Self {
        Self { total: Duration::from_secs(30), max_body: 1 << 20 }
    }
}

/// A whole answer. A redirect is an answer like any other.
#[derive(Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// As received; a body's encoding was undone.
    pub headers: HeaderMap,
    /// May hold tokens: wiped when dropped.
    pub body: Zeroizing<Vec<u8>>,
    /// The server's clock, where it tells it.
    pub date: Option<Timestamp>,
}

impl Answer {
    /// A header's first value; `None` where it is absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Answer")
            .field("status", &self.status)
            .field("body", &format_args!("[{} bytes]", self.body.len()))
            .finish_non_exhaustive()
    }
}

/// Sends a request and reads the whole answer within the limits; never follows, never repeats.
pub async fn exchange(
    client: &Client,
    request: Request,
    limits: Limits,
) -> Result<Answer, HttpError> {
    let (host, has_body) = (request.host(), !request.body.is_empty());
    let progress = Progress::new();
    match tokio::time::timeout(limits.total, read(client, request, limits, &progress)).await {
        Ok(answer) => answer,
        Err(_) => {
            let connecting = has_body && !progress.started();
            Err(HttpError::TimedOut { host, after: limits.total, connecting })
        }
    }
}

async fn read(
    client: &Client,
    request: Request,
    limits: Limits,
    progress: &Progress,
) -> Result<Answer, HttpError> {
    let Request { method, url, headers, body, named_by } = request;
    let sent = client.execute(method, &url, &headers, body, progress, named_by.as_deref());
    let answer = sent.await?;
    let (head, mut received) = answer.into_parts();
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = received.next_data().await {
        let chunk = chunk.map_err(|error| of_answer(&*error, &host_of(&url)))?;
        if body.len() + chunk.len() > limits.max_body {
            return Err(HttpError::BodyTooLarge { host: host_of(&url), limit: limits.max_body });
        }
        append(&mut body, &chunk);
    }
    let date = date(&head.headers);
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body, date })
}

/// Grows by copying into a new buffer and wiping the old one: a plain `Vec` leaves its old copy behind.
fn append(body: &mut Zeroizing<Vec<u8>>, chunk: &[u8]) {
    if body.capacity() - body.len() < chunk.len() {
        let capacity = (body.len() + chunk.len()).next_power_of_two().max(8192);
        let mut grown = Vec::with_capacity(capacity);
        grown.extend_from_slice(body);
        body.zeroize();
        **body = grown;
    }
    body.extend_from_slice(chunk);
}

/// The server's clock, where its answer tells it.
pub fn date(headers: &HeaderMap) -> Option<Timestamp> {
    timestamp(headers.get(DATE)?.to_str().ok()?)
}

/// Reads an HTTP date (RFC 9110 section 5.6.7); one beyond the calendar is its last moment.
pub(super) fn timestamp(date: &str) -> Option<Timestamp> {
    let date = httpdate::parse_http_date(date).ok()?;
    Some(Timestamp::try_from(date).unwrap_or(Timestamp::MAX))
}
