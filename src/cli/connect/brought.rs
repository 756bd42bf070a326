//! What the person brings: scopes, the client secret, and for old applications the password.

use super::super::args::{Client, Connect};
use super::super::command_line::Plus;
use super::super::context::{Chosen, Context};
use super::super::report::{self, Report};
use super::super::secrets;
use super::super::{client_certificate, client_key};
use super::wanted::wanted;
use crate::connection::Entry;
use crate::connection::entry::Credentials;
use crate::connection::establish::{Brought, KeptSecret};
use crate::profile::{Profile, settings};
use crate::provider::Provider;
use crate::secret::Secret;
use crate::store::StoreKind;

/// Scopes, client secret, and whether another account is fine; what this command has `read` already
/// is not read again, for it may have come from a pipe.
pub fn bring(
    context: &Context<'_>,
    chosen: &Chosen,
    client: &Client,
    read: Credentials,
) -> Result<Brought, Report> {
    let scopes = chosen.profile.asked_scopes(&chosen.provider);
    let client_certificate = client_certificate(context, chosen, client, read.certificate)?;
    let key = match read.private_key {
        Some(key) => Some(key),
        None => client_key::given(context, chosen, client)?,
    };
    let private_key = private_key(context, chosen, key, client_certificate.as_ref())?;
    Ok(Brought {
        scopes,
        wanted: wanted(&chosen.provider, &chosen.profile)?,
        client_secret: client_secret(context, chosen, client)?,
        private_key,
        client_certificate,
        account_may_change: context.global.yes,
        borrowed: false,
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
    let kind = context.store_kind(&chosen.profile, &chosen.record)?;
    let secret = match given {
        Some(secret) => Some(secret),
        None if !chosen.profile.client_of(&chosen.provider).needs_secret() => None,
        None if kept(context, chosen, kind, Entry::client_secret_for)?.is_some() => None,
        None => match moved(context, chosen, kind, Entry::client_secret_for)? {
            Some(secret) => Some(secret),
            None => context.ask_secret("Client secret (not shown)")?,
        },
    };
    if let Some(secret) = &secret {
        context.mask(secret);
        secrets::refuse_mixed(&chosen.provider, "client_secret", secret)?;
    }
    Ok(secret)
}

/// From a file or the store that the connection moves from; `None` leaves the stored one in force.
fn client_certificate(
    context: &Context<'_>,
    chosen: &Chosen,
    client: &Client,
    read: Option<Secret>,
) -> Result<Option<Secret>, Report> {
    let given = match read {
        Some(chain) => Some(chain),
        None => client_certificate::given(context, chosen, client)?,
    };
    match given {
        None if chosen.provider.client.shows_certificate() => {
            let kind = context.store_kind(&chosen.profile, &chosen.record)?;
            moved(context, chosen, kind, Entry::client_certificate_for)
        }
        given => Ok(given),
    }
}

/// The one given, or from the store or a prompt; `None` leaves the stored one in force.
fn private_key(
    context: &Context<'_>,
    chosen: &Chosen,
    given: Option<Secret>,
    certificate: Option<&Secret>,
) -> Result<Option<Secret>, Report> {
    let provider = &chosen.provider;
    if !provider.client.shows_certificate() {
        return match given {
            None if provider.client.needs_key() => stored_or_asked_key(context, chosen),
            given => Ok(given),
        };
    }
    let kind = context.store_kind(&chosen.profile, &chosen.record)?;
    let kept_certificate = kept(context, chosen, kind, Entry::client_certificate_for)?;
    let key = match (given, certificate.or(kept_certificate.as_ref())) {
        // Nobody is asked for a key that goes with nothing.
        (None, Some(_)) => stored_or_asked_key(context, chosen)?,
        (given, _) => given,
    };
    let kept_key = kept(context, chosen, kind, Entry::private_key_for)?;
    client_certificate::check_pair(
        certificate.or(kept_certificate.as_ref()),
        key.as_ref().or(kept_key.as_ref()),
    )?;
    Ok(key)
}

/// The key of another store that the connection moves from, or one that a person pastes.
pub fn stored_or_asked_key(
    context: &Context<'_>,
    chosen: &Chosen,
) -> Result<Option<Secret>, Report> {
    let kind = context.store_kind(&chosen.profile, &chosen.record)?;
    if kept(context, chosen, kind, Entry::private_key_for)?.is_some() {
        return Ok(None);
    }
    if let Some(key) = moved(context, chosen, kind, Entry::private_key_for)? {
        return Ok(Some(key));
    }
    let asked = client_key::asked(context, "Private key, PEM or JWK (not shown)")?;
    asked.iter().try_for_each(|key| client_key::check(&chosen.provider, &chosen.name, key))?;
    Ok(asked)
}

/// The secret that a store keeps for this vendor.
pub fn kept(
    context: &Context<'_>,
    chosen: &Chosen,
    kind: StoreKind,
    which: KeptSecret,
) -> Result<Option<Secret>, Report> {
    let read = context.drawer(&chosen.name, kind)?.read();
    let Some(entry) =
        read.map_err(|error| report::store_of(&error, &chosen.situation(context.system)))?
    else {
        return Ok(None);
    };
    let (provider, profile) = (&chosen.provider, &chosen.profile);
    let entry = entry.for_client(profile.client_id.as_deref());
    let endpoint = token_endpoint(provider, profile);
    Ok(which(&entry, endpoint.as_deref(), &provider.name).cloned())
}

/// Where the tokens of a profile come from; `None` while one of its values is missing.
pub fn token_endpoint(provider: &Provider, profile: &Profile) -> Option<String> {
    let values = settings::values(provider, &profile.settings, profile.client_id.as_deref());
    values.render_url(&provider.token.url).ok()
}

/// A connection that moves to another store takes the client's secrets along.
pub fn moved(
    context: &Context<'_>,
    chosen: &Chosen,
    kind: StoreKind,
    which: KeptSecret,
) -> Result<Option<Secret>, Report> {
    match chosen.record.store.filter(|before| *before != kind) {
        Some(before) => kept(context, chosen, before, which),
        None => Ok(None),
    }
}

/// The account owner's name and password, used once and kept nowhere.
pub fn owner(
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
    let missing = |what: &str| {
        let both = [("--flow", "password"), ("--username", "…"), ("--password-file", "…")];
        let again = |plus: Plus<'_>| chosen.given.command("connect", &chosen.name, plus);
        let report = Report::usage(format!("the password flow needs {what}")).hint("give both");
        match args.username {
            Some(_) => report.next(again(&[both[0], both[2]])),
            None => report.next(again(&both)),
        }
    };
    let username = match &args.username {
        Some(username) => Some(username.clone()),
        None => context.ask("Account owner's email")?,
    };
    let username =
        username.filter(|it| !it.is_empty()).ok_or_else(|| missing("the account owner's name"))?;
    let password = match &args.password_file {
        Some(path) => Some(secrets::from_file(context.system, path)?),
        None => context.ask_secret("Password (not shown)")?,
    };
    let password = password.ok_or_else(|| missing("the password"))?;
    context.mask(&password);
    Ok((username, password))
}
