//! The client registration endpoint (RFC 7591) and what a registered client asks of it later (RFC 7592).
//!
//! A sandbox knows one client: who registers takes its place.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::message::{Answer, Request};
use super::stand_in::Turn;
use super::state::ClientRegistration;
use crate::clock::after_seconds;
use crate::secret::Secret;

/// A client that registered itself.
#[derive(Clone)]
pub struct SelfRegistered {
    metadata: Map<String, Value>,
    token: Secret,
    secret_expires_at: Option<Timestamp>,
}

/// Answers a registration, or a request about one.
pub fn answer(turn: &mut Turn<'_>, request: &Request) -> Answer {
    let endpoint = turn.vendor.endpoints.registration.clone().unwrap_or_default();
    match request.path.strip_prefix(&format!("{endpoint}/")) {
        None if request.method == "POST" => register(turn, request),
        None => Answer::empty(405).with("allow", "POST"),
        Some(_) if !is_authorised(turn, request) => {
            Answer::empty(401).with("www-authenticate", "Bearer error=\"invalid_token\"")
        }
        Some(_) => match request.method.as_str() {
            "GET" => renewed(turn),
            "PUT" => match metadata(request) {
                Ok(metadata) => {
                    replace(turn, metadata);
                    renewed(turn)
                }
                Err(answer) => answer,
            },
            "DELETE" => {
                turn.state.self_registered = None;
                turn.state.approved = false;
                Answer::empty(204)
            }
            _ => Answer::empty(405).with("allow", "GET, PUT, DELETE"),
        },
    }
}

fn register(turn: &mut Turn<'_>, request: &Request) -> Answer {
    let wanted = turn.behaviour.initial_access_token.as_deref().map(|it| format!("Bearer {it}"));
    if wanted.is_some() && request.header("authorization") != wanted.as_deref() {
        return Answer::json(401, &json!({"error": "invalid_token"}))
            .with("www-authenticate", "Bearer error=\"invalid_token\"");
    }
    let metadata = match metadata(request) {
        Ok(metadata) => metadata,
        Err(answer) => return answer,
    };
    replace(turn, metadata);
    let client_id = format!("registered-{}", turn.uuid());
    let secret = turn.secret("client_secret");
    turn.state.client = ClientRegistration {
        client_id,
        client_secret: Some(Secret::new(secret + &turn.vendor.facts.client_secret_suffix)),
        redirect_uri: turn.state.redirect_uris.first().cloned().unwrap_or_default(),
    };
    turn.state.approved = true;
    information(turn, 201)
}

/// A registration token works once; an ended secret is replaced by an update (RFC 7592 section 3).
fn renewed(turn: &mut Turn<'_>) -> Answer {
    let token = Secret::new(turn.secret("registration_token"));
    if let Some(registered) = &mut turn.state.self_registered {
        registered.token = token;
    }
    information(turn, 200)
}

/// The metadata that a client sends, as far as it concerns the sandbox.
fn metadata(request: &Request) -> Result<Map<String, Value>, Answer> {
    let refuse = |code: &str| Err(Answer::json(400, &json!({"error": code})));
    let Ok(Value::Object(metadata)) = serde_json::from_slice(&request.body) else {
        return refuse("invalid_client_metadata");
    };
    if request.media_type().as_deref() != Some("application/json") {
        return refuse("invalid_client_metadata");
    }
    match redirect_uris(&metadata).is_empty() {
        true => refuse("invalid_redirect_uri"),
        false => Ok(metadata),
    }
}

fn redirect_uris(metadata: &Map<String, Value>) -> Vec<String> {
    let uris = metadata.get("redirect_uris").and_then(Value::as_array).into_iter().flatten();
    uris.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Takes over what a client says, and gives its secret a new life.
fn replace(turn: &mut Turn<'_>, metadata: Map<String, Value>) {
    turn.state.redirect_uris = redirect_uris(&metadata);
    let lifetime = turn.behaviour.client_secret_lifetime;
    turn.state.self_registered = Some(SelfRegistered {
        metadata,
        token: Secret::new(turn.secret("registration_token")),
        secret_expires_at: lifetime.map(|seconds| after_seconds(turn.now, seconds)),
    });
}

fn is_authorised(turn: &Turn<'_>, request: &Request) -> bool {
    let token =
        turn.state.self_registered.as_ref().map(|it| format!("Bearer {}", it.token.expose()));
    token.is_some() && request.header("authorization") == token.as_deref()
}

/// What is registered now (RFC 7591 section 3.2.1).
fn information(turn: &Turn<'_>, status: u16) -> Answer {
    let Some(registered) = &turn.state.self_registered else { return Answer::empty(500) };
    let client = &turn.state.client;
    let endpoint = turn.vendor.endpoints.registration.as_deref().unwrap_or_default();
    let mut members = registered.metadata.clone();
    let place = format!("{}{endpoint}/{}", turn.vendor.origin, client.client_id);
    let secret = client.client_secret.as_ref().map(|it| it.expose().to_owned());
    let end = registered.secret_expires_at.map_or(0, Timestamp::as_second);
    for (name, value) in [
        ("client_id", json!(client.client_id)),
        ("client_secret", json!(secret)),
        ("client_secret_expires_at", json!(end)),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("registration_client_uri", json!(place)),
        ("registration_access_token", json!(registered.token.expose())),
    ] {
        members.insert(name.to_owned(), value);
    }
    Answer::json(status, &Value::Object(members)).with("cache-control", "no-store")
}
