//! The lock of a connection, taken for those who change it.

use std::convert::Infallible;
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
        let path = self.lock_path();
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
