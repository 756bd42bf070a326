//! The redirection endpoint (RFC 8252 section 7.3): waits on loopback for the browser to come back.
//!
//! Only the request that the judge accepts ends the wait; everything else is answered and forgotten.
//! The accepted one is answered when its outcome is known. Pages are `page`'s, sockets `listeners`'.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, HeaderName, LOCATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};
use url::Url;

pub use super::callback_query::CallbackQuery;
use super::callback_request::{Expected, OwnPaths, Purpose, Refusal};
pub use super::listeners::BindError;
use super::listeners::Listeners;
use super::page::{Page, header_fields};
use super::redirect_uri::{Loopback, Place, RedirectUri};
use super::start_page::StartPage;
use crate::provider::schema::ResponseMode;
use crate::random::{Random, token_256};

/// What the judge says of a request that came to the right place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the authorization response that was waited for, be it a code or an error.
    Accept,
    /// It is none, and the wait goes on; the browser is shown this sentence.
    Refuse(&'static str),
}

/// The authorization response that was waited for.
#[derive(Debug)]
pub struct Arrival {
    /// Its parameters, the registered query taken out.
    pub query: CallbackQuery,
    /// Answers the browser, which waits for it.
    pub reply: Reply,
}

/// The browser's open request; dropped without an answer, the browser is told that keyfob stopped.
#[derive(Debug)]
pub struct Reply {
    page: oneshot::Sender<Page>,
    desk: Arc<Desk>,
}

impl Reply {
    /// Sends the browser to a clean address, away from the code in its address bar, that shows the page.
    pub fn answer(self, page: Page) {
        self.desk.outcome.get_or_init(|| page.clone());
        if self.page.send(page).is_err() {
            // The browser is gone: nobody will fetch the page.
            self.desk.fetched.notify_one();
        }
    }
}

/// How long and how much a caller may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For the head of a request.
    pub head: Duration,
    /// For a whole connection, the accepted one excepted.
    pub connection: Duration,
    /// For fetching the outcome page after the answer.
    pub grace: Duration,
    /// Connections at a time; beyond it the oldest unfinished one is dropped.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(5),
            connection: Duration::from_secs(10),
            grace: Duration::from_secs(1),
            connections: 256,
        }
    }
}

/// The longest head of a request, in bytes; a code of 8 KiB fits.
const LONGEST_HEAD: usize = 16 * 1024;

/// The pause after the system refused to accept, for instance for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// An open endpoint; closed when it is dropped.
#[derive(Debug)]
pub struct RedirectionEndpoint {
    redirect_uri: RedirectUri,
    port: u16,
    grace: Duration,
    desk: Arc<Desk>,
    asks: mpsc::Receiver<Ask>,
    door: JoinSet<()>,
}

/// What the connections share.
#[derive(Debug)]
struct Desk {
    expected: Expected,
    start: StartPage,
    /// The number of the connection that carries the accepted request.
    accepted: OnceLock<u64>,
    /// Known once the accepted request is answered.
    outcome: OnceLock<Page>,
    /// Told when the outcome page was fetched.
    fetched: Notify,
    refused: AtomicU64,
}

/// A request that came to the right place and wants a verdict.
struct Ask {
    connection: u64,
    query: CallbackQuery,
    judgement: oneshot::Sender<Judgement>,
}

enum Judgement {
    Refused(&'static str),
    Accepted(oneshot::Receiver<Page>),
}

impl RedirectionEndpoint {
    /// Binds and accepts from now on; must be called within a Tokio runtime, and before the browser starts.
    pub fn bind(
        redirect_uri: &RedirectUri,
        mode: ResponseMode,
        random: &dyn Random,
    ) -> Result<Self, BindError> {
        Self::bind_with(redirect_uri, mode, random, Limits::default())
    }

    /// The same with limits of one's own.
    pub fn bind_with(
        redirect_uri: &RedirectUri,
        mode: ResponseMode,
        random: &dyn Random,
        limits: Limits,
    ) -> Result<Self, BindError> {
        let Place::Loopback(loopback) = redirect_uri.place() else {
            return Err(BindError::External);
        };
        let listeners = Listeners::open(loopback)?;
        let port = listeners.port()?;
        let start = StartPage::new(random);
        let outcome = format!("/done/{}", token_256(random));
        let own = OwnPaths { outcome, start: start.path().to_owned() };
        let desk = Arc::new(Desk {
            expected: Expected::new(loopback, port, mode, own),
            start,
            accepted: OnceLock::new(),
            outcome: OnceLock::new(),
            fetched: Notify::new(),
            refused: AtomicU64::new(0),
        });
        // Each connection asks at most once, so a full queue never blocks one that matters.
        let (ask, asks) = mpsc::channel(limits.connections.max(1));
        let mut door = JoinSet::new();
        door.spawn(accept_all(listeners, desk.clone(), ask, limits));
        let redirect_uri = redirect_uri.at_port(port);
        Ok(Self { redirect_uri, port, grace: limits.grace, desk, asks, door })
    }

