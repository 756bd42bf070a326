//! How the client proves itself: what the flags bring, what the profile and the store have, and whether
//! the server can be content with it before a browser opens.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::super::args::Client;
use super::super::client_key;
use super::super::command_line::{Given, Plus};
use super::super::context::{Chosen, Context, title};
use super::super::discovered;
use super::super::report::{self, Exit, Report, Situation};
use super::super::secrets;
use super::brought::{kept, moved, token_endpoint};
use crate::authorization_server::client_document::document_url;
use crate::connection::Entry;
use crate::connection::establish::Brought;
use crate::profile::client::{Proofs, choose as choice_of};
use crate::profile::{Profile, Record};
use crate::provider::Provider;
use crate::provider::schema::{ClientAuthentication, Flow, Presence};
use crate::secret::Secret;
use crate::store::StoreError;

/// The variable that brings a client secret.
const SECRET: &str = "KEYFOB_CLIENT_SECRET";

/// Reads `--client-authentication`: the names that servers publish (RFC 8414 section 2).
pub fn method() -> impl TypedValueParser<Value = ClientAuthentication> {
    let names = PossibleValuesParser::new(ClientAuthentication::ALL.map(|it| it.registered_name()));
    names.try_map(|name| {
        let mut all = ClientAuthentication::ALL.into_iter();
        all.find(|method| method.registered_name() == name).ok_or("no such method")
    })
}

