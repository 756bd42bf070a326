//! The key of its own that a client is registered with, so that the server knows it by that.

use super::super::args::Connect;
use super::super::client_certificate;
use super::super::client_key;
use super::super::context::{Chosen, Context};
use super::super::report::{self, Report};
use super::brought::stored_or_asked_key;
use crate::authorization_server::dynamic_registration::{KnownBy, has_own_key};
use crate::authorization_server::registered_key::known_by;
use crate::connection::entry::Credentials;
use crate::connection::{Entry, FreshError};
use crate::profile::settings;
use crate::provider::schema::ClientAuthentication;
use crate::secret::Secret;

/// What the provider does not take is refused before a client is registered.
fn refuse_useless(context: &Context<'_>, chosen: &Chosen, args: &Connect) -> Result<(), Report> {
    if !chosen.provider.takes_key() {
        client_key::given(context, chosen, &args.client)?;
    }
    if !chosen.provider.client.shows_certificate() {
        client_certificate::given(context, chosen, &args.client)?;
    }
    Ok(())
}

/// What is kept for this provider, or for none yet.
fn kept_entry(context: &Context<'_>, chosen: &Chosen) -> Result<Option<Entry>, Report> {
    let (provider, profile) = (&chosen.provider, &chosen.profile);
    let values = settings::values(provider, &profile.settings, profile.client_id.as_deref());
    let endpoint = values.render_url(&provider.token.url).ok();
    let entry = super::register_update::entry(context, chosen)?;
    Ok(entry.map(|mut entry| {
        entry.keep_for_alone(endpoint.as_deref(), &provider.name);
        entry
    }))
}

/// Reads what is given of a client's own key and certificate: once, for it may come from a pipe.
/// Nothing is read for a client that is given a secret.
pub fn read(context: &Context<'_>, chosen: &Chosen, args: &Connect) -> Result<Credentials, Report> {
    if !has_own_key(chosen.profile.client_of(&chosen.provider).auth) {
        refuse_useless(context, chosen, args)?;
        return Ok(Credentials::default());
    }
    let certificate = client_certificate::given(context, chosen, &args.client)?;
    let private_key = client_key::given(context, chosen, &args.client)?;
    Ok(Credentials { client_secret: None, private_key, certificate })
}

/// What the client keeps, and what the server learns of it.
#[derive(Default)]
pub struct OwnKey {
    /// What this command read or asked for.
    pub read: Credentials,
    /// Kept with the registration.
    pub brought: Credentials,
    /// Sent with it.
    pub known_by: KnownBy,
}

impl OwnKey {
    /// As it was read, or is asked for; nothing for a client that is given a secret.
    pub fn of(context: &Context<'_>, chosen: &Chosen, read: &Credentials) -> Result<Self, Report> {
        let method = chosen.profile.client_of(&chosen.provider).auth;
        if !has_own_key(method) {
            return Ok(Self::default());
        }
        let mut read = read.clone();
        if read.private_key.is_none() {
            read.private_key = stored_or_asked_key(context, chosen)?;
        }
        let entry = kept_entry(context, chosen)?;
        let kept = |which: fn(&Entry) -> Option<&Secret>| entry.as_ref().and_then(which).cloned();
        let private_key = read.private_key.clone().or_else(|| kept(Entry::private_key));
        let certificate = read.certificate.clone().or_else(|| kept(Entry::client_certificate));
        let missing =
            |error| report::fresh(&error, &chosen.provider, &chosen.situation(context.system));
        let private_key = private_key.ok_or_else(|| missing(FreshError::ClientKeyMissing))?;
        if method != ClientAuthentication::PrivateKeyJwt && certificate.is_none() {
            return Err(missing(FreshError::ClientCertificateMissing));
        }
        client_certificate::check_pair(certificate.as_ref(), Some(&private_key))?;
        Ok(Self { read, ..Self::made(chosen, method, private_key, certificate)? })
    }

    /// As it is kept with a client that is registered already, but for what was read.
    pub fn standing(chosen: &Chosen, entry: &Entry, read: &Credentials) -> Result<Self, Report> {
        let method = chosen.profile.client_of(&chosen.provider).auth;
        let private_key = read.private_key.as_ref().or(entry.private_key());
        let certificate = read.certificate.as_ref().or(entry.client_certificate());
        let Some(private_key) = private_key.filter(|_| has_own_key(method)) else {
            return Ok(Self::default());
        };
        if read.private_key.is_some() || read.certificate.is_some() {
            client_certificate::check_pair(certificate, Some(private_key))?;
        }
        let made = Self::made(chosen, method, private_key.clone(), certificate.cloned())?;
        Ok(Self { read: read.clone(), ..made })
    }

    fn made(
        chosen: &Chosen,
        method: ClientAuthentication,
        private_key: Secret,
        certificate: Option<Secret>,
    ) -> Result<Self, Report> {
        let (provider, profile) = (&chosen.provider, &chosen.profile);
        let values = settings::values(provider, &profile.settings, profile.client_id.as_deref());
        let key_id = provider.client.key_id.as_ref().and_then(|it| values.render(it).ok());
        let client = (method, &provider.client.assertion_algorithms[..], key_id.as_deref());
        let known_by = known_by(client, &private_key, certificate.as_ref());
        let known_by = known_by.map_err(|error| report::registered_key(&error))?;
        let brought =
            Credentials { client_secret: None, private_key: Some(private_key), certificate };
        Ok(Self { read: Credentials::default(), brought, known_by })
    }
}
