//! What is kept for a profile, moved, removed or added to, under its lock; nothing is sent anywhere.

use std::path::PathBuf;

use super::deliveries;
use super::entry::Entry;
use super::fresh::LOCK_WAIT;
use super::prover::nonces;
use super::sync::cursor::{self, CursorError};
use super::{Drawer, Notice, refused_renewal, saving};
use crate::profile::file::ProfileError;
use crate::provider::Provider;
use crate::secret::Secret;
use crate::store::durable::Folder;
use crate::store::journal::Journal;
use crate::store::lock::{Holder, Lock, LockError};
use crate::store::{StoreError, StoreKind};
use crate::system::{Home, System};

/// Why what is kept stayed as it was.
#[derive(Debug, thiserror::Error)]
pub enum KeepingError {
    /// The lock was not had.
    #[error("{error}")]
    Lock {
        /// The profile that it belongs to.
        profile: String,
        /// Why not.
        error: LockError,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The profile's files refused.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The new name is taken: by a profile, or by an entry in the store.
    #[error("`{0}` exists already")]
    NameTaken(String),
    /// Another process receives webhooks for it.
    #[error("webhooks of `{profile}` are being received")]
    Receiving {
        /// The profile.
        profile: String,
        /// Who, where it could be read.
        holder: Option<Holder>,
    },
    /// A refresh began and its end is not written, so its answer may be in the journal.
    #[error("a refresh of `{0}` was cut short")]
    Unsettled(String),
    /// A list is being read for it.
    #[error("a sync of `{0}` is running")]
    SyncRunning(String),
    /// Its cursors refused.
    #[error(transparent)]
    Cursor(#[from] CursorError),
}

/// The lock of a connection; the file store's is beside its file.
pub fn lock_path(home: &Home, drawer: &Drawer) -> PathBuf {
    let folder = match drawer.store.kind() {
        StoreKind::File => home.sealed(),
        StoreKind::Keychain | StoreKind::Memory => home.locks(),
    };
    folder.join(format!("{}.lock", drawer.name.profile))
}

pub(super) async fn lock(
    system: &System,
    drawer: &Drawer,
    notify: &dyn Fn(Notice),
) -> Result<Lock, KeepingError> {
    let path = lock_path(&system.home, drawer);
    if let Some(folder) = path.parent() {
        Folder::make(folder)?;
    }
    let waiting = |holder: Option<&_>| notify(Notice::WaitingForLock(holder.cloned()));
    Lock::take(&path, LOCK_WAIT, &*system.clock, waiting)
        .await
        .map_err(|error| KeepingError::Lock { profile: drawer.name.profile.clone(), error })
}

/// Keeps a secret of the profile; makes the entry where there is none.
pub async fn keep_secret(
    system: &System,
    drawer: &Drawer,
    notify: &dyn Fn(Notice),
    provider: &Provider,
    name: &str,
    secret: Secret,
) -> Result<(), KeepingError> {
    let lock = lock(system, drawer, notify).await?;
    let mut entry = drawer.read()?.unwrap_or_else(|| Entry::empty(&*system.random));
    entry.secrets.insert(name.to_owned(), secret);
    entry.secrets_for.get_or_insert_with(|| provider.name.clone());
    drawer.keep(&lock, &entry)?;
    // Whether the connection can be renewed may depend on the secret.
    Ok(drawer.tell(&entry, provider.refresh.rotation)?)
}

/// Removes everything of a profile: entry, cursors, journal, record, file. The file goes last, so that a
/// removal that was cut short can be run again.
pub async fn remove(
    system: &System,
    drawer: &Drawer,
    notify: &dyn Fn(Notice),
) -> Result<(), KeepingError> {
    let lock = lock(system, drawer, notify).await?;
    let _receives_nothing = deliveries::hold(system, &drawer.name.profile)?;
    let _idle = idle(system, &drawer.name.profile)?;
    drawer.remove(&lock)?;
    cursor::remove(&system.home, &drawer.name.profile)?;
    Journal::discard_all(&drawer.journal, &drawer.name.profile)?;
    deliveries::forget(&system.home, &drawer.name.profile)?;
    saving::discard(&system.home, &drawer.name.profile);
    nonces::discard(&system.home.nonces(), &drawer.name.profile);
    refused_renewal::discard(&system.home, &drawer.name.profile);
    Ok(drawer.profiles.remove(&drawer.name.profile)?)
}

/// Takes the entry out of a store that another one has taken the place of.
pub async fn leave(
    system: &System,
    old: &Drawer,
    notify: &dyn Fn(Notice),
) -> Result<(), KeepingError> {
    let lock = lock(system, old, notify).await?;
    Ok(old.remove(&lock)?)
}

/// Moves a profile and its connection to another name.
///
/// The new entry is written and read back before the old one goes; a failure on the way takes the
/// new one away again, so that one refresh token is never left under two names.
pub async fn rename(
    system: &System,
    old: &Drawer,
    to: &str,
    notify: &dyn Fn(Notice),
) -> Result<(), KeepingError> {
    let from = &old.name.profile;
    if from == to {
        return Err(KeepingError::NameTaken(to.to_owned()));
    }
    let mut new = old.clone();
    new.name.profile = to.to_owned();
    let (old_lock, new_lock) = both_locks(system, old, &new, notify).await?;
    let _receives_nothing = deliveries::hold(system, from)?;
    let _idle = idle(system, from)?;
    let entry = old.read()?;
    let taken = new.read()?;
    // The same entry under both names is a rename that was cut short: it is finished now.
    let resumed = taken.is_some() && taken == entry;
    if !resumed && (new.profiles.find(to)?.is_some() || taken.is_some()) {
        return Err(KeepingError::NameTaken(to.to_owned()));
    }
    let profile = old.profiles.read(from)?;
    let record = old.profiles.record(from)?;
    if entry.as_ref().is_some_and(|entry| entry.mark.is_some()) {
        return Err(KeepingError::Unsettled(from.clone()));
    }
    let written = write_whole(&new, &new_lock, entry.as_ref(), |profiles| {
        profiles.write_record(to, &record)?;
        profiles.write(to, &profile)
    });
    let moved = written.and_then(|()| Ok(old.remove(&old_lock)?));
    if let Err(error) = moved {
        // What cannot be taken away either is found by the same command, run again.
        let _ = new.remove(&new_lock);
        let _ = new.profiles.remove(to);
        return Err(error);
    }
    cursor::rename(&system.home, from, to)?;
    Journal::discard_all(&old.journal, from)?;
    deliveries::rename(&system.home, from, to)?;
    saving::discard(&system.home, from);
    nonces::discard(&system.home.nonces(), from);
    refused_renewal::discard(&system.home, from);
    Ok(old.profiles.remove(from)?)
}

/// Keeps lists from being read for a profile while its cursors move.
fn idle(system: &System, profile: &str) -> Result<Vec<Lock>, KeepingError> {
    let locks = cursor::hold_all(&system.home, profile, &*system.clock)?;
    locks.ok_or_else(|| KeepingError::SyncRunning(profile.to_owned()))
}

/// Both locks, always in the order of their names, so that two renames never wait for each other.
async fn both_locks(
    system: &System,
    old: &Drawer,
    new: &Drawer,
    notify: &dyn Fn(Notice),
) -> Result<(Lock, Lock), KeepingError> {
    if old.name.profile < new.name.profile {
        let old = lock(system, old, notify).await?;
        Ok((old, lock(system, new, notify).await?))
    } else {
        let new = lock(system, new, notify).await?;
        Ok((lock(system, old, notify).await?, new))
    }
}

fn write_whole(
    drawer: &Drawer,
    lock: &Lock,
    entry: Option<&Entry>,
    files: impl FnOnce(&crate::profile::file::Profiles) -> Result<(), ProfileError>,
) -> Result<(), KeepingError> {
    if let Some(entry) = entry {
        drawer.keep(lock, entry)?;
    }
    Ok(files(&drawer.profiles)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::entry::Mark;
    use crate::profile::Profile;
    use crate::profile::file::Profiles;
    use crate::store::EntryName;
    use crate::store::memory::MemoryStore;
    use std::sync::Arc;

    struct World {
        _folder: tempfile::TempDir,
        system: System,
    }

    fn world() -> World {
        let folder = tempfile::tempdir().unwrap();
        let mut system = crate::system::real::system().unwrap();
        system.home = Home::under(folder.path());
        World { _folder: folder, system }
    }

    impl World {
        fn drawer(&self) -> Drawer {
            let profiles = Profiles::new(&self.system.home.configuration);
            let profile = Profile { provider: "inkress".into(), ..Profile::default() };
            profiles.write("shop", &profile).unwrap();
            Drawer {
                store: Arc::new(MemoryStore::new()),
                name: EntryName { profile: "shop".into(), home: String::new() },
                journal: self.system.home.journal(),
                profiles,
            }
        }

        fn secret(&self, drawer: &Drawer, secret: &str) {
            let provider = crate::provider::catalogue::shipped("inkress").unwrap().unwrap();
            let secret = Secret::new(secret);
            let kept =
                keep_secret(&self.system, drawer, &|_| {}, &provider, "client_secret", secret);
            wait(kept).unwrap();
        }

        fn rename(&self, drawer: &Drawer, to: &str) -> Result<(), KeepingError> {
            wait(rename(&self.system, drawer, to, &|_| {}))
        }
    }

    fn wait<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(future)
    }

    fn named(drawer: &Drawer, name: &str) -> Drawer {
        let mut other = drawer.clone();
        other.name.profile = name.into();
        other
    }

    #[test]
    fn a_secret_makes_the_entry_and_a_removal_leaves_nothing() {
        let world = world();
        let drawer = world.drawer();
        world.secret(&drawer, "one");
        world.secret(&drawer, "two");
        let entry = drawer.read().unwrap().unwrap();
        assert_eq!(entry.client_secret().unwrap().expose(), "two");
        wait(remove(&world.system, &drawer, &|_| {})).unwrap();
        assert!(drawer.read().unwrap().is_none());
        assert!(drawer.profiles.find("shop").unwrap().is_none());
        assert!(!drawer.profiles.record_path("shop").exists());
    }

    #[test]
    fn a_renamed_profile_takes_everything_with_it() {
        let world = world();
        let drawer = world.drawer();
        world.secret(&drawer, "one");
        let (profile, entry) = (drawer.profiles.read("shop").unwrap(), drawer.read().unwrap());
        world.rename(&drawer, "a-shop").unwrap();
        let new = named(&drawer, "a-shop");
        assert_eq!(new.read().unwrap(), entry);
        assert_eq!(new.profiles.read("a-shop").unwrap(), profile);
        assert!(new.profiles.record_path("a-shop").exists());
        assert!(drawer.read().unwrap().is_none());
        assert!(drawer.profiles.find("shop").unwrap().is_none());
    }

    #[test]
    fn a_rename_that_was_cut_short_is_finished_by_the_same_command() {
        let world = world();
        let drawer = world.drawer();
        world.secret(&drawer, "one");
        let entry = drawer.read().unwrap().unwrap();
        let new = named(&drawer, "new");
        let held = wait(lock(&world.system, &new, &|_| {})).unwrap();
        new.keep(&held, &entry).unwrap();
        new.profiles.write("new", &drawer.profiles.read("shop").unwrap()).unwrap();
        drop(held);
        world.rename(&drawer, "new").unwrap();
        assert_eq!(new.read().unwrap(), Some(entry));
        assert!(drawer.read().unwrap().is_none());
    }

    #[test]
    fn a_taken_name_and_an_unsettled_refresh_change_nothing() {
        let world = world();
        let drawer = world.drawer();
        world.secret(&drawer, "one");
        let taken = |result| matches!(result, Err(KeepingError::NameTaken(_)));
        assert!(taken(world.rename(&drawer, "shop")));
        let other = named(&drawer, "other");
        world.secret(&other, "of another");
        assert!(taken(world.rename(&drawer, "other")), "an entry without a profile counts too");
        let mut entry = drawer.read().unwrap().unwrap();
        entry.mark = Some(Mark {
            started_at: world.system.clock.now(),
            refresh_token_fingerprint: String::new(),
            host: String::new(),
        });
        let held = wait(lock(&world.system, &drawer, &|_| {})).unwrap();
        drawer.keep(&held, &entry).unwrap();
        drop(held);
        let unsettled = world.rename(&drawer, "third");
        assert!(matches!(unsettled, Err(KeepingError::Unsettled(name)) if name == "shop"));
        assert_eq!(drawer.read().unwrap(), Some(entry));
        assert_eq!(other.read().unwrap().unwrap().client_secret().unwrap().expose(), "of another");
    }
}
