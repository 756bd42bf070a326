//! How far a reconciliation has come: one file for each profile, path and name, in the state folder.
//!
//! It holds no secret. Only the holder of its lock writes it, and only after everything was handed over.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::clock::Clock;
use crate::store::StoreError;
use crate::store::durable::Folder;
use crate::store::lock::{Lock, LockError};
use crate::system::Home;

/// The only version there is.
const VERSION: u32 = 1;

/// What stands at the end of a cursor's file name.
const SUFFIX: &str = ".json";

/// How far one list was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    version: u32,
    /// The path below the API base.
    pub path: String,
    /// The cursor's name.
    pub name: String,
    /// The query that its records were asked for with, without the time.
    pub query: Vec<(String, String)>,
    /// Whose records they are.
    pub account: Account,
    /// What changed before this was handed over; absent as long as no record was seen.
    pub since: Option<Timestamp>,
    /// Marks of records that were handed over and will come again, because the next run goes back a little.
    pub seen: Vec<String>,
    /// When the last complete run ended, by this machine's clock; for people.
    pub completed_at: Timestamp,
}

/// What tells one account of a vendor from another: the API's address, and what came with the tokens.
pub type Account = BTreeMap<String, Value>;

impl Cursor {
    /// A cursor of a list that was never read.
    pub fn new(place: &Place, query: Vec<(String, String)>, account: Account) -> Self {
        Self {
            version: VERSION,
            path: place.path.clone(),
            name: place.name.clone(),
            query,
            account,
            since: None,
            seen: Vec::new(),
            completed_at: Timestamp::UNIX_EPOCH,
        }
    }
}

/// Why there is no cursor to go on from.
#[derive(Debug, thiserror::Error)]
pub enum CursorError {
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] StoreError),
    /// Its lock was not had.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// It is not what keyfob writes.
    #[error("{} is damaged: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A later version wrote it.
    #[error("{} was written by a newer keyfob", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
    },
}

/// Where a cursor lies.
#[derive(Debug, Clone)]
pub struct Place {
    folder: PathBuf,
    stem: String,
    /// The path below the API base.
    pub path: String,
    /// The cursor's name.
    pub name: String,
}

impl Place {
    /// The place of a profile's cursor.
    pub fn of(home: &Home, profile: &str, path: &str, name: &str) -> Self {
        let digest = Sha256::digest(format!("{path}\n{name}"));
        let stem = digest[..12].iter().map(|byte| format!("{byte:02x}")).collect();
        let (path, name) = (path.to_owned(), name.to_owned());
        Self { folder: folder(home, profile), stem, path, name }
    }

    /// Makes the folder, and gives the path of the lock: a file of its own that is never removed.
    pub fn lock_path(&self) -> Result<PathBuf, StoreError> {
        Folder::make(&self.folder)?;
        Ok(self.folder.join(format!("{}.lock", self.stem)))
    }

    /// Reads the cursor; `None` where the list was never read whole.
    pub fn read(&self) -> Result<Option<Cursor>, CursorError> {
        let Some(folder) = Folder::open(&self.folder)? else { return Ok(None) };
        let path = folder.path_of(&self.file());
        let Some(text) = folder.read(&self.file())? else { return Ok(None) };
        let damaged = |detail: String| CursorError::Damaged { path: path.clone(), detail };
        let value: Value =
            serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        match value["version"].as_u64() {
            Some(version) if version > u64::from(VERSION) => Err(CursorError::Newer { path }),
            _ => serde_json::from_value(value).map(Some).map_err(|it| damaged(it.to_string())),
        }
    }

    /// Writes the cursor, whole or not at all, durable before this returns.
    pub fn write(&self, _: &Lock, cursor: &Cursor) -> Result<(), CursorError> {
        let text = serde_json::to_vec(cursor).unwrap_or_default();
        Ok(Folder::make(&self.folder)?.replace(&self.file(), &text)?)
    }

    fn file(&self) -> String {
        format!("{}{SUFFIX}", self.stem)
    }
}

/// The cursors of a profile.
fn folder(home: &Home, profile: &str) -> PathBuf {
    home.state.join("cursors").join(profile)
}

