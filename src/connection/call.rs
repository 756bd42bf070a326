//! A call with a token that is good now: sent, after one refusal refreshed and sent once more, repeated where that is safe.

use std::time::Duration;

use super::entry::Entry;
use super::fresh::{FreshError, Wanted};
use super::{Connection, Notice};
use crate::http::error_response::ErrorResponse;
use crate::http::retry::{Decision, Outcome, decide};
use crate::http::{HttpError, Request, Streaming, Timeouts, send, trace};
use crate::provider::schema::Meaning;
use crate::random::fraction;
use crate::resource_server::ApiRequest;
use crate::resource_server::idempotency::{retry_rules, safe_after_refusal, safe_to_repeat};
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
    Fresh(FreshError),
    /// The API refused the access token, and there is no new one.
    NotRenewed {
        /// Why not.
        error: FreshError,
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
}

impl From<FreshError> for CallError {
    fn from(error: FreshError) -> Self {
        Self::Fresh(error)
    }
}

/// An answer, its body still on its way.
pub struct Called {
    /// Status, headers, body.
    pub answer: Streaming,
    /// What a status of 400 and above means.
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
}

/// What to do after an answer or a failure.
enum Next {
    Take(Box<Called>),
    Again,
    Fail(CallError),
}

/// One call on its way.
struct Sending<'c, 'r> {
    connection: &'c Connection<'c>,
    request: &'r mut ApiRequest,
    manner: Manner,
    entry: Entry,
    /// Sendings that count against the retries.
    sent: u32,
    refreshed: bool,
}

impl Connection<'_> {
    /// Whether the granted scopes open a call, as far as the provider's table says.
    pub fn scope_judgement(
        &self,
        request: &ApiRequest,
        granted: Option<&[String]>,
    ) -> Judgement<'_> {
        let below = request.target.below.as_deref();
        scope::judge(&self.provider.scope, granted, request.method.as_str(), below)
    }

    /// Sends a call; `entry` is the one that was read to build it.
    pub async fn call(
        &self,
        entry: Entry,
        request: &mut ApiRequest,
        manner: Manner,
    ) -> Result<Called, CallError> {
        let granted = entry.tokens.as_ref().and_then(|tokens| tokens.granted.as_deref());
        if let (Judgement::Missing { needed }, false) =
            (self.scope_judgement(request, granted), manner.force)
        {
            let needed = needed.iter().map(|scope| scope.name.clone()).collect();
            return Err(CallError::MissingScope { needed });
        }
        let entry = self.fresh_from(entry, &Wanted::Good(None)).await?;
        let connection = self;
        let sending = Sending { connection, request, manner, entry, sent: 0, refreshed: false };
        sending.run().await
    }
}

impl Sending<'_, '_> {
    async fn run(mut self) -> Result<Called, CallError> {
        let token = self.token()?;
        let mut next = self.request.first_with_token(&token);
        loop {
            let Some(request) = next else {
                // Nothing can be sent again, and nothing was decided: an empty stream.
                return Err(CallError::Http(HttpError::InvalidRequest {
                    detail: "the body was sent already and cannot be read again".into(),
                }));
            };
            self.sent += 1;
            match self.attempt(request).await {
                Next::Take(called) => return Ok(*called),
                Next::Fail(error) => return Err(error),
                Next::Again => next = self.request.with_token(&self.token()?),
            }
        }
    }

    fn token(&self) -> Result<Secret, CallError> {
        let tokens = self.entry.tokens.as_ref().ok_or(FreshError::NotConnected)?;
        Ok(tokens.access_token.clone())
    }

    async fn attempt(&mut self, request: Request) -> Next {
        let client = match self.connection.http() {
            Ok(client) => client,
            Err(error) => return Next::Fail(error.into()),
        };
        let level = self.connection.verbose;
        self.connection.trace(trace::request_lines(&request, level));
        match send(client, request, Timeouts::of(self.manner.timeout)).await {
            Ok(answer) => {
                let lines = trace::answer_lines(answer.status, &answer.headers, level);
                self.connection.trace(lines);
                self.answered(answer).await
            }
            Err(error) => self.failed(error).await,
        }
    }

    /// A connection that failed is tried again where the call is safe to repeat, or never arrived.
    async fn failed(&mut self, error: HttpError) -> Next {
        match self.decision(Outcome::Failed(&error)) {
            Decision::After(wait) if self.is_replayable() => {
                self.pause(wait, error.to_string()).await;
                Next::Again
            }
            _ => Next::Fail(CallError::Http(error)),
        }
    }

    async fn answered(&mut self, mut answer: Streaming) -> Next {
        if answer.status < 400 {
            self.tell_replay(&answer);
            return Next::Take(Box::new(Called { answer, refusal: None }));
        }
        let body = match answer.peek(LOOKED_AT).await {
            Ok(body) => body,
            Err(error) => return self.failed(error).await,
        };
        let token = match self.token() {
            Ok(token) => token,
            Err(error) => return Next::Fail(error),
        };
        let refusal = self.judge(&answer, &body, &token);
        if refusal.kind == Kind::Expired && self.may_refresh() {
            return self.refresh(token, refusal).await;
        }
        let decision = self.decision(Outcome::Answered(answer.status, &answer.headers));
        if let (Decision::After(wait), true) = (decision, self.is_replayable()) {
            self.pause(wait, format!("HTTP {}", answer.status)).await;
            return Next::Again;
        }
        Next::Take(Box::new(Called { answer, refusal: Some(refusal) }))
    }

    fn judge(&self, answer: &Streaming, body: &[u8], token: &Secret) -> Refused {
        let connection = self.connection;
        let granted = self.entry.tokens.as_ref().and_then(|tokens| tokens.granted.as_deref());
        let scope = connection.scope_judgement(self.request, granted);
        let now = connection.system.clock.now();
        let Refusal { kind, response, meaning } =
            refusal::judge(&connection.provider, answer.status, &answer.headers, body, &scope, now);
        let response = response.without(std::slice::from_ref(token));
        Refused { kind, response, meaning: meaning.cloned() }
    }

    /// At most one refresh a call, and only where the second sending cannot carry a write out twice.
    fn may_refresh(&self) -> bool {
        let api = &self.connection.provider.api;
        !self.refreshed
            && self.is_replayable()
            && safe_after_refusal(api, self.request.method.as_str(), self.request.key.as_ref())
    }

    async fn refresh(&mut self, token: Secret, refused: Refused) -> Next {
        self.refreshed = true;
        match self.connection.fresh(&Wanted::NotThis(token)).await {
            Ok(entry) => {
                (self.connection.notify)(Notice::CallRefused);
                self.entry = entry;
                // The resend after a refresh is not one of the retries.
                self.sent -= 1;
                Next::Again
            }
            Err(error) => Next::Fail(CallError::NotRenewed { error, refused: Box::new(refused) }),
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
            safe_to_repeat(self.request.method.as_str(), self.request.key.as_ref()),
            system.clock.now(),
            fraction(&*system.random),
        )
    }

    async fn pause(&self, wait: Duration, why: String) {
        (self.connection.notify)(Notice::Waiting { seconds: wait.as_secs_f64(), why });
        self.connection.system.clock.sleep(wait).await;
    }

    fn tell_replay(&self, answer: &Streaming) {
        let idempotency = self.connection.provider.api.idempotency.as_ref();
        let header = idempotency.and_then(|it| it.replay_header.as_deref());
        let value = header.and_then(|name| answer.headers.get(name));
        if value.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true")) {
            (self.connection.notify)(Notice::Replayed);
        }
    }
}
