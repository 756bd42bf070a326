//! Why there is no access token.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::authorization_server::AssertionError;
use crate::connection::entry::Ended;
use crate::connection::roll::NoVerdict;
use crate::connection::saving::NotSaved;
use crate::http::HttpError;
use crate::http::error_response::ErrorResponse;
use crate::store::StoreError;
use crate::store::lock::LockError;

/// Why there is no access token.
#[derive(Debug)]
pub enum FreshError {
    /// Nobody has authorised the profile.
    NotConnected,
    /// The access token has ended and nothing can renew it.
    CannotRenew,
    /// The provider ended the connection.
    Ended(Ended),
    /// The profile now names other endpoints than the tokens were given for.
    Rebound {
        /// What it was.
        was: String,
        /// What it is.
        is: String,
    },
    /// The tokens are bound to no key where one is wanted, or to one where none is.
    Unbound {
        /// Whether the profile wants bound tokens.
        is_wanted: bool,
    },
    /// The key that tokens are bound to could not be made or read.
    NoKey,
    /// The client secret is needed and nowhere to be found.
    ClientSecretMissing,
    /// The private key is needed and nowhere to be found.
    ClientKeyMissing,
    /// The client certificate is needed and nowhere to be found.
    ClientCertificateMissing,
    /// What the client signs cannot be signed.
    Unsigned(String),
    /// No client id.
    ClientIdMissing,
    /// A template of the provider names a value that is not known.
    MissingValue(String),
    /// The lock was not had.
    Lock(LockError),
    /// The store refused, before anything was sent.
    Store(StoreError),
    /// The store refused the new tokens.
    Unstored {
        /// Why.
        error: StoreError,
        /// Whether they are in the journal.
        in_journal: bool,
    },
    /// A verdict that is not about the tokens.
    Refused(ErrorResponse),
    /// Too many requests.
    TooMany {
        /// When to come back.
        until: Timestamp,
        /// How long that is from now, in seconds.
        seconds: u64,
        /// Whether an earlier answer was lost, so that the refresh token may be spent.
        may_be_spent: bool,
    },
    /// The limit of the token endpoint is used up until then; nothing was sent.
    UsedUp {
        /// When to come back.
        until: Timestamp,
    },
    /// Nobody judged.
    NoVerdict(NoVerdict),
    /// The process that refreshes could not be started or ended without a word.
    Worker(String),
    /// No client could be made.
    Http(HttpError),
    /// In a CI job, a copy of a connection whose home is elsewhere would be lost by a refresh.
    Borrowed,
    /// Only an access token was handed over.
    AccessTokenOnly,
    /// An access token alone would be of no use: it is bound to the client's certificate, which
    /// would go with it and make new ones.
    NeedsCertificate,
    /// The key is wanting under which a refreshed connection is saved.
    SaveKey(StoreError),
    /// The save command did not pass its proof; nothing was sent.
    NotProved(NotSaved),
    /// The new tokens are stored, and the save command did not take them.
    Unsaved {
        /// Why not.
        error: NotSaved,
        /// Where a sealed copy is.
        copy: Option<PathBuf>,
    },
}

impl From<StoreError> for FreshError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<AssertionError> for FreshError {
    fn from(error: AssertionError) -> Self {
        match error {
            AssertionError::NoKey => Self::ClientKeyMissing,
            AssertionError::NoSecret => Self::ClientSecretMissing,
            other => Self::Unsigned(other.to_string()),
        }
    }
}
