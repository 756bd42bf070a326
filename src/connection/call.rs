//! A call with a token that is good now: sent, after one refusal refreshed and sent once more, repeated where that is safe.

use std::rc::Rc;
use std::time::Duration;

use super::entry::Entry;
use super::fresh::FreshError;
use super::prover;
use super::share::{Halt, Renewal, Share};
use super::{Connection, Notice};
use crate::authorization_server::dpop;
use crate::http::error_response::ErrorResponse;
use crate::http::quoting::without_secrets;
use crate::http::retry::{Decision, Outcome, decide};
use crate::http::{HttpError, Request, Streaming, Timeouts, send, trace};
use crate::provider::schema::{Action, Meaning};
use crate::random::fraction;
use crate::resource_server::ApiRequest;
use crate::resource_server::idempotency::{
    retry_rules, safe_after_refusal, safe_to_repeat, wait_headers,
};
use crate::resource_server::rate_fields::used_up_for;
use crate::resource_server::refusal::{self, Kind, Refusal};
use crate::resource_server::scope::{self, Judgement};
use crate::secret::Secret;

/// How much of a refusal's body is looked at, in bytes.
const LOOKED_AT: usize = 64 * 1024;

/// How a call is sent.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// How often it is repeated at most.
    pub retries: u32,
    /// How long to wait for the answer, and between two parts of it.
    pub timeout: Duration,
    /// Whether to send what the granted scopes do not cover.
    pub force: bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum CallError {
    /// There is no access token for it.
    Fresh(Rc<FreshError>),
    /// The API refused the access token, and there is no new one.
    NotRenewed {
        /// Why not.
        error: Rc<FreshError>,
        /// What the API said.
        refused: Box<Refused>,
    },
    /// The granted scopes do not open it; it was not sent.
    MissingScope {
        /// Any one of these would.
        needed: Vec<String>,
    },
    /// No answer came.
    Http(HttpError),
    /// The vendor's limit was used up by others for longer than is waited.
    Crowded {
        /// How long it would still take.
        wait: Duration,
        /// Requests a minute, where the vendor says how many; none where it asked for a pause.
        per_minute: Option<u32>,
        /// What the API said about the access token, where the call was sent with one that is renewed now.
        refused: Option<Box<Refused>>,
    },
    /// The calls it belongs to were ended before it was sent.
    NotSent,
}

impl From<FreshError> for CallError {
    fn from(error: FreshError) -> Self {
        Self::Fresh(Rc::new(error))
    }
}

impl From<Rc<FreshError>> for CallError {
    fn from(error: Rc<FreshError>) -> Self {
        Self::Fresh(error)
    }
}

/// An answer, its body still on its way.
pub struct Called {
    /// Status, headers, body.
    pub answer: Streaming,
    /// What a refusal means: a status of 400 and above, or a body that says no.
    pub refusal: Option<Refused>,
}

/// A refusal, understood as far as the provider file goes.
#[derive(Debug)]
pub struct Refused {
    /// What follows from it.
    pub kind: Kind,
    /// What the vendor said.
    pub response: ErrorResponse,
    /// What the provider file says about it.
    pub meaning: Option<Meaning>,
    /// What the body of a good status says instead of what a good one says.
    pub denial: Option<String>,
    /// Why it was not sent again, where sending it again could have helped.
    pub not_again: Option<NotAgain>,
}

/// Why a call is not sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAgain {
    /// A new access token was refused as well.
    RefreshedAlready,
    /// Its token was renewed, and then the calls it belongs to were ended.
    Ended,
    /// Its body came from a stream, and is spent.
    StreamSpent,
    /// It may have been carried out, and nothing keeps it from being carried out twice.
    MightHappenTwice,
    /// It was sent as often as was allowed, or the server asks for a longer wait than is waited for.
    Enough,
}

impl Refused {
    /// Whether the vendor says that the call was not carried out for now.
    pub fn is_postponed(&self) -> bool {
        self.meaning.as_ref().is_some_and(|meaning| meaning.action == Action::TryLater)
    }

    /// The status, and the code where that says more.
    fn words(&self) -> String {
        match (&self.response.code, self.is_postponed()) {
            (Some(code), true) => format!("HTTP {}, {code}", self.response.status),
            _ => format!("HTTP {}", self.response.status),
        }
    }
}

/// What to do after an answer or a failure.
enum Next {
    Take(Box<(Streaming, Option<Refused>)>),
    Again,
    Fail(CallError),
}

