//! `status`: what is known without network, keychain or refresh.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::args::Status;
use super::context::Context;
use super::layout::table;
use super::report::{self, Exit, Report, span};
use crate::clock::{after_seconds, seconds_until};
use crate::connection::saving::waiting_copy;
use crate::http::printable::printable;
use crate::profile::record::{Attention, State};
use crate::profile::{Profile, Record};
use crate::provider::schema::Rotation;

/// One line of the table.
struct Line {
    name: String,
    profile: Profile,
    record: Record,
    state: State,
    needs_attention: bool,
    /// Why, where the record says.
    attention: Option<Attention>,
    /// The copy of what this connection became, which its save command has not taken.
    unsaved: Option<PathBuf>,
}

/// Shows the profiles.
pub fn run(context: &Context<'_>, args: &Status) -> Result<Exit, Report> {
    let now = context.system.clock.now();
    let within = args.within.map_or(0, |within| within.as_secs());
    if let Some(name) = &args.profile {
        let name = context.profile_name(Some(name))?;
        let mut line = line(context, name, now, within)?;
        // Whoever asks about one profile needs that one.
        line.needs_attention |= args.check && line.state == State::NeverConnected;
        return tell(context, args, &[line], &[]);
    }
    let names = context.profiles.names().map_err(|error| report::profile(&error))?;
    let mut lines = Vec::new();
    let mut unreadable = Vec::new();
    for name in names {
        match line(context, name, now, within) {
            Ok(line) => lines.push(line),
            Err(report) => unreadable.push(report),
        }
    }
    tell(context, args, &lines, &unreadable)
}

/// Shows what can be read, then what is wrong with the rest; that needs somebody as well.
fn tell(
    context: &Context<'_>,
    args: &Status,
    lines: &[Line],
    unreadable: &[Report],
) -> Result<Exit, Report> {
    shown_or_noted(context, lines, unreadable.is_empty())?;
    for waits in lines.iter().filter_map(Line::waits_to_be_saved) {
        context.output.note(context.system, &waits);
    }
    let attention =
        args.check && (!unreadable.is_empty() || lines.iter().any(|line| line.needs_attention));
    let told = |line: &&Line| args.check || matches!(line.attention, Some(Attention::Refused(_)));
    for needed in lines.iter().filter(told).filter_map(|line| line.what_to_do(context)) {
        context.output.note(context.system, &needed);
    }
    let exit = |otherwise| if attention { Exit::AuthorizationNeeded } else { otherwise };
    let Some((last, others)) = unreadable.split_last() else {
        return Ok(exit(Exit::Done));
    };
    if !context.output.json {
        others.iter().for_each(|report| context.output.failure(context.system, report));
    }
    Err(Report { exit: exit(last.exit), ..last.clone() })
}

fn shown_or_noted(context: &Context<'_>, lines: &[Line], whole: bool) -> Result<(), Report> {
    let now = context.system.clock.now();
    if context.output.json {
        let profiles: Vec<Value> = lines.iter().map(object).collect();
        context.output.document(context.system, &json!({ "profiles": profiles }))?;
    } else if lines.is_empty() && whole {
        context.output.note(
            context.system,
            "no profiles yet: `keyfob connect` makes one, `keyfob demo` shows how",
        );
    } else if !lines.is_empty() {
        context
            .output
            .page(context.system, &shown(context.output.width(context.system), lines, now))?;
    }
    Ok(())
}

/// The status object of one profile.
pub fn status_object(context: &Context<'_>, name: &str) -> Result<Value, Report> {
    let now = context.system.clock.now();
    Ok(object(&line(context, name.to_owned(), now, 0)?))
}

fn line(context: &Context<'_>, name: String, now: Timestamp, within: u64) -> Result<Line, Report> {
    let profile = context.profiles.read(&name).map_err(|error| report::profile(&error))?;
    let record = context.profiles.record(&name).map_err(|error| report::profile(&error))?;
    let state = record.state(now);
    let copy = || waiting_copy(&context.system.home, &name);
    let unsaved = record.connected.then(copy).flatten();
    let attention = record.attention(now, after_seconds(now, within));
    let needs_attention = unsaved.is_some() || attention.is_some();
    Ok(Line { name, profile, record, state, needs_attention, attention, unsaved })
}

