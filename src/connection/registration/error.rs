//! Why there is no client, or not as it was wanted.

use crate::connection::keeping::KeepingError;
use crate::http::HttpError;
use crate::http::error_response::ErrorResponse;
use crate::store::StoreError;

/// Why there is no client.
#[derive(Debug)]
pub enum RegistrationError {
    /// Lock, store or profile.
    Keeping(KeepingError),
    /// The registration endpoint is no URL.
    Endpoint(String),
    /// No answer.
    Http(HttpError),
    /// The server said no.
    Refused(ErrorResponse),
    /// The server wants a token.
    Unauthorized(ErrorResponse),
    /// It cannot be told whether there is a client.
    NoVerdict {
        /// The status.
        status: u16,
        /// What it was.
        what: &'static str,
    },
    /// There was a client that keyfob can make no use of.
    Unfit {
        /// Why not.
        why: String,
        /// Whether it was ended again.
        ended: bool,
    },
    /// keyfob can make no use of what was said about the client in force, which stays so.
    UnfitUpdate {
        /// Why not.
        why: String,
    },
    /// The client that waits could not be asked about; it waits still.
    Waiting(Box<Self>),
    /// The profile is connected with another client.
    Connected,
    /// There is no registration, or none that the server lets keyfob manage.
    NotManaged,
    /// The server knows the registration no more.
    Gone,
    /// The server gives no new secret.
    StillEnded,
}

impl From<KeepingError> for RegistrationError {
    fn from(error: KeepingError) -> Self {
        Self::Keeping(error)
    }
}

impl From<StoreError> for RegistrationError {
    fn from(error: StoreError) -> Self {
        Self::Keeping(error.into())
    }
}
