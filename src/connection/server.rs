//! One line between a request as a value and its answer as a value.

use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::prover::{self, Prover};
use crate::authorization_server::assertion::AssertionError;
use crate::authorization_server::dpop;
use crate::authorization_server::token_request::{ServerRequest, Signed};
use crate::clock::Clock;
use crate::http::strict_json::parse_object;
use crate::http::trace::{answer_lines, request_lines};
use crate::http::{Answer, Body, Client, HttpError, Limits, Method, Request, exchange};
use crate::random::Random;
use crate::resource_server::www_authenticate::is_about_the_proof;
use crate::secret::Secret;

/// Who hears the traffic, and how much of it.
pub struct Tracing<'a> {
    /// How often `-v` was given.
    pub level: u8,
    /// Takes a line.
    pub sink: &'a dyn Fn(String),
}

/// How long a token request may take; less than the ten seconds that `docker stop` allows.
pub const TOKEN_REQUEST_TIME: Duration = Duration::from_secs(8);

/// What makes each sending of a request another one.
pub struct Stamp<'a> {
    /// Tells the time.
    pub clock: &'a dyn Clock,
    /// Makes identifiers that are used once.
    pub random: &'a dyn Random,
    /// The key that tokens are bound to, where they are.
    pub prover: Option<&'a Prover>,
}

/// Why a request was not answered.
#[derive(Debug)]
pub enum Unanswered {
    /// It could not be signed, and was not sent.
    Unsigned(AssertionError),
    /// No answer came.
    Http(HttpError),
}

impl From<HttpError> for Unanswered {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

/// Sends a token request, signed and proved where that is asked for; with the answer come the
/// secrets that were in the request.
///
/// A server that wants another proof has judged nothing: the request is sent once more with one
/// (RFC 9449 section 8).
pub async fn send_stamped(
    client: &Client,
    request: &ServerRequest,
    stamp: Stamp<'_>,
    tracing: &Tracing<'_>,
) -> Result<(Answer, Vec<Secret>), Unanswered> {
    let end = Instant::now() + TOKEN_REQUEST_TIME;
    let mut signed = stamp.on(request)?;
    let mut answer = send_until(client, &signed, tracing, end).await?;
    if stamp.wants_another(request, &answer)? {
        signed = stamp.on(request)?;
        answer = send_until(client, &signed, tracing, end).await?;
        // The newest nonce may come with a good answer (RFC 9449 section 8.2).
        stamp.learns(request, &answer)?;
    }
    Ok((answer, signed.request().secrets.clone()))
}

impl Stamp<'_> {
    fn on(&self, request: &ServerRequest) -> Result<Signed, Unanswered> {
        let now = self.clock.now();
        let signed = request.signed(now, self.random).map_err(Unanswered::Unsigned)?;
        let Some(prover) = self.prover else { return Ok(signed) };
        let url = endpoint(request)?;
        let about = prover::Request { method: "POST", url: &url, access_token: None };
        let proof = prover
            .header(&about, now, self.random)
            .map_err(|error| HttpError::InvalidRequest { detail: error.to_string() })?;
        Ok(signed.with_header(dpop::PROOF, proof))
    }

    /// Takes in what an answer says of the next proof; whether that will be another because of it.
    fn learns(&self, request: &ServerRequest, answer: &Answer) -> Result<bool, HttpError> {
        let Some(prover) = self.prover else { return Ok(false) };
        Ok(prover.learns(&endpoint(request)?, &answer.headers, self.clock.now()))
    }

    fn wants_another(&self, request: &ServerRequest, answer: &Answer) -> Result<bool, HttpError> {
        let learnt = self.learns(request, answer)?;
        let code = || parse_object(&answer.body).ok()?.get("error")?.as_str().map(str::to_owned);
        let refused = matches!(answer.status, 400 | 401);
        Ok(learnt && refused && is_about_the_proof(code().as_deref()))
    }
}

fn endpoint(request: &ServerRequest) -> Result<Url, HttpError> {
    Url::parse(&request.url).map_err(|_| HttpError::InvalidRequest {
        detail: "the endpoint of the authorization server is no URL".into(),
    })
}

/// Sends a request to an endpoint of the authorization server: no redirect, no repetition.
///
/// What it takes is signed for one sending, so a repetition is made anew.
pub async fn send(
    client: &Client,
    signed: &Signed,
    tracing: &Tracing<'_>,
) -> Result<Answer, HttpError> {
    send_until(client, signed, tracing, Instant::now() + TOKEN_REQUEST_TIME).await
}

/// The same with a time that several sendings share: together they take no longer than one.
async fn send_until(
    client: &Client,
    signed: &Signed,
    tracing: &Tracing<'_>,
    end: Instant,
) -> Result<Answer, HttpError> {
    let request = signed.request();
    let mut sent = Request::new(Method::POST, endpoint(request)?)
        .body(Body::Secret(request.body.clone()))
        .named_by(request.named_by.clone());
    for (name, value) in &request.headers {
        sent = match name.as_str() {
            "Authorization" | dpop::PROOF => sent.secret_header(name, value.clone()),
            _ => sent.header(name, value.expose()),
        };
    }
    let total = end.saturating_duration_since(Instant::now());
    let limits = Limits { total, ..Limits::default() };
    fetch(client, sent, tracing, limits).await
}

/// Sends any request to the authorization server: no redirect, no repetition.
pub async fn fetch(
    client: &Client,
    request: Request,
    tracing: &Tracing<'_>,
    limits: Limits,
) -> Result<Answer, HttpError> {
    request_lines(&request, tracing.level).into_iter().for_each(tracing.sink);
    let answer = exchange(client, request, limits).await?;
    answer_lines(answer.status, &answer.headers, tracing.level).into_iter().for_each(tracing.sink);
    Ok(answer)
}
