//! A client id that the authorization server gives to keyfob itself (RFC 7591).

use super::super::args::Connect;
use super::super::command_line::Plus;
use super::super::context::{Chosen, Context, title};
use super::super::report::{self, Report, Situation};
use super::super::{discovered, notices, secrets};
use super::free_port::{check_port, pin_port};
use super::questions::ask_settings;
use super::redirect::redirect_uri;
use super::register_key::{OwnKey, read};
use super::register_update::{entry, extend, standing};
use crate::authorization_server::dynamic_registration::{
    KnownBy, Wish, client_metadata, grant_type,
};
use crate::connection::entry::{Credentials, ShownAt};
use crate::connection::registration::{
    Asked, Obtained, RegisteredClient, Registrar, RegistrationError,
};
use crate::connection::{Ears, Leaves, Notice};
use crate::http::printable::printable;
use crate::profile::settings;
use crate::provider::schema::{Flow, Registration, RegistrationKind};
use crate::provider::{MissingValue, Provider, Values};
use crate::secret::Secret;
use crate::user_agent::redirect_uri::RedirectUri;

/// Gives the profile a client of its own where that is asked for and possible; `None` where a
/// client id must come from the person.
pub fn registered(
    context: &Context<'_>,
    chosen: &mut Chosen,
    args: &Connect,
    flow: Flow,
) -> Result<Option<Became>, Report> {
    let asked_for = args.registering.register;
    if chosen.profile.registered.is_some() && chosen.profile.client_id.is_some() {
        return standing(context, chosen, args, flow).map(Some);
    }
    if chosen.profile.client_id.is_some() {
        return match asked_for {
            true => Err(has_a_client(chosen)),
            false => Ok(None),
        };
    }
    let dynamic = dynamic(chosen);
    match (asked_for, dynamic) {
        (true, None) => Err(report::no_registration(&title(&chosen.provider))),
        (false, None) => Ok(None),
        (false, Some(_)) if !wanted(context, chosen)? => Ok(None),
        (_, Some(registration)) => {
            let read = read(context, chosen, args)?;
            let asking = Asking { args, registration: &registration, flow, read: &read };
            obtain(context, chosen, &asking, None).map(Some)
        }
    }
}

/// The client id is the person's own, and stays until they give it up.
fn has_a_client(chosen: &Chosen) -> Report {
    let again = chosen.given.command("connect", &chosen.name, &[]);
    report::has_a_client(&chosen.name, chosen.record.connected, again)
}

/// What this command wants of a registration.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    /// As it was typed.
    pub args: &'a Connect,
    /// Where clients register themselves.
    pub registration: &'a Registration,
    /// How tokens are got.
    pub flow: Flow,
    /// What was read of the client's own key.
    pub read: &'a Credentials,
}

impl Asking<'_> {
    /// The end of it.
    pub fn done(&self) -> Became {
        Became { read: self.read.clone(), leaves: Leaves::Nothing }
    }
}

/// What came of it.
#[derive(Default)]
pub struct Became {
    /// What was read of the client's own key, and is not read again.
    pub read: Credentials,
    /// What is left of it where no connection comes to be.
    pub leaves: Leaves,
}

impl Became {
    /// The same where something was registered.
    pub fn registered(self) -> Self {
        Self { leaves: Leaves::Registration, ..self }
    }
}

pub(super) fn dynamic(chosen: &Chosen) -> Option<Registration> {
    let registration = chosen.provider.registration.as_ref();
    registration.filter(|it| it.kind == RegistrationKind::Dynamic).cloned()
}

pub(super) fn wanted(context: &Context<'_>, chosen: &Chosen) -> Result<bool, Report> {
    let name = title(&chosen.provider);
    context.agreed(&format!("{name} gives client ids itself. Register keyfob there?"))
}

