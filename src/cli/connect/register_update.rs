//! A client that is registered already: adopted, renewed, and registered for more where that is needed.

use serde_json::{Map, Value};

use super::super::args::Connect;
use super::super::command_line::Plus;
use super::super::context::{Chosen, Context, title};
use super::super::report::{self, Report};
use super::free_port::{check_port, pin_port};
use super::register::{
    Asking, Became, dynamic, obtain, use_redirect, use_what_was_given, wanted, wish, with_registrar,
};
use super::register_key::{OwnKey, read};
use crate::authorization_server::client_terms::Lack;
use crate::authorization_server::dynamic_registration::{Wish, client_metadata};
use crate::connection::Entry;
use crate::connection::entry::Credentials;
use crate::connection::registration::{RegisteredClient, RegistrationError};
use crate::http::error_response::ErrorResponse;
use crate::http::printable::printable;
use crate::provider::schema::Flow;

/// Makes the client of the profile fit for what is asked for now.
pub fn standing(
    context: &Context<'_>,
    chosen: &mut Chosen,
    args: &Connect,
    flow: Flow,
) -> Result<Became, Report> {
    follow(context, chosen)?;
    let ended = chosen.profile.secret_has_ended(context.system.clock.now());
    match (dynamic(chosen), ended) {
        (None, true) => Err(report::no_registration(&title(&chosen.provider))),
        (None, false) => Ok(Became::default()),
        (Some(registration), is_over) => {
            let read = read(context, chosen, args)?;
            let asking = Asking { args, registration: &registration, flow, read: &read };
            match is_over {
                true => renew(context, chosen, &asking),
                false => extend(context, chosen, &asking),
            }
        }
    }
}

/// A command that was cut short left a client in the store that the profile does not name yet.
fn follow(context: &Context<'_>, chosen: &mut Chosen) -> Result<(), Report> {
    let entry = entry(context, chosen)?;
    let Some(client) = entry.and_then(|entry| entry.registration) else { return Ok(()) };
    let endpoint = chosen.profile.registered.as_ref().map(|it| &it.endpoint);
    let is_named = chosen.profile.client_id.as_ref() == Some(&client.client_id);
    match is_named || endpoint != Some(&client.endpoint) {
        true => Ok(()),
        false => keep(context, chosen, &client),
    }
}

pub(super) fn entry(context: &Context<'_>, chosen: &Chosen) -> Result<Option<Entry>, Report> {
    let kind = context.store_kind(&chosen.profile, &chosen.record)?;
    let read = context.drawer(&chosen.name, kind)?.read();
    read.map_err(|error| report::store_of(&error, &chosen.situation(context.system)))
}

/// Writes what is known to everyone of the client; what this command was asked beside it is not
/// written before there are tokens.
fn keep(
    context: &Context<'_>,
    chosen: &mut Chosen,
    client: &RegisteredClient,
) -> Result<(), Report> {
    chosen.profile.client_id = Some(client.client_id.clone());
    chosen.profile.registered = Some(client.public());
    let found = context.profiles.find(&chosen.name).map_err(|error| report::profile(&error))?;
    let mut file = found.unwrap_or_else(|| chosen.profile.clone());
    file.client_id.clone_from(&chosen.profile.client_id);
    file.registered.clone_from(&chosen.profile.registered);
    context.profiles.write(&chosen.name, &file).map_err(|error| report::profile(&error))
}

/// Makes the client fit for what is asked for now. A key that may be known to the server already is
/// sent again before any other, so that no third one is left to chance.
pub(super) fn extend(
    context: &Context<'_>,
    chosen: &mut Chosen,
    asking: &Asking<'_>,
) -> Result<Became, Report> {
    let other = entry(context, chosen)?.and_then(|entry| entry.other_key());
    if let Some(other) = other {
        extend_with(context, chosen, &Asking { read: &other, ..*asking })?;
    }
    extend_with(context, chosen, asking)
}

