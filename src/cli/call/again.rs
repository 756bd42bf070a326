//! A call as a command to paste: once more with its key, or from the page where a list broke off.

use url::Url;

use super::super::args::{Call, Global};
use super::super::command_line::{pair, path, typed};
use super::words::Words;
use crate::resource_server::Items;

/// What is different from the call that was typed.
#[derive(Default)]
pub struct Changed<'a> {
    /// The address, with its query.
    pub url: Option<&'a Url>,
    /// The Idempotency-Key.
    pub key: Option<&'a str>,
}

/// The command.
pub fn command(args: &Call, words: &Words<'_>, global: &Global, changed: &Changed<'_>) -> String {
    let mut line = vec!["keyfob call".to_owned()];
    line.extend(words.profile.map(typed));
    // The method that a vendor made up is known as one by its flag alone.
    match (&args.method, words.method) {
        (Some(method), _) => line.push(format!("-X {}", typed(method))),
        (None, Some(method)) => line.push(typed(method)),
        (None, None) => {}
    }
    line.push(changed.url.map_or_else(|| typed(words.path), |url| typed(url.as_str())));
    let is_kept = |item: &&String| changed.url.is_none() || !is_query(item);
    line.extend(words.items.iter().filter(is_kept).map(|item| typed(item)));
    line.extend(flags(args));
    line.extend(changed.key.map(|key| format!("--idempotency-key {}", typed(key))));
    line.extend(global.store.and_then(|store| {
        use clap::ValueEnum as _;
        Some(format!("--store {}", store.to_possible_value()?.get_name()))
    }));
    line.extend(global.cacert.as_ref().map(|file| format!("--cacert {}", path(file))));
    line.extend(global.json.then(|| "--json".to_owned()));
    line.join(" ")
}

fn flags(args: &Call) -> Vec<String> {
    let mut line: Vec<String> =
        args.headers.iter().map(|header| format!("-H {}", typed(header))).collect();
    line.extend(args.data.as_ref().map(|data| format!("-d {}", typed(data))));
    line.extend(args.settings.iter().map(|(key, value)| format!("--set {}", pair(key, value))));
    line.extend(args.output.as_ref().map(|file| format!("-o {}", path(file))));
    let switches = [
        (args.form, "--form"),
        (args.include, "-i"),
        (args.force, "--force"),
        (args.answer.paginate, "--paginate"),
        (args.answer.result, "--result"),
    ];
    line.extend(switches.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| (*flag).to_owned()));
    line.extend(args.attempts.flags());
    line.extend(args.answer.jq.as_ref().map(|expression| format!("--jq {}", typed(expression))));
    line
}

fn is_query(item: &str) -> bool {
    Items::parse([item], &|_| Ok(Vec::new())).is_ok_and(|items| !items.query.is_empty())
}
