//! `header`: the header lines a request needs, for `curl -H @-`.

use serde_json::{Map, Value, json};

use super::args::OneProfile;
use super::context::Context;
use super::report::{self, Exit, Report};
use super::token::good;
use crate::connection::Wanted;
use crate::http::HeaderText;
use crate::resource_server::authorization::header_lines;
use crate::resource_server::request::RequestError;

/// Prints the lines.
pub fn run(context: &Context<'_>, args: &OneProfile) -> Result<Exit, Report> {
    let chosen = context.chosen(args.profile.as_deref())?;
    let about = chosen.situation(context.system);
    context.with_connection(chosen, None, |connection| {
        let entry = good(context, connection, &Wanted::Good(None), &about)?;
        let Some(tokens) = &entry.tokens else {
            return Err(Report::unexpected("a connection without tokens"));
        };
        let values = connection.call_values(&entry);
        let lines = header_lines(&connection.provider.api, &values, &tokens.access_token)
            .map_err(|error| report::request(&RequestError::Authorization(error), &about))?;
        for (_, text) in &lines {
            if let HeaderText::Secret(secret) = text {
                context.mask(secret);
            }
        }
        if context.output.json {
            let headers: Map<String, Value> =
                lines.iter().map(|(name, text)| (name.clone(), json!(text.expose()))).collect();
            context.output.document(context.system, &json!({ "headers": headers }))?;
        } else {
            let text: String =
                lines.iter().map(|(name, text)| format!("{name}: {}\n", text.expose())).collect();
            context.output.product(context.system, &text)?;
        }
        Ok(Exit::Done)
    })
}