/// Chooses between the methods of a provider that leaves a choice, and lets the profile remember it.
/// `secret` is what brings a client secret, and `is_known` says that the profile was set up with this
/// provider before.
pub fn choose(
    context: &Context<'_>,
    name: &str,
    profile: &mut Profile,
    record: &Record,
    provider: &Provider,
    (client, secret): (&Client, Option<&'static str>),
    is_known: bool,
) -> Result<(), Report> {
    if let Some(method) = client.client_authentication {
        check_registered(name, method, profile)?;
        check_named(provider, method, secret)?;
    }
    let before = match is_known && was_found(provider) {
        true => discovered::former::client_of(context, profile, &profile.provider),
        false => profile.client,
    };
    let mut brings = Proofs {
        named: client.client_authentication,
        private_key: client.client_key_file.is_some(),
        certificate: client.client_certificate_file.is_some(),
        secret: client.client_secret_file.is_some(),
    };
    if brings == Proofs::default() {
        let says_nothing = before.is_none();
        let has_key = client_key::is_given(context, client)
            && provider.client.offers(ClientAuthentication::PrivateKeyJwt);
        brings = match secret {
            _ if says_nothing && has_key => Proofs { private_key: true, ..brings },
            // A registered client has the secret that it was given; a key that is read is the proof.
            Some(_) if profile.registered.is_none() && !has_key => {
                Proofs { secret: true, ..brings }
            }
            _ if says_nothing && is_known => stored(context, name, profile, record, provider)?,
            _ => brings,
        };
    }
    let had_certificate =
        Profile { client: before, ..profile.clone() }.client_of(provider).shows_certificate();
    profile.client = choice_of(before, provider, brings);
    let shows = profile.client_of(provider).shows_certificate();
    if shows && !(had_certificate && is_known) {
        discovered::hosts::confirm_for_certificate(context, provider)?;
    }
    Ok(())
}

/// What brings a client secret, if anything does; the flag stands before the environment.
pub fn secret_of(context: &Context<'_>, client: &Client) -> Option<&'static str> {
    let is_set = || context.system.environment.get(SECRET).is_some();
    match client.client_secret_file {
        Some(_) => Some("--client-secret-file"),
        None => is_set().then_some(SECRET),
    }
}

/// The server says how a client proves itself that was registered there.
fn check_registered(
    name: &str,
    method: ClientAuthentication,
    profile: &Profile,
) -> Result<(), Report> {
    let registered = profile.registered.as_ref().map(|it| it.authentication);
    let Some(registered) = registered.filter(|it| *it != method) else { return Ok(()) };
    let (is, named) = (registered.registered_name(), method.registered_name());
    Err(Report::usage(format!("`{name}` is not registered for {named}"))
        .cause(format!("the server registered its client for {is}"))
        .hint("leave --client-authentication out, or name another client with --client-id"))
}

/// A method that no client of this provider could have is a slip. A server that lets public clients in
/// often does not say so in its metadata.
fn check_named(
    provider: &Provider,
    method: ClientAuthentication,
    secret: Option<&str>,
) -> Result<(), Report> {
    if let (ClientAuthentication::Id, Some(source)) = (method, secret) {
        return Err(Report::usage("--client-authentication none sends no client secret")
            .cause(format!("{source} brings one"))
            .hint("leave that out, or name the method that it is for"));
    }
    let client = &provider.client;
    let was_found = was_found(provider);
    let by_default = [ClientAuthentication::Basic, ClientAuthentication::Post].contains(&method);
    let is_possible = client.offers(method)
        || was_found && method == ClientAuthentication::Id
        || was_found && client.methods.is_empty() && by_default;
    if is_possible {
        return Ok(());
    }
    let name = title(provider);
    let offered: Vec<&str> = client.all_methods().iter().map(|it| it.registered_name()).collect();
    Err(Report::usage(format!("{name} does not take {}", method.registered_name()))
        .cause(format!("it takes {}", offered.join(", ")))
        .hint("name one of these, or leave --client-authentication out"))
}

/// Whether the server itself named the endpoints, and no person did.
fn was_found(provider: &Provider) -> bool {
    provider.discovery.as_ref().is_some_and(|it| it.names_endpoints)
}

/// What the store keeps for a profile that says nothing itself: a key alone is the proof.
fn stored(
    context: &Context<'_>,
    name: &str,
    profile: &Profile,
    record: &Record,
    provider: &Provider,
) -> Result<Proofs, Report> {
    let is_any_use =
        provider.client.methods.iter().any(|method| {
            *method == ClientAuthentication::PrivateKeyJwt || method.shows_certificate()
        });
    if !is_any_use {
        return Ok(Proofs::default());
    }
    let kind = context.store_kind(profile, record)?;
    let read = context.drawer(name, kind)?.read();
    let failed = |error: StoreError| {
        let whole = Given::of(profile, provider);
        let about = Situation {
            profile: name.to_owned(),
            anew: whole.clone(),
            given: whole,
            ..Situation::default()
        };
        report::store_of(&error, &about)
    };
    let Some(entry) = read.map_err(failed)? else {
        return Ok(Proofs::default());
    };
    let aliased = provider.clone().at_mutual_tls();
    let endpoints = [provider, &aliased].map(|provider| token_endpoint(provider, profile));
    let has = |which: fn(&Entry, Option<&str>, &str) -> bool| {
        let mut endpoints = endpoints.iter().flatten();
        endpoints.any(|endpoint| which(&entry, Some(endpoint), &provider.name))
    };
    if has(|entry, endpoint, name| entry.client_secret_for(endpoint, name).is_some()) {
        return Ok(Proofs::default());
    }
    Ok(Proofs {
        private_key: has(|entry, endpoint, name| entry.private_key_for(endpoint, name).is_some()),
        certificate: has(|entry, endpoint, name| {
            entry.client_certificate_for(endpoint, name).is_some()
        }),
        ..Proofs::default()
    })
}

/// Gets the secret that a server wants of every client, or says so before anybody consents in vain;
/// where nobody is to consent, the server itself says it at once.
pub fn complete(
    context: &Context<'_>,
    chosen: &Chosen,
    flow: Flow,
    brought: Brought,
) -> Result<Brought, Report> {
    let has_people = matches!(flow, Flow::AuthorizationCode | Flow::DeviceCode);
    if brought.client_secret.is_some() || !has_people || !wants_proof(chosen) {
        return Ok(brought);
    }
    let kind = context.store_kind(&chosen.profile, &chosen.record)?;
    if kept(context, chosen, kind, Entry::client_secret_for)?.is_some()
        || is_let_in_without(context, chosen)?
    {
        return Ok(brought);
    }
    let client_secret = match moved(context, chosen, kind, Entry::client_secret_for)? {
        Some(secret) => Some(secret),
        None => asked(context, chosen)?,
    };
    match client_secret {
        Some(secret) => Ok(Brought { client_secret: Some(secret), ..brought }),
        None => Err(missing(chosen)),
    }
}

/// Whether the server's own list has no place for a client that brings nothing.
fn wants_proof(chosen: &Chosen) -> bool {
    let client = chosen.profile.client_of(&chosen.provider);
    let client_id = chosen.profile.client_id.as_deref().unwrap_or_default();
    client.secret == Presence::Optional
        && !client.methods.is_empty()
        && !client.methods.contains(&ClientAuthentication::Id)
        // The document at such a client id says how it proves itself.
        && document_url(client_id).is_none()
}

/// Whether this very client has got tokens there without any secret.
fn is_let_in_without(context: &Context<'_>, chosen: &Chosen) -> Result<bool, Report> {
    let kind = chosen
        .record
        .store
        .map_or_else(|| context.store_kind(&chosen.profile, &chosen.record), Ok)?;
    let read = context.drawer(&chosen.name, kind)?.read();
    let entry =
        read.map_err(|error| report::store_of(&error, &chosen.situation(context.system)))?;
    let endpoint = token_endpoint(&chosen.provider, &chosen.profile);
    Ok(entry.is_some_and(|entry| {
        let bound = entry.bound.as_ref();
        entry.tokens.is_some()
            && entry.client_secret().is_none()
            && entry.client_id == chosen.profile.client_id
            && bound.is_some_and(|bound| endpoint.as_ref() == Some(&bound.token_endpoint))
    }))
}

fn asked(context: &Context<'_>, chosen: &Chosen) -> Result<Option<Secret>, Report> {
    let secret = context.ask_secret("Client secret (not shown)")?;
    if let Some(secret) = &secret {
        secrets::refuse_mixed(&chosen.provider, "client_secret", secret)?;
    }
    Ok(secret)
}

fn missing(chosen: &Chosen) -> Report {
    let methods = &chosen.provider.client.methods;
    let names: Vec<&str> = methods.iter().map(|method| method.registered_name()).collect();
    let connect = |plus: Plus<'_>| chosen.given.command("connect", &chosen.name, plus);
    let report = Report::new(
        Exit::SetUp,
        "client-secret-missing",
        format!("there is no client secret for `{}`", chosen.name),
    )
    .cause(format!(
        "{} names no way in without a secret or a key: {}",
        title(&chosen.provider),
        names.join(", ")
    ))
    .hint(
        "give what the server knows this client by; or say that it was registered without a secret",
    )
    .next(connect(&[("--client-secret-file", "…")]));
    let report = match methods.contains(&ClientAuthentication::PrivateKeyJwt) {
        true => report.next(connect(&[("--client-key-file", "…")])),
        false => report,
    };
    let report = match methods.iter().any(|method| method.shows_certificate()) {
        true => {
            report.next(connect(&[("--client-certificate-file", "…"), ("--client-key-file", "…")]))
        }
        false => report,
    };
    report.next(connect(&[("--client-authentication", "none")]))
}
