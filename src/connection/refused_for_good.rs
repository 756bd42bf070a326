//! An access token that nothing can renew and the API has refused: `status` shows that, though no end is known.

use super::drawer::is_renewable;
use super::entry::Entry;
use super::{Connection, FreshError};

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

    /// What `status` shows is less than the call: a record that cannot be written stays as it is.
    fn put_refusal(&self, entry: &Entry, at: Option<jiff::Timestamp>) {
        let profiles = &self.drawer.profiles;
        let Ok(Some(mut record)) = profiles.readable_record(self.name()) else { return };
        let is_of_this_token = record.connected && record.generation == entry.generation;
        if is_of_this_token && record.refused_at.is_some() != at.is_some() {
            record.refused_at = at;
            let _ = profiles.write_record(self.name(), &record);
        }
    }
}
