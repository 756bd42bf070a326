//! `connect`: a profile, authorised.

mod begin;
pub mod bound;
mod bound_tokens;
mod brought;
mod client_document;
mod exchange;
mod flow;
mod free_port;
mod narrowed;
mod one_issuer;
mod params;
pub mod proof;
mod questions;
mod redirect;
pub mod register;
mod register_key;
mod register_update;
mod registering;
mod scopes;
mod superuser;
pub mod userinfo;
mod wanted;

use std::time::Duration;

use super::args::{Connect, FlowChoice};
use super::choice;
use super::command_line::Given;
use super::context::{Chosen, Context};
use super::discovered;
use super::report::{self, Exit, Report, Situation};
use super::standard_input;
use super::status::status_object;
use crate::connection::establish::authorization_code::Way;
use crate::connection::establish::device::Wait;
use crate::connection::establish::{Brought, EstablishError};
use crate::connection::{Connection, Entry, Leaves, keeping};
use crate::http::printable::printable;
use crate::profile::Record;
use crate::provider::schema::Flow;
use crate::store::StoreKind;
use crate::system::{CriticalPart, System};
use crate::user_agent::opening::{
    BrowserChoice, Opening, in_ci, in_container, over_ssh, should_open,
};
pub use begin::{absolute_file, begin, checked_client_id};
pub use brought::bring;
use brought::owner;
pub use exchange::Exchange;
use flow::{flow, no_flow};
use params::set_params;
use questions::ask_client;
pub use questions::ask_settings;
pub use redirect::redirect_uri;
use redirect::set_redirect;
use register::Became;
pub use registering::Registering;
use scopes::{add_scopes, tell_sensitive, tell_short};
use userinfo::set_userinfo;
use wanted::set_wanted;

/// How long the browser is waited for; a code has a life of its own.
const PATIENCE: Duration = Duration::from_secs(300);

/// Connects a profile.
pub fn run(context: &Context<'_>, args: &Connect) -> Result<Exit, Report> {
    let given = Given::of_connect(context.global, args);
    let name = context.profile_name(args.profile.as_deref())?;
    if let Some(flow) = args.flow {
        bound::refuse_useless(&given, flow.flow(), &[], &name)?;
    }
    standard_input::of_connect(context, args)?;
    if args.registering.register && context.system.environment.get("KEYFOB_CLIENT_ID").is_some() {
        let again = given.command("connect", &name, &[]);
        return Err(report::register_or_environment(&again));
    }
    let mut chosen = begin(context, args.profile.as_deref(), &args.client, "connect", given)?;
    let flow = flow(&chosen, args)?;
    bound::refuse_useless(&chosen.given, flow, &chosen.provider.flows, &name)?;
    chosen.profile.flow = args.flow.map(FlowChoice::flow).or(chosen.profile.flow);
    add_scopes(&mut chosen, &args.scopes)?;
    set_userinfo(&mut chosen, args.userinfo)?;
    set_params(context, &mut chosen, args, flow)?;
    chosen.profile.dpop = args.dpop.unwrap_or(chosen.profile.dpop);
    set_wanted(context, &mut chosen, args)?;
    set_redirect(&mut chosen, args)?;
    if args.registering.print_client_document {
        return client_document::print(context, &chosen, flow);
    }
    if args.print_redirect {
        return redirect::print(context, &chosen);
    }
    bound_tokens::check(context, &chosen)?;
    let bound_before = bound_tokens::kept(context, &name);
    let became = register::registered(context, &mut chosen, args, flow)?;
    if became.is_none() {
        ask_client(context, &mut chosen)?;
    }
    let Became { read, leaves } = became.unwrap_or_default();
    ask_settings(context, &mut chosen, true)?;
    client_document::check(context, &chosen, flow)?;
    let brought = bring(context, &chosen, &args.client, read)?;
    let mut brought = proof::complete(context, &chosen, flow, brought)?;
    if flow == Flow::JwtBearer && args.exchange.assertion_file.is_none() {
        brought = exchange::with_key(context, &chosen, brought)?;
    }
    brought.wanted.params = params::of_token_request(&chosen.profile, flow);
    tell_sensitive(context, &chosen.provider, &brought.scopes);
    narrowed::tell(context, &chosen, &brought.scopes, &args.scopes);
    tell_short(context, &chosen.provider, &brought.scopes);
    let discovered = chosen.discovered.take();
    let mut about = Situation { leaves, flow: Some(flow), ..chosen.situation(context.system) };
    if flow == Flow::AuthorizationCode {
        let uri = redirect_uri(&chosen.provider, &chosen.profile)?;
        about.redirect_uri = Some(uri.as_str().to_owned());
    }
    let kept = discovered::keep(context, discovered.as_ref())?;
    let before = chosen.record.store;
    context.with_connection(chosen, args.client.client_id.as_deref(), |connection| {
        let established = establish(context, connection, flow, &brought, args, &about);
        let entry = established.map_err(|report| {
            let has_stored = connection.has_stored();
            if !has_stored {
                kept.undo(context);
            }
            bound_tokens::take_back(context, connection.name(), bound_before, &report);
            report::interrupted(report, has_stored, &about)
        })?;
        leave_old_store(context, connection, before)?;
        finish(context, connection, entry, &about, "connected")
    })
}