    /// Whether it could be bound now, where the port is fixed and of this machine; holds nothing.
    pub fn check(redirect_uri: &RedirectUri) -> Result<(), BindError> {
        match redirect_uri.place() {
            Place::Loopback(Loopback { host, port: Some(port), .. }) => {
                Listeners::check(*host, *port)
            }
            Place::Loopback(_) | Place::External(_) => Ok(()),
        }
    }

    /// The redirect URI to send, with the port that is held.
    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    /// The port that is held.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// An address of ours that leads to this one, once: it may stand where others can read it.
    pub fn start_page(&self, leads_to: &Url) -> Url {
        self.desk.start.lead_to(leads_to);
        let mut url = self.redirect_uri.url().clone();
        url.set_path(self.desk.start.path());
        url.set_query(None);
        url
    }

    /// How many requests were refused so far.
    pub fn refused(&self) -> u64 {
        self.desk.refused.load(Ordering::Relaxed)
    }

    /// Waits for the request that the judge accepts; may be cancelled and called again, never ends twice.
    pub async fn wait<J>(&mut self, judge: J) -> Arrival
    where
        J: Fn(&CallbackQuery) -> Verdict,
    {
        loop {
            let Some(ask) = self.asks.recv().await else {
                // Closed since the acceptance: there is nothing more to wait for.
                std::future::pending::<()>().await;
                continue;
            };
            match judge(&ask.query) {
                Verdict::Accept => return self.accept(ask),
                Verdict::Refuse(what) => {
                    self.desk.count_refusal();
                    // A caller that has gone needs no answer.
                    let _ = ask.judgement.send(Judgement::Refused(what));
                }
            }
        }
    }

    /// Closes the queue, which tells everyone still in it that the response was used already.
    fn accept(&mut self, ask: Ask) -> Arrival {
        self.desk.accepted.get_or_init(|| ask.connection);
        self.asks.close();
        while self.asks.try_recv().is_ok() {}
        let (page, answer) = oneshot::channel();
        // A browser that has gone already is noticed when it is answered.
        let _ = ask.judgement.send(Judgement::Accepted(answer));
        Arrival { query: ask.query, reply: Reply { page, desk: self.desk.clone() } }
    }

