//! What goes back to the program: the proxy's own words, or the API's body without secrets.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::body::{Body, Frame, SizeHint};

use super::audit::Record;
use super::headers;
use super::scrub::{Scrubber, Scrubbing};
use crate::http::{HttpError, RelayedBody};

/// A body on its way to the program; its line is written when it is dropped.
pub struct Answer {
    content: Content,
    record: Record,
}

enum Content {
    Own(Option<Bytes>),
    Passed(Box<Passed>),
}

struct Passed {
    body: RelayedBody,
    scrubber: Arc<Scrubber>,
    scrubbing: Scrubbing,
    trailers: Option<HeaderMap>,
    ended: bool,
    /// Why there is no more.
    broken: Option<HttpError>,
    /// What the head promises, where it does.
    length: Option<u64>,
}

impl Answer {
    /// The proxy's own words.
    pub fn own(text: Bytes, record: Record) -> Self {
        Self { content: Content::Own(Some(text)), record }
    }

    /// The API's body; `length` is what the head promises, nothing where no body belongs to it.
    pub fn passed(
        body: RelayedBody,
        length: Option<u64>,
        scrubber: Arc<Scrubber>,
        record: Record,
    ) -> Self {
        let scrubbing = Scrubbing::new(scrubber.clone());
        let ended = body.is_end_stream();
        let passed =
            Passed { body, scrubber, scrubbing, trailers: None, ended, broken: None, length };
        let mut answer = Self { content: Content::Passed(Box::new(passed)), record };
        answer.note_end();
        answer
    }

    /// Whoever stops reading before the end leaves an answer that was cut off.
    fn note_end(&mut self) {
        if let Content::Passed(passed) = &self.content {
            let has_all = passed.length.is_some_and(|length| self.record.line.bytes >= length);
            self.record.line.note = (!has_all && !passed.is_over()).then_some("cut-off");
        }
    }
}

impl Passed {
    /// The next piece that may be seen.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        if let Some(error) = self.broken.take() {
            return Poll::Ready(Some(Err(error)));
        }
        while !self.ended {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        let clean = self.scrubbing.pass(data);
                        if !clean.is_empty() {
                            return Poll::Ready(Some(Ok(Frame::data(clean))));
                        }
                    }
                    Err(frame) => self.trailers = frame.into_trailers().ok(),
                },
                Some(Err(error)) => {
                    // What came before is let out first: with a failure the library drops what
                    // it has not written yet, the answer's head among it.
                    self.broken = Some(error);
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                None => self.ended = true,
            }
        }
        let rest = self.scrubbing.rest();
        if !rest.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(rest))));
        }
        Poll::Ready(self.trailers.take().map(|mut trailers| {
            headers::trailers_to_the_program(&mut trailers);
            self.scrubber.headers(&mut trailers);
            Ok(Frame::trailers(trailers))
        }))
    }

    fn is_over(&self) -> bool {
        let at_end = self.ended || self.body.is_end_stream();
        at_end && self.scrubbing.held() == 0 && self.trailers.is_none()
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let next = match &mut self.content {
            Content::Own(text) => text.take().map(|text| Ok(Frame::data(text))),
            Content::Passed(passed) => ready!(passed.poll(context)),
        };
        if let Some(Ok(frame)) = &next {
            self.record.line.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        if !matches!(next, Some(Err(_))) {
            self.note_end();
        }
        Poll::Ready(next)
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Own(text) => text.is_none(),
            Content::Passed(passed) => passed.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Own(text) => {
                SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64))
            }
            // Stars are as many as what they hide, so the length in the head is true; what is
            // held back belongs to it.
            Content::Passed(passed) => match passed.body.size_hint().exact() {
                Some(left) => SizeHint::with_exact(left + passed.scrubbing.held() as u64),
                None => SizeHint::default(),
            },
        }
    }
}
