//! One request on its way: judged, passed on with the token, its answer passed back without.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER,
};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::mpsc;

use super::asked::Asked;
use super::audit::{self, Line, Record};
use super::body::Answer;
use super::gate::Gate;
use super::grant::Grant;
use super::keeper::Tokens;
use super::refusal::{Failure, Refusal};
use super::{addresses, headers, location};
use crate::clock::Clock;
use crate::connection::prover;
use crate::http::{Client, HttpError, Limits, Relay, RelayBody, Relayed, Timeouts, relay};
use crate::provider::Provider;
use crate::random::Random;
use crate::resource_server::refusal::{self, Kind};

/// How long the API may take to begin its answer, and to go on with it.
const TIMEOUTS: Timeouts =
    Timeouts { answer: Duration::from_secs(120), idle: Duration::from_secs(600) };
/// The largest request body that is kept, so that it can be sent once more with a new token.
const KEPT: u64 = 64 * 1024;
/// How long such a body may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(60);
/// How much of a refusal is looked at, and for how long.
const LOOKED_AT: Limits = Limits { total: Duration::from_secs(10), max_body: 64 * 1024 };
/// How long a request waits for a place in the audit.
const AUDIT_PATIENCE: Duration = Duration::from_secs(30);

/// Tells a refusal to a program.
pub type Words = Arc<dyn Fn(&Refusal) -> Failure + Send + Sync>;

/// Everything that requests share.
pub struct Forwarder {
    /// Who may come in.
    pub gate: Gate,
    /// The vendor.
    pub provider: Provider,
    /// Sends; used by the proxy's own thread alone.
    pub client: Client,
    /// Where tokens come from.
    pub tokens: Tokens,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes idempotency keys.
    pub random: Arc<dyn Random>,
    /// Tells a refusal to a program.
    pub words: Words,
    /// Takes a line for every request; `None` where nobody wants them.
    pub audit: Option<mpsc::Sender<Line>>,
    /// The proxy's own address, without a slash at its end.
    pub address: String,
}

/// An answer that may be passed back.
struct Passing {
    relayed: Relayed,
    grant: Arc<Grant>,
}

impl Forwarder {
    /// Answers one request.
    pub async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Answer>, Infallible> {
        let (head, body) = request.into_parts();
        let mut record = match self.record(&head).await {
            Ok(record) => record,
            Err((refusal, record)) => return Ok(self.refuse(&refusal, record)),
        };
        let passed = match self.pass(&head, body).await {
            Ok(passing) => self.passed_back(&head, passing),
            Err(refusal) => Err(refusal),
        };
        Ok(match passed {
            Ok((status, headers, Passing { relayed, grant })) => {
                record.line.status = Some(status.as_u16());
                let length = length(&head, status, &headers);
                let scrubber = grant.scrubber.clone();
                let body = Answer::passed(relayed.body, length, scrubber, record);
                let mut response = Response::new(body);
                *response.status_mut() = status;
                *response.headers_mut() = headers;
                response
            }
            Err(refusal) => self.refuse(&refusal, record),
        })
    }

    /// Begins the audit line; without a place for it nothing is passed on.
    async fn record(&self, head: &Parts) -> Result<Record, (Refusal, Record)> {
        let Some(audit) = &self.audit else {
            return Ok(Record::begin(
                Line::begin(self.clock.now(), String::new(), String::new()),
                None,
            ));
        };
        let path = audit::shown(head.uri.path(), head.uri.query());
        let path = self.tokens.current().scrubber.text(path);
        let line = Line::begin(self.clock.now(), head.method.as_str().to_owned(), path);
        match tokio::time::timeout(AUDIT_PATIENCE, audit.clone().reserve_owned()).await {
            Ok(Ok(place)) => Ok(Record::begin(line, Some(place))),
            _ => Err((Refusal::Busy, Record::begin(line, None))),
        }
    }

    async fn pass(&self, head: &Parts, body: Incoming) -> Result<Passing, Refusal> {
        self.gate.judge(&head.method, &head.uri, &head.headers)?;
        let grant = self.tokens.good(self.clock.now()).await?;
        let asked = Asked::new(head, &self.provider, &grant, &*self.random)?;
        self.send(asked, arrived(body).await?, grant).await
    }

    /// Sends it; once more with a new token after a refusal, and where a kept connection had ended.
    async fn send(
        &self,
        asked: Asked<'_>,
        mut body: RelayBody,
        mut grant: Arc<Grant>,
    ) -> Result<Passing, Refusal> {
        let (mut was_renewed, mut was_repeated, mut was_proved_again) = (false, false, false);
        loop {
            let mut again = body.again();
            let sent = relay(&self.client, self.relay(&asked, &grant, body)?, TIMEOUTS).await;
            let mut relayed = match (sent, again.as_ref()) {
                (Ok(relayed), _) => relayed,
                (Err(error @ (HttpError::Reset { .. } | HttpError::NotTaken { .. })), Some(_))
                    if (asked.is_safe_to_repeat() || error.never_reached()) && !was_repeated =>
                {
                    was_repeated = true;
                    body = again.unwrap_or(RelayBody::Empty);
                    continue;
                }
                (Err(error), _) => return Err(Refusal::NoAnswer(error)),
            };
            if !was_proved_again
                && self.may_prove_again(&asked, &grant, &relayed)
                && let Some(kept) = again.take()
            {
                (was_proved_again, body) = (true, kept);
                continue;
            }
            if was_renewed || !self.says_expired(&asked, &grant, &mut relayed).await {
                return Ok(Passing { relayed, grant });
            }
            let Some(again) = again.filter(|_| asked.is_safe_after_refusal(&self.provider.api))
            else {
                self.tokens.refused(&grant.token);
                return Ok(Passing { relayed, grant });
            };
            let renewed = self.tokens.other_than(&grant.token).await?;
            if renewed.token == grant.token {
                return Ok(Passing { relayed, grant });
            }
            (was_renewed, body, grant) = (true, again, renewed);
        }
    }

