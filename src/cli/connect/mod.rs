//! `connect`: a profile, authorised.

mod begin;
mod brought;
mod flow;
mod questions;
mod redirect;
mod scopes;

use super::args::Connect;
use super::choice;
use super::context::{Chosen, Context};
use super::discovered;
use super::report::{self, Exit, Report};
use super::status::status_object;
use crate::connection::establish::authorization_code::Way;
use crate::connection::establish::{Brought, EstablishError};
use crate::connection::{Connection, Entry};
use crate::http::printable::printable;
use crate::provider::schema::Flow;
use crate::system::System;
use crate::user_agent::opening::{
    BrowserChoice, Opening, in_ci, in_container, over_ssh, should_open,
};
pub use begin::begin;
pub use brought::bring;
use brought::owner;
use flow::{flow, no_flow};
use questions::ask_client;
pub use questions::ask_settings;
pub use redirect::redirect_uri;
use redirect::set_redirect;
use scopes::{add_scopes, tell_sensitive};

/// Connects a profile.
pub fn run(context: &Context<'_>, args: &Connect) -> Result<Exit, Report> {
    let mut chosen = begin(context, args.profile.as_deref(), &args.client)?;
    let flow = flow(&chosen, args)?;
    add_scopes(&mut chosen, &args.scopes)?;
    for (key, value) in &args.params {
        chosen.profile.params.insert(key.clone(), value.clone());
    }
    set_redirect(&mut chosen, args)?;
    if args.print_redirect {
        let uri = redirect_uri(&chosen.provider, &chosen.profile)?;
        context.output.product(context.system, &format!("{uri}\n"))?;
        return Ok(Exit::Done);
    }
    ask_client(context, &mut chosen)?;
    ask_settings(context, &mut chosen, true)?;
    let brought = bring(context, &chosen, &args.client)?;
    tell_sensitive(context, &chosen.provider, &brought.scopes);
    let name = chosen.name.clone();
    let about = chosen.situation(context.system);
    let discovered = chosen.discovered.take();
    chosen.profile.flow = args.flow.is_some().then_some(flow).or(chosen.profile.flow);
    context.with_connection(chosen, args.client.client_id.as_deref(), |connection| {
        let entry = establish(context, connection, flow, &brought, args)?;
        if let Some(found) = &discovered {
            discovered::keep(context, found)?;
        }
        finish(context, connection, entry, &name, &about, "connected")
    })
}

fn establish(
    context: &Context<'_>,
    connection: &Connection<'_>,
    flow: Flow,
    brought: &Brought,
    args: &Connect,
) -> Result<Entry, Report> {
    let chosen = Chosen {
        name: connection.name().to_owned(),
        profile: connection.profile.clone(),
        provider: connection.provider.clone(),
        record: crate::profile::Record::default(),
        discovered: None,
    };
    let about = chosen.situation(context.system);
    let done = match flow {
        Flow::AuthorizationCode => {
            let way = way(context, &chosen, args)?;
            context.wait(connection.establish_with_code(brought, &way))?
        }
        Flow::ClientCredentials => {
            context.wait(connection.establish_with_client_credentials(brought))?
        }
        Flow::Password => {
            let (username, password) = owner(context, &chosen, args)?;
            context.wait(connection.establish_with_password(brought, username, password))?
        }
        Flow::Import => return Err(no_flow(&chosen, flow)),
    };
    done.map_err(|error: EstablishError| report::establish(&error, &connection.provider, &about))
}

fn way(context: &Context<'_>, chosen: &Chosen, args: &Connect) -> Result<Way, Report> {
    let params = chosen.profile.params.clone().into_iter().collect();
    Ok(Way {
        redirect_uri: redirect_uri(&chosen.provider, &chosen.profile)?,
        browser: browser(context.system, args.no_browser),
        params,
        patience: args.timeout,
    })
}

/// Whether a browser is started, else why not.
fn browser(system: &System, no_browser: bool) -> Result<(), String> {
    let environment = system.environment.all();
    let opening = should_open(BrowserChoice {
        browser_variable_set: system.environment.get("BROWSER").is_some(),
        no_browser_flag: no_browser,
        terminal: system.terminals.stderr,
        over_ssh: over_ssh(environment),
        in_container: in_container(environment, system.in_container),
        in_ci: in_ci(environment),
    });
    match opening {
        Opening::Start => Ok(()),
        Opening::Leave(why) => Err(why.to_string()),
    }
}

/// What is left once tokens are stored: choose what only the vendor can list, then tell.
pub fn finish(
    context: &Context<'_>,
    connection: &Connection<'_>,
    entry: Entry,
    name: &str,
    about: &super::report::Situation,
    verb: &str,
) -> Result<Exit, Report> {
    let left = choice::choose(context, connection, &entry, about)?;
    let tokens = entry.tokens.as_ref();
    let mut facts: Vec<String> = tokens
        .iter()
        .flat_map(|tokens| &tokens.contexts)
        .map(|(name, value)| {
            format!("{name} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        })
        .collect();
    if let Some(granted) = tokens.and_then(|tokens| tokens.granted.as_ref()) {
        facts.push(format!("granted {}", granted.join(" ")));
    }
    let line = format!("{verb} `{name}` to {}", about.provider);
    let line = match facts.is_empty() {
        true => line,
        false => format!("{line}: {}", printable(&facts.join(", "))),
    };
    context.output.note(context.system, &line);
    if let Some(report) = left {
        return Err(report);
    }
    if context.output.json {
        context.output.document(context.system, &status_object(context, name)?)?;
    }
    Ok(Exit::Done)
}
