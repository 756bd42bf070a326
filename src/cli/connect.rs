//! `connect`: a profile, authorised.

use std::str::FromStr as _;

use super::args::{Client, Connect, FlowChoice};
use super::context::{Chosen, Context, title};
use super::report::{self, Exit, Report};
use super::secrets;
use super::status::status_object;
use crate::connection::establish::authorization_code::Way;
use crate::connection::establish::{Brought, EstablishError};
use crate::connection::{Connection, Entry};
use crate::http::printable::printable;
use crate::profile::{Profile, settings};
use crate::provider::Provider;
use crate::provider::nearest::nearest;
use crate::provider::schema::{Flow, Needed, Presence, RedirectMatch};
use crate::secret::Secret;
use crate::system::System;
use crate::user_agent::opening::{
    BrowserChoice, Opening, in_ci, in_container, over_ssh, should_open,
};
use crate::user_agent::redirect_uri::RedirectUri;

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
    ask_client(context, &mut chosen, &args.client)?;
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
            super::discovered::keep(context, found)?;
        }
        finish(context, connection, entry, &name, &about, "connected")
    })
}

/// The profile that is connected or imported into: the existing one, or a new one of its provider.
pub fn begin(
    context: &Context<'_>,
    given: Option<&str>,
    client: &Client,
) -> Result<Chosen, Report> {
    let name = context.profile_name(given)?;
    let existing = context.profiles.find(&name).map_err(|error| report::profile(&error))?;
    let record = context.profiles.record(&name).map_err(|error| report::profile(&error))?;
    let asked = client.provider.as_deref().map(absolute_file);
    let mut profile = match (existing, &asked) {
        (Some(profile), None) => profile,
        (Some(profile), Some(asked)) if profile.provider == *asked => profile,
        (Some(profile), Some(asked)) => {
            if record.connected && !context.global.yes {
                return Err(Report::usage(format!(
                    "`{name}` is connected to {}, not to {}",
                    printable(&profile.provider),
                    printable(asked)
                ))
                .hint("use another profile name, or revoke it first")
                .next(format!("keyfob revoke {name}")));
            }
            Profile { provider: asked.clone(), store: profile.store, ..Profile::default() }
        }
        (None, _) => {
            Profile { provider: asked.unwrap_or_else(|| name.clone()), ..Profile::default() }
        }
    };
    let (provider, discovered) = super::discovered::provider(context, &mut profile)?;
    for (key, value) in &client.settings {
        let value =
            settings::check(&provider, key, value).map_err(|error| report::setting(&error))?;
        profile.settings.insert(key.clone(), value);
    }
    if let Some(choice) = context.global.store {
        profile.store = Some(choice.into());
    }
    if let Some(client_id) = context.client_id(client.client_id.as_deref(), &profile) {
        check_client_id(context, &provider, &client_id)?;
        profile.client_id = Some(client_id);
    }
    Ok(Chosen { name, profile, provider, record, discovered })
}

/// A file is remembered by a path that is right from everywhere.
fn absolute_file(provider: &str) -> String {
    if !super::context::is_path(provider) || provider.contains("://") {
        return provider.to_owned();
    }
    std::path::absolute(provider)
        .ok()
        .and_then(|path| path.to_str().map(str::to_owned))
        .unwrap_or_else(|| provider.to_owned())
}

fn check_client_id(
    context: &Context<'_>,
    provider: &Provider,
    client_id: &str,
) -> Result<(), Report> {
    if client_id.trim().is_empty() || client_id.chars().any(char::is_control) {
        return Err(Report::usage("the client id is empty or holds a control character")
            .hint("give the one that the vendor issued"));
    }
    let setup = &provider.setup;
    if let Some(longest) = setup.client_id_max_length
        && (client_id.len() > longest || !client_id.bytes().all(|b| b.is_ascii_alphanumeric()))
    {
        return Err(Report::usage(format!(
            "this is no client id of {}: letters and digits, at most {longest}",
            title(provider)
        ))
        .hint("give the one that is registered"));
    }
    if !client_id.starts_with(&setup.client_id_prefix) {
        context.output.warn(
            context.system,
            &format!(
                "client ids of {} begin with {}; this one does not",
                title(provider),
                setup.client_id_prefix
            ),
        );
    }
    Ok(())
}

