//! A request's body on its way out: in chunks, so that memory does not grow with it.

use std::fs::File;
use std::io::Read;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::error::{HttpError, RequestBodyError};
use super::request::{Body, guarded_bytes};

/// How much is read and written at once.
const CHUNK: usize = 256 << 10;

/// How many chunks wait between the reading thread and the connection.
const AHEAD: usize = 4;

/// What is known of a request on its way out: an upload that moves is not late.
#[derive(Debug, Clone)]
pub(super) struct Progress(Arc<Mutex<Moved>>);

#[derive(Debug)]
struct Moved {
    last: Instant,
    started: bool,
}

impl Progress {
    /// Starts now.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Moved { last: Instant::now(), started: false })))
    }

    /// The last time something moved.
    pub fn last(&self) -> Instant {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).last
    }

    /// Whether a connection has asked for the body; before that a request with a body has no effect.
    pub fn started(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).started
    }

    /// Something moved just now.
    pub fn moved(&self) {
        let mut moved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *moved = Moved { last: Instant::now(), started: true };
    }
}

/// The body as the HTTP library takes it.
pub(super) fn body(body: Body, progress: &Progress) -> Result<Upload, HttpError> {
    let parts = match body {
        Body::Empty => Parts::Nothing,
        Body::Bytes(bytes) => Parts::Memory(bytes),
        Body::Secret(secret) => Parts::Memory(guarded_bytes(&secret)),
        Body::File(path) => {
            let file = File::open(&path).map_err(unreadable)?;
            let metadata = file.metadata().map_err(unreadable)?;
            let length = metadata.is_file().then_some(metadata.len());
            Parts::read_by_a_thread(Box::new(file), length)?
        }
        Body::Stream(stream) => Parts::read_by_a_thread(stream, None)?,
    };
    Ok(Upload::of(parts, progress))
}

fn unreadable(error: std::io::Error) -> HttpError {
    HttpError::RequestBody { detail: error.to_string() }
}

/// A body on its way out.
pub(super) struct Upload {
    parts: Parts,
    progress: Progress,
}

/// Where its parts come from.
pub(super) enum Parts {
    Nothing,
    Memory(Bytes),
    /// Somebody else's body that is passed on, trailers included.
    Passing(Incoming),
    Thread {
        chunks: mpsc::Receiver<Result<Bytes, RequestBodyError>>,
        left: Option<u64>,
    },
}

impl Upload {
    /// A body whose moves are noted.
    pub fn of(parts: Parts, progress: &Progress) -> Self {
        Self { parts, progress: progress.clone() }
    }

    /// Whether somebody else says when the next part comes.
    pub fn waits_for_others(&self) -> bool {
        matches!(self.parts, Parts::Passing(_) | Parts::Thread { .. })
    }
}

impl Parts {
    /// Reads on a thread of its own: a terminal or a pipe may block for as long as it likes.
    ///
    /// The thread ends at the end of the stream, or at its next chunk after the connection let go.
    fn read_by_a_thread(
        source: Box<dyn Read + Send>,
        length: Option<u64>,
    ) -> Result<Self, HttpError> {
        let (sender, chunks) = mpsc::channel(AHEAD);
        std::thread::Builder::new()
            .name("request body".into())
            .spawn(move || read_in_chunks(source, length, &sender))
            .map_err(unreadable)?;
        Ok(Self::Thread { chunks, left: length })
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Part, RequestBodyError>>> {
        match self {
            Self::Nothing => Poll::Ready(None),
            Self::Memory(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Memory(bytes) => {
                let part = bytes.split_to(bytes.len().min(CHUNK));
                Poll::Ready(Some(Ok(Frame::data(part))))
            }
            Self::Passing(incoming) => Pin::new(incoming)
                .poll_frame(context)
                .map(|next| Some(next?.map_err(|error| RequestBodyError(error.to_string())))),
            Self::Thread { chunks, left } => chunks.poll_recv(context).map(|next| {
                let next = next?.map(|chunk| {
                    if let Some(left) = left {
                        *left = left.saturating_sub(chunk.len() as u64);
                    }
                    Frame::data(chunk)
                });
                Some(next)
            }),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let left = match self {
            Self::Nothing => Some(0),
            Self::Memory(bytes) => Some(bytes.len() as u64),
            Self::Passing(incoming) => return incoming.size_hint(),
            Self::Thread { left, .. } => *left,
        };
        left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

type Part = Frame<Bytes>;
type Sender = mpsc::Sender<Result<Bytes, RequestBodyError>>;

fn read_in_chunks(source: Box<dyn Read + Send>, length: Option<u64>, sender: &Sender) {
    let mut source = source.take(length.unwrap_or(u64::MAX));
    let mut sent = 0;
    loop {
        let mut chunk = Vec::with_capacity(CHUNK);
        let read = read_some(&mut source, &mut chunk);
        sent += chunk.len() as u64;
        let last = match (&read, length) {
            (Err(error), _) => Some(Err(RequestBodyError(error.to_string()))),
            (Ok(0), Some(length)) if sent < length => {
                Some(Err(RequestBodyError("the file became shorter while it was sent".into())))
            }
            (Ok(0), _) => return,
            (Ok(_), _) => None,
        };
        let ends = last.is_some();
        if sender.blocking_send(last.unwrap_or_else(|| Ok(chunk.into()))).is_err() || ends {
            return;
        }
    }
}

/// Reads what is there, up to a chunk: a slow pipe's first line is not kept back until more follows.
fn read_some(source: &mut impl Read, chunk: &mut Vec<u8>) -> std::io::Result<usize> {
    chunk.resize(CHUNK, 0);
    loop {
        match source.read(chunk) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            read => {
                chunk.truncate(*read.as_ref().unwrap_or(&0));
                return read;
            }
        }
    }
}

impl hyper::body::Body for Upload {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Part, RequestBodyError>>> {
        self.parts.poll(context).map(|next| {
            self.progress.moved();
            next
        })
    }

    fn is_end_stream(&self) -> bool {
        match &self.parts {
            Parts::Nothing => true,
            Parts::Memory(bytes) => bytes.is_empty(),
            Parts::Passing(incoming) => incoming.is_end_stream(),
            Parts::Thread { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.parts.size_hint()
    }
}
