//! One call on its way: sent, its answer looked at, and sent again where that may help.

use std::rc::Rc;

use super::{CallError, Called, Manner, Refused};
use crate::authorization_server::dpop;
use crate::connection::share::Share;
use crate::connection::{Connection, Entry, FreshError, Notice, prover};
use crate::http::retry::{Decision, Outcome};
use crate::http::{HttpError, Request, Streaming, Timeouts, send, trace};
use crate::resource_server::ApiRequest;
use crate::resource_server::rate_fields::used_up_for;
use crate::resource_server::refusal;
use crate::secret::Secret;

/// How much of a refusal's body is looked at, in bytes.
const LOOKED_AT: usize = 64 * 1024;

/// What to do after an answer or a failure.
pub(super) enum Next {
    Take(Box<(Streaming, Option<Refused>)>),
    Again,
    Fail(CallError),
}

/// One call on its way.
pub(in crate::connection) struct Sending<'c, 'r> {
    pub(super) share: &'c Share<'c>,
    pub(super) connection: &'c Connection<'c>,
    pub(super) request: &'r mut ApiRequest,
    pub(super) manner: Manner,
    pub(super) entry: Rc<Entry>,
    /// Sendings that count against the retries.
    pub(super) sent: u32,
    pub(super) refreshed: bool,
    /// Whether its own refusal made the new token.
    pub(super) renewed: bool,
    /// Whether it was sent again with another proof.
    proved_again: bool,
}

impl<'c, 'r> Sending<'c, 'r> {
    /// A call whose turn has come.
    pub(in crate::connection) fn new(
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

    pub(in crate::connection) async fn run(mut self) -> Result<Called, CallError> {
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

    pub(super) fn token(&self) -> Result<Secret, CallError> {
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

    pub(super) fn take(&self, answer: Streaming, refusal: Option<Refused>) -> Next {
        self.tell_replay(&answer);
        Next::Take(Box::new((answer, refusal)))
    }

    pub(super) fn now(&self) -> jiff::Timestamp {
        self.connection.system.clock.now()
    }

    pub(super) fn is_replayable(&self) -> bool {
        self.request.body.again().is_some()
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

pub(super) fn access_token(entry: &Entry) -> Result<&Secret, CallError> {
    let tokens = entry.tokens.as_ref().ok_or(FreshError::NotConnected)?;
    Ok(&tokens.access_token)
}
