//! What becomes of a refresh.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::entry::{Ended, Mark};
use super::super::saving::NotSaved;
use crate::http::HttpError;
use crate::http::error_response::ErrorResponse;
use crate::store::StoreError;

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
pub enum Rolled {
    /// New tokens are stored.
    Renewed {
        /// Whether they come from an answer that an earlier command had received but not stored.
        recovered: bool,
    },
    /// Another writer was first; its entry counts.
    Moved,
    /// The provider ended the connection.
    Ended(Ended),
    /// A verdict that is not about the tokens.
    Refused(ErrorResponse),
    /// Too many requests.
    TooMany {
        /// When to come back.
        until: Timestamp,
        /// Whether an earlier answer was lost.
        may_be_spent: bool,
    },
    /// The endpoint's limit is used up until then; nothing was sent.
    UsedUp {
        /// When to come back.
        until: Timestamp,
    },
    /// Nobody judged.
    NoVerdict(NoVerdict),
    /// The store did not take the new tokens.
    Unstored {
        /// Why.
        error: StoreError,
        /// Whether the answer is in the journal, from where the next command takes it.
        in_journal: bool,
    },
    /// The request cannot be made.
    Unmakable(String),
    /// The key that the tokens are bound to cannot be used; nothing was sent.
    NoKey,
    /// What the client signs cannot be signed; nothing was sent.
    Unsigned(String),
    /// The save command did not pass its proof; nothing was sent.
    NotProved(NotSaved),
    /// New tokens are stored, and the save command did not take them.
    Unsaved {
        /// Why not.
        error: NotSaved,
        /// Where a sealed copy is.
        copy: Option<PathBuf>,
    },
}

/// Why there is no verdict, and what that means for the refresh token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoVerdict {
    /// What happened.
    pub cause: NoAnswer,
    /// Whether the request may have arrived, so that the refresh token may be spent.
    pub may_be_spent: bool,
    /// Whether the token was sent a second time.
    pub resent: bool,
    /// The earlier refresh whose answer was lost already.
    pub earlier: Option<Mark>,
}

/// What came instead of a verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum NoAnswer {
    /// No answer.
    Http(HttpError),
    /// An answer that judges nothing.
    Unusable {
        /// Its status.
        status: u16,
        /// What it was.
        what: String,
        /// Seconds to wait, where it says.
        retry_after: Option<u64>,
    },
    /// Tokens came that cannot be used as the provider file stands; they are in the journal.
    Unfit {
        /// The status.
        status: u16,
        /// What is wrong.
        what: String,
    },
    /// A mark from an earlier command was found, and the access token still serves.
    NotTried,
}