    fn relay(&self, asked: &Asked<'_>, grant: &Grant, body: RelayBody) -> Result<Relay, Refusal> {
        let (url, mut headers) = asked.with_token(&self.provider, grant, self.gate.secret())?;
        if let Some(prover) = &grant.prover {
            let method = asked.method();
            let about = prover::Request {
                method: method.as_str(),
                url: &url,
                access_token: Some(&grant.token),
            };
            let proof = prover.header(&about, self.clock.now(), &*self.random);
            let proof = proof.ok().and_then(|proof| headers::proof(&proof));
            headers.extend([proof.ok_or(Refusal::NoProof)?]);
        }
        Ok(Relay { method: asked.method(), url, headers, body })
    }

    /// Whether only the proof was refused, and the next one is another (RFC 9449 section 9).
    fn may_prove_again(&self, asked: &Asked<'_>, grant: &Grant, relayed: &Relayed) -> bool {
        let Some(prover) = &grant.prover else { return false };
        let learnt = prover.learns(asked.url(), &relayed.headers, self.clock.now());
        learnt && prover::refuses_the_proof(relayed.status.as_u16(), &relayed.headers)
    }

    /// Whether the API refused the token itself.
    async fn says_expired(&self, asked: &Asked<'_>, grant: &Grant, relayed: &mut Relayed) -> bool {
        let status = relayed.status.as_u16();
        if status < 400 {
            return false;
        }
        let body = relayed.body.peek(LOOKED_AT).await;
        let scope = asked.scope_judgement(&self.provider, grant);
        let now = self.clock.now();
        let headers = &relayed.headers;
        let judged = refusal::judge(&self.provider, status, headers, &body, &scope, now);
        judged.kind == Kind::Expired
    }

    /// The answer's head, as the program may see it.
    fn passed_back(
        &self,
        head: &Parts,
        mut passing: Passing,
    ) -> Result<(StatusCode, HeaderMap, Passing), Refusal> {
        let relayed = &mut passing.relayed;
        let encoding = relayed.headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes);
        let encoding = encoding.filter(|it| !it.eq_ignore_ascii_case(b"identity"));
        if let (Some(encoding), false) = (encoding, relayed.body.is_end_stream()) {
            return Err(Refusal::Encoding(String::from_utf8_lossy(encoding).into_owned()));
        }
        self.tell_addresses(head, relayed, &passing.grant)?;
        headers::to_the_program(&mut relayed.headers, &head.headers);
        passing.grant.scrubber.headers(&mut relayed.headers);
        let headers = std::mem::take(&mut relayed.headers);
        Ok((relayed.status, headers, passing))
    }

    /// Addresses on the API become the proxy's own: whoever follows them shows the proxy's secret.
    fn tell_addresses(
        &self,
        head: &Parts,
        relayed: &mut Relayed,
        grant: &Grant,
    ) -> Result<(), Refusal> {
        if !addresses::are_in(&relayed.headers) {
            return Ok(());
        }
        let target = Asked::target(head, &self.provider, grant)?;
        let (api, settings) = (&self.provider.api, &self.provider.settings);
        let own = |address: &str| {
            let path = location::rewritten(api, settings, &grant.values, &target.url, address)?;
            Ok(format!("{}{path}", self.address))
        };
        addresses::tell(&mut relayed.headers, relayed.status.is_redirection(), own)
            .map_err(|host| Refusal::RedirectElsewhere { host })
    }

    /// The proxy's own answer.
    fn refuse(&self, refusal: &Refusal, mut record: Record) -> Response<Answer> {
        let failure = (self.words)(refusal);
        record.line.status = Some(refusal.status().as_u16());
        record.line.note = Some(failure.code);
        let text = self.tokens.current().scrubber.text(failure.document);
        let mut response = Response::new(Answer::own(Bytes::from(text), record));
        *response.status_mut() = refusal.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(headers::ERROR, HeaderValue::from_static(failure.code));
        if matches!(refusal, Refusal::NoSecret | Refusal::WrongSecret) {
            // RFC 9110 section 15.5.2 wants a challenge.
            headers.insert(
                hyper::header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"keyfob proxy\""),
            );
        }
        if let Some(seconds) = refusal.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// How many bytes follow an answer's head (RFC 9112 section 6.3), where it says so.
fn length(head: &Parts, status: StatusCode, headers: &HeaderMap) -> Option<u64> {
    let has_none = head.method == Method::HEAD
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    match has_none {
        true => Some(0),
        false => headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok(),
    }
}

/// A small body is taken whole, so that it can be sent again; any other is passed on as it comes.
async fn arrived(body: Incoming) -> Result<RelayBody, Refusal> {
    if body.is_end_stream() {
        return Ok(RelayBody::Empty);
    }
    match body.size_hint().exact() {
        Some(length) if length <= KEPT => {
            let whole = Limited::new(body, KEPT as usize).collect();
            match tokio::time::timeout(ARRIVAL, whole).await {
                Ok(Ok(whole)) => Ok(RelayBody::Bytes(whole.to_bytes())),
                _ => Err(Refusal::Body),
            }
        }
        _ => Ok(RelayBody::Stream(body)),
    }
}
