//! A client that waits for its first tokens, before it is taken: the server may know it no more.

use super::{Asked, Obtained, RegisteredClient, Registrar, RegistrationError};
use crate::authorization_server::dynamic_registration::read_request;
use crate::connection::Notice;
use crate::connection::entry::Entry;
use crate::connection::known_client::Which;
use crate::store::lock::Lock;

impl Registrar<'_> {
    /// The one that waits, where it serves and the server knows it; one that is gone is forgotten.
    pub(super) async fn waiting(
        &self,
        lock: &Lock,
        entry: &mut Entry,
        asked: &Asked<'_>,
    ) -> Result<Option<Obtained>, RegistrationError> {
        if self.serving(entry, asked).is_none() {
            return Ok(None);
        }
        match self.ask_and_keep(lock, entry, Which::Waiting, None, read_request).await {
            // One that cannot be asked about, or only by others, is there (RFC 7592 section 2.1).
            Ok(()) | Err(RegistrationError::NotManaged | RegistrationError::Refused(_)) => {}
            // It is no such client any more: another takes its place.
            Err(RegistrationError::UnfitUpdate { .. }) => return Ok(None),
            Err(RegistrationError::Gone) => {
                entry.next_client = None;
                self.drawer.keep(lock, entry)?;
                (self.ears.notify)(Notice::WaitingClientGone);
            }
            Err(error @ (RegistrationError::Http(_) | RegistrationError::NoVerdict { .. })) => {
                return Err(RegistrationError::Waiting(Box::new(error)));
            }
            Err(error) => return Err(error),
        }
        let client = self.serving(entry, asked).cloned();
        Ok(client.map(|client| Obtained { client, is_new: false, waits: true }))
    }

    /// The one that waits there, where it covers what is asked for now.
    fn serving<'e>(&self, entry: &'e Entry, asked: &Asked<'_>) -> Option<&'e RegisteredClient> {
        entry.tokens.as_ref()?;
        let client = &entry.next_client.as_ref()?.client;
        let serves = client.endpoint == asked.endpoint
            && !client.has_ended(self.system.clock.now())
            && client.lacks(asked.metadata).is_empty();
        serves.then_some(client)
    }
}
