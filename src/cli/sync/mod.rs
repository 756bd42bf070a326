//! `sync`: what changed since the last complete run, as JSON lines on standard output.

mod asked;
mod told;

use std::io::ErrorKind;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use super::args::{Attempts, key_value};
use super::call::{Outflow, with_settings};
use super::completions::{complete_app, complete_setting, complete_word};
use super::context::Context;
use super::output::unwritten;
use super::report::{self, Exit, Report, Situation};
use crate::connection::Connection;
use crate::connection::sync::cursor::Place;
use crate::connection::sync::{Moved, Reconciliation, SyncError, Whole};
pub use asked::APP;
use asked::Asked;

/// `sync`.
#[derive(Debug, Args)]
#[command(
    override_usage = "keyfob sync [OPTIONS] [PROFILE] <PATH> [NAME==VALUE]...",
    after_help = "Prints every record that changed since the last complete run, one JSON document\na line; all of them at the first run. Where it came to is remembered for each\nprofile, path and name once all of it is written; a run that breaks off is\nrepeated by the next one. The last line on stderr says where it is now; with\n--json or --quiet there is no such line.\n\nExamples:\n  keyfob sync shop /orders --app me >> orders.jsonl\n  keyfob sync shop /orders status==paid --cursor paid\n  keyfob sync shop /orders --since 2026-05-29"
)]
pub struct Sync {
    /// [PROFILE] PATH [NAME==VALUE]...
    #[arg(value_name = "PATH", required = true, num_args = 1.., add = ArgValueCompleter::new(complete_word))]
    pub words: Vec<String>,
    /// Begin at this time and not at the cursor (RFC 3339, or a date)
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// The name of the cursor (default: the path and its query)
    #[arg(long, value_name = "NAME")]
    pub cursor: Option<String>,
    /// Only what this app created, where the vendor can tell: `me`
    #[arg(long, value_name = "APP", add = ArgValueCompleter::new(complete_app))]
    pub app: Option<String>,
    /// Send it although the granted scopes do not cover it
    #[arg(long)]
    pub force: bool,
    /// How often, and how long.
    #[command(flatten)]
    pub attempts: Attempts,
    /// A setting of the provider, for this run only
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value, add = ArgValueCompleter::new(complete_setting))]
    pub settings: Vec<(String, String)>,
}

/// Reads what changed.
pub fn run(context: &Context<'_>, args: &Sync) -> Result<Exit, Report> {
    let asked = Asked::read(args)?;
    let chosen = with_settings(context.chosen(asked.profile)?, &args.settings)?;
    let about = chosen.situation(context.system);
    asked.check(&chosen.provider, &about)?;
    context.with_connection(chosen, None, |connection| {
        let told = context.wait(reconcile(context, args, &asked, connection, &about))??;
        context.output.note(context.system, &told);
        Ok(Exit::Done)
    })
}

/// Runs it to its end, and gives the line that tells how far it came.
async fn reconcile(
    context: &Context<'_>,
    args: &Sync,
    asked: &Asked<'_>,
    connection: &Connection<'_>,
    about: &Situation,
) -> Result<String, Report> {
    let provider = &connection.provider;
    let words = provider.api.sync.as_ref().ok_or_else(|| report::no_sync_words(about))?;
    let entry = connection.entry().map_err(|error| report::fresh(&error, provider, about))?;
    let scopes = super::call::scopes(&entry);
    let values = connection.call_values(&entry);
    let mut request = asked.request(context, connection, &values, about)?;
    let list = asked.list(&request.target);
    let name = args.cursor.clone().unwrap_or_else(|| list.name());
    let place = Place::of(&context.system.home, connection.name(), &list.path, &name);
    let failed = |error| report::sync(&error, &name, &scopes, provider, about);
    let run =
        Reconciliation::begin(connection, words, place, list.query, &entry, asked.since).await;
    let run = run.map_err(failed)?;
    run.ask(&mut request.target.url);
    let manner = args.attempts.manner(args.force);
    let outflow = Outflow::start(context.system);
    let read = run.read(entry, request, manner, async |lines| outflow.send(lines).await).await;
    let written = outflow.finish(context.system).await;
    complete(run, read, written, &name).map_err(|error| match error {
        Unfinished::Sync(error) => failed(error),
        Unfinished::Output(error) => unwritten(&error),
    })
}

/// Why the cursor stays.
enum Unfinished {
    Sync(SyncError),
    Output(std::io::Error),
}

/// Moves the cursor if everything was read, written and flushed; a reader who has gone is no failure, and moves nothing.
fn complete(
    run: Reconciliation<'_>,
    read: Result<Option<Whole>, SyncError>,
    written: std::io::Result<()>,
    name: &str,
) -> Result<String, Unfinished> {
    let whole = read.map_err(Unfinished::Sync)?;
    match (written, whole) {
        (Err(error), _) if error.kind() != ErrorKind::BrokenPipe => Err(Unfinished::Output(error)),
        (Ok(()), Some(whole)) => {
            let moved: Moved = run.complete(&whole).map_err(Unfinished::Sync)?;
            Ok(told::moved(whole.records, name, moved))
        }
        _ => Ok(told::left(name)),
    }
}