/// One call on its way.
pub(super) struct Sending<'c, 'r> {
    share: &'c Share<'c>,
    connection: &'c Connection<'c>,
    request: &'r mut ApiRequest,
    manner: Manner,
    entry: Rc<Entry>,
    /// Sendings that count against the retries.
    sent: u32,
    refreshed: bool,
    /// Whether its own refusal made the new token.
    renewed: bool,
    /// Whether it was sent again with another proof.
    proved_again: bool,
}

impl Connection<'_> {
    /// Whether the granted scopes open a call, as far as the provider's table says.
    pub fn scope_judgement(
        &self,
        request: &ApiRequest,
        granted: Option<&[String]>,
    ) -> Judgement<'_> {
        let below = request.target.below.as_deref();
        let table = &self.provider.scope;
        match scope::judge(table, granted, request.method.as_str(), below) {
            Judgement::NotListed => scope::judge_needs(table, granted, &request.needs),
            judgement => judgement,
        }
    }

    /// Sends a call; `entry` is the one that was read to build it.
    pub async fn call(
        &self,
        entry: Entry,
        request: &mut ApiRequest,
        manner: Manner,
    ) -> Result<Called, CallError> {
        Share::new(self, entry, false).call(request, manner).await
    }
}

impl<'c, 'r> Sending<'c, 'r> {
    /// A call whose turn has come.
    pub(super) fn new(
        share: &'c Share<'c>,
        request: &'r mut ApiRequest,
        manner: Manner,
        entry: Rc<Entry>,
    ) -> Self {
        let connection = share.connection;
        Self {
            share,
            connection,
            request,
            manner,
            entry,
            sent: 0,
            refreshed: false,
            renewed: false,
            proved_again: false,
        }
    }

    pub(super) async fn run(mut self) -> Result<Called, CallError> {
        let mut next = self.request.first_with_token(access_token(&self.entry)?);
        loop {
            let Some(request) = next else {
                // Nothing can be sent again, and nothing was decided: an empty stream.
                return Err(CallError::Http(HttpError::InvalidRequest {
                    detail: "the body was sent already and cannot be read again".into(),
                }));
            };
            self.sent += 1;
            match self.attempt(request).await {
                Next::Take(taken) => {
                    let (answer, refusal) = *taken;
                    return Ok(Called { answer, refusal });
                }
                Next::Fail(error) => return Err(error),
                Next::Again => next = self.request.with_token(access_token(&self.entry)?),
            }
        }
    }

    fn token(&self) -> Result<Secret, CallError> {
        access_token(&self.entry).cloned()
    }

    async fn attempt(&mut self, request: Request) -> Next {
        let client = match self.connection.http() {
            Ok(client) => client,
            Err(error) => return Next::Fail(error.into()),
        };
        let request = match self.with_proof(request) {
            Ok(request) => request,
            Err(error) => return Next::Fail(error),
        };
        let level = self.connection.verbose;
        self.connection.trace(trace::request_lines(&request, level));
        match send(client, request, Timeouts::of(self.manner.timeout)).await {
            Ok(answer) => {
                let lines = trace::answer_lines(answer.status, &answer.headers, level);
                self.connection.trace(lines);
                if self.may_prove_again(&answer) && self.has_a_turn().await {
                    // Nothing was judged but the proof: this is not one of the retries.
                    (self.proved_again, self.sent) = (true, self.sent - 1);
                    return Next::Again;
                }
                self.answered(answer).await
            }
            Err(error) => self.failed(error).await,
        }
    }

    /// A proof for this sending alone, where the token is bound to a key.
    fn with_proof(&self, request: Request) -> Result<Request, CallError> {
        let Some(prover) = self.connection.prover(&self.entry)? else { return Ok(request) };
        let token = self.token()?;
        let method = self.request.method.as_str();
        let about = prover::Request { method, url: &request.url, access_token: Some(&token) };
        let random = &*self.connection.system.random;
        let proof = prover.header(&about, self.now(), random).map_err(|_| FreshError::NoKey)?;
        Ok(request.secret_header(dpop::PROOF, proof))
    }

    /// Whether only the proof was refused, and the next one is another (RFC 9449 section 9).
    fn may_prove_again(&self, answer: &Streaming) -> bool {
        let Ok(Some(prover)) = self.connection.prover(&self.entry) else { return false };
        let url = &self.request.target.url;
        let learnt = prover.learns(url, &answer.headers, self.now());
        let refused = prover::refuses_the_proof(answer.status, &answer.headers);
        learnt && refused && !self.proved_again && self.is_replayable()
    }

    async fn has_a_turn(&self) -> bool {
        matches!(self.share.again(self.request).await, Ok(true))
    }

