//! `scopes`: what the provider's table opens, what was asked for, what was granted. Neither
//! keychain nor network: it reads the provider and the record beside the profile.

use serde_json::{Value, json};

use super::args::OneProfile;
use super::context::{Chosen, Context, title};
use super::layout::table;
use super::report::{Exit, Report};
use crate::http::printable::printable;
use crate::provider::schema::Scope;

/// One scope, from the table or only from what was granted or asked for.
struct Row<'a> {
    name: &'a str,
    known: Option<&'a Scope>,
    granted: Option<bool>,
    requested: bool,
}

/// Shows the scopes of a profile.
pub fn run(context: &Context<'_>, args: &OneProfile) -> Result<Exit, Report> {
    let chosen = context.chosen(args.profile.as_deref())?;
    let rows = rows(&chosen);
    if context.output.json {
        let scopes: Vec<Value> = rows.iter().map(object).collect();
        let document = json!({
            "profile": chosen.name,
            "provider": chosen.provider.name,
            "scopes": scopes,
            "authorization_details": chosen.record.authorization_details,
        });
        context.output.document(context.system, &document)?;
        return Ok(Exit::Done);
    }
    if chosen.provider.scope.is_empty() {
        let says = format!(
            "{} has no scope table: what was granted or asked for is all that is known",
            title(&chosen.provider)
        );
        context.output.note(context.system, &printable(&says));
    }
    if !rows.is_empty() {
        context.output.page(context.system, &shown(context.output.width(context.system), &rows))?;
    }
    for detail in &chosen.record.authorization_details {
        let line = format!("granted {}\n", printable(&detail.to_string()));
        context.output.product(context.system, &line)?;
    }
    for line in remarks(&chosen) {
        context.output.note(context.system, &line);
    }
    Ok(Exit::Done)
}

/// The table in its order, then what it does not list.
fn rows(chosen: &Chosen) -> Vec<Row<'_>> {
    let requested = requested(chosen);
    let granted = chosen.record.granted.as_deref();
    let is_granted = |name: &str| match (chosen.record.connected, granted) {
        (false, _) => Some(false),
        (true, None) => None,
        (true, Some(granted)) => Some(granted.iter().any(|it| it == name)),
    };
    let listed = chosen.provider.scope.iter().map(|scope| (scope.name.as_str(), Some(scope)));
    let beside = granted.into_iter().flatten().map(String::as_str).chain(requested.iter().copied());
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (name, known) in listed.chain(beside.map(|name| (name, None))) {
        if !rows.iter().any(|row| row.name == name) {
            let requested = requested.contains(&name);
            rows.push(Row { name, known, granted: is_granted(name), requested });
        }
    }
    rows
}

/// What was asked for, or would be at the next `connect`.
fn requested(chosen: &Chosen) -> Vec<&str> {
    let record = &chosen.record;
    let own = if record.connected { &record.requested } else { &chosen.profile.scopes };
    let usual = chosen.provider.authorize.iter().flat_map(|it| &it.default_scopes);
    let added = usual.filter(|it| !chosen.profile.without_scopes.contains(it));
    own.iter().chain(added).map(String::as_str).collect()
}

fn object(row: &Row<'_>) -> Value {
    json!({
        "name": row.name,
        "grants": row.known.map(|scope| &scope.grants),
        "methods": row.known.map(|scope| scope.methods.clone()).unwrap_or_default(),
        "endpoints": row.known.map(|scope| scope.endpoints.clone()).unwrap_or_default(),
        "granted": row.granted,
        "requested": row.requested,
        "sensitive": row.known.is_some_and(|scope| scope.sensitive),
        "reserved": row.known.is_some_and(|scope| scope.reserved),
        "note": row.known.map(|scope| &scope.note).filter(|note| !note.is_empty()),
    })
}

fn shown(width: Option<usize>, rows: &[Row<'_>]) -> String {
    let head = ["scope", "granted", "grants", "opens", "note"];
    let lines = rows.iter().map(|row| {
        let granted = match (row.granted, row.requested) {
            (Some(true), _) => "yes",
            (Some(false), true) => "no, asked for",
            (Some(false), false) => "no",
            (None, true) => "not known, asked for",
            (None, false) => "not known",
        };
        let text = |part: fn(&Scope) -> String| {
            row.known.map(part).filter(|text| !text.is_empty()).unwrap_or_else(|| "-".into())
        };
        vec![
            printable(row.name),
            granted.to_owned(),
            printable(&text(|scope| scope.grants.clone())),
            printable(&text(opens)),
            printable(&text(note)),
        ]
    });
    table(width, &head, lines.collect())
}

/// `GET,POST /orders /order_lines`.
pub fn opens(scope: &Scope) -> String {
    match scope.endpoints.is_empty() {
        true => String::new(),
        false => format!("{} {}", scope.methods.join(","), scope.endpoints.join(" ")),
    }
}

/// What else to know of a scope.
pub fn note(scope: &Scope) -> String {
    let flags = [(scope.sensitive, "sensitive"), (scope.reserved, "reserved")];
    let said = |word: &str| scope.note.starts_with(word);
    let flags = flags.into_iter().filter(|(set, word)| *set && !said(word)).map(|(_, word)| word);
    let words: Vec<&str> =
        flags.chain(Some(scope.note.as_str()).filter(|note| !note.is_empty())).collect();
    words.join("; ")
}

fn remarks(chosen: &Chosen) -> Vec<String> {
    let mut lines = Vec::new();
    if chosen.provider.more_scopes && !chosen.provider.scope.is_empty() {
        lines.push(format!(
            "{} may have scopes that this table does not list",
            title(&chosen.provider)
        ));
    }
    if !chosen.record.connected {
        lines.push(format!("`{}` is not connected, so nothing is granted yet", chosen.name));
    } else if chosen.record.granted.is_none() {
        lines.push(format!("{} did not say which scopes it granted", title(&chosen.provider)));
    }
    lines
}