/// The flow: the one that was asked for, the remembered one, or the provider's first.
fn flow(chosen: &Chosen, args: &Connect) -> Result<Flow, Report> {
    let provider = &chosen.provider;
    let asked = match args.flow {
        Some(FlowChoice::Code) => Some(Flow::AuthorizationCode),
        Some(FlowChoice::ClientCredentials) => Some(Flow::ClientCredentials),
        Some(FlowChoice::Password) => Some(Flow::Password),
        Some(FlowChoice::Device) => {
            return Err(Report::new(
                Exit::SetUp,
                "no-such-flow",
                format!("{} has no device flow that keyfob knows", title(provider)),
            )
            .hint("use its own flow")
            .next(format!("keyfob connect {}", chosen.name)));
        }
        None => chosen.profile.flow,
    };
    let flow = asked.or_else(|| provider.flows.first().copied()).unwrap_or(Flow::Import);
    if flow == Flow::Import || !provider.flows.contains(&flow) {
        return Err(no_flow(chosen, flow));
    }
    Ok(flow)
}

fn no_flow(chosen: &Chosen, flow: Flow) -> Report {
    let provider = &chosen.provider;
    let name = title(provider);
    let what = match flow {
        Flow::AuthorizationCode | Flow::Import => "code flow",
        Flow::ClientCredentials => "client-credentials flow",
        Flow::Password => "password flow",
    };
    let mut report = Report::new(
        Exit::SetUp,
        "no-such-flow",
        format!("{name} has no {what} for other programs"),
    );
    if let Some(import) = &provider.import {
        report = report
            .cause(format!("its tokens are made at {}", import.console))
            .hint("make them there, then import them")
            .next(format!("keyfob import {} --provider {}", chosen.name, provider.name));
    }
    if let (Some(legacy), true) = (&provider.legacy, flow != Flow::Password) {
        report = report.cause(format!("the password flow is for {} alone", legacy.until)).next(
            format!("keyfob connect {} --provider {} --flow password", chosen.name, provider.name),
        );
    }
    if report.next.is_empty() {
        report = report
            .hint("use the provider's own flow")
            .next(format!("keyfob connect {}", chosen.name));
    }
    report
}

/// Scopes may be repeated, or separated by commas or spaces; given ones replace the remembered ones.
fn add_scopes(chosen: &mut Chosen, given: &[String]) -> Result<(), Report> {
    let given: Vec<String> = given
        .iter()
        .flat_map(|scopes| scopes.split([',', ' ', '\n', '\t']))
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect();
    for scope in &given {
        check_scope(&chosen.provider, scope)?;
    }
    if !given.is_empty() {
        chosen.profile.scopes = given;
    }
    chosen.profile.scopes.dedup();
    Ok(())
}

fn check_scope(provider: &Provider, scope: &str) -> Result<(), Report> {
    // RFC 6749 section 3.3: visible ASCII without quote and backslash.
    if !scope.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte)) {
        return Err(Report::usage(format!("`{}` is no scope", printable(scope)))
            .hint("a scope is visible ASCII without quotes"));
    }
    let known = provider.scope.iter().find(|it| it.name == scope);
    if let Some(reserved) = known.filter(|it| it.reserved) {
        return Err(Report::usage(format!("{} keeps `{scope}` for itself", title(provider)))
            .cause(reserved.note.clone())
            .hint("leave it out"));
    }
    if known.is_some() || provider.scope.is_empty() || provider.more_scopes {
        return Ok(());
    }
    let names = || provider.scope.iter().filter(|it| !it.reserved).map(|it| it.name.as_str());
    let report = Report::usage(format!("{} has no scope `{}`", title(provider), printable(scope)));
    Err(match nearest(scope, names()) {
        Some(nearest) => report.hint(format!("did you mean `--scope {nearest}`?")),
        None => report.hint(format!("its scopes are {}", names().collect::<Vec<_>>().join(", "))),
    })
}

