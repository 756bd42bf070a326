//! `status`: what is known without network, keychain or refresh.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::args::Status;
use super::command_line;
use super::context::Context;
use super::layout::table;
use super::report::{self, Exit, Report, span};
use crate::clock::{after_seconds, seconds_until};
use crate::connection::saving::waiting_copy;
use crate::http::printable::printable;
use crate::profile::record::{Attention, State};
use crate::profile::{Profile, Record, account};
use crate::provider::schema::Rotation;

/// One line of the table.
struct Line {
    name: String,
    profile: Profile,
    /// Why nothing of it is known.
    unreadable: Option<Report>,
    record: Record,
    /// Contexts of the connection, and settings that name its account.
    account: BTreeMap<String, Value>,
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
        return tell(context, args, &[line]);
    }
    let names = context.profiles.names().map_err(|error| report::profile(&error))?;
    let line_of = |name: String| {
        line(context, name.clone(), now, within)
            .unwrap_or_else(|report| Line::unreadable(name, report))
    };
    let lines: Vec<Line> = names.into_iter().map(line_of).collect();
    tell(context, args, &lines)
}

/// Shows all of them, then what is wrong with those that cannot be read; that needs somebody as well.
fn tell(context: &Context<'_>, args: &Status, lines: &[Line]) -> Result<Exit, Report> {
    shown_or_noted(context, lines)?;
    let wanting = |line: &&Line| args.check && line.needs_attention;
    let told =
        |line: &&Line| wanting(line) || matches!(line.attention, Some(Attention::Refused(_)));
    let readable = lines.iter().filter(|line| line.unreadable.is_none());
    let mut to_do: Vec<ToDo> = lines.iter().filter_map(Line::waits_to_be_saved).collect();
    to_do.extend(readable.filter(told).filter_map(|line| line.what_to_do(context)));
    for it in &to_do {
        context.output.note(context.system, &format!("{}: `{}`", it.says, it.command));
    }
    let attention = lines.iter().any(|line| wanting(&line));
    let exit = |otherwise| if attention { Exit::AuthorizationNeeded } else { otherwise };
    let unreadable: Vec<&Report> =
        lines.iter().filter_map(|line| line.unreadable.as_ref()).collect();
    let Some((last, others)) = unreadable.split_last() else {
        return match attention && context.output.json {
            // Whoever reads a document reads why it failed in another.
            true => Err(attention_needed(&to_do)),
            false => Ok(exit(Exit::Done)),
        };
    };
    if !context.output.json {
        others.iter().for_each(|report| context.output.failure(context.system, report));
    }
    Err(Report { exit: exit(last.exit), ..(*last).clone() })
}

fn attention_needed(to_do: &[ToDo]) -> Report {
    let message = match to_do {
        [one] => one.says.clone(),
        many => format!("{} connections need attention", many.len()),
    };
    let report = Report::new(Exit::AuthorizationNeeded, "attention-needed", message);
    let report = match to_do {
        [_] => report,
        many => many.iter().fold(report, |report, it| report.cause(it.says.clone())),
    };
    to_do.iter().fold(report, |report, it| report.next(it.command.clone()))
}

