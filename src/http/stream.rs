//! Long requests: a body of any size goes out, a body of any size comes in, chunk by chunk.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use tokio::time::{Instant, sleep_until, timeout};

use super::client::{CONNECT_TIMEOUT, Client};
use super::error::{self, Circumstances, HttpError};
use super::request::Request;
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
    response: reqwest::Response,
    /// Chunks that were looked at and not yet given away.
    seen: VecDeque<Bytes>,
    host: String,
    idle: Duration,
}

/// Sends a request and gives the answer when its head is there; never follows, never repeats.
pub async fn send(
    client: &Client,
    request: Request,
    timeouts: Timeouts,
) -> Result<Streaming, HttpError> {
    let (host, has_body) = (request.host(), !request.body.is_empty());
    let progress = Progress::new();
    let mut response = tokio::select! {
        sent = client.execute(request, &progress) => sent?,
        () = nothing_moves(&progress, timeouts.answer) => {
            let connecting = has_body && !progress.started();
            return Err(HttpError::TimedOut { host, after: timeouts.answer, connecting });
        }
    };
    Ok(Streaming {
        status: status_of(&response),
        headers: std::mem::take(response.headers_mut()),
        response,
        seen: VecDeque::new(),
        host,
        idle: timeouts.idle,
    })
}

/// Ends when nothing of the body was taken for that long.
pub(super) async fn nothing_moves(progress: &Progress, limit: Duration) {
    loop {
        let late = progress.last() + limit;
        if late <= Instant::now() {
            return;
        }
        sleep_until(late).await;
    }
}

impl Streaming {
    /// The next part of the body; `None` at its proper end. A body that breaks off is an error.
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        match self.seen.pop_front() {
            Some(chunk) => Ok(Some(chunk)),
            None => self.receive().await,
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

    /// Reads the whole body into memory, up to a limit; one that announces more is not read at all.
    pub async fn whole(mut self, limit: usize) -> Result<Vec<u8>, HttpError> {
        if self.response.content_length().is_some_and(|length| length > limit as u64) {
            return Err(HttpError::BodyTooLarge { host: self.host, limit });
        }
        let mut body = Vec::new();
        while let Some(chunk) = self.next_chunk().await? {
            if body.len() + chunk.len() > limit {
                return Err(HttpError::BodyTooLarge { host: self.host, limit });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    async fn receive(&mut self) -> Result<Option<Bytes>, HttpError> {
        match timeout(self.idle, self.response.chunk()).await {
            Ok(chunk) => chunk.map_err(|error| answer_error(&error, &self.host)),
            Err(_) => {
                let (host, after) = (self.host.clone(), self.idle);
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

/// The facts of a body that could not be read.
pub(super) fn answer_error(failure: &reqwest::Error, host: &str) -> HttpError {
    let connect_timeout = CONNECT_TIMEOUT;
    error::from_library(
        failure,
        &Circumstances { host, proxy: None, connect_timeout, answered: true },
    )
}

pub(super) fn status_of(response: &reqwest::Response) -> u16 {
    response.status().as_u16()
}
