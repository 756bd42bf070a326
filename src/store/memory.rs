//! Entries in this process's memory, for `demo` and for tests: gone when the process ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::lock::Lock;
use super::{EntryName, Store, StoreError, StoreKind};
use crate::secret::Secret;

/// Keeps entries in memory; a clone shares them.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    entries: Arc<Mutex<HashMap<EntryName, Secret>>>,
}

impl MemoryStore {
    /// Makes an empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every step leaves the map whole, so a thread that panicked elsewhere does not spoil it.
    fn entries(&self) -> MutexGuard<'_, HashMap<EntryName, Secret>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn kind(&self) -> StoreKind {
        StoreKind::Memory
    }

    fn read(&self, name: &EntryName) -> Result<Option<Secret>, StoreError> {
        Ok(self.entries().get(name).cloned())
    }

    fn write(&self, _lock: &Lock, name: &EntryName, entry: &Secret) -> Result<(), StoreError> {
        self.entries().insert(name.clone(), entry.clone());
        Ok(())
    }

    fn remove(&self, _lock: &Lock, name: &EntryName) -> Result<(), StoreError> {
        self.entries().remove(name);
        Ok(())
    }

    fn prove(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
