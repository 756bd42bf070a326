//! Whose turn it is to send a person anywhere: one command of a profile at a time, and none in vain.

use std::time::Duration;

use super::{Brought, EstablishError};
use crate::authorization_server::ClientRegistration;
use crate::connection::{Connection, Entry, Notice};
use crate::store::lock::Lock;

/// What is known before a person is asked for anything.
pub(super) enum Turn {
    /// This command's, as long as the lock is held.
    Ours(Lock),
    /// Nobody's: another process has just connected the profile.
    Over(Box<Entry>),
}

impl Connection<'_> {
    /// Waits for the turn, and makes sure that what the person will give can be used and kept.
    pub(super) async fn turn_to_connect(
        &self,
        registration: &ClientRegistration,
        brought: &Brought,
        patience: Duration,
    ) -> Result<Turn, EstablishError> {
        // A locked keychain must be known before the person is asked for anything.
        self.drawer.store.prove()?;
        let before = self.drawer.read()?.map_or(0, |entry| entry.authorizations);
        let lock = self.connect_lock(patience).await?;
        let meanwhile = self.connected_meanwhile(before)?;
        if let Some(entry) =
            meanwhile.filter(|it| self.is_what_was_asked(it, registration, brought))
        {
            return Ok(Turn::Over(Box::new(entry)));
        }
        self.token_prospect(&registration.client_id).await?;
        Ok(Turn::Ours(lock))
    }

    /// Held while a browser tab is open, so that parallel first logins open one.
    async fn connect_lock(&self, patience: Duration) -> Result<Lock, EstablishError> {
        // A folder of its own: no profile's name can be the name of another's tab.
        let tabs = self.system.home.locks().join("tabs");
        crate::store::durable::Folder::make(&tabs)?;
        let path = tabs.join(format!("{}.lock", self.name()));
        let lock = Lock::take(&path, patience, &*self.system.clock, |holder| {
            (self.notify)(Notice::WaitingForConnect(holder.cloned()));
        });
        Ok(lock.await?)
    }

    /// The connection that another process has made while this one waited for its turn.
    fn connected_meanwhile(&self, before: u64) -> Result<Option<Entry>, EstablishError> {
        let entry = self.drawer.read()?;
        Ok(entry.filter(|entry| entry.authorizations != before && entry.tokens.is_some()))
    }

    /// Whether the other process asked for what this one asks for: else this one asks as well.
    fn is_what_was_asked(
        &self,
        entry: &Entry,
        registration: &ClientRegistration,
        brought: &Brought,
    ) -> bool {
        entry.client_id.as_deref() == Some(&registration.client_id)
            && entry.requested == brought.scopes
            && entry.wanted == brought.wanted
            && entry.dpop_key.is_some() == self.provider.client.dpop_bound_access_tokens
    }
}
