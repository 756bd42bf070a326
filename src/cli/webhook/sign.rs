//! `webhook sign`: the signature that the vendor would put on what is on standard input.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use serde_json::{Map, Value, json};

use super::{refuse_idle, scheme, secret, standard_input};
use crate::cli::completions::complete_profile;
use crate::cli::context::Context;
use crate::cli::report::{self, Exit, Report};
use crate::provider::schema::Webhook;
use crate::random::uuid_v4;
use crate::webhook::headers::Headers;
use crate::webhook::{sign, timestamp_of};

/// `webhook sign`.
#[derive(Debug, Args)]
#[command(
    after_help = "Prints the value of the signature header and a newline, nothing else.\n\nExamples:\n  keyfob webhook sign shop < body.json\n  keyfob webhook sign shop --headers --event orders.paid < body.json > headers\n  curl -H @headers --json @body.json http://127.0.0.1:8000/hook"
)]
pub struct Sign {
    /// The profile (or KEYFOB_PROFILE)
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profile: Option<String>,
    /// Names the delivery [default with --headers: a new one]
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub id: Option<String>,
    /// When it is signed, as the vendor writes it [default: now]
    #[arg(long, value_name = "T")]
    pub timestamp: Option<String>,
    /// Names the event, for its header
    #[arg(long, value_name = "EVENT", requires = "headers")]
    pub event: Option<String>,
    /// Print every header of the delivery, for `curl -H @FILE`
    #[arg(long)]
    pub headers: bool,
}

/// Signs what is on standard input.
pub fn run(context: &Context<'_>, args: &Sign) -> Result<Exit, Report> {
    let chosen = context.chosen(args.profile.as_deref())?;
    let webhook = scheme(&chosen)?;
    refuse_idle("--timestamp", args.timestamp.is_some(), webhook.signs_timestamp(), &chosen)?;
    refuse_idle("--id", args.id.is_some(), webhook.id_header.is_some(), &chosen)?;
    refuse_idle("--event", args.event.is_some(), webhook.event_header.is_some(), &chosen)?;
    let key = secret::key(context, &chosen, &webhook)?;
    let body = standard_input(context.system)?;
    let whole = args.headers || context.output.json;
    let new_id = || whole.then(|| uuid_v4(&*context.system.random));
    let id = webhook.id_header.as_ref().and_then(|_| args.id.clone().or_else(new_id));
    let now = || timestamp_of(&webhook, context.system.clock.now());
    let timestamp = args.timestamp.clone().or_else(now);
    let signature = sign(&webhook, &key, id.as_deref(), timestamp.as_deref(), &body)
        .map_err(|error| report::unsignable(error, &webhook))?;
    let headers = Headers { signature: Some(signature), timestamp, id, event: args.event.clone() };
    show(context, args, &webhook, &headers)?;
    Ok(Exit::Done)
}

fn show(
    context: &Context<'_>,
    args: &Sign,
    webhook: &Webhook,
    headers: &Headers,
) -> Result<(), Report> {
    let lines = headers.lines(webhook);
    let signature = headers.signature.as_deref().unwrap_or_default();
    if context.output.json {
        let lines: Map<String, Value> =
            lines.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let document = json!({ "signature": signature, "headers": lines });
        return context.output.document(context.system, &document);
    }
    if args.headers {
        let text: String = lines.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        return context.output.product(context.system, &text);
    }
    context.output.product(context.system, &format!("{signature}\n"))?;
    // The receiver cannot check it without the time, which stands elsewhere.
    if let (Some(name), Some(time), None) =
        (&webhook.timestamp_header, &headers.timestamp, &args.timestamp)
    {
        context.output.note(context.system, &format!("it holds with {name}: {time}"));
    }
    Ok(())
}
