//! What a person is told when what is kept for a profile could not be changed.

use super::{Exit, Report, lock, profile, receiving, store};
use crate::connection::keeping::KeepingError;
use crate::connection::sync::cursor::CursorError;

/// A profile that stayed as it was.
pub fn keeping(error: &KeepingError) -> Report {
    match error {
        KeepingError::Lock { profile, error } => lock(error, profile),
        KeepingError::Store(error) => store(error),
        KeepingError::Profile(error) => profile(error),
        KeepingError::NameTaken(name) => {
            Report::new(Exit::SetUp, "name-taken", format!("`{name}` exists already"))
                .cause("a rename never replaces a profile or its tokens")
                .hint("choose another name; these are taken")
                .next("keyfob profile list")
        }
        KeepingError::Receiving { profile, holder } => receiving(profile, holder.as_ref()),
        KeepingError::SyncRunning(name) => {
            Report::new(Exit::Store, "sync-running", format!("a sync of `{name}` is running"))
                .cause("its cursors go with the profile; nothing was changed")
                .hint("run this again when it is done")
        }
        KeepingError::Cursor(CursorError::Disk(error)) => store(error),
        KeepingError::Cursor(CursorError::Lock(error)) => lock(error, "the profile"),
        KeepingError::Cursor(error) => {
            Report::new(Exit::Store, "cursor", error.to_string()).hint("try again")
        }
        KeepingError::Unsettled(name) => Report::new(
            Exit::TryLater,
            "refresh-unsettled",
            format!("a refresh of `{name}` was cut short"),
        )
        .cause("its answer is kept under this name until it is settled; nothing was changed")
        .hint("settle it first")
        .next(format!("keyfob refresh {name}")),
    }
}