/// People see every scope on the consent page; the one who asks should know which weigh most.
fn tell_sensitive(context: &Context<'_>, provider: &Provider, asked: &[String]) {
    for scope in provider.scope.iter().filter(|it| it.sensitive && asked.contains(&it.name)) {
        context
            .output
            .note(context.system, &format!("`{}` is sensitive: {}", scope.name, scope.grants));
    }
}

fn set_redirect(chosen: &mut Chosen, args: &Connect) -> Result<(), Report> {
    if let Some(uri) = &args.redirect_uri {
        parse_redirect(uri)?;
        chosen.profile.redirect_uri = Some(uri.clone());
    }
    if let Some(port) = args.port {
        let uri = redirect_uri(&chosen.provider, &chosen.profile)?;
        let mut url = uri.url().clone();
        if url.scheme() != "http" || url.set_port(Some(port)).is_err() {
            return Err(Report::usage("--port is for a redirect URI on this machine")
                .cause(format!("it is {uri}"))
                .hint("leave --port out"));
        }
        chosen.profile.redirect_uri = Some(url.into());
    }
    Ok(())
}

/// The redirect URI of a profile: its own, the provider's, or a loopback address on any port.
pub fn redirect_uri(provider: &Provider, profile: &Profile) -> Result<RedirectUri, Report> {
    let of_provider = provider.authorize.as_ref().map(|it| &it.redirect);
    let text = match (&profile.redirect_uri, of_provider) {
        (Some(own), _) => own.clone(),
        (None, Some(redirect)) if !redirect.uri.is_empty() => redirect.uri.clone(),
        // RFC 8252 section 8.10: a path of its own for each authorization server.
        (None, _) => format!("http://127.0.0.1/callback/{}", provider.name),
    };
    let uri = parse_redirect(&text)?;
    let exact = of_provider.is_some_and(|it| it.matching == RedirectMatch::Exact);
    if exact && uri.is_any_port() {
        return Err(Report::usage(format!("{} compares redirect URIs exactly", title(provider)))
            .cause(format!("{uri} names no port"))
            .hint("give the port that is registered, such as http://127.0.0.1:8976/callback"));
    }
    Ok(uri)
}

fn parse_redirect(text: &str) -> Result<RedirectUri, Report> {
    RedirectUri::from_str(text).map_err(|error| {
        Report::usage("this is no redirect URI").cause(printable(&error.to_string())).hint(
            "use http://127.0.0.1:PORT/PATH, or an https page of your own whose address you paste",
        )
    })
}

/// Asks for the client id where nothing named it.
pub fn ask_client(
    context: &Context<'_>,
    chosen: &mut Chosen,
    _client: &Client,
) -> Result<(), Report> {
    if chosen.profile.client_id.is_some() {
        return Ok(());
    }
    match context.ask(&format!("Client id that {} gave you", title(&chosen.provider)))? {
        Some(client_id) => {
            check_client_id(context, &chosen.provider, &client_id)?;
            chosen.profile.client_id = Some(client_id);
            Ok(())
        }
        None => Err(Report::new(
            Exit::SetUp,
            "client-id-missing",
            format!("there is no client id for `{}`", chosen.name),
        )
        .hint("give the one that the vendor issued, or set KEYFOB_CLIENT_ID; this shows how to get one")
        .next(format!("keyfob provider show {}", printable(&chosen.profile.provider)))
        .next(format!("keyfob connect {} --client-id ID", chosen.name))),
    }
}

