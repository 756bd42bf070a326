//! After `connect`: a setting that only the connected vendor can list is chosen from that list.

use super::command_line;
use super::context::Context;
use super::report::{self, Report, Situation};
use crate::connection::organization::Choice;
use crate::connection::{Connection, Entry};
use crate::http::printable::printable;
use crate::profile::settings;
use crate::provider::schema::Needed;

/// Chooses what is missing; gives a report where the connection is kept and a value is still to be set.
pub fn choose(
    context: &Context<'_>,
    connection: &Connection<'_>,
    entry: &Entry,
    about: &Situation,
) -> Result<Option<Report>, Report> {
    let provider = &connection.provider;
    for (name, setting) in settings::missing(provider, &connection.values, Needed::AfterConnect) {
        let Some(list) = &setting.list else { continue };
        let choices = match context.wait(connection.choices(entry, list))? {
            Ok(choices) => choices,
            Err(error) => return Ok(Some(report::list(&error, name, provider, about))),
        };
        match chosen(context, name, &setting.ask, &choices)? {
            Some(choice) => keep(context, connection, name, choice)?,
            None => return Ok(Some(undecided(name, &choices, about))),
        }
    }
    Ok(None)
}

/// A value that was typed, held against the vendor's list: one that is not there is not kept as chosen.
pub fn check(
    context: &Context<'_>,
    connection: &Connection<'_>,
    entry: &Entry,
    about: &Situation,
) -> Result<Option<Report>, Report> {
    for (name, setting) in &connection.provider.settings {
        let (Some(list), Some(value)) = (&setting.list, connection.values.get(name)) else {
            continue;
        };
        // Without a list there is nothing to hold it against, and the connection is as good.
        let Ok(choices) = context.wait(connection.choices(entry, list))? else { continue };
        if choices.iter().any(|choice| choice.value == value) {
            continue;
        }
        let profiles = &context.profiles;
        let read = profiles.read(connection.name());
        let mut profile = read.map_err(|error| report::profile(&error))?;
        profile.settings.remove(name);
        profiles.write(connection.name(), &profile).map_err(|error| report::profile(&error))?;
        return Ok(Some(
            undecided(name, &choices, about)
                .cause(format!("`{}` is not among them, so it was not kept", printable(value))),
        ));
    }
    Ok(None)
}

/// The only one is taken; of several a person chooses.
fn chosen<'c>(
    context: &Context<'_>,
    name: &str,
    ask: &str,
    choices: &'c [Choice],
) -> Result<Option<&'c Choice>, Report> {
    if let [only] = choices {
        context.output.note(
            context.system,
            &format!(
                "{name}: {} ({}), the only one",
                printable(&only.value),
                printable(&only.label)
            ),
        );
        return Ok(Some(only));
    }
    // Under --json standard error has no room for the list, so nobody can choose from it: the
    // failure's document holds it instead.
    if context.system.person.is_none() || context.output.json {
        return Ok(None);
    }
    for (number, choice) in choices.iter().enumerate() {
        context.output.say(
            context.system,
            &format!(
                "  {}  {} ({})",
                number + 1,
                printable(&choice.label),
                printable(&choice.value)
            ),
        );
    }
    // An empty answer, or an end of the input, is a choice not to choose.
    while let Some(answer) = context.ask(&format!("{ask} (1 to {})", choices.len()))? {
        if let Some(choice) = picked(choices, &answer) {
            return Ok(Some(choice));
        }
        context.output.say(context.system, &format!("`{}` is not on the list", printable(&answer)));
    }
    Ok(None)
}

fn picked<'c>(choices: &'c [Choice], answer: &str) -> Option<&'c Choice> {
    match answer.parse::<usize>() {
        Ok(number) => choices.get(number.checked_sub(1)?),
        Err(_) => choices.iter().find(|choice| choice.value == answer),
    }
}

/// The choice belongs to the profile: it is what the user says from now on.
fn keep(
    context: &Context<'_>,
    connection: &Connection<'_>,
    name: &str,
    choice: &Choice,
) -> Result<(), Report> {
    let value = settings::check(&connection.provider, name, &choice.value)
        .map_err(|error| report::setting(&error))?;
    let profiles = &context.profiles;
    let read = profiles.read(connection.name());
    let mut profile = read.map_err(|error| report::profile(&error))?;
    profile.settings.insert(name.to_owned(), value);
    profiles.write(connection.name(), &profile).map_err(|error| report::profile(&error))
}

fn undecided(name: &str, choices: &[Choice], about: &Situation) -> Report {
    let mut report =
        Report::usage(format!("`{}` is connected, but `{name}` is not chosen", about.profile))
            .cause(match choices.len() {
                0 => format!("{} lists none", about.provider),
                many => format!("{} lists {many}", about.provider),
            });
    for choice in choices.iter().take(20) {
        report =
            report.cause(format!("{} ({})", printable(&choice.value), printable(&choice.label)));
    }
    let value = choices.first().map_or("…".into(), |choice| command_line::word(&choice.value));
    let profile = command_line::word(&about.profile);
    report
        .hint(format!(
            "the connection is kept; choose one (also `--set {name}=…` on connect, or for one call)"
        ))
        .next(format!("keyfob profile set {profile} {name}={value}"))
        .next(format!("keyfob call {profile} GET … --set {name}={value}"))
}
