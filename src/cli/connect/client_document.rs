//! A client id that is the URL of a document the person publishes: the document, and a look at it.

use serde_json::Value;

use super::super::command_line::Plus;
use super::super::context::{Chosen, Context};
use super::super::discovered::get_small;
use super::super::report::{Exit, Report};
use super::register::wish;
use crate::authorization_server::client_document::{
    DocumentError, LARGEST, document, document_url, judge,
};
use crate::http::printable::printable;
use crate::provider::schema::Flow;

/// Prints the document to publish at the profile's client id.
pub fn print(context: &Context<'_>, chosen: &Chosen, flow: Flow) -> Result<Exit, Report> {
    let client_id = chosen.profile.client_id.as_deref().unwrap_or_default();
    if document_url(client_id).is_none() {
        return Err(Report::usage("the document is published at the client id, so that is a URL")
            .cause(
                "https with a path, without user, fragment and dot segments, as a parser writes it",
            )
            .hint("name where you will publish it")
            .next(again(
                chosen,
                &[("--client-id", "https://…"), ("--print-client-document", "")],
            )));
    }
    let document = Value::Object(document(client_id, &wish(chosen, flow)?));
    context.output.document(context.system, &document)?;
    Ok(Exit::Done)
}

/// Looks at the document of a client id that the server will look at; one that it could not use ends here.
pub fn check(context: &Context<'_>, chosen: &Chosen, flow: Flow) -> Result<(), Report> {
    let Some(client_id) = chosen.profile.client_id.as_deref() else { return Ok(()) };
    // Elsewhere such an id is a name like any other, and nothing need be there.
    let looked_at = chosen.provider.registration.is_some() && chosen.profile.registered.is_none();
    let Some(url) = document_url(client_id).filter(|_| looked_at) else { return Ok(()) };
    let answer = match context.wait(get_small(context, url, LARGEST, None))? {
        Ok(answer) if answer.status == 200 => answer,
        Ok(answer) => return unseen(context, client_id, &format!("HTTP {}", answer.status)),
        Err(report) => return unseen(context, client_id, &report.causes.join(", ")),
    };
    judge(client_id, &wish(chosen, flow)?, &answer.body)
        .map_err(|error| unfit(chosen, client_id, &error))
}

/// The server may reach it where this machine cannot, so it is a warning.
fn unseen(context: &Context<'_>, client_id: &str, why: &str) -> Result<(), Report> {
    let says = format!(
        "the document at {} could not be read from here ({}); the server must be able to",
        printable(client_id),
        printable(why)
    );
    context.output.warn(context.system, &says);
    Ok(())
}

fn unfit(chosen: &Chosen, client_id: &str, error: &DocumentError) -> Report {
    Report::new(
        Exit::SetUp,
        "client-document",
        format!("the document at {} does not fit", printable(client_id)),
    )
    .cause(printable(&error.to_string()))
    .hint("publish this one there, as application/json and without a redirect")
    .next(again(chosen, &[("--print-client-document", "")]))
}

fn again(chosen: &Chosen, plus: Plus<'_>) -> String {
    chosen.given.command("connect", &chosen.name, plus)
}