/// Asks for the settings that are missing; an empty answer is enough where calls alone need it.
pub fn ask_settings(
    context: &Context<'_>,
    chosen: &mut Chosen,
    for_calls_too: bool,
) -> Result<(), Report> {
    let values = settings::values(&chosen.provider, &chosen.profile.settings, None);
    let mut missing = settings::missing(&chosen.provider, &values, Needed::Connect);
    if for_calls_too {
        let calls = settings::missing(&chosen.provider, &values, Needed::Call);
        // An empty value that was given on purpose means "later".
        missing.extend(
            calls.into_iter().filter(|(name, _)| !chosen.profile.settings.contains_key(*name)),
        );
    }
    let mut answers = Vec::new();
    for (name, setting) in missing {
        if context.system.person.is_none() {
            return Err(missing_setting(chosen, name, &setting.ask));
        }
        let answer = context.ask(&setting.ask)?.unwrap_or_default();
        if answer.is_empty() && setting.needed == Needed::Connect {
            return Err(missing_setting(chosen, name, &setting.ask));
        }
        let value = settings::check(&chosen.provider, name, &answer)
            .map_err(|error| report::setting(&error))?;
        answers.push((name.to_owned(), value));
    }
    chosen.profile.settings.extend(answers);
    Ok(())
}

fn missing_setting(chosen: &Chosen, name: &str, ask: &str) -> Report {
    Report::usage(format!("{} needs the setting `{name}`", title(&chosen.provider)))
        .cause(ask.to_owned())
        .hint("give it")
        .next(format!("keyfob connect {} --set {name}=…", chosen.name))
}

/// Scopes, client secret, and whether another account is fine.
pub fn bring(context: &Context<'_>, chosen: &Chosen, client: &Client) -> Result<Brought, Report> {
    let mut scopes = chosen.profile.scopes.clone();
    for scope in chosen.provider.authorize.iter().flat_map(|it| &it.default_scopes) {
        if !scopes.contains(scope) {
            scopes.push(scope.clone());
        }
    }
    Ok(Brought {
        scopes,
        client_secret: client_secret(context, chosen, client)?,
        account_may_change: context.global.yes,
    })
}

/// From a file, the environment, the store, or a prompt; `None` leaves the stored one in force.
fn client_secret(
    context: &Context<'_>,
    chosen: &Chosen,
    client: &Client,
) -> Result<Option<Secret>, Report> {
    let given = match &client.client_secret_file {
        Some(path) => Some(secrets::from_file(context.system, path)?),
        None => context.system.environment.get("KEYFOB_CLIENT_SECRET").map(Secret::new),
    };
    let secret = match given {
        Some(secret) => Some(secret),
        None if chosen.provider.client.secret != Presence::Required => None,
        None if stored_secret(context, chosen)? => None,
        None => context.ask_secret("Client secret (not shown)")?,
    };
    if let Some(secret) = &secret {
        secrets::refuse_mixed(&chosen.provider, "client_secret", secret)?;
    }
    Ok(secret)
}

fn stored_secret(context: &Context<'_>, chosen: &Chosen) -> Result<bool, Report> {
    let kind = context.store_kind(&chosen.profile, &chosen.record)?;
    let entry =
        context.drawer(&chosen.name, kind)?.read().map_err(|error| report::store(&error))?;
    Ok(entry.is_some_and(|entry| entry.client_secret().is_some()))
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

/// The account owner's name and password, used once and kept nowhere.
fn owner(
    context: &Context<'_>,
    chosen: &Chosen,
    args: &Connect,
) -> Result<(String, Secret), Report> {
    if let Some(legacy) = &chosen.provider.legacy {
        context.output.warn(
            context.system,
            &format!(
                "the password flow is for {} alone; the password is used once and kept nowhere",
                legacy.until
            ),
        );
    }
    let missing = |what: &str, flag: &str| {
        Report::usage(format!("the password flow needs {what}"))
            .hint("give both")
            .next(format!("keyfob connect {} --flow password {flag}", chosen.name))
    };
    let username = match &args.username {
        Some(username) => Some(username.clone()),
        None => context.ask("Account owner's email")?,
    };
    let username = username.filter(|it| !it.is_empty()).ok_or_else(|| {
        missing("the account owner's name", "--username NAME --password-file FILE")
    })?;
    let password = match &args.password_file {
        Some(path) => Some(secrets::from_file(context.system, path)?),
        None => context.ask_secret("Password (not shown)")?,
    };
    let password = password.ok_or_else(|| missing("the password", "--password-file FILE"))?;
    Ok((username, password))
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
    let left = super::choice::choose(context, connection, &entry, about)?;
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
