//! What a person is told when a list was not read to its end, or cannot be.

use super::super::command_line;
use super::sync_end::{more, nothing_says, shifting, too_long};
use super::{Exit, Report, Situation, fresh, pages, refusal, store};
use crate::connection::sync::SyncError;
use crate::connection::sync::cursor::{Account, CursorError};
use crate::connection::sync::records::NoRecords;
use crate::http::printable::printable;
use crate::provider::Provider;
use crate::resource_server::filters::WrongFilter;
use crate::store::lock::LockError;

/// A time to show in advice.
pub const TIME: &str = "2026-05-29T10:15:00Z";

/// A run that did not come to its end.
pub fn sync(
    error: &SyncError,
    cursor: &str,
    scopes: &[String],
    provider: &Provider,
    about: &Situation,
) -> Report {
    let name = command_line::word(cursor);
    match error {
        SyncError::Fresh(error) => fresh(error, provider, about),
        SyncError::Cursor(error) => unkept(error, &name, about),
        SyncError::OtherAccount { was, is } => other_account(was, is, &name, about),
        SyncError::OtherQuery { was } => other_query(was, &name),
        SyncError::Pages(error) => stays(pages(error, provider, scopes, about), &name),
        SyncError::Refused(refused) => stays(refusal(refused, scopes, about), &name),
        SyncError::NoPage { status } => stays(no_page(*status, about), &name),
        SyncError::NoRecords(error) => {
            let exit = match error {
                NoRecords::NotJson(_) => Exit::ApiFailed,
                NoRecords::NoList(_) | NoRecords::Several(_) => Exit::Usage,
            };
            let report = Report::new(
                exit,
                "no-records",
                format!("{} answered with no list of records", about.provider),
            );
            let report = report
                .cause(printable(&error.to_string()))
                .hint("check that the path is a list; where it lies in the answer is said by `items` in [api.pages], or by [api.envelope] in the provider file");
            stays(report, &name)
        }
        SyncError::More(sign) => stays(more(sign, provider, about), &name),
        SyncError::NothingSays => stays(nothing_says(about), &name),
        SyncError::Shifting { walks } => stays(shifting(*walks, about), &name),
        SyncError::TooLong { records } => stays(too_long(*records, about), &name),
    }
}

/// What was printed will come again.
fn stays(report: Report, name: &str) -> Report {
    report.cause(format!("cursor {name} stays where it was: the next run begins there again"))
}

fn no_page(status: u16, about: &Situation) -> Report {
    let mut report = Report::new(
        Exit::ApiRefused,
        "api-redirect",
        format!("{} answered with no page: HTTP {status}", about.provider),
    )
    .hint("redirects are never followed with a token; name the list's own path");
    report.http_status = Some(status);
    report
}

fn lock(error: &LockError, name: &str, about: &Situation) -> Report {
    let LockError::Held { holder, .. } = error else {
        return super::lock(error, &about.profile);
    };
    let who = match holder {
        Some(holder) => format!("process {}, since {}", holder.process, holder.since),
        None => "another process".to_owned(),
    };
    Report::new(
        Exit::Store,
        "sync-running",
        format!("another sync of cursor {name} of `{}` is running", about.profile),
    )
    .cause(format!("it is {who}"))
    .hint("run this again when it is done; nothing was read")
}

fn unkept(error: &CursorError, name: &str, about: &Situation) -> Report {
    let report = |code| Report::new(Exit::Store, code, format!("cursor {name} cannot be read"));
    match error {
        CursorError::Disk(error) => store(error),
        CursorError::Lock(error) => lock(error, name, about),
        CursorError::Damaged { .. } => report("cursor-damaged")
            .cause(printable(&error.to_string()))
            .hint("begin again at a time that is early enough: --since 2026-05-29, or --since 1970-01-01 for everything"),
        CursorError::Newer { .. } => report("cursor-newer")
            .cause(printable(&error.to_string()))
            .hint("use that version, or give this one another --cursor"),
    }
}

fn other_account(was: &Account, is: &Account, name: &str, about: &Situation) -> Report {
    let differing: Vec<&String> =
        was.keys().chain(is.keys()).filter(|key| was.get(*key) != is.get(*key)).collect();
    let shown = |account: &Account| {
        let mut parts: Vec<String> = differing
            .iter()
            .filter_map(|key| Some(format!("{key} {}", text(account.get(*key)?))))
            .collect();
        parts.dedup();
        printable(&parts.join(", "))
    };
    Report::new(
        Exit::SetUp,
        "cursor-of-another-account",
        format!("cursor {name} of `{}` belongs to another account", about.profile),
    )
    .cause(format!("it was made for {}; the connection is for {}", shown(was), shown(is)))
    .cause("going on from it would leave out what this account had before; nothing was read")
    .hint("give this account a cursor of its own: --cursor NAME; or begin this one anew: --since 1970-01-01")
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn other_query(was: &[(String, String)], name: &str) -> Report {
    let was: Vec<String> =
        was.iter().map(|(key, value)| command_line::word(&format!("{key}=={value}"))).collect();
    let was = if was.is_empty() { "no query".to_owned() } else { was.join(" ") };
    Report::usage(format!("cursor {name} belongs to another query"))
        .cause(format!("it was made with {was}; what that left out would never be read"))
        .hint(
            "give this query another --cursor, or leave --cursor away: then each query has its own",
        )
}

/// A provider that has no words for it.
pub fn no_sync_words(about: &Situation) -> Report {
    Report::new(
        Exit::SetUp,
        "no-sync",
        format!("it is not known how {} is asked for what changed", about.provider),
    )
    .cause("its provider file has no [api.sync]")
    .hint("if its API can: add to a provider file of your own  [api.sync] parameter = \"…\"  (the query parameter that takes a time), and time, id where records do not call them updated_at and id")
}

/// A provider that cannot tell an app's records.
pub fn no_app_filter(about: &Situation) -> Report {
    Report::new(
        Exit::SetUp,
        "no-app-filter",
        format!("it is not known how {} is asked for one app's records", about.provider),
    )
    .cause("its provider file has no [[api.filters]] of the name app")
    .hint("leave --app away; or if its API can: add  [[api.filters]] name = \"app\" only_value = \"me\"")
}

/// A value of `--app` that the vendor does not take.
pub fn app_filter(error: &WrongFilter) -> Report {
    match error {
        WrongFilter::Value { only, .. } => {
            wrong(error).hint(format!("write it as --app {}", command_line::word(only)))
        }
        WrongFilter::Time { .. } => filter(error),
    }
}

/// A value in a query that the vendor does not take.
pub fn filter(error: &WrongFilter) -> Report {
    match error {
        WrongFilter::Value { name, only, .. } => wrong(error).hint(format!(
            "write it as {}; --force sends it all the same",
            command_line::word(&format!("{name}=={only}"))
        )),
        WrongFilter::Time { name, .. } => {
            wrong(error).hint(format!("write it as {name}=={TIME}; --force sends it all the same"))
        }
    }
}

/// What the vendor takes and what was given, without advice.
pub fn wrong(error: &WrongFilter) -> Report {
    let (WrongFilter::Value { given, meaning, .. } | WrongFilter::Time { given, meaning, .. }) =
        error;
    let report = Report::usage(printable(&error.to_string()));
    let report = report.cause(format!("`{}` was given", printable(given)));
    match meaning.is_empty() {
        true => report,
        false => report.cause(format!("it means: {}", printable(meaning))),
    }
}
