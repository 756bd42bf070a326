//! A client is registered, unless one is there already, and stored before anything else happens.

use std::collections::BTreeMap;

use url::Url;

use super::answer::redirect_uris;
use super::{Asked, Begun, Obtained, Registrar, RegistrationError};
use crate::authorization_server::client_terms::Terms;
use crate::authorization_server::dynamic_registration::{Given, Said, judge, registration_request};
use crate::connection::Notice;
use crate::connection::entry::Entry;
use crate::connection::registered_client::{
    NextClient, RegisteredClient, held_by_a_new_one, keep_brought, keep_given,
};
use crate::store::StoreError;
use crate::store::lock::Lock;

impl Registrar<'_> {
    /// Registers a client, unless one is registered at that endpoint already.
    pub async fn register(&self, asked: &Asked<'_>) -> Result<Obtained, RegistrationError> {
        let endpoint = Url::parse(asked.endpoint)
            .map_err(|_| RegistrationError::Endpoint(asked.endpoint.to_owned()))?;
        // From the request on there may be a client: a signal waits for the answer and the store.
        let _seen_through = self.system.critical.enter();
        let lock = self.lock().await?;
        let mut before = self.drawer.read()?;
        if let Some(entry) = &mut before {
            if let Some(client) = in_force(entry, asked) {
                return Ok(Obtained { client: client.clone(), is_new: false, waits: false });
            }
            if let Some(waits) = self.waiting(&lock, entry, asked).await? {
                return Ok(waits);
            }
        }
        let connected = before.as_ref().is_some_and(|entry| entry.tokens.is_some());
        if connected && asked.replaces.is_none() {
            return Err(RegistrationError::Connected);
        }
        if let Some(begun) = before.as_ref().and_then(|entry| entry.registering.as_ref()) {
            (self.ears.notify)(Notice::RegistrationCutShort { at: begun.at });
        }
        let mut entry = before.clone().unwrap_or_else(|| Entry::empty(&*self.system.random));
        entry.registering =
            Some(Begun { at: self.system.clock.now(), endpoint: asked.endpoint.to_owned() });
        // This proves that the store can be written, before a client is there that nobody keeps.
        self.drawer.keep(&lock, &entry)?;
        let request = registration_request(&endpoint, asked.metadata, asked.initial_access_token);
        let held = held_by_a_new_one(asked.authentication);
        let said = match self.send(request, None, asked.named_by).await {
            Ok(answer) => judge(&answer, &endpoint, &held, self.system.clock.now())
                .without(asked.initial_access_token.map(std::slice::from_ref).unwrap_or_default()),
            Err(error) => {
                if error.never_reached() {
                    self.put_back(&lock, before.as_ref())?;
                }
                return Err(RegistrationError::Http(error));
            }
        };
        match said {
            Said::Given(given) => self.keep_new(&lock, entry, *given, asked).await,
            Said::Unfit { why, management, .. } => {
                let ended = self.end_at_once(management.as_ref(), asked.named_by).await;
                self.put_back(&lock, before.as_ref())?;
                Err(RegistrationError::Unfit { why, ended })
            }
            Said::Refused(error) => {
                self.put_back(&lock, before.as_ref())?;
                Err(RegistrationError::Refused(error))
            }
            Said::Unauthorized(error) => {
                self.put_back(&lock, before.as_ref())?;
                Err(RegistrationError::Unauthorized(error))
            }
            // The mark stays: the next command tells that there may be a client nobody uses.
            Said::NoVerdict { status, what } => Err(RegistrationError::NoVerdict { status, what }),
        }
    }

    /// Stores a new client before anything else happens; one that cannot be stored is ended.
    async fn keep_new(
        &self,
        lock: &Lock,
        mut entry: Entry,
        given: Given,
        asked: &Asked<'_>,
    ) -> Result<Obtained, RegistrationError> {
        let management = given.management.clone();
        let client = self.described(&given, asked);
        let left = entry.next_client.take();
        entry.registering = None;
        let waits = entry.tokens.is_some();
        match waits {
            true => entry.next_client = Some(Box::new(waiting(client.clone(), &given, asked))),
            false => put_in_force(&mut entry, client.clone(), &given, asked),
        }
        if let Err(error) = self.drawer.keep(lock, &entry) {
            self.end_at_once(management.as_ref(), asked.named_by).await;
            return Err(error.into());
        }
        // One that waited before and serves no more is of no use to anyone.
        if let Some(left) = left {
            self.end_waiting(&left).await;
        }
        Ok(Obtained { client, is_new: true, waits })
    }

    /// A new client without its secrets.
    fn described(&self, given: &Given, asked: &Asked<'_>) -> RegisteredClient {
        RegisteredClient {
            endpoint: asked.endpoint.to_owned(),
            named_by: asked.named_by.map(str::to_owned),
            client_id: given.client_id.clone(),
            authentication: given.authentication,
            at: self.system.clock.now(),
            secret_expires_at: given.secret_expires_at,
            scopes: given.scopes.clone(),
            grant_types: given.grant_types.clone(),
            redirect_uris: redirect_uris(given, asked.metadata),
            terms: Some(Terms::agreed(asked.metadata, given)),
        }
    }

    fn put_back(&self, lock: &Lock, before: Option<&Entry>) -> Result<(), StoreError> {
        match before {
            Some(before) => {
                let mut entry = before.clone();
                entry.registering = None;
                match entry.is_bare() {
                    true => self.drawer.remove(lock),
                    false => self.drawer.keep(lock, &entry),
                }
            }
            None => self.drawer.remove(lock),
        }
    }
}

/// What an earlier or a parallel command registered.
fn in_force<'e>(entry: &'e Entry, asked: &Asked<'_>) -> Option<&'e RegisteredClient> {
    let client = entry.registration.as_deref()?;
    let is_it = client.endpoint == asked.endpoint
        && asked.replaces.is_none_or(|replaced| replaced != client.client_id);
    is_it.then_some(client)
}

/// A new client beside the one that the tokens were given to.
fn waiting(client: RegisteredClient, given: &Given, asked: &Asked<'_>) -> NextClient {
    let mut secrets = BTreeMap::new();
    keep_given(&mut secrets, given);
    keep_brought(&mut secrets, asked.brought);
    let secrets_for = asked.token_endpoint.to_owned();
    NextClient { client, secrets, secrets_for, shown_at: asked.shown_at.clone(), updating: None }
}

/// A new client where no tokens are.
fn put_in_force(entry: &mut Entry, client: RegisteredClient, given: &Given, asked: &Asked<'_>) {
    match entry.registration.is_some() {
        true => entry.leave_client(),
        false => entry.keep_for_alone(Some(asked.token_endpoint), asked.provider),
    }
    keep_given(&mut entry.secrets, given);
    keep_brought(&mut entry.secrets, asked.brought);
    entry.secrets_for = Some(asked.token_endpoint.to_owned());
    entry.show_at(asked.shown_at.clone());
    entry.registration = Some(Box::new(client));
}
