//! `revoke`: ended at the provider first, then forgotten here.

use serde_json::{Value, json};

use super::args::Revoke;
use super::command_line;
use super::context::{Chosen, Context};
use super::refresh::{documents, names};
use super::report::{self, Exit, Report, Situation};
use crate::connection::FreshError;
use crate::connection::end::{Ending, Outcome, Revoked};
use crate::http::printable::printable;
use crate::provider::Provider;

/// Revokes the named profiles, or all; the exit code is that of the first that failed.
pub fn run(context: &Context<'_>, args: &Revoke) -> Result<Exit, Report> {
    let mut rows: Vec<Value> = Vec::new();
    let mut first: Option<Report> = None;
    let names = names(context, &args.which)?;
    if !args.which.all {
        // A slip in one name is told before another profile is ended for good.
        names.iter().try_for_each(|name| context.chosen(Some(name)).map(drop))?;
    }
    for name in &names {
        let ended = context.chosen(Some(name)).and_then(|chosen| end(context, args, chosen));
        match ended {
            Ok(row) => rows.push(row),
            Err(report) if report.exit == Exit::Interrupted => return Err(report),
            Err(report) => {
                if !context.output.json {
                    context.output.failure(context.system, &report);
                }
                rows.push(json!({"profile": name, "outcome": "kept", "error": report.document()["error"]}));
                first = first.or(Some(report));
            }
        }
    }
    if context.output.json {
        return documents(context, &rows, first);
    }
    Ok(first.map_or(Exit::Done, |report| report.exit))
}

fn end(context: &Context<'_>, args: &Revoke, chosen: Chosen) -> Result<Value, Report> {
    let about = chosen.situation(context.system);
    context.with_connection(chosen, None, |connection| {
        let provider = &connection.provider;
        let ending = context
            .wait(connection.end(args.local_only))?
            .map_err(|error| not_asked(&error, provider, &about))?;
        match ending {
            Ending::Revoked(revoked) => settled(context, &revoked, provider, &about),
            Ending::ForgottenHere => {
                line(context, &about, "forgotten here")?;
                let mut row = json!({"profile": about.profile, "outcome": "forgotten"});
                if !args.local_only || provider.revoke.is_some() {
                    row["to_end_them"] =
                        warn_alive(context, provider, &about, "was not asked").into();
                }
                Ok(row)
            }
            Ending::Kept(revoked) => Err(kept(&revoked, provider, &about)),
        }
    })
}

/// Each token's outcome; what the vendor does not revoke lives on, which is no revocation.
fn settled(
    context: &Context<'_>,
    revoked: &[Revoked],
    provider: &Provider,
    about: &Situation,
) -> Result<Value, Report> {
    let those = |wanted: fn(&Outcome) -> bool| -> Vec<&str> {
        revoked.iter().filter(|it| wanted(&it.outcome)).map(|it| it.kind.name()).collect()
    };
    let vendor = &about.provider;
    let ended = those(|it| matches!(it, Outcome::Done));
    let not_known = those(|it| matches!(it, Outcome::NotKnown));
    let alive = those(|it| !it.is_ended());
    let parts = [
        (&ended, format!("revoked at {vendor}")),
        (&not_known, format!("not known at {vendor} any more")),
        (&alive, format!("not revoked by {vendor}, which does not revoke these")),
    ];
    let parts = parts.iter().filter(|(kinds, _)| !kinds.is_empty());
    let said: Vec<String> =
        parts.map(|(kinds, what)| format!("{what} ({})", kinds.join(", "))).collect();
    line(context, about, &format!("{} and forgotten here", said.join(", ")))?;
    let is_over = alive.is_empty() || !ended.is_empty();
    let outcome = if is_over { "revoked" } else { "forgotten" };
    let mut row = json!({"profile": about.profile, "outcome": outcome, "tokens": ended});
    for (name, kinds) in [("not_known", &not_known), ("not_revoked", &alive)] {
        if !kinds.is_empty() {
            row[name] = json!(kinds);
        }
    }
    if !alive.is_empty() {
        let why = format!("does not revoke its {}", alive.join(" and "));
        row["to_end_them"] = warn_alive(context, provider, about, &why).into();
    }
    Ok(row)
}

/// What came before the provider could be asked: tokens that nobody can read live on.
fn not_asked(error: &FreshError, provider: &Provider, about: &Situation) -> Report {
    let mut report = report::fresh(error, provider, about);
    if matches!(error, FreshError::NoVerdict(_) | FreshError::Unstored { .. }) {
        report.message = format!("`{}` was not revoked, so it is kept", about.profile);
        let again = format!("keyfob revoke {}", command_line::word(&about.profile));
        return report.next(again.clone()).next(format!("{again} --local-only"));
    }
    report
}

fn line(context: &Context<'_>, about: &Situation, what: &str) -> Result<(), Report> {
    if context.output.json {
        return Ok(());
    }
    context.output.page(context.system, &format!("{}: {what}\n", about.profile))
}

/// The tokens live on at the vendor: says, and gives, where a person can end them.
fn warn_alive(context: &Context<'_>, provider: &Provider, about: &Situation, why: &str) -> String {
    let how = match &provider.end_by_hand {
        Some(end) if end.page.is_empty() => end.how.clone(),
        Some(end) => format!("{}: {}", end.how, end.page),
        None => format!("ask {} how to end them", about.provider),
    };
    context.output.warn(
        context.system,
        &format!("{} {why}, so its tokens may live on. To end them: {how}", about.provider),
    );
    how
}

/// What was not settled, token by token.
fn kept(revoked: &[Revoked], provider: &Provider, about: &Situation) -> Report {
    let refused = revoked.iter().any(|it| matches!(it.outcome, Outcome::Refused(_)));
    let exit = if refused { Exit::Refused } else { Exit::TryLater };
    let code = if refused { "revocation-refused" } else { "revocation-unsettled" };
    let mut report =
        Report::new(exit, code, format!("`{}` was not revoked, so it is kept", about.profile));
    for it in revoked {
        let kind = it.kind.name();
        report = match &it.outcome {
            Outcome::Done => report.cause(format!("{kind}: revoked")),
            Outcome::NotKnown => report.cause(format!("{kind}: not known there any more")),
            Outcome::NotSupported => {
                report.cause(format!("{kind}: {} does not revoke these", about.provider))
            }
            Outcome::Refused(error) => {
                report.cause(format!("{kind}: {} refused", about.provider)).vendor(error)
            }
            Outcome::NoVerdict { status, retry_after } => {
                report.http_status = Some(*status);
                report.retry_after_seconds = retry_after.map(|wait| wait.as_secs());
                report.cause(format!("{kind}: {} answered HTTP {status}", about.provider))
            }
            Outcome::Unreached(error) => {
                report.cause(format!("{kind}: {}", printable(&error.to_string())))
            }
        };
    }
    let again = format!("keyfob revoke {}", command_line::word(&about.profile));
    let is_the_client = |it: &Revoked| matches!(&it.outcome, Outcome::Refused(error) if error.code.as_deref() == Some("invalid_client"));
    let report = match revoked.iter().any(is_the_client) {
        true => report::put_right(
            report.hint("the client's secret or key is not the one it knows: give the right one, then try again; or forget it here without asking"),
            provider,
            about,
            || about.connect_with(&[("--client-secret-file", "…")]),
        ),
        false => report.hint("try again later, or forget it here without asking"),
    };
    report.next(again.clone()).next(format!("{again} --local-only"))
}