impl Line {
    /// What was kept where a save command failed, and the command that takes it up; a copy of a
    /// connection that is over is of no use.
    fn waits_to_be_saved(&self) -> Option<String> {
        let (name, copy) = (&self.name, self.unsaved.as_ref()?);
        (self.state != State::AuthorizationNeeded).then(|| {
            format!(
                "`{name}` was refreshed and not saved, and a sealed copy is in {}: `keyfob refresh {name} --save-to COMMAND`",
                copy.display()
            )
        })
    }

    /// What a person has to do, beside having it saved.
    fn what_to_do(&self, context: &Context<'_>) -> Option<String> {
        let is_only_unsaved = self.unsaved.is_some() && self.state == State::Ready;
        (self.needs_attention && !is_only_unsaved).then(|| self.needed(context))
    }

    fn needed(&self, context: &Context<'_>) -> String {
        let name = &self.name;
        let now = context.system.clock.now();
        let before = |at: Timestamp, what: &str| match at <= now {
            true => format!(", for its {what} token has ended"),
            false => format!(" before {}, when its {what} token ends", at.strftime("%Y-%m-%d")),
        };
        let why = match self.attention {
            Some(Attention::RefreshTokenEnds(at)) if at > now && self.is_prolonged(context) => {
                return format!(
                    "`{name}` needs a refresh{}: `keyfob refresh {name}`",
                    before(at, "refresh")
                );
            }
            Some(Attention::RefreshTokenEnds(at)) => before(at, "refresh"),
            Some(Attention::AccessTokenEnds(at)) => before(at, "access"),
            Some(Attention::Expired) => {
                ", for its access token has ended and cannot be renewed".into()
            }
            Some(Attention::Refused(at)) => {
                format!(", for its access token was refused at {at} and cannot be renewed")
            }
            Some(Attention::Ended) => ", for its authorization has ended".into(),
            None => String::new(),
        };
        format!("`{name}` needs a person{why}: `keyfob connect {name}`")
    }

    /// Whether every refresh brings a refresh token that lives as long as the first one.
    fn is_prolonged(&self, context: &Context<'_>) -> bool {
        // A provider file that cannot be read is told about where it is needed.
        context.provider(&self.profile.provider).is_ok_and(|provider| {
            let refresh = &provider.refresh;
            refresh.rotation == Rotation::SingleUse && refresh.lifetime.is_some()
        })
    }
}

fn object(line: &Line) -> Value {
    let record = &line.record;
    json!({
        "profile": line.name,
        "provider": line.profile.provider,
        "state": line.state.name(),
        "account": record.account,
        "scopes": { "granted": record.granted, "requested": record.requested },
        "access_expires_at": record.access_expires_at,
        "refresh_expires_at": record.refresh_expires_at,
        "last_refreshed_at": record.last_refreshed_at,
        "needs_attention": line.needs_attention,
        "store": record.store.or(line.profile.store).map(|kind| kind.name()),
    })
}

fn shown(width: Option<usize>, lines: &[Line], now: Timestamp) -> String {
    let head = ["profile", "provider", "account", "state", "access", "refresh", "store", "scopes"];
    let rows = lines
        .iter()
        .map(|line| {
            let record = &line.record;
            vec![
                line.name.clone(),
                printable(&line.profile.provider),
                account(record),
                line.state.name().to_owned(),
                until(record.connected, record.access_expires_at, now),
                until(record.renewable, record.refresh_expires_at, now),
                record.store.map_or("-", |kind| kind.name()).to_owned(),
                printable(&record.granted.clone().unwrap_or_default().join(" ")),
            ]
        })
        .collect();
    table(width, &head, rows)
}

fn account(record: &Record) -> String {
    let parts: Vec<String> = record
        .account
        .iter()
        .map(|(name, value)| match value.as_str() {
            Some(text) => format!("{name} {text}"),
            None => format!("{name} {value}"),
        })
        .collect();
    match parts.is_empty() {
        true => "-".into(),
        false => printable(&parts.join(", ")),
    }
}

fn until(there: bool, end: Option<Timestamp>, now: Timestamp) -> String {
    match (there, end) {
        (false, _) => "-".into(),
        (true, None) => "not known".into(),
        (true, Some(end)) if end <= now => "ended".into(),
        (true, Some(end)) => format!("{} left", span(seconds_until(now, end))),
    }
}
