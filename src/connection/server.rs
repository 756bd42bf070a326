//! One line between a request as a value and its answer as a value.

use std::time::Duration;

use url::Url;

use super::prover::{self, Prover};
use crate::authorization_server::dpop;
use crate::authorization_server::token_request::ServerRequest;
use crate::clock::Clock;
use crate::http::strict_json::parse_object;
use crate::http::trace::{answer_lines, request_lines};
use crate::http::{Answer, Body, Client, HttpError, Limits, Method, Request, exchange};
use crate::random::Random;
use crate::resource_server::www_authenticate::is_about_the_proof;

/// Who hears the traffic, and how much of it.
pub struct Tracing<'a> {
    /// How often `-v` was given.
    pub level: u8,
    /// Takes a line.
    pub sink: &'a dyn Fn(String),
}

/// How long a token request may take; less than the ten seconds that `docker stop` allows.
pub const TOKEN_REQUEST_TIME: Duration = Duration::from_secs(8);

/// Who proves that the client holds a key, where tokens are bound to one.
pub struct Proving<'a> {
    /// The key, and what the server has said about its proofs.
    pub prover: &'a Prover,
    /// Tells the time.
    pub clock: &'a dyn Clock,
    /// Makes each proof another one.
    pub random: &'a dyn Random,
}

/// Sends a token request, with a proof where there is a key.
///
/// A server that wants another proof has judged nothing: the request is sent once more with one
/// (RFC 9449 section 8).
pub async fn send_proving(
    client: &Client,
    request: &ServerRequest,
    proving: Option<Proving<'_>>,
    tracing: &Tracing<'_>,
) -> Result<Answer, HttpError> {
    let Some(proving) = proving else { return send(client, request, tracing).await };
    let answer = send(client, &proving.with_proof(request)?, tracing).await?;
    match proving.wants_another(request, &answer)? {
        true => send(client, &proving.with_proof(request)?, tracing).await,
        false => Ok(answer),
    }
}

impl Proving<'_> {
    fn with_proof(&self, request: &ServerRequest) -> Result<ServerRequest, HttpError> {
        let (url, now) = (endpoint(request)?, self.clock.now());
        let about = prover::Request { method: "POST", url: &url, access_token: None };
        let proof = self
            .prover
            .header(&about, now, self.random)
            .map_err(|error| HttpError::InvalidRequest { detail: error.to_string() })?;
        let mut request = request.clone();
        request.headers.push((dpop::PROOF.to_owned(), proof));
        Ok(request)
    }

    fn wants_another(&self, request: &ServerRequest, answer: &Answer) -> Result<bool, HttpError> {
        let learnt = self.prover.learns(&endpoint(request)?, &answer.headers, self.clock.now());
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
pub async fn send(
    client: &Client,
    request: &ServerRequest,
    tracing: &Tracing<'_>,
) -> Result<Answer, HttpError> {
    let mut sent =
        Request::new(Method::POST, endpoint(request)?).body(Body::Secret(request.body.clone()));
    for (name, value) in &request.headers {
        sent = match name.as_str() {
            "Authorization" | dpop::PROOF => sent.secret_header(name, value.clone()),
            _ => sent.header(name, value.expose()),
        };
    }
    request_lines(&sent, tracing.level).into_iter().for_each(tracing.sink);
    let limits = Limits { total: TOKEN_REQUEST_TIME, ..Limits::default() };
    let answer = exchange(client, sent, limits).await?;
    answer_lines(answer.status, &answer.headers, tracing.level).into_iter().for_each(tracing.sink);
    Ok(answer)
}
