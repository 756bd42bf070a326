//! A connection that was sealed elsewhere, put in its place here.

use super::imported::ImportError;
use super::{Brought, EstablishError};
use crate::connection::drawer::lineage;
use crate::connection::identity::{Likeness, compare};
use crate::connection::leftover::Origin;
use crate::connection::roll::put_aside::PutAside;
use crate::connection::{Connection, Entry};
use crate::token_set::TokenSet;

impl Connection<'_> {
    /// Stores a connection that another machine has exported.
    pub async fn establish_carried(
        &self,
        brought: &Brought,
        carried: Entry,
    ) -> Result<Entry, EstablishError> {
        let tokens = carried.tokens.clone().ok_or(ImportError::Missing("access_token"));
        let tokens = tokens.map_err(EstablishError::Import)?;
        self.check_bound(&carried)?;
        // A store that cannot be opened is known before anything is made here.
        self.drawer.read()?;
        let _alone = self.lock_imports().await?;
        let lineage = lineage(&carried, self.provider.refresh.rotation);
        self.refuse_held_elsewhere(lineage, brought.account_may_change)?;
        let replaces = |before: &Entry, tokens: &TokenSet| {
            self.check_carried(before, (&carried, tokens), brought.account_may_change)
        };
        let fill = |entry: &mut Entry| {
            *entry = carried.clone().in_place_of(entry.clone());
            // Tokens that were put aside there are so here, too.
            entry.ended = carried.ended.clone().filter(|it| PutAside::of(it).is_some());
            // What it is a copy of is what is saved elsewhere.
            entry.saved = brought.borrowed.then_some(entry.generation);
            Ok(())
        };
        self.put(tokens, brought, Origin::Carried, &replaces, fill).await
    }

    /// Whether what was carried here may take the place of what is here; `agreed` where somebody said so.
    fn check_carried(
        &self,
        before: &Entry,
        (carried, tokens): (&Entry, &TokenSet),
        agreed: bool,
    ) -> Result<(), ImportError> {
        if before.has_rolled(tokens.refresh_token.as_ref()) {
            return Err(ImportError::Spent);
        }
        if agreed {
            return Ok(());
        }
        if carried.access_only && (before.refresh_token().is_some() || before.reissues) {
            return Err(ImportError::Lesser);
        }
        match self.is_outdated(before, (carried, tokens)) {
            true => Err(ImportError::Older),
            false => Ok(()),
        }
    }

    /// Whether what is here came after it, from the same account and client: then its refresh token is likely spent.
    fn is_outdated(&self, before: &Entry, (carried, tokens): (&Entry, &TokenSet)) -> bool {
        let is_another_account = before.tokens.as_ref().is_some_and(|here| {
            compare(&self.identity(here), &self.identity(tokens)) == Likeness::Different
        });
        !is_another_account
            && before.ended.is_none()
            && before.client_id == carried.client_id
            && self.has_single_holder(carried)
            && before.is_newer_than(carried)
    }
}
