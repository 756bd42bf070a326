//! Connections that are kept for the next request, by scheme, host and port.
//!
//! One request at a time goes over an HTTP/1.1 connection; HTTP/2 carries all of them over one.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http2};
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::Instant;
use url::{Host, Url};

use super::dial::{Destination, Dialled};
use super::error::Failure;
use super::inward::Reach;
use super::single::Single;
use super::upload::Upload;

/// How long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(90);

/// How long a request over HTTP/2 hears nothing before the server is asked for a sign of life, and
/// how long that may take: a dead connection is given up, and not what is slow.
const QUIET: Duration = Duration::from_secs(15);
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// How long the rest of a request may take whose answer has come to its end already.
const REST: Duration = Duration::from_secs(5);

/// What HTTP/2 lets a server send ahead, so that a large body is not held up by round trips.
const WINDOW: u32 = 4 << 20;

/// The origins that were spoken to.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Vec<Arc<Origin>>>);

/// One of them, and what is kept for it.
#[derive(Debug)]
pub(super) struct Origin {
    scheme: String,
    host: Host,
    port: Option<u16>,
    /// The Host header where a request has none of its own.
    named: HeaderValue,
    /// How it is reached.
    pub to: Destination,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    one_by_one: Vec<(Single, Instant)>,
    shared: Option<Shared>,
    /// Whether somebody looks after what nobody uses.
    watched: bool,
}

/// A connection that carries many requests.
struct Shared {
    sender: http2::SendRequest<Upload>,
    last: Instant,
    /// Tells it from the one that came before it.
    mark: Arc<()>,
}

/// A connection that a request can be sent over.
pub(super) enum Line {
    Single(Single),
    Shared(http2::SendRequest<Upload>, Arc<()>),
}

/// Takes a shared connection out of use, unless the head of an answer has come over it: whether it
/// is dead cannot be told from outside, and the next request must not wait to find out.
pub(super) struct Trial<'a>(Option<(&'a Origin, Arc<()>)>);

impl Pool {
    /// What is kept for a URL's origin; `new` says how to reach one that was not spoken to before.
    pub fn origin<E>(
        &self,
        url: &Url,
        reach: Reach,
        new: impl FnOnce() -> Result<(HeaderValue, Destination), E>,
    ) -> Result<Arc<Origin>, E> {
        let mut origins = locked(&self.0);
        if let Some(origin) =
            origins.iter().find(|origin| origin.is_of(url) && origin.to.reach == reach)
        {
            return Ok(origin.clone());
        }
        let (named, to) = new()?;
        let origin = Arc::new(Origin {
            scheme: url.scheme().to_owned(),
            host: url.host().map_or_else(|| Host::Domain(String::new()), |host| host.to_owned()),
            port: url.port(),
            named,
            to,
            kept: Mutex::default(),
        });
        origins.push(origin.clone());
        Ok(origin)
    }
}

impl Kept {
    fn shared(&mut self) -> Option<Line> {
        let shared = self.shared.as_mut()?;
        if shared.is_over() {
            self.shared = None;
            return None;
        }
        shared.last = Instant::now();
        Some(Line::Shared(shared.sender.clone(), shared.mark.clone()))
    }
}

impl Shared {
    fn is_over(&self) -> bool {
        self.sender.is_closed() || self.last.elapsed() >= IDLE
    }
}

impl Origin {
    fn is_of(&self, url: &Url) -> bool {
        self.port == url.port()
            && self.scheme == url.scheme()
            && match (&self.host, url.host()) {
                (Host::Domain(own), Some(Host::Domain(other))) => own == other,
                (Host::Ipv4(own), Some(Host::Ipv4(other))) => *own == other,
                (Host::Ipv6(own), Some(Host::Ipv6(other))) => *own == other,
                _ => false,
            }
    }

    /// A connection that is there already, the one last used first.
    pub fn kept(&self) -> Option<Line> {
        let mut kept = locked(&self.kept);
        if let Some(shared) = kept.shared() {
            return Some(shared);
        }
        while let Some((single, since)) = kept.one_by_one.pop() {
            if !single.is_closed() && since.elapsed() < IDLE {
                return Some(Line::Single(single));
            }
        }
        None
    }

    /// Begins to speak HTTP over a new connection.
    pub async fn begun(self: &Arc<Self>, dialled: Dialled) -> Result<Line, Failure> {
        if !dialled.is_http2 {
            let single = Single::begin(dialled.wire).await;
            return single.map(Line::Single).map_err(Failure::Sending);
        }
        // Several may have been made at once: one is enough.
        if let Some(shared) = locked(&self.kept).shared() {
            return Ok(shared);
        }
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(2 * WINDOW)
            .keep_alive_interval(QUIET)
            .keep_alive_timeout(SIGN_OF_LIFE)
            .handshake(dialled.wire)
            .await
            .map_err(Failure::Sending)?;
        tokio::spawn(connection);
        let mark = Arc::new(());
        let mut kept = locked(&self.kept);
        kept.shared =
            Some(Shared { sender: sender.clone(), last: Instant::now(), mark: mark.clone() });
        self.watch(&mut kept);
        Ok(Line::Shared(sender, mark))
    }

