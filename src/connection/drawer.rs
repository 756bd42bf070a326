//! The drawer of one connection: its entry in the store, its journal, its record without secrets.

use std::cmp::Ordering;
use std::path::PathBuf;
use std::sync::Arc;

use super::entry::Entry;
use crate::profile::Record;
use crate::profile::file::Profiles;
use crate::profile::lineage::Lineage;
use crate::profile::record::GivenFor;
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

/// Whether what is stored came after an entry and holds its tokens, or those that came of them, and
/// its secrets: where a lock file was taken away, another writer may have set its mark in between.
fn is_built_on(stored: &Secret, entry: &Entry) -> bool {
    Entry::decode(stored).is_ok_and(|now| match now.generation.cmp(&entry.generation) {
        Ordering::Less => false,
        Ordering::Equal => without_marks(now) == without_marks(entry.clone()),
        Ordering::Greater => entry.secrets.iter().all(|it| now.secrets.get(it.0) == Some(it.1)),
    })
}

/// An entry without what says how far a refresh of its tokens has come.
fn without_marks(mut entry: Entry) -> Entry {
    (entry.mark, entry.ended, entry.saved) = (None, None, None);
    entry
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
        refused_at: None,
        store: tokens.map(|_| store),
        given_for: tokens.and(entry.bound.as_ref()).map(|bound| GivenFor {
            client_id: entry.client_id.clone(),
            token_endpoint: bound.token_endpoint.clone(),
            api_origin: bound.api_origin.clone(),
            to_key: entry.dpop_key.is_some(),
        }),
        lineage: lineage(entry, rotation),
    }
}

/// The refresh token of an entry among its like; `None` where two holders do each other no harm.
pub(super) fn lineage(entry: &Entry, rotation: Rotation) -> Option<Lineage> {
    let tokens = entry.tokens.as_ref()?;
    let is_spent_at_use = matches!(rotation, Rotation::Rotating | Rotation::SingleUse);
    let held = tokens.refresh_token.as_ref().filter(|_| is_spent_at_use && !entry.reissues)?;
    let first = entry.imported.clone();
    Some(Lineage { first, held: held.fingerprint(), issued_at: tokens.issued_at })
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::connection::entry::{Ended, Mark};
    use crate::random::SystemRandom;
    use crate::token_set::TokenSet;

    /// The entry that was just written: of the third generation.
    fn written() -> Entry {
        let mut entry = Entry::empty(&SystemRandom);
        entry.adopt(tokens("r3"));
        entry.generation = 3;
        entry
    }

    fn tokens(refresh_token: &str) -> TokenSet {
        TokenSet {
            access_token: Secret::new(format!("a-{refresh_token}")),
            refresh_token: Some(Secret::new(refresh_token)),
            granted: None,
            issued_at: Timestamp::UNIX_EPOCH,
            access_expires_at: None,
            refresh_expires_at: None,
            contexts: Default::default(),
            authorization_details: Vec::new(),
        }
    }

    fn mark() -> Mark {
        Mark {
            started_at: Timestamp::UNIX_EPOCH,
            refresh_token_fingerprint: "r3".into(),
            host: "another".into(),
        }
    }

    fn is_kept(change: impl FnOnce(&mut Entry)) -> bool {
        let entry = written();
        let mut stored = entry.clone();
        change(&mut stored);
        is_built_on(&stored.encode().unwrap(), &entry)
    }

    #[test] // ST12, RF4
    fn what_another_writer_put_on_top_of_an_entry_keeps_its_tokens() {
        assert!(is_kept(|_| {}), "the entry itself");
        assert!(is_kept(|entry| entry.mark = Some(mark())), "its next refresh has begun");
        let ended = Ended {
            at: Timestamp::UNIX_EPOCH,
            fate: None,
            error: "invalid_grant".into(),
            description: None,
            after_lost_answer: false,
        };
        assert!(is_kept(|entry| entry.ended = Some(ended)), "and was refused");
        assert!(is_kept(|entry| entry.adopt(tokens("r4"))), "or has brought the next tokens");
        assert!(is_kept(Entry::forget_tokens), "or the connection was revoked");
    }

    #[test] // ST12, RF4
    fn an_entry_that_lost_the_new_tokens_is_refused() {
        // The mark of whoever read the entry before these tokens, written over them.
        let older = |entry: &mut Entry| {
            entry.tokens = Some(tokens("r2"));
            entry.generation = 2;
            entry.mark = Some(mark());
        };
        assert!(!is_kept(older), "an older entry");
        assert!(!is_kept(|entry| entry.tokens = Some(tokens("r3'"))), "another writer's third");
        assert!(!is_kept(|entry| entry.tokens = None), "no tokens");
        let changed = |change: fn(&mut TokenSet)| is_kept(|it| change(it.tokens.as_mut().unwrap()));
        assert!(!changed(|it| it.access_token = Secret::new("cut")), "another access token");
        assert!(!changed(|it| it.refresh_token = None), "no refresh token");
        assert!(!changed(|it| it.issued_at = Timestamp::MAX), "other times");
    }

    #[test] // ST12
    fn an_entry_that_lost_what_changes_no_token_is_refused() {
        let mut entry = written();
        entry.secrets.insert("client_secret".into(), Secret::new("new"));
        let stored = |change: fn(&mut Entry)| {
            let mut stored = entry.clone();
            change(&mut stored);
            is_built_on(&stored.encode().unwrap(), &entry)
        };
        assert!(stored(|it| it.adopt(tokens("r4"))), "the next tokens beside it");
        assert!(!stored(|it| it.secrets.clear()), "an older entry of these tokens");
        let old = |it: &mut Entry| {
            it.secrets.insert("client_secret".into(), Secret::new("old"));
        };
        assert!(!stored(old), "the secret of before");
        assert!(
            !stored(|it| {
                it.secrets.clear();
                it.adopt(tokens("r4"));
            }),
            "the next tokens in an older entry"
        );
        assert!(!stored(|it| it.requested.push("write".into())), "another entry");
    }

    #[test] // ST11, ST12
    fn what_is_no_entry_is_built_on_nothing() {
        let entry = written();
        let text = entry.encode().unwrap().expose().to_owned();
        let newer = text.replacen("\"version\":1", "\"version\":2", 1);
        assert_ne!(newer, text);
        for stored in ["", "{}", "null", &text[..text.len() - 1], &newer] {
            assert!(!is_built_on(&Secret::new(stored), &entry), "{stored}");
        }
    }
}
