//! A connection that lives elsewhere too: what is refreshed here must be saved there, or not refreshed.

use super::entry::Entry;
use super::fresh::{FreshError, Wanted};
use super::roll::{Order, Reason};
use super::{Connection, Saving};

impl Connection<'_> {
    /// Where a refreshed connection is saved, if anywhere.
    pub(super) fn saving(&self) -> Result<Option<&Saving>, FreshError> {
        if self.saving.get().is_none() {
            let made = match self.make_saving {
                Some(make) => make().map_err(FreshError::SaveKey)?,
                None => None,
            };
            let _ = self.saving.set(made);
        }
        Ok(self.saving.get().and_then(Option::as_ref))
    }

    /// Where this very entry is saved: what two may hold is saved only where this command asks for it.
    pub(super) fn saving_for(&self, entry: &Entry) -> Result<Option<&Saving>, FreshError> {
        let saving = self.saving()?;
        Ok(saving.filter(|saving| saving.asked || self.has_single_holder(entry)))
    }

    /// Whether the save command has not taken this entry, although it took an earlier one.
    pub fn is_unsaved(&self, entry: &Entry) -> Result<bool, FreshError> {
        let behind = entry.saved.is_some_and(|saved| saved != entry.generation);
        Ok(behind && self.saving_for(entry)?.is_some())
    }

    /// What another process has stored; whoever asked for a refresh that is saved gets one.
    pub(super) async fn adopted(&self, entry: Entry, wanted: &Wanted) -> Result<Entry, FreshError> {
        let asked = matches!(wanted, Wanted::New);
        match asked && entry.saved != Some(entry.generation) && self.saving_for(&entry)?.is_some() {
            true => self.saved().await,
            false => Ok(entry),
        }
    }

    /// Has the save command take what is stored; nothing is sent to the provider.
    pub(super) async fn saved(&self) -> Result<Entry, FreshError> {
        let lock = self.lock().await.map_err(FreshError::Lock)?;
        let entry = self.entry()?;
        if entry.saved == Some(entry.generation) || self.saving_for(&entry)?.is_none() {
            return Ok(entry);
        }
        let order = Order { reason: Reason::Unsaved, ..self.order(&entry, &Wanted::New)? };
        let rolled = self.roll(order, lock).await?;
        self.settle(&entry, &Wanted::New, rolled)
    }

    /// A CI job's copy is rolled only where what it becomes is saved: else the job that ends takes
    /// the one live refresh token with it. It stays one wherever it is used: a container or another
    /// user within the job does not see the job's variables.
    pub(super) fn may_spend(&self, entry: &Entry) -> Result<(), FreshError> {
        let is_copy = entry.borrowed && self.has_single_holder(entry);
        match is_copy && self.saving()?.is_none() {
            true => Err(FreshError::Borrowed),
            false => Ok(()),
        }
    }

    /// A copy that may not be renewed serves as long as it can.
    pub(super) fn serve_copy_or(
        &self,
        entry: &Entry,
        wanted: &Wanted,
        failure: FreshError,
    ) -> Result<Entry, FreshError> {
        match failure {
            FreshError::Borrowed | FreshError::AccessTokenOnly => {
                self.serve_or(entry, wanted, failure)
            }
            other => Err(other),
        }
    }
}
