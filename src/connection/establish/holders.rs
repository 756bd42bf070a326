//! Tokens that come from elsewhere, held against what the other profiles of this home hold.
//!
//! A refresh token that is spent at its use has one holder: a second profile's first refresh would
//! end the grant for both. The profiles' records say enough, so no other entry is read.

use super::EstablishError;
use super::imported::ImportError;
use crate::connection::Connection;
use crate::profile::lineage::{Kinship, Lineage};

impl Connection<'_> {
    /// Refuses tokens of a grant that another profile holds; `agreed` where somebody said that both may.
    pub(super) fn refuse_held_elsewhere(
        &self,
        brought: Option<Lineage>,
        agreed: bool,
    ) -> Result<(), EstablishError> {
        let Some(brought) = brought else { return Ok(()) };
        let profiles = &self.drawer.profiles;
        for name in profiles.names()?.into_iter().filter(|name| name != self.name()) {
            // One that cannot be read says nothing of what it holds, and keeps nobody else from importing.
            let Ok(Some(record)) = profiles.readable_record(&name) else { continue };
            let Some(held) = &record.lineage else { continue };
            let error = match brought.beside(held) {
                None => continue,
                Some(Kinship::Earlier) => ImportError::SpentBy(name),
                // What has ended cannot be ended again.
                Some(_) if agreed || record.needs_authorization => continue,
                Some(Kinship::Same) => ImportError::Held(name),
                Some(Kinship::Later) => ImportError::Outdated(name),
            };
            return Err(EstablishError::Import(error));
        }
        Ok(())
    }
}
