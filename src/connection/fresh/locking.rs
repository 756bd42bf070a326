//! The lock of a connection, taken for those who change it.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use crate::connection::{Connection, Notice};
use crate::store::StoreError;
use crate::store::durable::Folder;
use crate::store::lock::{Holder, Lock, LockError, Taken};

/// How long a command waits for the lock; more than a token request may take.
pub const LOCK_WAIT: Duration = Duration::from_secs(30);

impl Connection<'_> {
    /// Takes this connection's lock, naming the holder to the person who waits.
    pub async fn lock(&self) -> Result<Lock, LockError> {
        match self.lock_unless(|| None::<Infallible>).await? {
            Taken::Lock(lock) => Ok(lock),
            Taken::Settled(never) => match never {},
        }
    }

    pub(super) async fn lock_unless<T>(
        &self,
        settled: impl FnMut() -> Option<T>,
    ) -> Result<Taken<T>, LockError> {
        self.lock_at(self.lock_path(), settled).await
    }

    /// The lock of whoever brings tokens from elsewhere into this home.
    ///
    /// Whether another profile holds them is asked of its record, and two that come at once would
    /// not see each other's.
    pub(in crate::connection) async fn lock_imports(&self) -> Result<Lock, LockError> {
        // No profile has such a name.
        let path = self.system.home.locks().join(".imports.lock");
        match self.lock_at(path, || None::<Infallible>).await? {
            Taken::Lock(lock) => Ok(lock),
            Taken::Settled(never) => match never {},
        }
    }

    async fn lock_at<T>(
        &self,
        path: PathBuf,
        settled: impl FnMut() -> Option<T>,
    ) -> Result<Taken<T>, LockError> {
        if let Some(folder) = path.parent() {
            Folder::make(folder).map_err(|error| match error {
                StoreError::Unwritable { path, source, .. } => LockError::Unusable { path, source },
                other => LockError::Unusable {
                    path: folder.to_owned(),
                    source: std::io::Error::other(other),
                },
            })?;
        }
        let name = |holder: Option<&Holder>| {
            (self.notify)(Notice::WaitingForLock(holder.cloned()));
        };
        Lock::take_unless(&path, LOCK_WAIT, &*self.system.clock, name, settled).await
    }
}