/// Takes the locks of all cursors of a profile; `None` where a run holds one.
pub fn hold_all(
    home: &Home,
    profile: &str,
    clock: &dyn Clock,
) -> Result<Option<Vec<Lock>>, CursorError> {
    let Some(folder) = Folder::open(&folder(home, profile))? else { return Ok(Some(Vec::new())) };
    let mut names = folder.names()?;
    names.retain(|name| name.ends_with(".lock"));
    let take = |name: &String| Lock::try_take(&folder.path_of(name), clock);
    let locks: Result<Option<Vec<Lock>>, LockError> = names.iter().map(take).collect();
    Ok(locks?)
}

/// Takes the cursors of a profile to another name; what is there already under the same file name is
/// replaced (a rename that was cut short).
pub fn rename(home: &Home, from: &str, to: &str) -> Result<(), StoreError> {
    let Some(old) = Folder::open(&folder(home, from))? else { return Ok(()) };
    let cursors = cursors(&old)?;
    if cursors.is_empty() {
        return Ok(());
    }
    let new = Folder::make(&folder(home, to))?;
    for file in &cursors {
        if let Some(text) = old.read(file)? {
            new.replace(file, &text)?;
        }
    }
    cursors.iter().try_for_each(|file| old.remove(file))
}

/// Removes the cursors of a profile.
pub fn remove(home: &Home, profile: &str) -> Result<(), StoreError> {
    let Some(folder) = Folder::open(&folder(home, profile))? else { return Ok(()) };
    cursors(&folder)?.iter().try_for_each(|file| folder.remove(file))
}

fn cursors(folder: &Folder) -> Result<Vec<String>, StoreError> {
    let mut names = folder.names()?;
    names.retain(|name| name.ends_with(SUFFIX));
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    fn home() -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::under(folder.path());
        (folder, home)
    }

    fn keep(place: &Place, since: &str) -> Cursor {
        let lock = Lock::try_take(&place.lock_path().unwrap(), &SystemClock).unwrap().unwrap();
        let mut cursor = Cursor::new(place, vec![("app".into(), "me".into())], Account::new());
        cursor.since = Some(since.parse().unwrap());
        place.write(&lock, &cursor).unwrap();
        cursor
    }

    #[test]
    fn every_profile_path_and_name_has_a_cursor_of_its_own() {
        let (_folder, home) = home();
        let places = [
            Place::of(&home, "shop", "/orders", "orders"),
            Place::of(&home, "shop", "/orders", "nightly"),
            Place::of(&home, "shop", "/products", "orders"),
            Place::of(&home, "till", "/orders", "orders"),
        ];
        for (day, place) in places.iter().enumerate() {
            assert_eq!(place.read().unwrap(), None);
            keep(place, &format!("2026-05-0{}T00:00:00Z", day + 1));
        }
        for (day, place) in places.iter().enumerate() {
            let cursor = place.read().unwrap().unwrap();
            let since = format!("2026-05-0{}T00:00:00Z", day + 1).parse().unwrap();
            assert_eq!((cursor.since, &cursor.name), (Some(since), &place.name));
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_never_taken_for_a_beginning() {
        let (_folder, home) = home();
        let place = Place::of(&home, "shop", "/orders", "orders");
        keep(&place, "2026-05-01T00:00:00Z");
        let path = place.folder.join(place.file());
        for text in ["", "{}", "{\"version\":1}"] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(place.read(), Err(CursorError::Damaged { .. })), "{text}");
        }
        std::fs::write(&path, "{\"version\":2,\"since\":[]}").unwrap();
        assert!(matches!(place.read(), Err(CursorError::Newer { .. })));
    }

    #[test]
    fn cursors_go_with_their_profile() {
        let (_folder, home) = home();
        let place = |profile| Place::of(&home, profile, "/orders", "orders");
        let cursor = keep(&place("shop"), "2026-05-01T00:00:00Z");
        rename(&home, "shop", "till").unwrap();
        assert_eq!(place("shop").read().unwrap(), None);
        assert_eq!(place("till").read().unwrap(), Some(cursor));
        rename(&home, "nobody", "till").unwrap();
        remove(&home, "till").unwrap();
        remove(&home, "nobody").unwrap();
        assert_eq!(place("till").read().unwrap(), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_cursor_is_for_its_user_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_folder, home) = home();
        let place = Place::of(&home, "shop", "/orders", "orders");
        keep(&place, "2026-05-01T00:00:00Z");
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&place.folder), mode(&place.folder.join(place.file()))), (0o700, 0o600));
    }
}
