//! An answer's body as it comes in: gzip undone, and its connection kept for the next request at its end.

use std::convert::Infallible;
use std::future::{Ready, poll_fn, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::CONTENT_ENCODING;
use hyper::{Request, Response};
use tower_http::decompression::{Decompression, DecompressionBody};
use tower_service::Service;

use super::error::Cause;
use super::pool::{Line, Origin};
use super::single::Single;

/// The body of an answer.
pub(super) enum Received {
    Plain(Leased),
    Packed(Pin<Box<DecompressionBody<Leased>>>),
}

/// What comes over a connection that is given back afterwards.
pub(super) struct Leased {
    incoming: Incoming,
    lease: Option<Lease>,
}

struct Lease {
    origin: Arc<Origin>,
    single: Single,
    /// Whether its request had no body.
    is_bare: bool,
}

/// The answer that came over a connection.
pub(super) async fn received(
    answer: Response<Incoming>,
    line: Line,
    origin: Arc<Origin>,
    is_bare: bool,
) -> Response<Received> {
    let answer = answer.map(|incoming| {
        let lease = match line {
            Line::Single(single) => Some(Lease { origin, single, is_bare }),
            Line::Shared(..) => None,
        };
        let mut leased = Leased { incoming, lease };
        leased.give_back_at_end();
        leased
    });
    match answer.headers().get(CONTENT_ENCODING).is_some_and(|it| it.as_bytes() == b"gzip") {
        true => unpacked(answer).await,
        false => answer.map(Received::Plain),
    }
}

/// The library unpacks what a service answers, and this one answers what it is given.
async fn unpacked(answer: Response<Leased>) -> Response<Received> {
    let unpacked = Decompression::new(Echo).call(Request::new(answer)).await;
    let answer = unpacked.unwrap_or_else(|never| match never {});
    answer.map(|body| Received::Packed(Box::pin(body)))
}

struct Echo;

impl Service<Request<Response<Leased>>> for Echo {
    type Response = Response<Leased>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Leased>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Response<Leased>>) -> Self::Future {
        ready(Ok(request.into_body()))
    }
}

impl Received {
    /// The next part; what is no data is passed over. `None` at the proper end.
    pub async fn next_data(&mut self) -> Option<Result<Bytes, Cause>> {
        loop {
            let next = poll_fn(|context| Pin::new(&mut *self).poll_frame(context)).await?;
            match next.map(Frame::into_data) {
                Ok(Ok(data)) => return Some(Ok(data)),
                Ok(Err(_)) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = Cause;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cause>>> {
        match self.get_mut() {
            Self::Plain(body) => {
                Pin::new(body).poll_frame(context).map(|next| Some(next?.map_err(Cause::from)))
            }
            Self::Packed(body) => body.as_mut().poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Plain(body) => body.is_end_stream(),
            Self::Packed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Plain(body) => body.size_hint(),
            Self::Packed(body) => body.size_hint(),
        }
    }
}

impl Leased {
    fn give_back_at_end(&mut self) {
        if self.incoming.is_end_stream() {
            self.give_back();
        }
    }

    /// What lies there already; else what its connection brings now.
    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(lease) = &mut self.lease else {
            return Pin::new(&mut self.incoming).poll_frame(context);
        };
        match Pin::new(&mut self.incoming).poll_frame(context) {
            Poll::Pending => {
                lease.single.advance(context);
                Pin::new(&mut self.incoming).poll_frame(context)
            }
            ready => ready,
        }
    }

    fn give_back(&mut self) {
        if let Some(Lease { origin, single, is_bare }) = self.lease.take() {
            origin.keep(single, is_bare);
        }
    }
}

impl Body for Leased {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let next = ready!(self.poll_next(context));
        match &next {
            Some(Ok(_)) => self.give_back_at_end(),
            Some(Err(_)) => self.lease = None,
            None => self.give_back(),
        }
        Poll::Ready(next)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