/// Registers, or takes what an earlier or a parallel command registered, and writes the profile.
pub(super) fn obtain(
    context: &Context<'_>,
    chosen: &mut Chosen,
    asking: &Asking<'_>,
    replaces: Option<&str>,
) -> Result<Became, Report> {
    let Asking { args, registration, flow, read } = *asking;
    ask_settings(context, chosen, true)?;
    pin_port(context, chosen, flow)?;
    let own = OwnKey::of(context, chosen, read)?;
    let wish = Wish { known_by: own.known_by, ..wish(chosen, flow)? };
    let metadata = client_metadata(&wish, registration);
    let values = settings::values(&chosen.provider, &chosen.profile.settings, None);
    let missing = |missing: MissingValue| {
        report::missing_value(&missing.0, &chosen.situation(context.system))
    };
    let url = |template: &str| values.render_url(template).map_err(missing);
    let endpoint = url(registration.url.as_deref().unwrap_or_default())?;
    let token_endpoint = url(&chosen.provider.token.url)?;
    let named_by = chosen.provider.named_by(&values).map_err(missing)?;
    let shown_at = shown_at(&chosen.provider, &values);
    let mut initial = match &args.registering.initial_access_token_file {
        Some(path) => Some(secrets::from_file(context.system, path)?),
        None => None,
    };
    // A client of an earlier command is found in the store, and its port may be that command's still.
    let registers = entry(context, chosen)?.is_none_or(|entry| entry.registration.is_none());
    if registers || replaces.is_some() {
        check_port(context, chosen, flow)?;
    }
    let obtained = loop {
        let asked = Asked {
            endpoint: &endpoint,
            named_by: named_by.as_deref(),
            provider: &chosen.provider.name,
            token_endpoint: &token_endpoint,
            shown_at: &shown_at,
            authentication: wish.authentication,
            brought: &own.brought,
            metadata: &metadata,
            initial_access_token: initial.as_ref(),
            replaces,
        };
        let registered =
            with_registrar(context, chosen, |desk| context.wait(desk.register(&asked)));
        match registered.map_err(|report| cut_short(context, chosen, report, registers))? {
            Err(RegistrationError::Unauthorized(error)) if initial.is_none() => {
                initial = ask_token(context, &title(&chosen.provider))?;
                if initial.is_none() {
                    let error = RegistrationError::Unauthorized(error);
                    return Err(failed(&error, chosen));
                }
            }
            Err(error) => return Err(failed(&error, chosen)),
            Ok(obtained) => break obtained,
        }
    };
    let is_known = !obtained.is_new && !obtained.waits;
    adopt(context, chosen, obtained, flow)?;
    match is_known {
        // Somebody else registered it, and for something else perhaps.
        true => {
            extend(context, chosen, &Asking { read: &own.read, ..*asking }).map(Became::registered)
        }
        false => Ok(Became { read: own.read, leaves: Leaves::Registration }),
    }
}

/// A signal is heard once the answer is stored; the profile does not name the client by then, and the
/// same command finds it in the store.
fn cut_short(context: &Context<'_>, chosen: &Chosen, report: Report, is_first: bool) -> Report {
    let kept = entry(context, chosen).ok().flatten();
    let is_there = is_first && kept.is_some_and(|entry| entry.registration.is_some());
    let leaves = if is_there { Leaves::Registration } else { Leaves::Nothing };
    report::interrupted(report, false, &Situation { leaves, ..chosen.situation(context.system) })
}

/// Where the client may be proved beside the token endpoint, as it is named now.
fn shown_at(provider: &Provider, values: &Values) -> ShownAt {
    let url = |template: Option<&String>| values.render_url(template?).ok();
    ShownAt {
        pushed: url(provider.authorize.as_ref().and_then(|it| it.pushed_url.as_ref())),
        codes: url(provider.device.as_ref().map(|it| &it.url)),
    }
}

/// One that was refused is not asked for again: the loop above comes here once.
fn ask_token(context: &Context<'_>, provider: &str) -> Result<Option<Secret>, Report> {
    context.ask_secret(&format!("Initial access token that {provider} gave you (not shown)"))
}

/// What the client is registered or published for.
pub fn wish(chosen: &Chosen, flow: Flow) -> Result<Wish, Report> {
    let redirect_uri = match flow {
        Flow::AuthorizationCode => {
            let uri = redirect_uri(&chosen.provider, &chosen.profile)?;
            Some(uri.as_str().to_owned())
        }
        _ => None,
    };
    let scopes = chosen.profile.asked_scopes(&chosen.provider);
    let authentication = chosen.profile.client_of(&chosen.provider).auth;
    let dpop = chosen.profile.dpop || chosen.provider.client.dpop_bound_access_tokens;
    let known_by = KnownBy::default();
    Ok(Wish { flow, redirect_uri, scopes, authentication, dpop, known_by })
}

