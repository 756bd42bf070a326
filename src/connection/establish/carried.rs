//! A connection that was sealed elsewhere, put in its place here.

use super::imported::ImportError;
use super::{Brought, EstablishError, check_account};
use crate::connection::{Connection, Entry};
use crate::secret::Secret;

impl Connection<'_> {
    /// Stores a connection that another machine has exported.
    pub async fn establish_carried(
        &self,
        brought: &Brought,
        carried: Entry,
    ) -> Result<Entry, EstablishError> {
        let tokens = carried.tokens.clone().ok_or(ImportError::Missing("access_token"));
        let tokens = tokens.map_err(EstablishError::Import)?;
        let before = self.drawer.read()?;
        if before.as_ref().is_some_and(|it| it.has_rolled(tokens.refresh_token.as_ref())) {
            return Err(EstablishError::Import(ImportError::Spent));
        }
        let renewable = |entry: &Entry| entry.refresh_token().is_some() || entry.reissues;
        let is_lesser = carried.access_only && before.as_ref().is_some_and(renewable);
        if is_lesser && !brought.account_may_change {
            return Err(EstablishError::Import(ImportError::Lesser));
        }
        self.check_bound(&carried)?;
        check_account(self, before.as_ref(), &tokens, brought).await?;
        self.drawer.store.prove()?;
        let _seen_through = self.system.critical.enter();
        let lock = self.lock().await?;
        let mut entry = self.drawer.read()?.unwrap_or_else(|| Entry::empty(&*self.system.random));
        entry.imported = tokens.refresh_token.as_ref().map(Secret::fingerprint);
        entry.adopt(tokens);
        entry.authorizations += 1;
        entry.client_id = carried.client_id;
        entry.requested = carried.requested;
        entry.bound = carried.bound;
        entry.reissues = carried.reissues;
        entry.last_refreshed_at = carried.last_refreshed_at;
        entry.access_only = carried.access_only;
        entry.borrowed = brought.borrowed;
        entry.saved = brought.borrowed.then_some(entry.generation);
        if !carried.secrets.is_empty() {
            entry.secrets = carried.secrets;
            entry.secrets_for = carried.secrets_for;
        }
        self.write(&lock, &entry)?;
        self.hear(&entry);
        Ok(entry)
    }
}
