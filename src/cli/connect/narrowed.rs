//! Scopes that a connection has and that are not asked for again: it would lose them.

use super::super::command_line::typed;
use super::super::context::{Chosen, Context};
use crate::http::printable::printable;
use crate::profile::scope_edit::takes_away;
use crate::profile::scopes;

/// Says which they are while there is time to start again, with the command that keeps them.
pub fn tell(context: &Context<'_>, chosen: &Chosen, asked: &[String], given: &[String]) {
    let lost = lost(chosen, asked, given);
    if lost.is_empty() {
        return;
    }
    let all: Vec<String> = asked.iter().chain(&lost).map(|scope| typed(scope)).collect();
    let plus: Vec<(&str, &str)> = all.iter().map(|scope| ("--scope", scope.as_str())).collect();
    let scopes = printable(&lost.join(", "));
    let command = chosen.given.command("connect", &chosen.name, &plus);
    context.output.warn(
        context.system,
        &format!(
            "`{}` was granted {scopes} before, and does not ask for it now; to ask for all of it: {command}",
            chosen.name
        ),
    );
}

/// What was granted and is neither asked for nor taken away by name; nothing where the same is asked for
/// as before, or nothing by name, for the vendor chooses then as it did.
fn lost(chosen: &Chosen, asked: &[String], given: &[String]) -> Vec<String> {
    let record = &chosen.record;
    let is_the_same = record.requested.len() == asked.len()
        && record.requested.iter().all(|scope| asked.contains(scope));
    if !record.connected || asked.is_empty() || is_the_same {
        return Vec::new();
    }
    let had = record.granted.as_ref().unwrap_or(&record.requested);
    // What the provider file does not let anybody ask for was not had by asking.
    let may_be_asked = |scope: &str| scopes::read(&chosen.provider, [scope]).is_ok();
    let taken = |scope: &String| given.iter().any(|words| takes_away(words, scope));
    let is_wanted =
        |scope: &String| !chosen.profile.without_scopes.contains(scope) && !taken(scope);
    let lost = had.iter().filter(|it| !asked.contains(it) && is_wanted(it));
    lost.filter(|it| may_be_asked(it)).cloned().collect()
}
