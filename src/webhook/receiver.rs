//! The HTTP server that deliveries come to: loopback only, every size, time and number bounded.
//!
//! It judges each delivery over the raw bytes and hands over those that verify, each with the
//! answer still open: what becomes of a delivery is decided by who takes it. The Host header is
//! not looked at: a tunnel brings the name of its other end, and only the signature opens anything.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::connections::{Connections, InHand};
use super::headers::{HeaderError, Headers};
use super::key::Key;
use super::signature::{Unverified, verify};
use crate::clock::Clock;
use crate::provider::schema::Webhook;

/// How much a sender may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a body.
    pub body: usize,
    /// For the head of a request.
    pub head: Duration,
    /// For its body.
    pub sending: Duration,
    /// For a whole connection, the work on its delivery included.
    pub connection: Duration,
    /// Connections at a time.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 1 << 20,
            head: Duration::from_secs(5),
            sending: Duration::from_secs(5),
            connection: Duration::from_secs(60),
            connections: 64,
        }
    }
}

/// The longest head of a request, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;
/// As many senders may wait to be accepted.
const BACKLOG: u32 = 256;
/// The pause after the system refused to accept, for instance for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
/// When a sender should come again, in seconds.
const COME_AGAIN: HeaderValue = HeaderValue::from_static("5");

/// What a delivery must look like.
pub struct Expected {
    /// The scheme.
    pub webhook: Webhook,
    /// The key.
    pub key: Key,
    /// The path that deliveries go to.
    pub path: String,
    /// Tells how old one is.
    pub clock: Arc<dyn Clock>,
}

/// What came.
#[derive(Debug)]
pub enum Arrival {
    /// A delivery that verifies.
    Delivery(Delivery),
    /// Something that was sent away.
    Refused(Refusal),
}

/// A delivery that verifies and waits for its answer.
#[derive(Debug)]
pub struct Delivery {
    /// What it says beside its body.
    pub headers: Headers,
    /// As the sender names it.
    pub content_type: Option<String>,
    /// Every byte of it.
    pub body: Bytes,
    answer: oneshot::Sender<Outcome>,
}

impl Delivery {
    /// Answers the sender; dropped without an answer, he is asked to come again.
    pub fn answer(self, outcome: Outcome) {
        // A sender who has gone will come again, and is told then.
        let _ = self.answer.send(outcome);
    }
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is done, now or before: 200.
    Done,
    /// The program behind us did not take it: 502.
    NotTaken,
    /// It cannot be taken now: 503.
    NotNow,
}

/// Why something was sent away.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a POST.
    #[error("{0} is not POST")]
    Method(Method),
    /// Another path.
    #[error("nothing is served at {0}")]
    Path(String),
    /// The headers.
    #[error(transparent)]
    Headers(#[from] HeaderError),
    /// The body is longer than allowed.
    #[error("the body is longer than {0} bytes")]
    TooLong(usize),
    /// The body did not come in time.
    #[error("the body did not come within {} s", .0.as_secs_f64())]
    TooSlow(Duration),
    /// The body broke off.
    #[error("the body broke off")]
    CutOff,
    /// The signature.
    #[error(transparent)]
    Unverified(#[from] Unverified),
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Path(_) => StatusCode::NOT_FOUND,
            Self::Headers(_) | Self::CutOff => StatusCode::BAD_REQUEST,
            Self::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Unverified(_) => StatusCode::UNAUTHORIZED,
        }
    }
}

/// An open receiver; closed when it is dropped.
pub struct Receiver {
    address: SocketAddr,
    arrivals: mpsc::Receiver<Arrival>,
    _door: JoinSet<()>,
}

