//! `refresh`: new tokens now, or only where the old ones end soon.

use serde_json::{Value, json};

use super::args::{Profiles, Refresh};
use super::command_line::{self, Given};
use super::context::{Chosen, Context};
use super::report::{self, Exit, Report, SavingFlags, Situation};
use super::save_to::SaveTo;
use crate::connection::{FreshError, Wanted};
use crate::profile::record::State;

/// What became of one profile.
enum Outcome {
    Refreshed { end: Option<jiff::Timestamp>, saved: bool },
    StillGood(Option<jiff::Timestamp>),
    PassedOver(Report),
    Failed(Report),
}

/// Refreshes the named profiles, or all; the exit code is that of the first that failed.
pub fn run(context: &Context<'_>, args: &Refresh) -> Result<Exit, Report> {
    let names = names(context, &args.which)?;
    let mut done: Vec<(String, Outcome)> = Vec::new();
    for name in names {
        let outcome = refresh(context, args, &name)?;
        if !context.output.json {
            show(context, &name, &outcome)?;
        }
        done.push((name, outcome));
    }
    let first = done.iter().find_map(|(_, outcome)| match outcome {
        Outcome::Failed(report) => Some(report.clone()),
        _ => None,
    });
    if context.output.json {
        let rows: Vec<Value> = done.iter().map(|(name, outcome)| row(name, outcome)).collect();
        return documents(context, &rows, first);
    }
    Ok(first.map_or(Exit::Done, |report| report.exit))
}

/// The profiles that a command is about: named, from the environment, or every connected one.
pub fn names(context: &Context<'_>, which: &Profiles) -> Result<Vec<String>, Report> {
    let Profiles { profiles: named, all } = which;
    if !all {
        return match named.as_slice() {
            [] => Ok(vec![context.profile_name(None)?]),
            _ => named.iter().map(|name| context.profile_name(Some(name))).collect(),
        };
    }
    let now = context.system.clock.now();
    let names = context.profiles.names().map_err(|error| report::profile(&error))?;
    let mut connected = Vec::new();
    for name in names {
        // What cannot be read may be connected: the command itself tells what is wrong with it.
        let record = context.profiles.readable_record(&name).ok().flatten();
        if record.is_none_or(|record| record.state(now) != State::NeverConnected) {
            connected.push(name);
        }
    }
    if connected.is_empty() {
        context.output.note(context.system, "no profile is connected");
    }
    Ok(connected)
}

/// An interruption ends the whole command; any other failure is this profile's own.
fn refresh(context: &Context<'_>, args: &Refresh, name: &str) -> Result<Outcome, Report> {
    let failed = |report: Report| match report.exit {
        Exit::Interrupted => Err(report),
        _ => Ok(Outcome::Failed(report)),
    };
    match context.chosen(Some(name)).and_then(|chosen| refresh_chosen(context, args, chosen)) {
        Ok(outcome) => Ok(outcome),
        Err(report) => failed(report),
    }
}

fn refresh_chosen(
    context: &Context<'_>,
    args: &Refresh,
    chosen: Chosen,
) -> Result<Outcome, Report> {
    let about = Situation { saving: saving_flags(args), ..chosen.situation(context.system) };
    let save_to = SaveTo { command: args.save_to.clone(), key: args.key.clone() };
    context.with_saved_connection(chosen, &save_to, |connection| {
        let report = |error: &FreshError| {
            and_again(report::fresh(error, &connection.provider, &about), context, &about)
        };
        let seen = connection.entry().map_err(|error| report(&error))?;
        let wanted = match args.within {
            Some(within) => {
                let wanted = Wanted::Good(Some(within));
                let unsaved = connection.is_unsaved(&seen).map_err(|error| report(&error))?;
                match connection.satisfies(&seen, &wanted) {
                    true if unsaved => wanted,
                    true => {
                        let end = seen.tokens.and_then(|tokens| tokens.access_expires_at);
                        return Ok(Outcome::StillGood(end));
                    }
                    false => Wanted::New,
                }
            }
            None => Wanted::New,
        };
        match context.wait(connection.fresh_from(seen, &wanted))? {
            Ok(entry) => Ok(Outcome::Refreshed {
                saved: entry.saved == Some(entry.generation),
                end: entry.tokens.and_then(|tokens| tokens.access_expires_at),
            }),
            Err(error @ FreshError::CannotRenew) if args.which.all => {
                Ok(Outcome::PassedOver(report(&error)))
            }
            Err(error) => Err(report(&error)),
        }
    })
}

/// What may pass is tried again by the same command.
fn and_again(report: Report, context: &Context<'_>, about: &Situation) -> Report {
    if report.exit != Exit::TryLater || report.code == "tls" || !report.next.is_empty() {
        return report;
    }
    let command = Given::of_global(context.global).command("refresh", &about.profile, &[]);
    match &about.saving {
        SavingFlags::None => report.next(command),
        SavingFlags::Given(flags) => report.next(format!("{command}{flags}")),
        SavingFlags::OnLines => report,
    }
}

/// The flags once more; what the person typed stands in the shell's history as well.
fn saving_flags(args: &Refresh) -> SavingFlags {
    let key_file = args.key.key_file.as_deref();
    let key_file = key_file.map(|file| format!(" --key-file {}", command_line::path(file)));
    let command = args.save_to.as_deref();
    if command.is_some_and(|command| command.chars().any(char::is_control)) {
        return SavingFlags::OnLines;
    }
    let command = command.map(|command| format!(" --save-to {}", command_line::typed(command)));
    match [command, key_file].into_iter().flatten().collect::<String>() {
        flags if flags.is_empty() => SavingFlags::None,
        flags => SavingFlags::Given(flags),
    }
}

fn show(context: &Context<'_>, name: &str, outcome: &Outcome) -> Result<(), Report> {
    let end = |end: &Option<jiff::Timestamp>| match end {
        Some(end) => format!("good until {end}"),
        None => "good, its end is not known".to_owned(),
    };
    match outcome {
        Outcome::Refreshed { end: until, saved } => {
            let saved = if *saved { ", saved" } else { "" };
            let line = format!("{name}: refreshed{saved}, {}\n", end(until));
            context.output.page(context.system, &line)
        }
        Outcome::StillGood(until) => {
            context.output.page(context.system, &format!("{name}: not yet, {}\n", end(until)))
        }
        Outcome::PassedOver(report) => context
            .output
            .page(context.system, &format!("{name}: passed over, {}\n", report.message)),
        Outcome::Failed(report) => {
            context.output.failure(context.system, report);
            Ok(())
        }
    }
}

/// What became of all on standard output, and the first failure on standard error; where there was
/// one profile, its failure is all there is to say.
pub fn documents(
    context: &Context<'_>,
    rows: &[Value],
    first: Option<Report>,
) -> Result<Exit, Report> {
    if first.is_none() || rows.len() > 1 {
        context.output.document(context.system, &json!({ "profiles": rows }))?;
    }
    first.map_or(Ok(Exit::Done), Err)
}

fn row(name: &str, outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Refreshed { end, saved } => {
            let mut row =
                json!({"profile": name, "outcome": "refreshed", "access_expires_at": end});
            if *saved {
                row["saved"] = true.into();
            }
            row
        }
        Outcome::StillGood(end) => {
            json!({"profile": name, "outcome": "not-due", "access_expires_at": end})
        }
        Outcome::PassedOver(report) => {
            json!({"profile": name, "outcome": "passed-over", "reason": report.code})
        }
        Outcome::Failed(report) => {
            json!({"profile": name, "outcome": "failed", "error": report.document()["error"]})
        }
    }
}