    /// Keeps a connection whose answer has come to its end, as soon as it is free.
    pub fn keep(self: Arc<Self>, mut single: Single, is_bare: bool) {
        if single.is_closed() {
            return;
        }
        // Without a body it is free in a moment, and whoever takes it waits for that.
        if is_bare || single.is_ready() {
            let mut kept = locked(&self.kept);
            kept.one_by_one.push((single, Instant::now()));
            self.watch(&mut kept);
            return;
        }
        // The request is still on its way although the answer has come.
        tokio::spawn(async move {
            if let Ok(Ok(())) = tokio::time::timeout(REST, single.ready()).await {
                self.keep(single, true);
            }
        });
    }

    /// Has connections closed that nobody used for long.
    fn watch(self: &Arc<Self>, kept: &mut Kept) {
        if !std::mem::replace(&mut kept.watched, true) {
            tokio::spawn(Watch(Arc::downgrade(self)).over_time());
        }
    }

    /// Whether nothing is left to look after; who keeps something after that begins a new watch.
    fn close_unused(&self) -> bool {
        let mut kept = locked(&self.kept);
        let unused = |since: &Instant| since.elapsed() >= IDLE;
        kept.one_by_one.retain(|(single, since)| !single.is_closed() && !unused(since));
        kept.shared.take_if(|shared| shared.is_over());
        kept.watched = !kept.one_by_one.is_empty() || kept.shared.is_some();
        !kept.watched
    }
}

/// Ends with the runtime, and is begun again in the next one.
struct Watch(Weak<Origin>);

impl Watch {
    async fn over_time(mut self) {
        loop {
            tokio::time::sleep(IDLE / 2).await;
            if self.0.upgrade().is_none_or(|origin| origin.close_unused()) {
                // Another may have begun already, which is not to be counted out.
                self.0 = Weak::new();
                return;
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(origin) = self.0.upgrade() {
            locked(&origin.kept).watched = false;
        }
    }
}

impl Line {
    /// Waits until it takes a request; an error where it has ended.
    pub async fn ready(&mut self) -> Result<(), hyper::Error> {
        match self {
            Self::Single(single) => single.ready().await,
            Self::Shared(sender, _) => sender.ready().await,
        }
    }

    /// Puts a shared connection to the test until the head of an answer has come.
    pub fn trial<'a>(&self, origin: &'a Origin) -> Trial<'a> {
        match self {
            Self::Single(_) => Trial(None),
            Self::Shared(_, mark) => Trial(Some((origin, mark.clone()))),
        }
    }

    /// Sends a request whose address is a path; a request that was not begun comes back with the failure.
    pub async fn send(
        &mut self,
        mut request: Request<Upload>,
        origin: &Origin,
        whole: &Url,
    ) -> Result<Response<Incoming>, TrySendError<Request<Upload>>> {
        match self {
            Self::Single(single) => {
                // What came back from an HTTP/2 connection names the host there.
                if request.uri().scheme().is_some()
                    && let Some(path) = request.uri().path_and_query().cloned()
                {
                    *request.uri_mut() = path.into();
                }
                request.headers_mut().entry(HOST).or_insert_with(|| origin.named.clone());
                single.send(request).await
            }
            Self::Shared(sender, _) => {
                // HTTP/2 names the host in the address (RFC 9113 section 8.3.1).
                if let Ok(uri) = Uri::try_from(whole.as_str()) {
                    *request.uri_mut() = uri;
                }
                request.headers_mut().remove(HOST);
                sender.try_send_request(request).await
            }
        }
    }
}

impl Trial<'_> {
    /// The head of an answer has come.
    pub fn passed(mut self) {
        self.0 = None;
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        let Some((origin, mark)) = &self.0 else { return };
        locked(&origin.kept).shared.take_if(|shared| Arc::ptr_eq(&shared.mark, mark));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Kept {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} and {}", self.one_by_one.len(), usize::from(self.shared.is_some()))
    }
}

#[cfg(test)]
mod tests {
    use hyper_util::rt::TokioIo;
    use tokio::io::AsyncReadExt as _;

    use super::super::test_server::run;
    use super::super::upload;
    use super::super::{Body, HttpError};
    use super::*;

    #[test]
    fn a_request_that_came_back_from_http2_names_its_path_over_http1() {
        let url: Url = "https://api.test/orders?page=2".parse().unwrap();
        let reached = || {
            let uri = Uri::from_static("https://api.test");
            let (server_name, is_shown_identity, proxy) = (None, false, None);
            let reach = Reach::Anywhere;
            let to = Destination { uri, server_name, is_shown_identity, proxy, reach };
            Ok::<_, HttpError>((HeaderValue::from_static("api.test"), to))
        };
        let origin = Pool::default().origin(&url, Reach::Anywhere, reached).unwrap();
        let heard = run(async {
            let (ours, mut theirs) = tokio::io::duplex(4096);
            let single = Single::begin(Box::new(TokioIo::new(ours))).await.unwrap();
            let body = upload::body(Body::Empty, &upload::Progress::new()).unwrap();
            let mut request = Request::new(body);
            *request.uri_mut() = Uri::from_static("https://api.test/orders?page=2");
            let mut line = Line::Single(single);
            let mut heard = vec![0; 256];
            tokio::select! {
                _ = line.send(request, &origin, &url) => unreachable!("nobody answers"),
                length = theirs.read(&mut heard) => heard.truncate(length.unwrap()),
            }
            String::from_utf8(heard).unwrap()
        });
        assert_eq!(heard, "GET /orders?page=2 HTTP/1.1\r\nhost: api.test\r\n\r\n");
    }
}
