//! Which webhook deliveries of a profile were done, kept in the state folder across restarts.
//!
//! Two files: one of all that was known at the last turn, written whole, and one that grows by a
//! line a delivery and is begun anew when it has grown long. A crash between the two loses nothing.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::keeping::KeepingError;
use crate::store::StoreError;
use crate::store::durable::Folder;
use crate::store::lock::{self, Lock};
use crate::system::{Home, System};
use crate::webhook::delivery_ids::{DeliveryIds, DeliveryName, MOST};

/// The deliveries of one profile; one process at a time has them.
pub struct Deliveries {
    known: DeliveryIds,
    folder: Folder,
    profile: String,
    recent: File,
    /// Lines in the file that grows.
    lines: usize,
    _lock: Lock,
}

impl Deliveries {
    /// Reads what is known; another process that receives for this profile is named.
    pub fn open(system: &System, profile: &str) -> Result<Self, KeepingError> {
        let path = folder(&system.home);
        let folder = Folder::make(&path)?;
        let lock = locked(system, &path, profile)?;
        let known = read(&folder, profile)?;
        let recent = begin(&folder, profile, &known)?;
        Ok(Self { known, folder, profile: profile.to_owned(), recent, lines: 0, _lock: lock })
    }

    /// Whether a delivery of that name was done.
    pub fn contains(&self, name: &DeliveryName) -> bool {
        self.known.contains(name)
    }

    /// Remembers a name; it is on the disk when this returns.
    pub fn add(&mut self, name: &DeliveryName) -> Result<(), StoreError> {
        let line = self.known.add(name);
        let failed = StoreError::unwritable("write", self.folder.path_of(&recent(&self.profile)));
        self.recent.write_all(&line).and_then(|()| self.recent.sync_data()).map_err(failed)?;
        self.lines += 1;
        if self.lines == MOST {
            self.recent = begin(&self.folder, &self.profile, &self.known)?;
            self.lines = 0;
        }
        Ok(())
    }
}

/// Writes everything that is known, then begins the file that grows.
fn begin(folder: &Folder, profile: &str, known: &DeliveryIds) -> Result<File, StoreError> {
    folder.replace(&whole(profile), &known.text())?;
    folder.create(&recent(profile), b"")
}

/// Keeps a receiver from starting while a profile is removed or renamed; one that runs is named.
pub(super) fn hold(system: &System, profile: &str) -> Result<Option<Lock>, KeepingError> {
    let path = folder(&system.home);
    match Folder::open(&path)? {
        Some(_) => locked(system, &path, profile).map(Some),
        None => Ok(None),
    }
}

/// Forgets the deliveries of a profile that is removed.
pub(super) fn forget(home: &Home, profile: &str) -> Result<(), StoreError> {
    let Some(folder) = Folder::open(&folder(home))? else { return Ok(()) };
    folder.remove(&recent(profile))?;
    folder.remove(&whole(profile))
}

/// Takes the deliveries along to the new name of a profile.
pub(super) fn rename(home: &Home, from: &str, to: &str) -> Result<(), StoreError> {
    let Some(folder) = Folder::open(&folder(home))? else { return Ok(()) };
    let known = read(&folder, from)?;
    if !known.is_empty() {
        folder.replace(&whole(to), &known.text())?;
    }
    forget(home, from)
}

fn read(folder: &Folder, profile: &str) -> Result<DeliveryIds, StoreError> {
    let mut known = DeliveryIds::default();
    for name in [whole(profile), recent(profile)] {
        if let Some(text) = folder.read(&name)? {
            known.read(&text);
        }
    }
    Ok(known)
}

fn locked(system: &System, folder: &Path, profile: &str) -> Result<Lock, KeepingError> {
    let path = folder.join(format!("{profile}.lock"));
    let unusable = |error| KeepingError::Lock { profile: profile.to_owned(), error };
    Lock::try_take(&path, &*system.clock).map_err(unusable)?.ok_or_else(|| {
        KeepingError::Receiving { profile: profile.to_owned(), holder: lock::holder(&path) }
    })
}

fn folder(home: &Home) -> PathBuf {
    home.state.join("webhooks")
}

fn whole(profile: &str) -> String {
    format!("{profile}.ids")
}

fn recent(profile: &str) -> String {
    format!("{profile}.recent")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(id: &str) -> DeliveryName {
        let inkress = crate::provider::catalogue::shipped("inkress").unwrap().unwrap();
        DeliveryName::of(&inkress.webhook.unwrap(), id, b"")
    }

    fn world() -> (tempfile::TempDir, System) {
        let folder = tempfile::tempdir().unwrap();
        let mut system = crate::system::real::system().unwrap();
        system.home = Home::under(folder.path());
        (folder, system)
    }

    #[test]
    fn what_was_done_is_known_after_a_restart_and_goes_with_the_name() {
        let (_folder, system) = world();
        let mut first = Deliveries::open(&system, "shop").unwrap();
        first.add(&name("one")).unwrap();
        drop(first);
        let mut second = Deliveries::open(&system, "shop").unwrap();
        assert!(second.contains(&name("one")) && !second.contains(&name("two")));
        second.add(&name("two")).unwrap();
        let taken = Deliveries::open(&system, "shop").err().unwrap();
        assert!(matches!(taken, KeepingError::Receiving { .. }), "{taken}");
        assert!(hold(&system, "shop").is_err());
        drop(second);
        drop(hold(&system, "shop").unwrap());
        rename(&system.home, "shop", "store").unwrap();
        let renamed = Deliveries::open(&system, "store").unwrap();
        assert!(renamed.contains(&name("one")) && renamed.contains(&name("two")));
        assert!(!Deliveries::open(&system, "shop").unwrap().contains(&name("one")));
        forget(&system.home, "store").unwrap();
        drop(renamed);
        assert!(!Deliveries::open(&system, "store").unwrap().contains(&name("one")));
    }

    #[test]
    fn the_file_that_grows_is_begun_anew_and_stays_short() {
        let (_folder, system) = world();
        let mut deliveries = Deliveries::open(&system, "shop").unwrap();
        deliveries.lines = MOST - 1;
        deliveries.add(&name("last of the old file")).unwrap();
        deliveries.add(&name("first of the new one")).unwrap();
        assert_eq!(deliveries.lines, 1);
        let recent = deliveries.folder.read("shop.recent").unwrap().unwrap();
        assert_eq!(recent.len(), 33);
        drop(deliveries);
        let again = Deliveries::open(&system, "shop").unwrap();
        assert!(
            again.contains(&name("last of the old file"))
                && again.contains(&name("first of the new one"))
        );
    }
}
