//! Why a call has no answer.

use std::rc::Rc;
use std::time::Duration;

use super::Refused;
use crate::connection::FreshError;
use crate::http::HttpError;

/// Why there is no answer.
#[derive(Debug)]
pub enum CallError {
    /// There is no access token for it.
    Fresh(Rc<FreshError>),
    /// The API refused the access token, and there is no new one.
    NotRenewed {
        /// Why not.
        error: Rc<FreshError>,
        /// What the API said.
        refused: Box<Refused>,
    },
    /// The granted scopes do not open it; it was not sent.
    MissingScope {
        /// Any one of these would.
        needed: Vec<String>,
    },
    /// No answer came.
    Http(HttpError),
    /// The vendor's limit was used up by others for longer than is waited.
    Crowded {
        /// How long it would still take.
        wait: Duration,
        /// Requests a minute, where the vendor says how many; none where it asked for a pause.
        per_minute: Option<u32>,
        /// What the API said about the access token, where the call was sent with one that is renewed now.
        refused: Option<Box<Refused>>,
    },
    /// The calls it belongs to were ended before it was sent.
    NotSent,
}

impl From<FreshError> for CallError {
    fn from(error: FreshError) -> Self {
        Self::Fresh(Rc::new(error))
    }
}

impl From<Rc<FreshError>> for CallError {
    fn from(error: Rc<FreshError>) -> Self {
        Self::Fresh(error)
    }
}
