//! What a person is told when what is kept for a profile could not be changed.

use super::{Exit, Report, lock, profile, receiving, store};
use crate::connection::keeping::KeepingError;

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
