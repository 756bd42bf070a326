//! A connection read out whole, to be sealed and carried to another machine.

use super::blob::{Belongings, Blob};
use super::entry::Entry;
use super::{Connection, FreshError, Wanted};
use crate::provider::schema::Rotation;

/// How much of a connection goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// The access token alone: what renews it stays here.
    AccessToken,
}

impl Connection<'_> {
    /// Reads the connection under its lock; what an interrupted refresh left in the journal is stored first.
    ///
    /// `None` where a refresh was cut short and its answer is nowhere: the refresh token may be spent.
    pub async fn exportable(&self, extent: Extent) -> Result<Option<Entry>, FreshError> {
        self.may_export(extent)?;
        if extent == Extent::AccessToken {
            // One that has ended is of no use to anybody.
            return Ok(Some(self.fresh(&Wanted::Good(None)).await?));
        }
        let lock = self.lock().await.map_err(FreshError::Lock)?;
        let mut entry = self.entry()?;
        if self.store_what_was_lost(&lock, &entry).await? {
            entry = self.entry()?;
        }
        if let Some(ended) = &entry.ended {
            return Err(FreshError::Ended(ended.clone()));
        }
        Ok(entry.mark_of_this_token().is_none().then_some(entry))
    }

    /// Whether what goes out could be used where it arrives.
    ///
    /// Tokens that are bound to a certificate are used with it and its key (RFC 8705 section 3),
    /// which prove the client at the token endpoint as well: they go out whole, or stay.
    pub fn may_export(&self, extent: Extent) -> Result<(), FreshError> {
        match extent {
            Extent::AccessToken if self.provider.client.certificate_bound_access_tokens => {
                Err(FreshError::NeedsCertificate)
            }
            _ => Ok(()),
        }
    }

    /// Packs an entry as far as it goes out.
    pub fn packed(
        &self,
        belongings: &Belongings,
        entry: &Entry,
        extent: Extent,
    ) -> Result<Blob, FreshError> {
        let (random, now) = (&*self.system.random, self.system.clock.now());
        Ok(match extent {
            Extent::Whole => Blob::pack(belongings, entry, random, now)?,
            Extent::AccessToken => Blob::pack(belongings, &entry.access_token_only(), random, now)?,
        })
    }

    /// Whether two holders of this connection would end it for each other.
    pub fn has_single_holder(&self, entry: &Entry) -> bool {
        !entry.reissues
            && entry.refresh_token().is_some()
            && matches!(self.provider.refresh.rotation, Rotation::Rotating | Rotation::SingleUse)
    }

    /// Forgets what was carried away; `false` where it was rolled meanwhile, so that what went out is spent.
    pub async fn carried_away(&self, exported: &Entry) -> Result<bool, FreshError> {
        let _seen_through = self.system.critical.enter();
        let lock = self.lock().await.map_err(FreshError::Lock)?;
        let now = self.entry()?;
        if now.generation != exported.generation || now.mark.is_some() {
            return Ok(false);
        }
        self.forget(&lock, now)?;
        Ok(true)
    }
}
