//! The revocation endpoint (RFC 7009).

use serde_json::json;

use super::client_authentication;
use super::message::{Answer, Request};
use super::parameters::Parameters;
use super::refusal::{Refusal, Refused};
use super::stand_in::Turn;

/// Answers at the revocation endpoint.
pub fn answer(turn: &mut Turn<'_>, request: &Request) -> Answer {
    match revoked(turn, request) {
        Ok(()) => Answer::json(200, &json!({})).with("cache-control", "no-store"),
        Err(refused) => client_authentication::refuse(turn, &refused),
    }
}

fn revoked(turn: &mut Turn<'_>, request: &Request) -> Result<(), Refused> {
    let Some(revoke) = turn.vendor.provider.revoke.as_ref() else {
        return Err(Refused::new(Refusal::NotFound, "this vendor has no revocation endpoint"));
    };
    if request.method != "POST" {
        return Err(Refused::new(Refusal::MethodNotAllowed, "tokens are revoked by POST"));
    }
    let token = &turn.vendor.provider.token;
    let parameters =
        Parameters::from_body(request, revoke.body)?.standardised(&token.rename, &token.omit)?;
    client_authentication::check(turn, request, &parameters)?;
    let mut known = vec!["token"];
    known.extend(client_authentication::parameters(turn.vendor.provider.client.auth));
    if revoke.hint {
        known.push("token_type_hint");
    }
    if !turn.vendor.facts.ignores_unknown_parameters {
        parameters.only(&known)?;
    }
    end(turn, parameters.required("token")?);
    Ok(())
}

/// A refresh token ends its whole family, an access token only itself; one nobody knows is no error (RFC 7009 section 2.2).
fn end(turn: &mut Turn<'_>, token: &str) {
    if let Some(family) = turn.state.refresh_tokens.get(token).map(|token| token.family) {
        turn.state.end_family(family);
    } else if let Some(access_token) = turn.state.access_tokens.get_mut(token) {
        access_token.revoked = true;
    }
}
