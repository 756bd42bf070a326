//! Grants at the provider that nothing here holds any more: replaced by another authorization, or refused after they were given.

use super::entry::Entry;
use super::identity::{Identity, Likeness, compare};
use super::roll::put_aside::PutAside;
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

/// How tokens came that take the place of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The provider has just given them to this command.
    Granted,
    /// They were made elsewhere: they may be of the very grant that they replace, and what they say
    /// of the account is only claimed.
    Imported,
    /// Another machine has sealed them: as a rule they are of the grant that they replace, refreshed
    /// there since.
    Carried,
}

impl Connection<'_> {
    /// Ends the grant that a new one has replaced, after the new one is stored (AT-21).
    pub(super) async fn end_replaced(&self, old: &Entry, new: &Entry, origin: Origin) {
        let (Some(was), Some(is)) = (&old.tokens, &new.tokens) else { return };
        // Tokens that were put aside are alive, and nobody knows whose.
        let is_put_aside = old.ended.as_ref().is_some_and(|it| PutAside::of(it).is_some());
        let is_over = old.ended.is_some() && !is_put_aside;
        if share_a_token(was, is) || is_over || self.check_bound_to_end(old).is_err() {
            return;
        }
        let are_two_accounts =
            is_put_aside || compare(&self.identity(was), &self.identity(is)) == Likeness::Different;
        if origin != Origin::Granted {
            let is_left = are_two_accounts && self.provider.revoke.is_some()
                || origin == Origin::Imported && old.refresh_token().is_some();
            if is_left {
                (self.notify)(Notice::Leftover { which: Leftover::Replaced, ended: false });
            }
            return;
        }
        let reach = self.provider.revoke.as_ref().map(|revoke| revoke.reach);
        // Many servers end all that an account gave to a client, the new tokens with the old ones.
        let spares_the_new_one = reach == Some(RevocationReach::Token)
            || are_two_accounts && !old.account_is_claimed && !is_put_aside;
        if spares_the_new_one {
            self.end_leftover(Leftover::Replaced, old).await;
        } else if is_put_aside && reach.is_some() {
            (self.notify)(Notice::Leftover { which: Leftover::Replaced, ended: false });
        }
    }

    /// Ends a grant of another account, or of one that nobody knows, that the person did not want.
    pub(super) async fn end_discarded(
        &self,
        tokens: TokenSet,
        registration: &ClientRegistration,
        (was, is): (&Identity, &Identity),
    ) {
        let which = Leftover::Discarded;
        let reach = self.provider.revoke.as_ref().map(|revoke| revoke.reach);
        match compare(was, is) {
            Likeness::Same => return,
            Likeness::Unknown if reach == Some(RevocationReach::Token) => {
                return self.end_leftover(which, &self.entry_of(tokens, registration)).await;
            }
            // It may be of the account that is kept, whose tokens would end with it.
            Likeness::Unknown => return (self.notify)(Notice::Leftover { which, ended: false }),
            Likeness::Different => {}
        }
        let kept = self.drawer.read().ok().flatten();
        // What may be of the grant that is kept would take that with it.
        let is_another = kept.is_some_and(|kept| {
            !kept.account_is_claimed
                && !kept.tokens.is_some_and(|kept| share_a_token(&kept, &tokens))
        });
        if !is_another {
            (self.notify)(Notice::Leftover { which, ended: false });
            return;
        }
        self.end_leftover(which, &self.entry_of(tokens, registration)).await;
    }

    /// Ends a grant that nobody can say whose it is, unless that could end the one that is kept.
    pub(super) async fn end_unidentified(
        &self,
        tokens: TokenSet,
        registration: &ClientRegistration,
    ) {
        let which = Leftover::Discarded;
        let Some(revoke) = &self.provider.revoke else { return };
        let keeps_another =
            self.drawer.read().is_ok_and(|kept| kept.is_some_and(|it| it.tokens.is_some()));
        match keeps_another && revoke.reach == RevocationReach::Account {
            true => (self.notify)(Notice::Leftover { which, ended: false }),
            false => self.end_leftover(which, &self.entry_of(tokens, registration)).await,
        }
    }

    fn entry_of(&self, tokens: TokenSet, registration: &ClientRegistration) -> Entry {
        let mut entry = Entry::empty(&*self.system.random);
        entry.client_id = Some(registration.client_id.clone());
        let secret = registration.client_secret.clone();
        entry.secrets.extend(secret.map(|secret| ("client_secret".to_owned(), secret)));
        let key = registration.private_key.clone();
        entry.secrets.extend(key.map(|key| ("private_key".to_owned(), key)));
        entry.secrets_for = self.token_endpoint().ok();
        entry.adopt(tokens);
        entry
    }

    /// A failure changes nothing for the connection that is kept, and is told.
    async fn end_leftover(&self, which: Leftover, entry: &Entry) {
        let Some(revoke) = &self.provider.revoke else { return };
        let revoked = self.revoke_all(revoke, entry).await;
        let ended = revoked.is_ok_and(|all| all.iter().all(|it| it.outcome.is_ended()));
        (self.notify)(Notice::Leftover { which, ended });
    }
}

/// Whether two are of one grant for certain: what ends one ends the other.
fn share_a_token(was: &TokenSet, is: &TokenSet) -> bool {
    was.access_token == is.access_token
        || was.refresh_token.is_some() && was.refresh_token == is.refresh_token
}
