//! Grants at the provider that nothing here holds any more: replaced by another authorization, or refused after they were given.

use std::collections::BTreeMap;

use serde_json::Value;

use super::entry::Entry;
use super::{Connection, Notice};
use crate::authorization_server::ClientRegistration;
use crate::provider::schema::RevocationReach;
use crate::token_set::TokenSet;

/// Which grant was left over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leftover {
    /// The one that was stored before.
    Replaced,
    /// The new one, which was not stored.
    Discarded,
}

/// What the contexts say of the account, as far as they identify it.
pub type Identity = BTreeMap<String, Value>;

impl Connection<'_> {
    /// The account that tokens belong to; empty where the provider does not say.
    pub(super) fn identity(&self, tokens: &TokenSet) -> Identity {
        let contexts = self.provider.context.iter().filter(|it| it.identifies_account);
        contexts
            .filter_map(|it| Some((it.name.clone(), tokens.contexts.get(&it.name)?.clone())))
            .collect()
    }

    /// Ends the grant that a new one has replaced, after the new one is stored (AT-21).
    pub(super) async fn end_replaced(&self, old: &Entry, new: &Entry) {
        let (Some(was), Some(is)) = (&old.tokens, &new.tokens) else { return };
        let reach = self.provider.revoke.as_ref().map(|revoke| revoke.reach);
        // Many servers end all that an account gave to a client, the new tokens with the old ones.
        let spares_the_new_one = reach == Some(RevocationReach::Token)
            || are_different(&self.identity(was), &self.identity(is));
        if spares_the_new_one && old.ended.is_none() && self.check_bound(old).is_ok() {
            self.end_leftover(Leftover::Replaced, old).await;
        }
    }

    /// Ends a grant of another account that the person did not want.
    pub(super) async fn end_discarded(
        &self,
        tokens: TokenSet,
        registration: &ClientRegistration,
        (was, is): (&Identity, &Identity),
    ) {
        if !are_different(was, is) {
            return;
        }
        let mut entry = Entry::empty(&*self.system.random);
        entry.client_id = Some(registration.client_id.clone());
        let secret = registration.client_secret.clone();
        entry.secrets.extend(secret.map(|secret| ("client_secret".to_owned(), secret)));
        entry.adopt(tokens);
        self.end_leftover(Leftover::Discarded, &entry).await;
    }

    /// A failure changes nothing for the connection that is kept, and is told.
    async fn end_leftover(&self, which: Leftover, entry: &Entry) {
        let Some(revoke) = &self.provider.revoke else { return };
        let revoked = self.revoke_all(revoke, entry).await;
        let ended = revoked.is_ok_and(|all| all.iter().all(|it| it.outcome.is_settled()));
        (self.notify)(Notice::Leftover { which, ended });
    }
}

/// Whether both are known and differ.
fn are_different(was: &Identity, is: &Identity) -> bool {
    !was.is_empty() && !is.is_empty() && was != is
}