/// What the server registered is what is used from now on; the profile says so before a browser
/// opens, unless another client has tokens still.
fn adopt(
    context: &Context<'_>,
    chosen: &mut Chosen,
    obtained: Obtained,
    flow: Flow,
) -> Result<(), Report> {
    let Obtained { client, is_new, waits } = obtained;
    chosen.profile.client_id = Some(client.client_id.clone());
    chosen.profile.registered = Some(client.public());
    use_what_was_given(context, chosen, &client, flow)?;
    if let Some(found) = chosen.discovered.take() {
        discovered::keep(context, Some(&found))?;
    }
    if !waits {
        let written = context.profiles.write(&chosen.name, &chosen.profile);
        written.map_err(|error| report::profile(&error))?;
        // A file says the rest from here on.
        chosen.given = chosen.given.for_once();
    }
    let told = match is_new {
        true => "registered at",
        false => "was registered before at",
    };
    let mut line = format!(
        "`{}` {told} {}: client id {}",
        chosen.name,
        title(&chosen.provider),
        printable(&client.client_id)
    );
    if waits {
        line += "; the client of before is used until this one has tokens";
    }
    context.output.note(context.system, &line);
    Ok(())
}

/// What the server registered may be less than was asked for.
pub(super) fn use_what_was_given(
    context: &Context<'_>,
    chosen: &mut Chosen,
    client: &RegisteredClient,
    flow: Flow,
) -> Result<(), Report> {
    use_redirect(chosen, client)?;
    use_scopes(context, chosen, client);
    let grant = grant_type(flow);
    if client.grant_types.as_ref().is_some_and(|all| !all.iter().any(|it| it == grant)) {
        let says = format!("the registration does not cover {grant}, and the server may refuse it");
        context.output.warn(context.system, &says);
    }
    Ok(())
}

/// Where the browser comes back to is what the server has on its list.
pub(super) fn use_redirect(chosen: &mut Chosen, client: &RegisteredClient) -> Result<(), Report> {
    let Some(own) = &chosen.profile.redirect_uri else { return Ok(()) };
    if client.redirect_uris.is_empty() || client.redirect_uris.contains(own) {
        return Ok(());
    }
    let on_this_machine = |text: &&String| {
        let uri = text.parse::<RedirectUri>();
        uri.is_ok_and(|uri| {
            matches!(uri.place(), crate::user_agent::redirect_uri::Place::Loopback(_))
        })
    };
    match client.redirect_uris.iter().find(on_this_machine) {
        Some(other) => {
            chosen.profile.redirect_uri = Some(other.clone());
            Ok(())
        }
        None => Err(report::registered_elsewhere(&chosen.name, own, &client.redirect_uris)),
    }
}

/// Scopes that the registration does not cover would be refused when they are asked for.
fn use_scopes(context: &Context<'_>, chosen: &mut Chosen, client: &RegisteredClient) {
    let Some(covered) = &client.scopes else { return };
    let (kept, lost): (Vec<String>, Vec<String>) =
        chosen.profile.scopes.iter().cloned().partition(|scope| covered.contains(scope));
    if !lost.is_empty() {
        let lost = printable(&lost.join(", "));
        let says = format!("the registration does not cover {lost}, so it is not asked for");
        context.output.warn(context.system, &says);
    }
    chosen.profile.scopes = kept;
}

fn failed(error: &RegistrationError, chosen: &Chosen) -> Report {
    let again = |plus: Plus<'_>| chosen.given.command("connect", &chosen.name, plus);
    let report = report::registration(error, &title(&chosen.provider), &again);
    match error {
        RegistrationError::Connected => {
            report.next(format!("keyfob revoke {}", chosen.name)).next(again(&[]))
        }
        _ => report,
    }
}

pub(super) fn with_registrar<T>(
    context: &Context<'_>,
    chosen: &Chosen,
    work: impl FnOnce(&Registrar<'_>) -> Result<T, Report>,
) -> Result<T, Report> {
    let kind = context.store_kind(&chosen.profile, &chosen.record)?;
    let drawer = context.drawer(&chosen.name, kind)?;
    registrar(context, &chosen.name, &title(&chosen.provider), &drawer, work)
}

/// Runs `work` with what a registration needs.
pub fn registrar<T>(
    context: &Context<'_>,
    name: &str,
    provider: &str,
    drawer: &crate::connection::Drawer,
    work: impl FnOnce(&Registrar<'_>) -> Result<T, Report>,
) -> Result<T, Report> {
    let http = context.http().map_err(|error| report::http("no request can be made", &error))?;
    let notify = |notice: Notice| {
        notices::tell(context.output, context.system, name, provider, notice);
    };
    let trace = |line: String| {
        if !context.output.json {
            context.output.say(context.system, &line);
        }
    };
    let ears = Ears { notify: &notify, verbose: context.output.verbose, trace: &trace };
    work(&Registrar { system: context.system, drawer, http: &http, ears })
}
