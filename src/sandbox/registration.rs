//! The client registration endpoint (RFC 7591) and what a registered client asks of it later (RFC 7592).
//!
//! The client that the vendor registered itself stays beside those that register themselves.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::message::{Answer, Request};
use super::refusal::{Refusal, Refused};
use super::stand_in::Turn;
use super::state::{ClientRegistration, keep_last};
use crate::clock::after_seconds;
use crate::secret::Secret;

/// A client that registered itself.
#[derive(Clone)]
pub struct SelfRegistered {
    /// Its name and secret.
    pub client: ClientRegistration,
    /// Where its browser may come back to.
    pub redirect_uris: Vec<String>,
    metadata: Map<String, Value>,
    token: Secret,
    secret_expires_at: Option<Timestamp>,
}

/// Answers a registration, or a request about one.
pub fn answer(turn: &mut Turn<'_>, request: &Request) -> Answer {
    let endpoint = turn.vendor.endpoints.registration.clone().unwrap_or_default();
    let Some(client_id) = request.path.strip_prefix(&format!("{endpoint}/")) else {
        return match request.method.as_str() {
            "POST" => register(turn, request),
            _ => Answer::empty(405).with("allow", "POST"),
        };
    };
    if !is_authorised(turn, client_id, request) {
        return Answer::empty(401).with("www-authenticate", "Bearer error=\"invalid_token\"");
    }
    match request.method.as_str() {
        "GET" => renewed(turn, client_id, None),
        "PUT" => match metadata(request) {
            Ok(metadata) => renewed(turn, client_id, Some(metadata)),
            Err(answer) => answer,
        },
        "DELETE" => {
            turn.state.self_registered.retain(|it| it.client.client_id != client_id);
            Answer::empty(204)
        }
        _ => Answer::empty(405).with("allow", "GET, PUT, DELETE"),
    }
}

/// Refuses a client what it is not registered for; the vendor's own client may do anything.
pub fn check(
    turn: &Turn<'_>,
    client_id: &str,
    grant: &str,
    scopes: &[String],
) -> Result<(), Refused> {
    let Some(registered) = turn.state.self_registered(client_id) else { return Ok(()) };
    let grants = texts(&registered.metadata, "grant_types");
    // RFC 7591 section 2: what is left out.
    let by_default = grants.is_empty() && grant == "authorization_code";
    if !by_default && !grants.iter().any(|it| it == grant) {
        let because = format!("the client is not registered for {grant}");
        return Err(Refused::new(Refusal::UnauthorizedClient, because));
    }
    let Some(covered) = registered.metadata.get("scope").and_then(Value::as_str) else {
        return Ok(());
    };
    match scopes.iter().find(|scope| !covered.split(' ').any(|it| it == scope.as_str())) {
        None => Ok(()),
        Some(scope) => {
            let because = format!("the client is not registered for {scope}");
            Err(Refused::new(Refusal::InvalidScope, because))
        }
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
    let redirect_uris = texts(&metadata, "redirect_uris");
    let secret = turn.secret("client_secret");
    let registered = SelfRegistered {
        client: ClientRegistration {
            client_id: format!("registered-{}", turn.uuid()),
            client_secret: Some(Secret::new(secret + &turn.vendor.facts.client_secret_suffix)),
            redirect_uri: redirect_uris.first().cloned().unwrap_or_default(),
        },
        redirect_uris,
        metadata,
        token: Secret::new(turn.secret("registration_token")),
        secret_expires_at: end_of_a_secret(turn),
    };
    let answer = information(turn, 201, &registered);
    keep_last(&mut turn.state.self_registered, registered);
    answer
}

fn end_of_a_secret(turn: &Turn<'_>) -> Option<Timestamp> {
    turn.behaviour.client_secret_lifetime.map(|seconds| after_seconds(turn.now, seconds))
}

/// A registration token works once; an ended secret is replaced by an update (RFC 7592 section 3).
fn renewed(turn: &mut Turn<'_>, client_id: &str, metadata: Option<Map<String, Value>>) -> Answer {
    let Some(mut registered) = turn.state.self_registered(client_id).cloned() else {
        return Answer::empty(404);
    };
    registered.token = Secret::new(turn.secret("registration_token"));
    if let Some(metadata) = metadata {
        registered.redirect_uris = texts(&metadata, "redirect_uris");
        registered.secret_expires_at = end_of_a_secret(turn);
        registered.metadata = metadata;
    }
    let answer = information(turn, 200, &registered);
    let mut all = turn.state.self_registered.iter_mut();
    if let Some(kept) = all.find(|it| it.client.client_id == client_id) {
        *kept = registered;
    }
    answer
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
    let has_uris = !texts(&metadata, "redirect_uris").is_empty();
    match has_uris || !comes_back(&metadata) {
        false => refuse("invalid_redirect_uri"),
        // One without a browser has none (RFC 7591 section 2), and says so by leaving them out.
        true if !has_uris && metadata.contains_key("redirect_uris") => {
            refuse("invalid_client_metadata")
        }
        true => Ok(metadata),
    }
}

/// Whether a browser comes back to the client, which is so where it says nothing of that.
fn comes_back(metadata: &Map<String, Value>) -> bool {
    let names = |name: &str, what: &str| match metadata.contains_key(name) {
        true => texts(metadata, name).iter().any(|it| it == what),
        false => true,
    };
    names("response_types", "code") || names("grant_types", "authorization_code")
}

fn texts(metadata: &Map<String, Value>, name: &str) -> Vec<String> {
    let texts = metadata.get(name).and_then(Value::as_array).into_iter().flatten();
    texts.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn is_authorised(turn: &Turn<'_>, client_id: &str, request: &Request) -> bool {
    let registered = turn.state.self_registered(client_id);
    let token = registered.map(|it| format!("Bearer {}", it.token.expose()));
    token.is_some() && request.header("authorization") == token.as_deref()
}

/// What is registered now (RFC 7591 section 3.2.1).
fn information(turn: &Turn<'_>, status: u16, registered: &SelfRegistered) -> Answer {
    let client = &registered.client;
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
