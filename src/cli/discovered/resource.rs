//! From the URL of an API to the authorization server that it trusts (RFC 9728).

use url::Url;

use super::{get_small, not_usable, shown};
use crate::cli::command_line;
use crate::cli::context::Context;
use crate::cli::report::Report;
use crate::http::Answer;
use crate::http::printable::printable;
use crate::provider::metadata::{
    LARGEST, ProtectedResource, challenged_url, read_resource, resource_well_known_url,
};
use crate::resource_server::www_authenticate::parse;

/// The most servers that are shown to a person.
const SHOWN: usize = 20;

/// What the API says of itself, at its well-known place or where its challenge points; `None`
/// where it says nothing.
pub fn find(context: &Context<'_>, url: &str) -> Result<Option<ProtectedResource>, Report> {
    let Ok(place) = resource_well_known_url(url) else { return Ok(None) };
    let answer = get(context, place, None)?;
    let answer = match answer.status {
        200 => Some(answer),
        _ => challenged(context, url)?,
    };
    let Some(answer) = answer else { return Ok(None) };
    read_resource(url, &answer.body).map(Some).map_err(|error| not_usable(context, url, &error))
}

/// Asks the API without a token, and follows where its 401 points (RFC 9728 section 5.1).
fn challenged(context: &Context<'_>, url: &str) -> Result<Option<Answer>, Report> {
    let Ok(place) = Url::parse(url) else { return Ok(None) };
    let answer = get(context, place, None)?;
    if answer.status != 401 {
        return Ok(None);
    }
    let headers = answer.headers.get_all("www-authenticate").iter();
    let challenges = parse(headers.filter_map(|value| value.to_str().ok()));
    let named = challenges.iter().find_map(|it| it.parameter("resource_metadata"));
    let Some(named) = named else { return Ok(None) };
    let place = challenged_url(url, named).map_err(|error| not_usable(context, url, &error))?;
    let answer = get(context, place, Some(url))?;
    Ok(Some(answer).filter(|answer| answer.status == 200))
}

fn get(context: &Context<'_>, place: Url, named_by: Option<&str>) -> Result<Answer, Report> {
    context.wait(get_small(context, place, LARGEST, named_by))?
}

/// The one it trusts; of several the one that was named, or that a person chooses.
pub fn server(
    context: &Context<'_>,
    resource: &ProtectedResource,
    named: Option<&str>,
) -> Result<String, Report> {
    let servers = &resource.authorization_servers;
    let chosen = match (named, servers.as_slice()) {
        (Some(named), _) => servers.iter().find(|server| *server == named).cloned(),
        (None, [only]) => Some(only.clone()),
        (None, _) => choose(context, resource)?,
    };
    let Some(chosen) = chosen else { return Err(undecided(context, resource, named)) };
    let line = format!("{} trusts {}", shown(&resource.resource), shown(&chosen));
    context.output.note(context.system, &line);
    Ok(chosen)
}

fn choose(context: &Context<'_>, resource: &ProtectedResource) -> Result<Option<String>, Report> {
    // Under --json the failure's document holds the list.
    if context.system.person.is_none() || context.output.json {
        return Ok(None);
    }
    let servers = &resource.authorization_servers;
    for (number, server) in servers.iter().take(SHOWN).enumerate() {
        context.output.say(context.system, &format!("  {}  {}", number + 1, shown(server)));
    }
    let many = servers.len().min(SHOWN);
    let question = format!("Which authorization server (1 to {many})");
    let answer = context.ask(&question)?.unwrap_or_default();
    let number = answer.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    Ok(number.and_then(|at| servers.get(at)).cloned())
}

fn undecided(context: &Context<'_>, resource: &ProtectedResource, named: Option<&str>) -> Report {
    let api = shown(&resource.resource);
    let servers = &resource.authorization_servers;
    let mut report = Report::usage(match named {
        Some(named) => format!("{api} does not trust {}", shown(named)),
        None => format!("{api} trusts several authorization servers"),
    });
    for server in servers.iter().take(SHOWN) {
        report = report.cause(shown(server));
    }
    let first = servers.first().map(|it| command_line::word(it)).unwrap_or_default();
    let api = command_line::word(&printable(&resource.resource));
    let report = report.hint("name one");
    match context.typed_at(&api, Some(&first)) {
        Some(command) => report.next(command),
        None => report,
    }
}
