//! The sandbox's sockets: a thread of its own with a runtime of its own, bounded reads, and broken answers on demand.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request as HyperRequest, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::oneshot;

use super::api;
use super::faults::{Delivery, Fault};
use super::message::{Answer, Payload, Request};
use super::stand_in::StandIn;
use super::webhooks;

/// Bytes of a body that are read; uploads for measurement are counted and dropped, and have no bound.
const BODY_LIMIT: usize = 2 * 1024 * 1024;
/// How long a client may take to send a head, and then a body.
const READ_LIMIT: Duration = Duration::from_secs(30);
/// Bytes of one piece of a download.
const PIECE: usize = 64 * 1024;

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Serves until told to stop, then drops every connection.
pub fn serve(
    listener: TcpListener,
    stand_in: Arc<StandIn>,
    stop: oneshot::Receiver<Infallible>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::select! {
            _ = stop => Ok(()),
            ended = accept(listener, stand_in) => ended,
        }
    })
}

async fn accept(listener: tokio::net::TcpListener, stand_in: Arc<StandIn>) -> io::Result<()> {
    loop {
        let (stream, _) = match listener.accept().await {
            Ok(accepted) => accepted,
            // The client gave up between its knock and our opening the door.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => return Err(error),
        };
        let stand_in = Arc::clone(&stand_in);
        tokio::spawn(async move {
            if stream.set_nodelay(true).is_err() {
                // The client has gone already.
                return;
            }
            let service = service_fn(move |request| exchange(Arc::clone(&stand_in), request));
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                // The answers carry the stand-in's own time.
                .auto_date_header(false)
                .header_read_timeout(READ_LIMIT)
                .serve_connection(TokioIo::new(stream), service);
            // A connection that broke concerns its client alone; the requests are in the log.
            let _ = served.await;
        });
    }
}

/// Answers one request; an error closes the connection without an answer.
async fn exchange(
    stand_in: Arc<StandIn>,
    request: HyperRequest<Incoming>,
) -> Result<Response<Body>, io::Error> {
    let (head, body) = request.into_parts();
    let mut request = Request {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: headers(&head.headers),
        body: Vec::new(),
        body_bytes: 0,
    };
    if api::is_measure(&stand_in.vendor, &request.path) {
        request.body_bytes = counted(body).await?;
    } else {
        match tokio::time::timeout(READ_LIMIT, Limited::new(body, BODY_LIMIT).collect()).await {
            Ok(Ok(read)) => request.body = read.to_bytes().to_vec(),
            _ => return whole(Answer::empty(413)),
        }
        request.body_bytes = request.body.len() as u64;
    }
    let fault = stand_in.receive(&request);
    let delivery = delivery(&stand_in, &request, fault).await;
    match stand_in.dated(delivery) {
        Delivery::Whole(answer) => whole(answer),
        Delivery::Half(answer) => half(answer),
        Delivery::Dropped => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
    }
}

/// The work is done before any wait, so that a client that gives up meanwhile has lost an answer, not a request.
async fn delivery(stand_in: &Arc<StandIn>, request: &Request, fault: Option<Fault>) -> Delivery {
    if let Some(instead) = fault.as_ref().and_then(Fault::instead) {
        return instead;
    }
    let answer = stand_in.answer(request);
    webhooks::send_due(stand_in);
    let delay = fault.as_ref().map_or(Duration::ZERO, Fault::delay);
    let delay = delay.max(stand_in.latency(&request.path));
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    if let Some(fault) = &fault {
        fault.held().await;
    }
    match fault {
        Some(fault) => fault.spoil(answer),
        None => Delivery::Whole(answer),
    }
}

fn headers(headers: &hyper::HeaderMap) -> Vec<(String, String)> {
    let text =
        |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

async fn counted(mut body: Incoming) -> io::Result<u64> {
    let mut bytes = 0;
    while let Some(frame) = tokio::time::timeout(READ_LIMIT, body.frame()).await? {
        let frame = frame.map_err(io::Error::other)?;
        bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
    }
    Ok(bytes)
}

fn head(answer: &Answer) -> hyper::http::response::Builder {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name.as_str(), value.as_str());
    }
    response
}

fn whole(answer: Answer) -> Result<Response<Body>, io::Error> {
    let response = head(&answer);
    let made = match answer.payload {
        Payload::Bytes(bytes) => response.body(full(bytes)),
        Payload::Zeros(count) => response.header("content-length", count).body(zeros(count)),
    };
    made.map_err(io::Error::other)
}

fn full(bytes: Vec<u8>) -> Body {
    Full::new(Bytes::from(bytes)).map_err(|never| match never {}).boxed_unsync()
}

fn zeros(count: u64) -> Body {
    let piece = Bytes::from_static(&[0; PIECE]);
    let pieces = stream::unfold(count, move |left| {
        let size = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let frame = Frame::data(piece.slice(..size));
        async move { (left > 0).then(|| (Ok(frame), left - size as u64)) }
    });
    StreamBody::new(pieces).boxed_unsync()
}

/// Promises the whole body and breaks off after half of it.
fn half(answer: Answer) -> Result<Response<Body>, io::Error> {
    let response = head(&answer);
    let bytes = match answer.payload {
        Payload::Bytes(bytes) => bytes,
        Payload::Zeros(_) => vec![0; PIECE],
    };
    let (promised, mut first) = (bytes.len(), Some(Bytes::from(bytes).slice(..)));
    first = first.map(|all| all.slice(..promised / 2));
    let mut waited = false;
    let pieces = stream::poll_fn(move |context| {
        if let Some(first) = first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if !waited {
            // One pause lets the half that was written leave before the connection breaks.
            waited = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::ConnectionReset))))
    });
    let body = StreamBody::new(pieces).boxed_unsync();
    response.header("content-length", promised).body(body).map_err(io::Error::other)
}