    /// A connection that failed is tried again where the call is safe to repeat, or never arrived.
    async fn failed(&mut self, error: HttpError) -> Next {
        match self.decision(Outcome::Failed(&error)) {
            Decision::After(wait)
                if self.is_replayable() && self.pause(wait, error.to_string()).await =>
            {
                Next::Again
            }
            _ => Next::Fail(CallError::Http(error)),
        }
    }

    async fn answered(&mut self, mut answer: Streaming) -> Next {
        let provider = &self.connection.provider;
        let looks_good = answer.status < 400;
        if looks_good && !refusal::may_hide_a_refusal(provider, answer.status, &answer.headers) {
            return self.good(answer).await;
        }
        let body = match looks_good {
            // It was carried out, and what came of it is still the caller's.
            true => Ok(answer.peek_at_good(LOOKED_AT).await),
            false => answer.peek(LOOKED_AT).await,
        };
        let body = match body {
            Ok(body) => body,
            Err(error) => return self.failed(error).await,
        };
        let denial = looks_good.then(|| refusal::denial(provider, &body));
        match denial {
            Some(None) => self.good(answer).await,
            denial => self.refused(answer, &body, denial.flatten()).await,
        }
    }

    async fn refused(&mut self, answer: Streaming, body: &[u8], denial: Option<String>) -> Next {
        let token = match self.token() {
            Ok(token) => token,
            Err(error) => return Next::Fail(error),
        };
        self.share.tell_elsewhere(&self.request.target.url, answer.status, &answer.headers);
        let mut refusal = self.judge(&answer, body, &token);
        refusal.denial = denial.map(|it| without_secrets(&it, std::slice::from_ref(&token)));
        if refusal.kind == Kind::Expired {
            refusal.not_again = self.not_refreshed().or_else(|| self.renewed_in_vain(&answer));
            if refusal.not_again.is_none() {
                return self.refresh(token, answer, refusal).await;
            }
            if self.refreshed {
                self.connection.note_refused_renewal(answer.status, &token);
            }
        }
        let outcome = match refusal.is_postponed() {
            true => Outcome::Postponed(&answer.headers),
            false => Outcome::Answered(answer.status, &answer.headers),
        };
        let decision = self.decision(outcome);
        self.slow_down(&answer, decision).await;
        match (decision, self.is_replayable()) {
            (Decision::After(wait), true) => {
                if self.pause(wait, refusal.words()).await {
                    return Next::Again;
                }
            }
            (Decision::After(_), false) => refusal.not_again = Some(NotAgain::StreamSpent),
            (Decision::Stop, _) if refusal.not_again.is_none() => {
                refusal.not_again = self.not_repeated(&answer, &refusal);
            }
            (Decision::Stop, _) => {}
        }
        self.take(answer, Some(refusal))
    }

    async fn good(&self, answer: Streaming) -> Next {
        if self.renewed {
            self.share.renewal_helped();
        }
        self.connection.forget_refusal(&self.entry);
        if let Some(wait) = used_up_for(&answer.headers, || self.now()) {
            self.heed(wait).await;
        }
        self.take(answer, None)
    }

    /// Why a call that was to be waited for is not sent again.
    fn not_repeated(&self, answer: &Streaming, refusal: &Refused) -> Option<NotAgain> {
        let asks_to_wait = self.connection.provider.api.retry.on.contains(&answer.status);
        if !asks_to_wait && !refusal.is_postponed() {
            return None;
        }
        let is_safe = safe_to_repeat(self.request.repeats_like(), self.request.key.as_ref());
        let says_when = refusal.response.retry_after.is_some();
        match answer.status == 429 || refusal.is_postponed() || is_safe || says_when {
            true => Some(NotAgain::Enough),
            false => Some(NotAgain::MightHappenTwice),
        }
    }

    fn take(&self, answer: Streaming, refusal: Option<Refused>) -> Next {
        self.tell_replay(&answer);
        Next::Take(Box::new((answer, refusal)))
    }

    fn judge(&self, answer: &Streaming, body: &[u8], token: &Secret) -> Refused {
        let connection = self.connection;
        let granted = self.entry.tokens.as_ref().and_then(|tokens| tokens.granted.as_deref());
        let scope = connection.scope_judgement(self.request, granted);
        let now = connection.system.clock.now();
        let Refusal { kind, response, meaning } =
            refusal::judge(&connection.provider, answer.status, &answer.headers, body, &scope, now);
        let response = response.without(std::slice::from_ref(token));
        Refused { kind, response, meaning: meaning.cloned(), denial: None, not_again: None }
    }

