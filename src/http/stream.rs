//! Long requests: a body of any size goes out, a body of any size comes in, chunk by chunk.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use hyper::body::Body as _;
use hyper::header::HeaderMap;
use tokio::time::{Instant, sleep_until, timeout};
use url::Url;

use super::client::Client;
use super::error::{HttpError, of_answer};
use super::received::Received;
use super::request::{Request, host_of};
use super::upload::Progress;

/// How long nothing may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For the answer's head, counted from the last part of the request's body that was taken.
    pub answer: Duration,
    /// Between two parts of the answer's body.
    pub idle: Duration,
}

impl Timeouts {
    /// The same limit for both, as `--timeout` gives it.
    pub fn of(limit: Duration) -> Self {
        Self { answer: limit, idle: limit }
    }
}

/// An answer whose body is still on its way.
pub struct Streaming {
    /// The status code.
    pub status: u16,
    /// As received; a body's encoding was undone.
    pub headers: HeaderMap,
    body: Received,
    /// Chunks that were looked at and not yet given away.
    seen: VecDeque<Bytes>,
    /// How the body broke off behind them.
    broke_off: Option<HttpError>,
    /// Named where something fails.
    to: Url,
    idle: Duration,
}

/// Sends a request and gives the answer when its head is there; never follows, never repeats.
pub async fn send(
    client: &Client,
    request: Request,
    timeouts: Timeouts,
) -> Result<Streaming, HttpError> {
    let Request { method, url, headers, body, named_by } = request;
    let named_by = named_by.as_deref();
    let has_body = !body.is_empty();
    let progress = Progress::new();
    let answer = tokio::select! {
        biased;
        sent = client.execute(method, &url, &headers, body, &progress, named_by) => sent?,
        () = nothing_moves(&progress, timeouts.answer) => {
            let (host, after) = (host_of(&url), timeouts.answer);
            let connecting = has_body && !progress.started();
            return Err(HttpError::TimedOut { host, after, connecting });
        }
    };
    let (head, body) = answer.into_parts();
    Ok(Streaming {
        status: head.status.as_u16(),
        headers: head.headers,
        body,
        seen: VecDeque::new(),
        broke_off: None,
        to: url,
        idle: timeouts.idle,
    })
}

/// Ends when nothing of the body was taken for that long.
pub(super) async fn nothing_moves(progress: &Progress, limit: Duration) {
    let mut late = progress.last() + limit;
    loop {
        sleep_until(late).await;
        late = progress.last() + limit;
        if late <= Instant::now() {
            return;
        }
    }
}

impl Streaming {
    /// The next part of the body; `None` at its proper end. A body that breaks off is an error.
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        match (self.seen.pop_front(), self.broke_off.take()) {
            (Some(chunk), broke_off) => {
                self.broke_off = broke_off;
                Ok(Some(chunk))
            }
            (None, Some(error)) => Err(error),
            (None, None) => self.receive().await,
        }
    }

    /// Looks at the beginning of the body, at least `limit` bytes if there are so many; nothing is taken away.
    pub async fn peek(&mut self, limit: usize) -> Result<Vec<u8>, HttpError> {
        let mut length: usize = self.seen.iter().map(Bytes::len).sum();
        while length < limit {
            let Some(chunk) = self.receive().await? else { break };
            length += chunk.len();
            self.seen.push_back(chunk);
        }
        let mut start: Vec<u8> = self.seen.iter().flatten().copied().take(limit).collect();
        start.shrink_to_fit();
        Ok(start)
    }

    /// The same where a body that breaks off is still to be given out as far as it came: the failure comes after it.
    pub async fn peek_at_good(&mut self, limit: usize) -> Vec<u8> {
        match self.peek(limit).await {
            Ok(start) => start,
            Err(error) => {
                self.broke_off = Some(error);
                Vec::new()
            }
        }
    }

    /// Reads the whole body into memory, up to a limit; one that announces more is not read at all.
    pub async fn whole(mut self, limit: usize) -> Result<Vec<u8>, HttpError> {
        if self.body.size_hint().exact().is_some_and(|length| length > limit as u64) {
            return Err(HttpError::BodyTooLarge { host: host_of(&self.to), limit });
        }
        let mut body = Vec::new();
        while let Some(chunk) = self.next_chunk().await? {
            if body.len() + chunk.len() > limit {
                return Err(HttpError::BodyTooLarge { host: host_of(&self.to), limit });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    async fn receive(&mut self) -> Result<Option<Bytes>, HttpError> {
        // What lies there already needs no clock.
        let next = match self.body.next_data().now_or_never() {
            Some(next) => Ok(next),
            None => timeout(self.idle, self.body.next_data()).await,
        };
        match next {
            Ok(chunk) => chunk.transpose().map_err(|error| of_answer(&*error, &host_of(&self.to))),
            Err(_) => {
                let (host, after) = (host_of(&self.to), self.idle);
                Err(HttpError::TimedOut { host, after, connecting: false })
            }
        }
    }
}

impl fmt::Debug for Streaming {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Streaming").field("status", &self.status).finish_non_exhaustive()
    }
}
