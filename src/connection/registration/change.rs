//! The client in force is read, changed and renewed.

use serde_json::{Map, Value};
use url::Url;

use super::answer::Told;
use super::{Registrar, RegistrationError};
use crate::authorization_server::client_terms::widened;
use crate::authorization_server::dynamic_registration::{read_request, update_request};
use crate::connection::entry::{Credentials, Entry};
use crate::connection::known_client::Which;
use crate::connection::registered_client::{RegisteredClient, keeps};
use crate::http::Request;
use crate::secret::Secret;
use crate::store::lock::Lock;

/// The registration in force, under its lock.
pub(super) struct Managed {
    pub lock: Lock,
    pub entry: Entry,
    pub client: RegisteredClient,
}

impl Registrar<'_> {
    /// Registers the same client for these metadata too, where it does not cover them, and with what
    /// it proves itself with from now on (RFC 7592 section 2.2).
    pub async fn update(
        &self,
        metadata: &Map<String, Value>,
        brought: &Credentials,
    ) -> Result<RegisteredClient, RegistrationError> {
        let _seen_through = self.system.critical.enter();
        let mut managed = self.managed().await?;
        let metadata = managed.entry.registrable_now(metadata);
        // A parallel command may have done it.
        if !managed.client.lacks(&metadata).is_empty() || !keeps(&managed.entry.secrets, brought) {
            self.replace(&mut managed, &metadata, brought).await?;
        }
        Ok(managed.client)
    }

    /// Asks what is registered now, and keeps what the server says of it (RFC 7592 section 2.1).
    pub async fn read(&self) -> Result<RegisteredClient, RegistrationError> {
        let _seen_through = self.system.critical.enter();
        let mut managed = self.managed().await?;
        self.ask(&mut managed, None, read_request).await?;
        Ok(managed.client)
    }

    /// Asks for a new secret where the old one has ended: reads what is registered, then registers the same again.
    pub async fn renew(
        &self,
        metadata: &Map<String, Value>,
    ) -> Result<RegisteredClient, RegistrationError> {
        let _seen_through = self.system.critical.enter();
        let mut managed = self.managed().await?;
        let now = self.system.clock.now();
        if managed.client.has_ended(now) {
            self.ask(&mut managed, None, read_request).await?;
        }
        if managed.client.has_ended(now) {
            let metadata = managed.entry.registrable_now(metadata);
            self.replace(&mut managed, &metadata, &Credentials::default()).await?;
        }
        match managed.client.has_ended(now) {
            true => Err(RegistrationError::StillEnded),
            false => Ok(managed.client),
        }
    }

    /// The registration in force, for as long as the lock is held.
    pub(super) async fn managed(&self) -> Result<Managed, RegistrationError> {
        let lock = self.lock().await?;
        let entry = self.drawer.read()?.ok_or(RegistrationError::NotManaged)?;
        let client = entry.registration.clone().ok_or(RegistrationError::NotManaged)?;
        Ok(Managed { lock, entry, client: *client })
    }

    /// Registers the same client with these metadata beside those of before.
    async fn replace(
        &self,
        managed: &mut Managed,
        metadata: &Map<String, Value>,
        brought: &Credentials,
    ) -> Result<(), RegistrationError> {
        let client = managed.client.clone();
        let terms = client.terms.clone().unwrap_or_default();
        let members = widened(metadata, &terms, client.scopes.as_deref(), &client.redirect_uris);
        let update = |url, token: &Secret| update_request(url, token, &client.client_id, &members);
        self.ask(managed, Some((&members, brought)), update).await
    }

    /// Asks about the client in force, and looks at it again.
    async fn ask(
        &self,
        managed: &mut Managed,
        told: Option<Told<'_>>,
        request: impl FnOnce(Url, &Secret) -> Request,
    ) -> Result<(), RegistrationError> {
        let Managed { lock, entry, client } = managed;
        let asked = self.ask_and_keep(lock, entry, Which::InForce, told, request).await;
        if let Some(known) = entry.known(Which::InForce) {
            client.clone_from(known.client);
        }
        asked
    }
}