    /// Why there is no refresh: at most one a call, and only where the second sending cannot carry a write out twice.
    fn not_refreshed(&self) -> Option<NotAgain> {
        let api = &self.connection.provider.api;
        let is_safe =
            safe_after_refusal(api, self.request.repeats_like(), self.request.key.as_ref());
        match (self.refreshed, self.is_replayable(), is_safe) {
            (true, ..) => Some(NotAgain::RefreshedAlready),
            (false, false, _) => Some(NotAgain::StreamSpent),
            (false, true, false) => Some(NotAgain::MightHappenTwice),
            (false, true, true) => None,
        }
    }

    /// A token that was made for a refused call and refused again is not made once more at once.
    fn renewed_in_vain(&self, answer: &Streaming) -> Option<NotAgain> {
        let token = access_token(&self.entry).ok()?;
        let in_vain = self.connection.was_renewed_in_vain(answer.status, token);
        in_vain.then_some(NotAgain::RefreshedAlready)
    }

    async fn refresh(&mut self, token: Secret, answer: Streaming, mut refused: Refused) -> Next {
        self.refreshed = true;
        let entry = match self.share.instead_of(token).await {
            Ok(Renewal::Made(entry)) => {
                self.renewed = true;
                (self.connection.notify)(Notice::CallRefused);
                entry
            }
            Ok(Renewal::Found(entry)) => entry,
            Ok(Renewal::NotBelieved) => {
                refused.not_again = Some(NotAgain::RefreshedAlready);
                return self.take(answer, Some(refused));
            }
            Err(error) => {
                self.connection.note_refused_for_good(answer.status, &self.entry, &error);
                return Next::Fail(CallError::NotRenewed { error, refused: Box::new(refused) });
            }
        };
        self.entry = entry;
        match self.share.again(self.request).await {
            Ok(true) => {
                // The resend after a refresh is not one of the retries.
                self.sent -= 1;
                Next::Again
            }
            Ok(false) => {
                // Those after it may have been sent: it cannot be left to the rest.
                refused.not_again = Some(NotAgain::Ended);
                self.take(answer, Some(refused))
            }
            Err(CallError::Crowded { wait, per_minute, .. }) => {
                let refused = Some(Box::new(refused));
                Next::Fail(CallError::Crowded { wait, per_minute, refused })
            }
            Err(error) => Next::Fail(error),
        }
    }

    fn now(&self) -> jiff::Timestamp {
        self.connection.system.clock.now()
    }

    /// A 429 is about everybody who calls, and so is a 503 that names a time.
    async fn slow_down(&self, answer: &Streaming, decision: Decision) {
        let retry = &self.connection.provider.api.retry;
        if !retry.on.contains(&answer.status) {
            return;
        }
        let asked = wait_headers(retry).wait(&answer.headers, self.now());
        match (decision, asked) {
            (_, Some(asked)) => self.heed(asked).await,
            (Decision::After(wait), None) if answer.status == 429 => {
                self.share.pause(self.request, wait).await;
            }
            _ => {}
        }
    }

    /// A pause that the vendor asks for; one that is too long to be waited for ends a crowd of calls.
    async fn heed(&self, asked: Duration) {
        let longest = retry_rules(&self.connection.provider.api.retry, 0).max;
        // However long it is, other commands hear of it.
        self.share.pause(self.request, asked).await;
        if asked > longest && self.share.crowd {
            self.share.end(Halt::LongPause(asked.as_secs()));
        }
    }

    fn is_replayable(&self) -> bool {
        self.request.body.again().is_some()
    }

    fn decision(&self, outcome: Outcome<'_>) -> Decision {
        let system = self.connection.system;
        decide(
            self.sent,
            outcome,
            &retry_rules(&self.connection.provider.api.retry, self.manner.retries),
            safe_to_repeat(self.request.repeats_like(), self.request.key.as_ref()),
            system.clock.now(),
            fraction(&*system.random),
        )
    }

    /// Waits before one more sending; false where there is to be none.
    async fn pause(&self, wait: Duration, why: String) -> bool {
        if !self.share.crowd {
            (self.connection.notify)(Notice::Waiting { seconds: wait.as_secs_f64(), why });
        }
        self.share.sleep(wait).await && self.has_a_turn().await
    }

    fn tell_replay(&self, answer: &Streaming) {
        let idempotency = self.connection.provider.api.idempotency.as_ref();
        let header = idempotency.and_then(|it| it.replay_header.as_deref());
        let value = header.and_then(|name| answer.headers.get(name));
        let replayed = value.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
        // In a crowd each answer's own headers say so.
        if replayed && !self.share.crowd {
            (self.connection.notify)(Notice::Replayed);
        }
    }
}

fn access_token(entry: &Entry) -> Result<&Secret, CallError> {
    let tokens = entry.tokens.as_ref().ok_or(FreshError::NotConnected)?;
    Ok(&tokens.access_token)
}
