//! `call`: an authorised call.

mod answer_document;
mod asked;
mod delivery;
mod outflow;
mod output_file;
mod words;

use serde_json::json;

use super::args::Call;
use super::context::{Chosen, Context};
use super::report::{self, Exit, Report, Situation};
use crate::connection::call::{Manner, Refused};
use crate::connection::{Connection, Entry};
use crate::profile::settings;
use asked::build;
use delivery::{deliver, output_target};
use words::{Words, sort};

/// Calls.
pub fn run(context: &Context<'_>, args: &Call) -> Result<Exit, Report> {
    let words = sort(&args.words, args.method.as_deref())?;
    let mut chosen = context.chosen(words.profile)?;
    for (key, value) in &args.settings {
        let value = settings::check(&chosen.provider, key, value)
            .map_err(|error| report::setting(&error))?;
        chosen.profile.settings.insert(key.clone(), value);
    }
    let about = chosen.situation(context.system);
    warn_slash(context, &chosen, words.path);
    if args.dry_run || args.curl {
        return show(context, args, &words, &chosen, &about);
    }
    context
        .with_connection(chosen, None, |connection| send(context, args, &words, connection, &about))
}

/// Some vendors answer a path without its last slash with a redirect, which is never followed.
fn warn_slash(context: &Context<'_>, chosen: &Chosen, path: &str) {
    let bare = path.split(['?', '#']).next().unwrap_or(path);
    if chosen.provider.api.trailing_slash && !bare.ends_with('/') {
        context.output.warn(
            context.system,
            &format!("paths of this API end in a slash: {bare}/ is probably meant"),
        );
    }
}

/// `--dry-run` and `--curl`: nothing is sent, refreshed, or read from the store.
fn show(
    context: &Context<'_>,
    args: &Call,
    words: &Words<'_>,
    chosen: &Chosen,
    about: &Situation,
) -> Result<Exit, Report> {
    let client_id = context.client_id(None, &chosen.profile);
    let mut values =
        settings::values(&chosen.provider, &chosen.profile.settings, client_id.as_deref());
    for (name, value) in &chosen.record.account {
        values.set(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    let request = build(context, args, words, &chosen.provider, &values, about)?;
    let text = match args.curl {
        true => format!("{}\n", request.as_curl(&chosen.name)),
        false => request.shown(),
    };
    match context.output.json {
        true => {
            let key = if args.curl { "curl" } else { "request" };
            context.output.document(context.system, &json!({ key: text.trim_end() }))?;
        }
        false => context.output.product(context.system, &text)?,
    }
    Ok(Exit::Done)
}

fn send(
    context: &Context<'_>,
    args: &Call,
    words: &Words<'_>,
    connection: &Connection<'_>,
    about: &Situation,
) -> Result<Exit, Report> {
    let provider = &connection.provider;
    let entry = connection.entry().map_err(|error| report::fresh(&error, provider, about))?;
    let values = connection.call_values(&entry);
    let mut request = build(context, args, words, provider, &values, about)?;
    let key = request.key.as_ref().map(|key| key.value.clone());
    let scopes = scopes(&entry);
    // A place that cannot be written is known before anything is sent.
    let target = output_target(args)?;
    let manner = Manner { retries: args.retry, timeout: args.timeout, force: args.force };
    let done = context.wait(async {
        let called = connection.call(entry, &mut request, manner).await;
        let called = called.map_err(|error| report::call(&error, provider, &scopes, about))?;
        deliver(context, args, called, target).await
    });
    let judged = match done {
        Ok(Ok(refused)) => judged(refused, &scopes, about),
        Ok(Err(report)) | Err(report) => Err(report),
    };
    // A script can repeat a write with its key; a call that was never sent has none to repeat.
    judged.map_err(|mut report| {
        if !matches!(report.exit, Exit::Usage | Exit::SetUp | Exit::AuthorizationNeeded)
            && report.code != "scope-missing"
        {
            report.idempotency_key = key;
        }
        report
    })
}

/// The scopes that a command which adds one must ask for again.
pub(super) fn scopes(entry: &Entry) -> Vec<String> {
    match entry.requested.is_empty() {
        false => entry.requested.clone(),
        true => entry.tokens.as_ref().and_then(|it| it.granted.clone()).unwrap_or_default(),
    }
}

fn judged(refused: Option<Refused>, scopes: &[String], about: &Situation) -> Result<Exit, Report> {
    match refused {
        None => Ok(Exit::Done),
        Some(refused) => Err(report::refusal(&refused, scopes, about)),
    }
}
