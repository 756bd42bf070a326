//! The mark that stands from before a refresh is sent until its end is written.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Entry;
use crate::secret::Secret;

/// Says that a refresh token may have been spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When the refresh began.
    pub started_at: Timestamp,
    /// Which refresh token was to be sent.
    pub refresh_token_fingerprint: String,
    /// On which machine.
    pub host: String,
}

impl Entry {
    /// The mark, where it is about the refresh token that is stored now.
    pub fn mark_of_this_token(&self) -> Option<&Mark> {
        let fingerprint = self.refresh_token().map(Secret::fingerprint).unwrap_or_default();
        self.mark.as_ref().filter(|mark| mark.refresh_token_fingerprint == fingerprint)
    }
}