impl Receiver {
    /// Binds a port of 127.0.0.1, 0 for any, and accepts from now on; must be called within a Tokio runtime.
    pub fn bind(port: u16, expected: Expected, limits: Limits) -> io::Result<Self> {
        let listener = listener(port)?;
        let address = listener.local_addr()?;
        let (arrived, arrivals) = mpsc::channel(limits.connections.max(1));
        let mut door = JoinSet::new();
        door.spawn(accept_all(listener, Arc::new(Desk { expected, limits, arrived })));
        Ok(Self { address, arrivals, _door: door })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for what comes next; may be cancelled and called again.
    pub async fn next(&mut self) -> Option<Arrival> {
        self.arrivals.recv().await
    }
}

/// SO_REUSEADDR, since an earlier run may have left TIME_WAIT behind; on Windows it would share the port.
fn listener(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(port != 0 && cfg!(unix))?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    socket.listen(BACKLOG)
}

/// What the connections share.
struct Desk {
    expected: Expected,
    limits: Limits,
    arrived: mpsc::Sender<Arrival>,
}

async fn accept_all(listener: TcpListener, desk: Arc<Desk>) {
    let mut open = Connections::default();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let desk = Arc::clone(&desk);
                open.admit(desk.limits.connections, |in_hand| serve(stream, desk, in_hand));
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Serves one connection and one request on it.
async fn serve(stream: TcpStream, desk: Arc<Desk>, in_hand: InHand) {
    let service = service_fn(|request| respond(request, &desk, &in_hand));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(desk.limits.head)
        .max_buf_size(LONGEST_HEAD)
        .keep_alive(false)
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    // A connection that breaks or takes too long is the sender's affair.
    let _ = timeout(desk.limits.connection, connection).await;
}

type Answer = Response<Full<Bytes>>;

async fn respond(
    request: Request<Incoming>,
    desk: &Desk,
    in_hand: &InHand,
) -> Result<Answer, Infallible> {
    let (delivery, outcome) = match desk.judged(request).await {
        Ok(judged) => judged,
        Err(refusal) => {
            let answer = refused(&refusal);
            // Where nobody listens any more nobody wants to know either.
            let _ = desk.arrived.send(Arrival::Refused(refusal)).await;
            return Ok(answer);
        }
    };
    in_hand.begin();
    if desk.arrived.send(Arrival::Delivery(delivery)).await.is_err() {
        return Ok(answered(Outcome::NotNow));
    }
    Ok(answered(outcome.await.unwrap_or(Outcome::NotNow)))
}

impl Desk {
    /// Judges in this order: path, method, headers, length, signature.
    async fn judged(
        &self,
        request: Request<Incoming>,
    ) -> Result<(Delivery, oneshot::Receiver<Outcome>), Refusal> {
        let (head, body) = request.into_parts();
        if head.uri.path() != self.expected.path {
            return Err(Refusal::Path(head.uri.path().to_owned()));
        }
        if head.method != Method::POST {
            return Err(Refusal::Method(head.method));
        }
        let webhook = &self.expected.webhook;
        let headers = Headers::read(webhook, |name| values(&head.headers, name))?;
        let body = self.whole(body).await?;
        let now = self.expected.clock.now();
        verify(webhook, &self.expected.key, &headers.with(&body), now)?;
        let content_type = head.headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
        let content_type = content_type.map(str::to_owned);
        let (answer, outcome) = oneshot::channel();
        Ok((Delivery { headers, content_type, body, answer }, outcome))
    }

    async fn whole(&self, body: Incoming) -> Result<Bytes, Refusal> {
        let Limits { body: most, sending, .. } = self.limits;
        // What is announced as too long is not read at all.
        if body.size_hint().lower() > most as u64 {
            return Err(Refusal::TooLong(most));
        }
        match timeout(sending, Limited::new(body, most).collect()).await {
            Err(_) => Err(Refusal::TooSlow(sending)),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::TooLong(most)),
            Ok(Err(_)) => Err(Refusal::CutOff),
            Ok(Ok(whole)) => Ok(whole.to_bytes()),
        }
    }
}

fn values<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h [u8]> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes).collect()
}

fn answered(outcome: Outcome) -> Answer {
    match outcome {
        Outcome::Done => answer(StatusCode::OK, "ok\n"),
        Outcome::NotTaken => answer(StatusCode::BAD_GATEWAY, "not taken\n"),
        Outcome::NotNow => {
            let mut answer = answer(StatusCode::SERVICE_UNAVAILABLE, "come again\n");
            answer.headers_mut().insert(RETRY_AFTER, COME_AGAIN);
            answer
        }
    }
}

/// A stranger learns that it was refused, and nothing else.
fn refused(refusal: &Refusal) -> Answer {
    let mut answer = answer(refusal.status(), "refused\n");
    if matches!(refusal, Refusal::Method(_)) {
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    }
    answer
}

fn answer(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    answer
}

#[cfg(test)]
#[path = "receiver_tests.rs"]
mod tests;
