//! `webhook send`: a signed test event, as a receiver would get it from the vendor.

use std::path::Path;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use serde_json::{Map, Value, json};
use url::Url;

use super::{bounded, refuse_idle, scheme, secret, standard_input};
use crate::cli::completions::complete_profile;
use crate::cli::context::{Chosen, Context};
use crate::cli::report::{self, Exit, Report};
use crate::http::printable::printable;
use crate::http::request::shown_url;
use crate::provider::schema::Webhook;
use crate::random::uuid_v4;
use crate::webhook::headers::Headers;
use crate::webhook::post::post;
use crate::webhook::{sign, timestamp_of};

/// `webhook send`.
#[derive(Debug, Args)]
#[command(
    override_usage = "keyfob webhook send [OPTIONS] [PROFILE] <URL>",
    after_help = "A first word that is a URL is not a profile (then KEYFOB_PROFILE names it).\nPlain http only to loopback; no redirect is followed.\nExit 0: taken (2xx), 8: refused, 9: failed, 7: not reached.\n\nExamples:\n  keyfob webhook send shop http://127.0.0.1:8000/hook --event orders.paid\n  keyfob webhook send shop http://127.0.0.1:8000/hook --data @order.json"
)]
pub struct Send {
    /// The profile (or KEYFOB_PROFILE), then where the receiver is
    #[arg(value_name = "PROFILE> <URL", required = true, num_args = 1..=2, add = ArgValueCompleter::new(complete_profile))]
    pub words: Vec<String>,
    /// Names the event
    #[arg(long, value_name = "EVENT", default_value = "keyfob.test")]
    pub event: String,
    /// Names the delivery [default: a new one]
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub id: Option<String>,
    /// The body: text, @FILE, or - for standard input [default: a small JSON object]
    #[arg(long, short = 'd', value_name = "DATA|@FILE|-", allow_hyphen_values = true)]
    pub data: Option<String>,
}

/// Posts one event and tells what the receiver said.
pub fn run(context: &Context<'_>, args: &Send) -> Result<Exit, Report> {
    let (profile, url) = words(&args.words)?;
    let chosen = context.chosen(profile)?;
    let webhook = scheme(&chosen)?;
    refuse_idle("--id", args.id.is_some(), webhook.id_header.is_some(), &chosen)?;
    let key = secret::key(context, &chosen, &webhook)?;
    let id = args.id.clone().unwrap_or_else(|| uuid_v4(&*context.system.random));
    let body = body(context, args, &chosen, &id)?;
    let timestamp = timestamp_of(&webhook, context.system.clock.now());
    let signature = sign(&webhook, &key, Some(&id), timestamp.as_deref(), &body)
        .map_err(|error| report::unsignable(error, &webhook))?;
    let headers = Headers {
        signature: Some(signature),
        timestamp,
        id: Some(id),
        event: Some(args.event.clone()),
    };
    deliver(context, &webhook, &headers, &url, body)
}

fn deliver(
    context: &Context<'_>,
    webhook: &Webhook,
    headers: &Headers,
    url: &Url,
    body: Vec<u8>,
) -> Result<Exit, Report> {
    let shown = shown_url(url);
    let unreached = |error| report::http(&format!("{shown} was not reached"), &error);
    let client = context.http().map_err(unreached)?;
    let mut lines = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    let own = headers.lines(webhook);
    lines.extend(own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let answer = context.wait(post(&client, url, &lines, body.into()))?.map_err(unreached)?;
    if !(200..300).contains(&answer.status) {
        let words = String::from_utf8_lossy(&answer.body);
        return Err(report::answered(&shown, answer.status, &words));
    }
    let document = json!({
        "url": shown,
        "status": answer.status,
        "id": headers.id,
        "event": headers.event,
        "headers": own.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<Map<String, Value>>(),
    });
    match context.output.json {
        true => context.output.document(context.system, &document)?,
        false => context.output.note(
            context.system,
            &format!(
                "{} was taken: HTTP {}",
                printable(headers.event.as_deref().unwrap_or_default()),
                answer.status
            ),
        ),
    }
    Ok(Exit::Done)
}

/// A first word that is a URL is not a profile.
fn words(words: &[String]) -> Result<(Option<&str>, Url), Report> {
    let (profile, url) = match words {
        [url] => (None, url),
        [profile, url, ..] => (Some(profile.as_str()), url),
        [] => return Err(Report::usage("no URL was given").hint("name the receiver")),
    };
    let parsed = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let parsed = parsed.ok_or_else(|| {
        Report::usage(format!("`{}` is no URL", printable(url)))
            .hint("name the receiver, for instance http://127.0.0.1:8000/hook")
    })?;
    Ok((profile, parsed))
}

fn body(context: &Context<'_>, args: &Send, chosen: &Chosen, id: &str) -> Result<Vec<u8>, Report> {
    match args.data.as_deref() {
        None => Ok(test_event(context, args, chosen, id).to_string().into_bytes()),
        Some("-" | "@-") => standard_input(context.system),
        Some(data) => match data.strip_prefix('@') {
            Some(file) => from_file(Path::new(file)),
            None => Ok(data.as_bytes().to_vec()),
        },
    }
}

fn from_file(path: &Path) -> Result<Vec<u8>, Report> {
    let name = path.display().to_string();
    match std::fs::File::open(path) {
        Ok(mut file) => bounded(&mut file, &name),
        Err(error) => Err(Report::usage(format!("{name} cannot be read"))
            .cause(printable(&error.to_string()))
            .hint("name a readable file, or - for standard input")),
    }
}

/// What every vendor's event has in some form, marked as a test.
fn test_event(context: &Context<'_>, args: &Send, chosen: &Chosen, id: &str) -> Value {
    let now = context.system.clock.now();
    let mut event = json!({
        "event": args.event,
        "id": id,
        "created_at": now.to_string(),
        "test": true,
    });
    for (name, value) in &chosen.record.account {
        event[name] = value.clone();
    }
    event
}