    /// Closes; after an answer it first lets the browser fetch the page, for a moment.
    pub async fn finish(mut self) {
        if self.desk.outcome.get().is_some() {
            // A browser that does not come has its page in the answer's own body.
            let _ = timeout(self.grace, self.desk.fetched.notified()).await;
        }
        self.door.shutdown().await;
    }
}

impl Desk {
    fn count_refusal(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    fn is_accepted(&self, connection: u64) -> bool {
        self.accepted.get() == Some(&connection)
    }
}

/// Accepts for as long as the endpoint lives; an error of one caller, or of the system, does not end it.
async fn accept_all(listeners: Listeners, desk: Arc<Desk>, ask: mpsc::Sender<Ask>, limits: Limits) {
    let mut open = Connections::default();
    for number in 0.. {
        match listeners.accept().await {
            Ok(stream) => {
                open.make_room(limits.connections, &desk);
                open.add(number, serve(stream, number, desk.clone(), ask.clone(), limits));
            }
            Err(_) => {
                open.make_room(open.in_order.len(), &desk);
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The connections that are being served, oldest first.
#[derive(Default)]
struct Connections {
    tasks: JoinSet<()>,
    in_order: VecDeque<(u64, AbortHandle)>,
}

impl Connections {
    fn add(&mut self, number: u64, served: impl Future<Output = ()> + Send + 'static) {
        let handle = self.tasks.spawn(served);
        self.in_order.push_back((number, handle));
    }

    /// Drops the oldest unfinished ones until fewer than `most` are left; the accepted one stays.
    fn make_room(&mut self, most: usize, desk: &Desk) {
        while self.tasks.try_join_next().is_some() {}
        self.in_order.retain(|(_, handle)| !handle.is_finished());
        while self.in_order.len() >= most.max(1) {
            let oldest = self.in_order.iter().position(|(number, _)| !desk.is_accepted(*number));
            let Some((_, handle)) = oldest.and_then(|place| self.in_order.remove(place)) else {
                return;
            };
            handle.abort();
        }
    }
}

/// Serves one connection and one request on it.
async fn serve(
    stream: TcpStream,
    number: u64,
    desk: Arc<Desk>,
    ask: mpsc::Sender<Ask>,
    limits: Limits,
) {
    let fetched = OnceLock::new();
    let service = service_fn(|request| respond(request, number, &desk, &ask, &fetched));
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_buf_size(LONGEST_HEAD)
            .keep_alive(false)
            // A caller may close its sending side and still read.
            .half_close(true)
            .serve_connection(TokioIo::new(stream), service)
    );
    // A connection that breaks is the caller's affair: the wait goes on.
    if timeout(limits.connection, connection.as_mut()).await.is_err() && desk.is_accepted(number) {
        let _ = connection.await;
    }
    if fetched.get().is_some() {
        desk.fetched.notify_one();
    }
}

type Answer = Response<Full<Bytes>>;

async fn respond(
    request: Request<Incoming>,
    connection: u64,
    desk: &Desk,
    ask: &mpsc::Sender<Ask>,
    fetched: &OnceLock<()>,
) -> Result<Answer, Infallible> {
    let (head, body) = request.into_parts();
    let purpose = match desk.expected.purpose(&head) {
        Ok(Purpose::Form) => form(body).await.map(Purpose::Callback),
        purpose => purpose,
    };
    Ok(match purpose {
        Ok(Purpose::Callback(query)) => callback(connection, query, desk, ask).await,
        Ok(Purpose::Outcome | Purpose::Form) => outcome(desk, fetched),
        Ok(Purpose::Start) => start(desk),
        Err(refusal) => {
            desk.count_refusal();
            refused(&refusal, desk.expected.method())
        }
    })
}

/// Reads a form that was posted; as long as a head may be, and no longer.
async fn form(body: Incoming) -> Result<CallbackQuery, Refusal> {
    let refused = |what| Refusal { status: StatusCode::BAD_REQUEST, what };
    let body = Limited::new(body, LONGEST_HEAD).collect().await;
    let body = body.map_err(|_| refused("The form cannot be read, or is too long."))?.to_bytes();
    let text = std::str::from_utf8(&body).map_err(|_| refused("The form is not UTF-8 text."))?;
    CallbackQuery::parse(text, None).map_err(|_| refused("The form is not UTF-8 text."))
}

/// Puts the query before the judge, and holds the browser until the outcome is known if it is the one.
async fn callback(
    connection: u64,
    query: CallbackQuery,
    desk: &Desk,
    ask: &mpsc::Sender<Ask>,
) -> Answer {
    let (judgement, judged) = oneshot::channel();
    if ask.send(Ask { connection, query, judgement }).await.is_err() {
        return answer(StatusCode::GONE, &Page::AlreadyUsed);
    }
    match judged.await {
        Err(_) => answer(StatusCode::GONE, &Page::AlreadyUsed),
        Ok(Judgement::Refused(what)) => {
            refused(&Refusal { status: StatusCode::BAD_REQUEST, what }, "")
        }
        Ok(Judgement::Accepted(page)) => {
            let page = page.await.unwrap_or(Page::Interrupted);
            see_other(desk, desk.outcome.get_or_init(|| page))
        }
    }
}

/// Leads to the vendor, once, and only while an answer is waited for; the page itself holds no address.
fn start(desk: &Desk) -> Answer {
    match desk.start.take() {
        Some(url) if desk.accepted.get().is_none() => {
            with_field(answer(StatusCode::SEE_OTHER, &Page::Leading), LOCATION, url.as_str())
        }
        _ => {
            desk.count_refusal();
            answer(StatusCode::GONE, &Page::StartedBefore)
        }
    }
}

/// The clean address exists once the outcome does.
fn outcome(desk: &Desk, fetched: &OnceLock<()>) -> Answer {
    match desk.outcome.get() {
        Some(page) => {
            fetched.get_or_init(|| ());
            answer(StatusCode::OK, page)
        }
        None => {
            desk.count_refusal();
            let what = "There is nothing at this address.";
            refused(&Refusal { status: StatusCode::NOT_FOUND, what }, "")
        }
    }
}

/// `method` is the one that is answered where another was used.
fn refused(refusal: &Refusal, method: &str) -> Answer {
    let response = answer(refusal.status, &Page::Refused { what: refusal.what });
    match refusal.status {
        StatusCode::METHOD_NOT_ALLOWED => with_field(response, ALLOW, method),
        _ => response,
    }
}

/// Leads away from the address with the code in it (303: always GET), and tells the outcome itself
/// to whoever does not follow.
fn see_other(desk: &Desk, page: &Page) -> Answer {
    with_field(answer(StatusCode::SEE_OTHER, page), LOCATION, desk.expected.outcome_path())
}

fn answer(status: StatusCode, page: &Page) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from(page.html())));
    *response.status_mut() = status;
    for (name, value) in header_fields() {
        response = with_field(response, HeaderName::from_static(name), &value);
    }
    response
}

/// Every value is our own ASCII text; one that is not would be left out rather than end the wait.
fn with_field(mut response: Answer, name: HeaderName, value: &str) -> Answer {
    if let Ok(value) = value.parse() {
        response.headers_mut().insert(name, value);
    }
    response
}

#[cfg(test)]
#[path = "redirection_endpoint_tests.rs"]
mod tests;