/// Registers the client for what it is not registered for yet: as the same one where the server
/// lets it be changed (RFC 7592), else as another that takes its place once it has tokens.
fn extend_with(
    context: &Context<'_>,
    chosen: &mut Chosen,
    asking: &Asking<'_>,
) -> Result<Became, Report> {
    let Some(entry) = entry(context, chosen)? else { return Ok(asking.done()) };
    let Some(client) = own_client(&entry, chosen) else { return Ok(asking.done()) };
    let Asking { registration, flow, .. } = *asking;
    return_to_it(chosen, client, flow);
    pin_port(context, chosen, flow)?;
    let own = OwnKey::standing(chosen, &entry, asking.read)?;
    let wish = Wish { known_by: own.known_by, ..wish(chosen, flow)? };
    let metadata = client_metadata(&wish, registration);
    let mut lacks = client.lacks(&entry.registrable_now(&metadata));
    let mut brought = Credentials::default();
    if is_another_key(chosen, &entry, asking, wish, &metadata) {
        lacks.push(Lack::Key);
        brought = own.brought;
    }
    if lacks.is_empty() {
        return match asking.args.registering.register {
            true => ask_after(context, chosen, asking),
            false => Ok(asking.done()),
        };
    }
    if lacks.iter().any(|lack| matches!(lack, Lack::RedirectUri(_))) {
        check_port(context, chosen, flow)?;
    }
    match with_registrar(context, chosen, |desk| context.wait(desk.update(&metadata, &brought)))? {
        Ok(client) => {
            keep(context, chosen, &client)?;
            use_what_was_given(context, chosen, &client, flow)?;
            tell_change(context, chosen, &lacks);
            Ok(asking.done().registered())
        }
        // A server that cannot be asked may take any port of this machine all the same (RFC 8252
        // section 7.3), and proofs that nobody demands.
        Err(RegistrationError::NotManaged | RegistrationError::Refused(_))
            if lacks.iter().all(may_be_had_all_the_same) && !asking.args.registering.register =>
        {
            if lacks.iter().any(|lack| matches!(lack, Lack::RedirectUri(_))) {
                let says =
                    "the server could not be told of the new redirect URI, and may refuse it";
                context.output.warn(context.system, says);
            }
            Ok(asking.done())
        }
        Err(RegistrationError::NotManaged | RegistrationError::Gone) => {
            anew(context, chosen, asking, (&lacks, None))
        }
        Err(RegistrationError::Refused(error)) => {
            anew(context, chosen, asking, (&lacks, Some(&error)))
        }
        Err(error) => {
            tell_both_keys(context, chosen)?;
            Err(not_changed(&error, chosen))
        }
    }
}

/// A key that was sent, and that the server may have taken, is kept beside the one in force.
fn tell_both_keys(context: &Context<'_>, chosen: &Chosen) -> Result<(), Report> {
    if entry(context, chosen)?.is_some_and(|entry| entry.other_key().is_some()) {
        let says = format!(
            "{} may know the client of `{}` by the new key now: it is kept beside the one of before, and connecting again tells it once more",
            title(&chosen.provider),
            chosen.name
        );
        context.output.warn(context.system, &says);
    }
    Ok(())
}

fn not_changed(error: &RegistrationError, chosen: &Chosen) -> Report {
    let again = |plus: Plus<'_>| chosen.given.command("connect", &chosen.name, plus);
    report::registration_change(error, &title(&chosen.provider), &again)
}

/// Whether the server would get to know the client by another key or certificate than by the one that
/// is kept; not so where that is unchanged, or fetched from where the provider's file says.
fn is_another_key(
    chosen: &Chosen,
    entry: &Entry,
    asking: &Asking<'_>,
    wish: Wish,
    metadata: &Map<String, Value>,
) -> bool {
    if asking.read.private_key.is_none() && asking.read.certificate.is_none() {
        return false;
    }
    // A kept one that cannot be read is another one too.
    let kept = OwnKey::standing(chosen, entry, &Credentials::default());
    let known_by = kept.map(|own| own.known_by).unwrap_or_default();
    client_metadata(&Wish { known_by, ..wish }, asking.registration) != *metadata
}

/// The client in force, where it is the one that the profile names.
fn own_client<'e>(entry: &'e Entry, chosen: &Chosen) -> Option<&'e RegisteredClient> {
    let client = entry.registration.as_ref()?;
    (chosen.profile.client_id.as_ref() == Some(&client.client_id)).then_some(client)
}

/// Where nobody names another redirect URI, the browser comes back to the one that is registered.
fn return_to_it(chosen: &mut Chosen, client: &RegisteredClient, flow: Flow) {
    if flow == Flow::AuthorizationCode && chosen.profile.redirect_uri.is_none() {
        chosen.profile.redirect_uri = client.redirect_uris.first().cloned();
        if use_redirect(chosen, client).is_err() {
            chosen.profile.redirect_uri = None;
        }
    }
}

