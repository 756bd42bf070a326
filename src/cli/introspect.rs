//! `introspect`: what the provider says of the stored token; asked as it is, nothing is renewed.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::completions::complete_profile;
use super::context::Context;
use super::layout::table;
use super::report::{self, Exit, Report};
use crate::authorization_server::about_token::TokenKind;
use crate::authorization_server::introspection::Introspected;
use crate::http::printable::{cleaned, printable};
use crate::http::quoting::without_secrets;
use crate::secret::Secret;

/// `introspect`.
#[derive(Debug, Args)]
pub struct Introspect {
    /// The profile (or KEYFOB_PROFILE)
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profile: Option<String>,
    /// Ask about the refresh token instead of the access token
    #[arg(long)]
    pub refresh_token: bool,
}

/// The members that RFC 7662 section 2.2 names, in its order.
const MEMBERS: [&str; 12] = [
    "active",
    "scope",
    "client_id",
    "username",
    "token_type",
    "exp",
    "iat",
    "nbf",
    "sub",
    "aud",
    "iss",
    "jti",
];

/// The members that are times.
const TIMES: [&str; 3] = ["exp", "iat", "nbf"];

/// The longest text of a member in the document, in characters.
const LONGEST: usize = 8192;

/// Asks about the stored token.
pub fn run(context: &Context<'_>, args: &Introspect) -> Result<Exit, Report> {
    let chosen = context.chosen(args.profile.as_deref())?;
    let about = chosen.situation(context.system);
    let kind = if args.refresh_token { TokenKind::RefreshToken } else { TokenKind::AccessToken };
    context.with_connection(chosen, None, |connection| {
        let (said, secrets) = context
            .wait(connection.introspect(kind))?
            .map_err(|error| report::introspect(&error, &connection.provider, &about))?;
        let renewable = connection.drawer.read().is_ok_and(|entry| {
            entry.is_some_and(|it| it.refresh_token().is_some() && it.ended.is_none())
        });
        let members = match said {
            Introspected::Active(members) => members,
            other => {
                let provider = &connection.provider;
                return Err(report::introspected(&other, kind, renewable, provider, &about));
            }
        };
        match context.output.json {
            true => {
                let document = clean(&Value::Object(members), &secrets);
                context.output.document(context.system, &document)?;
            }
            false => {
                let width = context.output.width(context.system);
                context.output.product(context.system, &shown(width, &members, &secrets))?;
            }
        }
        Ok(Exit::Done)
    })
}

/// The standard members that are there, one on a line.
fn shown(width: Option<usize>, members: &Map<String, Value>, secrets: &[Secret]) -> String {
    let rows = MEMBERS
        .iter()
        .filter_map(|name| Some(vec![(*name).to_owned(), cell(name, members.get(*name)?, secrets)]))
        .collect();
    table(width, &["member", "value"], rows)
}

fn cell(name: &str, value: &Value, secrets: &[Secret]) -> String {
    let time = value.as_i64().and_then(|seconds| Timestamp::from_second(seconds).ok());
    match (value, time) {
        (_, Some(time)) if TIMES.contains(&name) => time.to_string(),
        (Value::String(text), _) => printable(&without_secrets(text, secrets)),
        (other, _) => printable(&without_secrets(&other.to_string(), secrets)),
    }
}

/// The same document without anything that a terminal obeys, and without the token itself.
fn clean(value: &Value, secrets: &[Secret]) -> Value {
    let text = |text: &str| cleaned(&without_secrets(text, secrets), LONGEST);
    match value {
        Value::String(given) => Value::String(text(given)),
        Value::Array(items) => items.iter().map(|item| clean(item, secrets)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (text(name), clean(value, secrets))).collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test] // RV9, ER2
    fn nothing_of_the_answer_moves_a_cursor_or_shows_the_token() {
        let secrets = [Secret::new("the-token-itself")];
        let hostile = json!({
            "active": true, "exp": 1_780_300_800, "iat": "x", "scope": "a\u{1b}[2Jb",
            "jti": "the-token-itself", "aud": ["\u{202e}c"], "ext\u{7}": {"deep": "the-token-itself"},
        });
        let members = hostile.as_object().unwrap();
        let shown = shown(None, members, &secrets);
        assert!(shown.contains("2026-06-01T08:00:00Z") && shown.contains("ab"), "{shown}");
        assert!(!shown.contains("ext"), "only the standard's members: {shown}");
        let document = clean(&hostile, &secrets).to_string();
        for text in [&shown, &document] {
            assert!(!text.contains("the-token-itself"), "{text}");
            assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{text}");
            assert!(!text.contains("\\u00"), "{text}");
        }
        assert!(document.contains("\"ext\":{\"deep\":\"[hidden sha256:"), "{document}");
        let long = json!({ "scope": "s ".repeat(1000).trim_end() });
        assert_eq!(clean(&long, &[]), long, "a script gets it whole");
    }
}
