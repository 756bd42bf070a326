//! `webhook verify`: is this delivery the vendor's? Exit 0 or 8; standard output stays empty.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use serde_json::json;

use super::{refuse_idle, scheme, secret, standard_input};
use crate::cli::completions::complete_profile;
use crate::cli::context::{Chosen, Context};
use crate::cli::report::{self, Exit, Report};
use crate::http::printable::printable;
use crate::provider::schema::Webhook;
use crate::webhook::headers::Headers;
use crate::webhook::verify;

/// `webhook verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "The body is read from standard input and never changed: not its line breaks, not\nits numbers. Exit 0: the vendor signed these bytes. Exit 8: it did not, or too\nlong ago. Nothing is printed on stdout.\n\nThe secret: KEYFOB_WEBHOOK_SECRET, or `keyfob profile secret PROFILE\nwebhook_secret` (a line break at its end is taken off).\n\nExamples:\n  keyfob webhook verify shop --signature \"$SIGNATURE\" < body.json\n  keyfob webhook verify shop --header 'X-Inkress-Webhook-Signature: q8…=' < body"
)]
pub struct Verify {
    /// The profile (or KEYFOB_PROFILE)
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profile: Option<String>,
    /// The whole value of the signature header
    #[arg(long, value_name = "SIG", allow_hyphen_values = true)]
    pub signature: Option<String>,
    /// The value of the timestamp header, where the vendor sends one
    #[arg(long, value_name = "T")]
    pub timestamp: Option<String>,
    /// The value of the id header, where the vendor sends one
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub id: Option<String>,
    /// A header of the delivery; of those that are given the right ones are taken (repeat)
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
}

/// Checks what is on standard input.
pub fn run(context: &Context<'_>, args: &Verify) -> Result<Exit, Report> {
    let chosen = context.chosen(args.profile.as_deref())?;
    let webhook = scheme(&chosen)?;
    let headers = headers(args, &webhook, &chosen)?;
    let key = secret::key(context, &chosen, &webhook)?;
    let body = standard_input(context.system)?;
    let now = context.system.clock.now();
    verify(&webhook, &key, &headers.with(&body), now)
        .map_err(|error| report::unverified(&error, &webhook))?;
    let document = json!({
        "profile": chosen.name,
        "verified": true,
        "id": headers.id,
        "event": headers.event,
        "bytes": body.len(),
    });
    match context.output.json {
        true => context.output.document(context.system, &document)?,
        false => context.output.note(context.system, "the signature fits"),
    }
    Ok(Exit::Done)
}

/// What the delivery says: a flag stands before a header.
fn headers(args: &Verify, webhook: &Webhook, chosen: &Chosen) -> Result<Headers, Report> {
    let dated = webhook.timestamp_header.is_some();
    refuse_idle("--timestamp", args.timestamp.is_some(), dated, chosen)?;
    refuse_idle("--id", args.id.is_some(), webhook.id_header.is_some(), chosen)?;
    let lines: Result<Vec<(&str, &str)>, Report> = args.headers.iter().map(|it| line(it)).collect();
    let lines = lines?;
    let read = Headers::read(webhook, |name| {
        let fits = |(key, _): &&(&str, &str)| key.eq_ignore_ascii_case(name);
        lines.iter().filter(fits).map(|(_, value)| value.as_bytes()).collect()
    });
    let read = read.map_err(|error| report::webhook_header(&error))?;
    let headers = Headers {
        signature: args.signature.clone().or(read.signature),
        timestamp: args.timestamp.clone().or(read.timestamp),
        id: args.id.clone().or(read.id),
        event: read.event,
    };
    match headers.signature {
        Some(_) => Ok(headers),
        None => Err(Report::usage("no signature was given").hint(format!(
            "give the value of {name} with --signature, or the header itself: --header '{name}: …'",
            name = printable(&webhook.signature_header)
        ))),
    }
}

fn line(text: &str) -> Result<(&str, &str), Report> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim(), value.trim())),
        _ => Err(Report::usage("a header line has a name, a colon and a value")
            .hint("write it as --header 'X-Name: value'")),
    }
}
