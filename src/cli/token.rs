//! `token`: a valid access token and a newline, nothing else.

use std::time::Duration;

use serde_json::json;

use super::args::Token;
use super::context::Context;
use super::report::{self, Exit, Report, span};
use crate::clock::seconds_until;
use crate::connection::{Connection, Entry, Wanted};
use crate::token_set::TokenSet;

/// Prints the access token.
pub fn run(context: &Context<'_>, args: &Token) -> Result<Exit, Report> {
    let chosen = context.chosen(args.profile.as_deref())?;
    let about = chosen.situation(context.system);
    context.with_connection(chosen, None, |connection| {
        let wanted = Wanted::Good(args.min_ttl);
        let entry = good(context, connection, &wanted, &about)?;
        let Some(tokens) = &entry.tokens else {
            return Err(Report::unexpected("a connection without tokens"));
        };
        if let Some(least) = args.min_ttl {
            warn_short(context, tokens, least);
        }
        warn_bound(context, connection);
        let token = tokens.access_token.expose();
        if context.output.json {
            let document = json!({
                "access_token": token,
                "token_type": connection.provider.api.authorization.scheme,
                "expires_at": tokens.access_expires_at,
            });
            context.output.document(context.system, &document)?;
        } else {
            context.output.product(context.system, &format!("{token}\n"))?;
        }
        Ok(Exit::Done)
    })
}

/// A token that no other program can use should not be found out by trying.
pub fn warn_bound(context: &Context<'_>, connection: &Connection<'_>) {
    if connection.provider.client.dpop_bound_access_tokens {
        let name = connection.name();
        let bound = format!(
            "the token is bound to a key (DPoP) and is of no use without it: `keyfob call {name}` and `keyfob proxy {name}` make the proofs"
        );
        context.output.warn(context.system, &bound);
    }
}

/// A script that asks for a life longer than the provider gives should hear of it.
pub fn warn_short(context: &Context<'_>, tokens: &TokenSet, least: Duration) {
    let now = context.system.clock.now();
    let left = match tokens.access_expires_at {
        None => "when this token ends is not known".to_owned(),
        Some(_) if tokens.access_lives_for(now, least) => return,
        Some(end) => {
            format!("the provider gives no longer token: {} left", span(seconds_until(now, end)))
        }
    };
    context.output.warn(context.system, &left);
}

/// An entry whose access token will do: as stored where that is possible, else refreshed.
pub fn good(
    context: &Context<'_>,
    connection: &Connection<'_>,
    wanted: &Wanted,
    about: &super::report::Situation,
) -> Result<Entry, Report> {
    let report = |error| report::fresh(&error, &connection.provider, about);
    if let Some(entry) = connection.stored(wanted).map_err(report)? {
        return Ok(entry);
    }
    let entry = context.wait(connection.fresh(wanted))?.map_err(report)?;
    Ok(entry)
}
