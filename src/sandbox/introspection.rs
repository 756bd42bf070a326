//! The introspection endpoint (RFC 7662).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::client_authentication;
use super::message::{Answer, Request};
use super::parameters::Parameters;
use super::refusal::{Refusal, Refused};
use super::stand_in::Turn;

/// Answers at the introspection endpoint.
pub fn answer(turn: &mut Turn<'_>, request: &Request) -> Answer {
    match said(turn, request) {
        Ok(document) => Answer::json(200, &document).with("cache-control", "no-store"),
        Err(refused) => client_authentication::refuse(turn, &refused),
    }
}

fn said(turn: &mut Turn<'_>, request: &Request) -> Result<Value, Refused> {
    let Some(introspect) = turn.vendor.provider.introspect.as_ref() else {
        return Err(Refused::new(Refusal::NotFound, "this vendor has no introspection endpoint"));
    };
    if request.method != "POST" {
        return Err(Refused::new(Refusal::MethodNotAllowed, "tokens are asked about by POST"));
    }
    let token = &turn.vendor.provider.token;
    let parameters = Parameters::from_body(request, introspect.body)?
        .standardised(&token.rename, &token.omit)?;
    client_authentication::check(turn, request, &parameters)?;
    let token = parameters.required("token")?;
    // A token that nobody knows and one that has ended are told alike (RFC 7662 section 2.2).
    Ok(access_token(turn, token)
        .or_else(|| refresh_token(turn, token))
        .unwrap_or_else(|| json!({ "active": false })))
}

fn access_token(turn: &Turn<'_>, token: &str) -> Option<Value> {
    let scopes = turn.state.scopes_of(token, turn.now)?.to_vec();
    let expires_at = turn.state.access_tokens.get(token)?.expires_at;
    Some(document(turn, &scopes, "Bearer", expires_at))
}

fn refresh_token(turn: &Turn<'_>, token: &str) -> Option<Value> {
    let token = turn.state.refresh_tokens.get(token)?;
    let ended = token.spent_at.is_some() || token.expires_at.is_some_and(|at| turn.now >= at);
    let family = turn.state.families.get(&token.family).filter(|it| it.alive && !ended)?;
    Some(document(turn, &family.scopes, "refresh_token", token.expires_at))
}

fn document(
    turn: &Turn<'_>,
    scopes: &[String],
    kind: &str,
    expires_at: Option<Timestamp>,
) -> Value {
    let facts = &turn.vendor.facts;
    let mut document = json!({
        "active": true,
        "scope": scopes.join(" "),
        "client_id": facts.client_id,
        "username": facts.account,
        "token_type": kind,
        "iss": turn.vendor.origin,
    });
    if let Some(at) = expires_at {
        document["exp"] = at.as_second().into();
    }
    if let Some(person) = &facts.openid {
        document["sub"] = person.sub.clone().into();
    }
    document
}
