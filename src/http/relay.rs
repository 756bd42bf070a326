//! Somebody else's request passed on: headers as they are, bodies and trailers frame by frame.
//!
//! The same client, bounds and failures as for every other request; which headers may pass is the
//! caller's to decide.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use hyper::header::HeaderMap;
use hyper::{Method, StatusCode};
use tokio::time::{Instant, Sleep};
use url::Url;

use super::client::Client;
use super::error::{HttpError, of_answer};
use super::exchange::Limits;
use super::received::Received;
use super::request::host_of;
use super::stream::{Timeouts, nothing_moves};
use super::upload::{Parts, Progress, Upload};

/// A request that is passed on.
pub struct Relay {
    /// As received.
    pub method: Method,
    /// https, or plain http to loopback.
    pub url: Url,
    /// Everything but what the HTTP library writes itself: host and length.
    pub headers: HeaderMap,
    /// What follows them.
    pub body: RelayBody,
}

/// What a passed-on request carries.
pub enum RelayBody {
    /// Nothing.
    Empty,
    /// Bytes in memory.
    Bytes(Bytes),
    /// What still arrives; cannot be sent twice.
    Stream(Incoming),
}

impl RelayBody {
    /// The same body once more; `None` for a stream.
    pub fn again(&self) -> Option<Self> {
        match self {
            Self::Empty => Some(Self::Empty),
            Self::Bytes(bytes) => Some(Self::Bytes(bytes.clone())),
            Self::Stream(_) => None,
        }
    }
}

/// The answer to it, its body still on its way.
pub struct Relayed {
    /// The status code.
    pub status: StatusCode,
    /// As received; gzip was undone.
    pub headers: HeaderMap,
    /// What follows them.
    pub body: RelayedBody,
}

/// Passes a request on and gives the answer when its head is there; never follows, never repeats.
pub async fn relay(
    client: &Client,
    relay: Relay,
    timeouts: Timeouts,
) -> Result<Relayed, HttpError> {
    let has_body = !matches!(relay.body, RelayBody::Empty);
    let progress = Progress::new();
    let parts = match relay.body {
        RelayBody::Empty => Parts::Nothing,
        RelayBody::Bytes(bytes) => Parts::Memory(bytes),
        RelayBody::Stream(incoming) => Parts::Passing(incoming),
    };
    let body = Upload::of(parts, &progress);
    let answer = tokio::select! {
        biased;
        sent = client.send(relay.method, &relay.url, relay.headers, body) => sent?,
        () = nothing_moves(&progress, timeouts.answer) => {
            let (host, after) = (host_of(&relay.url), timeouts.answer);
            let connecting = has_body && !progress.started();
            return Err(HttpError::TimedOut { host, after, connecting });
        }
    };
    let (head, body) = answer.into_parts();
    Ok(Relayed {
        status: head.status,
        headers: head.headers,
        body: RelayedBody {
            body,
            seen: VecDeque::new(),
            to: relay.url,
            idle: timeouts.idle,
            late: None,
        },
    })
}

/// The body of an answer that is passed on; one that stands still for too long is an error.
pub struct RelayedBody {
    body: Received,
    /// What was looked at and not yet given away, in order.
    seen: VecDeque<Result<Frame<Bytes>, HttpError>>,
    /// Named where something fails.
    to: Url,
    idle: Duration,
    /// Runs while nothing comes.
    late: Option<Pin<Box<Sleep>>>,
}

impl RelayedBody {
    /// Looks at the beginning of the body, for as long and as far as the limits allow; nothing is
    /// taken away, a failure neither.
    pub async fn peek(&mut self, limits: Limits) -> Bytes {
        let mut start = BytesMut::new();
        let end = Instant::now() + limits.total;
        while start.len() < limits.max_body {
            let next = std::future::poll_fn(|context| Pin::new(&mut self.body).poll_frame(context));
            let Ok(Some(frame)) = tokio::time::timeout_at(end, next).await else { break };
            let frame = frame.map_err(|error| of_answer(&*error, &host_of(&self.to)));
            let data = frame.as_ref().ok().and_then(Frame::data_ref);
            let goes_on = data.map(|data| start.extend_from_slice(data)).is_some();
            self.seen.push_back(frame);
            if !goes_on {
                break;
            }
        }
        start.freeze()
    }

    fn waiting(&mut self, context: &mut Context<'_>) -> Poll<HttpError> {
        let idle = self.idle;
        let late = self.late.get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
        late.as_mut().poll(context).map(|()| HttpError::TimedOut {
            host: host_of(&self.to),
            after: idle,
            connecting: false,
        })
    }
}

impl hyper::body::Body for RelayedBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        if let Some(seen) = self.seen.pop_front() {
            return Poll::Ready(Some(seen));
        }
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(next) => {
                self.late = None;
                Poll::Ready(
                    next.map(|frame| frame.map_err(|error| of_answer(&*error, &host_of(&self.to)))),
                )
            }
            Poll::Pending => self.waiting(context).map(|error| Some(Err(error))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.seen.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        // After a look the length in the answer's head counts, and this is no promise.
        match self.seen.is_empty() {
            true => self.body.size_hint(),
            false => SizeHint::default(),
        }
    }
}
