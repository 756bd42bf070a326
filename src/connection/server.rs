//! One line between a request as a value and its answer as a value.

use std::time::Duration;

use url::Url;

use crate::authorization_server::token_request::ServerRequest;
use crate::http::trace::{answer_lines, request_lines};
use crate::http::{Answer, Body, Client, HttpError, Limits, Method, Request, exchange};

/// Who hears the traffic, and how much of it.
pub struct Tracing<'a> {
    /// How often `-v` was given.
    pub level: u8,
    /// Takes a line.
    pub sink: &'a dyn Fn(String),
}

/// How long a token request may take; less than the ten seconds that `docker stop` allows.
pub const TOKEN_REQUEST_TIME: Duration = Duration::from_secs(8);

/// Sends a request to an endpoint of the authorization server: no redirect, no repetition.
pub async fn send(
    client: &Client,
    request: &ServerRequest,
    tracing: &Tracing<'_>,
) -> Result<Answer, HttpError> {
    let url = Url::parse(&request.url).map_err(|_| HttpError::InvalidRequest {
        detail: "the endpoint of the authorization server is no URL".into(),
    })?;
    let mut sent = Request::new(Method::POST, url)
        .body(Body::Secret(request.body.clone()))
        .named_by(request.named_by.clone());
    for (name, value) in &request.headers {
        sent = match name.as_str() {
            "Authorization" => sent.secret_header(name, value.clone()),
            _ => sent.header(name, value.expose()),
        };
    }
    let limits = Limits { total: TOKEN_REQUEST_TIME, ..Limits::default() };
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
