//! The drawer of one connection: its entry in the store, its journal, its record without secrets.

use std::path::PathBuf;
use std::sync::Arc;

use super::entry::Entry;
use crate::profile::Record;
use crate::profile::file::Profiles;
use crate::provider::schema::Rotation;
use crate::secret::Secret;
use crate::store::lock::Lock;
use crate::store::{EntryName, Store, StoreError};

/// Where everything about one connection is kept.
#[derive(Clone)]
pub struct Drawer {
    /// The store that was chosen at `connect`.
    pub store: Arc<dyn Store>,
    /// The entry's name there.
    pub name: EntryName,
    /// The folder of the journal.
    pub journal: PathBuf,
    /// Profiles and their records.
    pub profiles: Profiles,
}

impl Drawer {
    /// Reads the entry.
    pub fn read(&self) -> Result<Option<Entry>, StoreError> {
        self.store.read(&self.name)?.as_ref().map(Entry::decode).transpose()
    }

    /// Writes the entry without reading it back: for what changes no token.
    pub fn note(&self, lock: &Lock, entry: &Entry) -> Result<(), StoreError> {
        self.store.write(lock, &self.name, &entry.encode()?)
    }

    /// Writes the entry and reads it back before anything relies on it.
    pub fn keep(&self, lock: &Lock, entry: &Entry) -> Result<(), StoreError> {
        let text = entry.encode()?;
        self.store.write(lock, &self.name, &text)?;
        match self.store.read(&self.name)? {
            Some(kept) if kept == text => Ok(()),
            Some(other) if is_built_on(&other, entry) => Ok(()),
            _ => Err(StoreError::NotKept),
        }
    }

    /// Forgets the entry.
    pub fn remove(&self, lock: &Lock) -> Result<(), StoreError> {
        self.store.remove(lock, &self.name)
    }

    /// Brings the record into line with the entry; its loss costs only what `status` shows.
    pub fn tell(
        &self,
        entry: &Entry,
        rotation: Rotation,
    ) -> Result<(), crate::profile::file::ProfileError> {
        self.profiles.write_record(&self.name.profile, &record(entry, self.store.kind(), rotation))
    }
}

/// Whether what is stored came after an entry and holds its tokens, or those that came of them:
/// where a lock file was taken away, another writer may have set its mark in between.
fn is_built_on(stored: &Secret, entry: &Entry) -> bool {
    Entry::decode(stored).is_ok_and(|now| {
        now.generation > entry.generation
            || (now.generation == entry.generation && now.tokens == entry.tokens)
    })
}

/// The public side of an entry.
pub fn record(entry: &Entry, store: crate::store::StoreKind, rotation: Rotation) -> Record {
    let tokens = entry.tokens.as_ref();
    Record {
        generation: entry.generation,
        connected: tokens.is_some(),
        needs_authorization: entry.ended.is_some(),
        account: tokens.map(|it| it.contexts.clone()).unwrap_or_default(),
        granted: tokens.and_then(|it| it.granted.clone()),
        authorization_details: tokens
            .map(|it| it.authorization_details.clone())
            .unwrap_or_default(),
        requested: entry.requested.clone(),
        renewable: is_renewable(entry, rotation),
        access_expires_at: tokens.and_then(|it| it.access_expires_at),
        refresh_expires_at: tokens.and_then(|it| it.refresh_expires_at),
        last_refreshed_at: entry.last_refreshed_at,
        store: tokens.map(|_| store),
    }
}

/// Whether an ended access token can be renewed without a person.
pub fn is_renewable(entry: &Entry, rotation: Rotation) -> bool {
    match rotation {
        _ if entry.reissues => true,
        Rotation::None => false,
        Rotation::Reissue => entry.client_secret().is_some() || entry.private_key().is_some(),
        Rotation::Rotating | Rotation::SingleUse => entry.refresh_token().is_some(),
    }
}
