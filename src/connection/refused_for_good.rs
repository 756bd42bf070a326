//! An access token that nothing can renew and the API has refused: `status` shows that, though no end is known.

use super::drawer::is_renewable;
use super::entry::Entry;
use super::{Connection, FreshError};
use crate::profile::Record;
use crate::store::lock::Lock;

/// What says that the token itself was refused, and no right that it lacks.
const UNAUTHORIZED: u16 = 401;

impl Connection<'_> {
    /// Notes the refusal of a token where it is the only sign of the end: of one that can be renewed
    /// an API's word ends nothing.
    pub(super) fn note_refused_for_good(&self, status: u16, entry: &Entry, why: &FreshError) {
        let cannot_renew = matches!(why, FreshError::CannotRenew | FreshError::AccessTokenOnly);
        if status == UNAUTHORIZED && cannot_renew {
            self.put_refusal(entry, Some(self.system.clock.now()));
        }
    }

    /// Takes it back: the same token was accepted.
    pub(super) fn forget_refusal(&self, entry: &Entry) {
        if !is_renewable(entry, self.provider.refresh.rotation) {
            self.put_refusal(entry, None);
        }
    }

    /// What `status` shows is less than the call: a record that cannot be written, or that somebody
    /// else is about to write, stays as it is.
    fn put_refusal(&self, entry: &Entry, at: Option<jiff::Timestamp>) {
        if self.record_to_change(entry, at).is_none() {
            return;
        }
        let Ok(Some(_lock)) = Lock::try_take(&self.lock_path(), &*self.system.clock) else {
            return;
        };
        // Read once more: what was there before the lock may be of another connection by now.
        if let Some(mut record) = self.record_to_change(entry, at) {
            record.refused_at = at;
            let _ = self.drawer.profiles.write_record(self.name(), &record);
        }
    }

    fn record_to_change(&self, entry: &Entry, at: Option<jiff::Timestamp>) -> Option<Record> {
        let record = self.drawer.profiles.readable_record(self.name()).ok()??;
        let is_of_this_token = record.connected && record.generation == entry.generation;
        (is_of_this_token && record.refused_at.is_some() != at.is_some()).then_some(record)
    }
}