/// A connection that moved to another store leaves nothing behind in the old one.
pub fn leave_old_store(
    context: &Context<'_>,
    connection: &Connection<'_>,
    before: Option<StoreKind>,
) -> Result<(), Report> {
    let Some(before) = before.filter(|kind| *kind != connection.drawer.store.kind()) else {
        return Ok(());
    };
    let old = context.drawer(connection.name(), before)?;
    let left = context.wait(keeping::leave(context.system, &old, connection.notify))?;
    if left.is_err() {
        context.output.warn(
            context.system,
            &format!(
                "the entry of `{}` in the {} store could not be removed; its tokens may live on",
                connection.name(),
                before.name()
            ),
        );
    }
    Ok(())
}

fn establish(
    context: &Context<'_>,
    connection: &Connection<'_>,
    flow: Flow,
    brought: &Brought,
    args: &Connect,
    about: &Situation,
) -> Result<Entry, Report> {
    let chosen = Chosen {
        name: connection.name().to_owned(),
        profile: connection.profile.clone(),
        provider: connection.provider.clone(),
        record: crate::profile::Record::default(),
        discovered: None,
        given: about.given.clone(),
        set_for_once: Vec::new(),
    };
    let done = match flow {
        Flow::AuthorizationCode => {
            let way = way(context, &chosen, args, about.leaves)?;
            context.wait(connection.establish_with_code(brought, &way))?
        }
        Flow::DeviceCode => {
            let wait = device_wait(context, &chosen, args, about.leaves);
            context.wait(connection.establish_with_device(brought, &wait))?
        }
        Flow::ClientCredentials => {
            context.wait(connection.establish_with_client_credentials(brought))?
        }
        Flow::Password => {
            let (username, password) = owner(context, &chosen, args)?;
            context.wait(connection.establish_with_password(brought, username, password))?
        }
        Flow::JwtBearer => match exchange::assertion(context, &args.exchange)? {
            Some(ready) => context.wait(connection.establish_with_assertion(brought, ready))?,
            None => context.wait(connection.establish_with_own_assertion(brought))?,
        },
        Flow::TokenExchange => {
            let grant = exchange::exchange(context, &chosen, &args.exchange, &brought.scopes)?;
            context.wait(connection.establish_with_exchange(brought, &grant))?
        }
        Flow::Import => return Err(no_flow(&chosen, flow)),
    };
    done.map_err(|error: EstablishError| {
        let report = report::establish(&error, &connection.provider, about);
        bound_tokens::advise(context, &chosen, report)
    })
}

fn way(
    context: &Context<'_>,
    chosen: &Chosen,
    args: &Connect,
    leaves: Leaves,
) -> Result<Way, Report> {
    let params = chosen.profile.params.clone().into_iter().collect();
    Ok(Way {
        redirect_uri: redirect_uri(&chosen.provider, &chosen.profile)?,
        browser: browser(context.system, args.no_browser),
        params,
        patience: args.timeout.unwrap_or(PATIENCE),
        leaves,
    })
}

fn device_wait(context: &Context<'_>, chosen: &Chosen, args: &Connect, leaves: Leaves) -> Wait {
    Wait {
        params: chosen.profile.params.clone().into_iter().collect(),
        // Where nothing is offered, no key is listened for.
        browser: !context.output.json
            && !context.output.quiet
            && browser(context.system, args.no_browser).is_ok(),
        patience: args.timeout,
        leaves,
    }
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
    about: &Situation,
    verb: &str,
) -> Result<Exit, Report> {
    let name = connection.name();
    tell_end(context, connection)?;
    let mut left = choice::choose(context, connection, &entry, about)?;
    // What was imported may be used elsewhere: nothing is asked of the vendor that need not be.
    if left.is_none() && verb == "connected" {
        left = choice::check(context, connection, &entry, about)?;
    }
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

/// A store that ends with this process leaves no connection behind, so none is recorded.
fn tell_end(context: &Context<'_>, connection: &Connection<'_>) -> Result<(), Report> {
    let ends = connection.drawer.store.kind() == StoreKind::Memory
        && context.system.critical_part == CriticalPart::OwnProcess;
    if !ends {
        return Ok(());
    }
    context.output.warn(
        context.system,
        "the memory store ends with this command, and this connection with it: choose keychain or file to keep one",
    );
    context
        .profiles
        .write_record(connection.name(), &Record::default())
        .map_err(|error| report::profile(&error))
}