/// What the server registered beside what it had, and in the place of it.
fn tell_change(context: &Context<'_>, chosen: &Chosen, lacks: &[Lack]) {
    let (name, provider) = (&chosen.name, title(&chosen.provider));
    let (keys, more): (Vec<Lack>, Vec<Lack>) =
        lacks.iter().cloned().partition(|it| *it == Lack::Key);
    let tell = |line: String| context.output.note(context.system, &line);
    if !more.is_empty() {
        tell(format!("`{name}` is registered at {provider} for {} too", words(&more)));
    }
    if !keys.is_empty() {
        tell(format!(
            "{provider} knows the client of `{name}` by {}, and by the one of before no more",
            words(&keys)
        ));
    }
}

fn may_be_had_all_the_same(lack: &Lack) -> bool {
    matches!(lack, Lack::RedirectUri(_) | Lack::BoundTokens)
}

/// What a registration did not cover, for a person.
fn words(lacks: &[Lack]) -> String {
    let words = lacks.iter().map(|lack| match lack {
        Lack::Grant(name) | Lack::Scope(name) | Lack::RedirectUri(name) => printable(name),
        Lack::PlainTokens => "tokens that are bound to no key".to_owned(),
        Lack::BoundTokens => "tokens that are bound to a key".to_owned(),
        Lack::Key => "the key that was given".to_owned(),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Registers another client, which a person agrees to.
fn anew(
    context: &Context<'_>,
    chosen: &mut Chosen,
    asking: &Asking<'_>,
    (lacks, refusal): (&[Lack], Option<&ErrorResponse>),
) -> Result<Became, Report> {
    let (lacking, provider) = (words(lacks), title(&chosen.provider));
    let question = format!(
        "The client of `{}` is not registered at {provider} for {lacking}, and cannot be changed. Register another?",
        chosen.name
    );
    if !asking.args.registering.register && !context.agreed(&question)? {
        // No file says yet what the client lacks, so the command to paste does.
        let again = chosen.given.command("connect", &chosen.name, &[("--register", "")]);
        return Err(report::registration_lacks(&chosen.name, &provider, &lacking, refusal, again));
    }
    another(context, chosen, asking)
}

/// Registers another client in the place of the profile's.
fn another(
    context: &Context<'_>,
    chosen: &mut Chosen,
    asking: &Asking<'_>,
) -> Result<Became, Report> {
    let replaces = chosen.profile.client_id.clone();
    obtain(context, chosen, asking, replaces.as_deref())
}

/// Asks whether the server knows a client still that covers all that is wanted; one that is no more
/// is registered anew.
fn ask_after(
    context: &Context<'_>,
    chosen: &mut Chosen,
    asking: &Asking<'_>,
) -> Result<Became, Report> {
    let (name, provider) = (chosen.name.clone(), title(&chosen.provider));
    let tell = |line: String| context.output.note(context.system, &line);
    match with_registrar(context, chosen, |desk| context.wait(desk.read()))? {
        Ok(client) => {
            keep(context, chosen, &client)?;
            Ok(asking.done())
        }
        Err(RegistrationError::Gone) => {
            tell(format!("{provider} knows the client of `{name}` no more"));
            another(context, chosen, asking)
        }
        Err(RegistrationError::NotManaged | RegistrationError::Refused(_)) => {
            tell(format!(
                "`{name}` has a client of {provider} already, which does not say whether it knows it still; to register another, run `keyfob profile remove {name}` first"
            ));
            Ok(asking.done())
        }
        Err(error) => Err(not_changed(&error, chosen)),
    }
}

/// Gets a new secret in the place of one that has ended; a client that is no more is made anew.
fn renew(
    context: &Context<'_>,
    chosen: &mut Chosen,
    asking: &Asking<'_>,
) -> Result<Became, Report> {
    let metadata = client_metadata(&wish(chosen, asking.flow)?, asking.registration);
    match with_registrar(context, chosen, |desk| context.wait(desk.renew(&metadata)))? {
        Ok(client) => {
            keep(context, chosen, &client)?;
            context.output.note(
                context.system,
                &format!("the client secret of `{}` had ended and is renewed", chosen.name),
            );
            extend(context, chosen, asking).map(Became::registered)
        }
        Err(
            RegistrationError::Gone | RegistrationError::NotManaged | RegistrationError::StillEnded,
        ) if asking.args.registering.register || wanted(context, chosen)? => {
            another(context, chosen, asking)
        }
        Err(error) => Err(not_changed(&error, chosen)),
    }
}