fn shown_or_noted(context: &Context<'_>, lines: &[Line]) -> Result<(), Report> {
    let now = context.system.clock.now();
    if context.output.json {
        let profiles: Vec<Value> = lines.iter().map(object).collect();
        context.output.document(context.system, &json!({ "profiles": profiles }))?;
    } else if lines.is_empty() {
        context.output.note(
            context.system,
            "no profiles yet: `keyfob connect` makes one, `keyfob demo` shows how",
        );
    } else if lines.iter().any(|line| line.unreadable.is_none()) {
        // A table of names alone would say nothing that the failures do not say.
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
    let account = account_of(context, &profile, &record);
    let unreadable = None;
    Ok(Line {
        name,
        profile,
        unreadable,
        record,
        account,
        state,
        needs_attention,
        attention,
        unsaved,
    })
}

/// The contexts of a connection, and the settings that say the same of it.
fn account_of(
    context: &Context<'_>,
    profile: &Profile,
    record: &Record,
) -> BTreeMap<String, Value> {
    let mut account = record.account.clone();
    if record.connected && !profile.settings.is_empty() {
        // A provider file that cannot be read is told about where it is needed.
        let provider = context.provider(&profile.provider).ok();
        let named = provider.map(|provider| account::named(&provider, profile));
        let named = named.into_iter().flatten();
        account.extend(named.map(|(name, value)| (name, Value::from(value))));
    }
    account
}

/// What somebody is to do for a profile.
struct ToDo {
    says: String,
    command: String,
}

impl Line {
    /// A profile of which there is but its name.
    fn unreadable(name: String, report: Report) -> Self {
        Self {
            name,
            profile: Profile::default(),
            unreadable: Some(report),
            record: Record::default(),
            account: BTreeMap::new(),
            state: State::NeverConnected,
            needs_attention: true,
            attention: None,
            unsaved: None,
        }
    }

    /// What was kept where a save command failed, and the command that takes it up; a copy of a
    /// connection that is over is of no use.
    fn waits_to_be_saved(&self) -> Option<ToDo> {
        let (name, copy) = (&self.name, self.unsaved.as_ref()?);
        (self.state != State::AuthorizationNeeded).then(|| ToDo {
            says: format!(
                "`{name}` was refreshed and not saved, and a sealed copy is in {}",
                copy.display()
            ),
            command: format!("keyfob refresh {} --save-to COMMAND", command_line::word(name)),
        })
    }

    /// What a person has to do, beside having it saved.
    fn what_to_do(&self, context: &Context<'_>) -> Option<ToDo> {
        let is_only_unsaved = self.unsaved.is_some() && self.state == State::Ready;
        (!is_only_unsaved).then(|| self.needed(context))
    }

    fn needed(&self, context: &Context<'_>) -> ToDo {
        let name = &self.name;
        let word = command_line::word(name);
        let now = context.system.clock.now();
        let before = |at: Timestamp, what: &str| match at <= now {
            true => format!(", for its {what} token has ended"),
            false => format!(" before {}, when its {what} token ends", at.strftime("%Y-%m-%d")),
        };
        let why = match self.attention {
            Some(Attention::RefreshTokenEnds(at)) if at > now && self.is_prolonged(context) => {
                return ToDo {
                    says: format!("`{name}` needs a refresh{}", before(at, "refresh")),
                    command: format!("keyfob refresh {word}"),
                };
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
        ToDo {
            says: format!("`{name}` needs a person{why}"),
            command: format!("keyfob connect {word}"),
        }
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
    if let Some(report) = &line.unreadable {
        return unknown(&line.name, report);
    }
    // Where nobody has authorised it, the next `connect` asks for these.
    let requested = match line.state {
        State::NeverConnected => &line.profile.scopes,
        _ => &record.requested,
    };
    json!({
        "profile": line.name,
        "provider": line.profile.provider,
        "state": line.state.name(),
        "account": line.account,
        "scopes": { "granted": record.granted, "requested": requested },
        "access_expires_at": record.access_expires_at,
        "refresh_expires_at": record.refresh_expires_at,
        "last_refreshed_at": record.last_refreshed_at,
        "needs_attention": line.needs_attention,
        "store": record.store.or(line.profile.store).map(|kind| kind.name()),
    })
}

/// The same of a profile that cannot be read: what is not known is null.
fn unknown(name: &str, report: &Report) -> Value {
    json!({
        "profile": name,
        "provider": null,
        "state": null,
        "account": null,
        "scopes": { "granted": null, "requested": null },
        "access_expires_at": null,
        "refresh_expires_at": null,
        "last_refreshed_at": null,
        "needs_attention": true,
        "store": null,
        "error": report.document()["error"],
    })
}

fn shown(width: Option<usize>, lines: &[Line], now: Timestamp) -> String {
    let head = ["profile", "provider", "account", "state", "access", "refresh", "store", "scopes"];
    let rows = lines
        .iter()
        .map(|line| {
            let record = &line.record;
            if line.unreadable.is_some() {
                let known = [line.name.clone(), "cannot be read".into()].into_iter();
                return known.chain(std::iter::repeat("-".into())).take(head.len()).collect();
            }
            vec![
                line.name.clone(),
                printable(&line.profile.provider),
                account_words(&line.account),
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

fn account_words(account: &BTreeMap<String, Value>) -> String {
    let parts: Vec<String> = account
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
