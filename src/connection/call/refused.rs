//! A call that the API refused, as far as the provider file goes.

use crate::http::error_response::ErrorResponse;
use crate::provider::schema::{Action, Meaning};
use crate::resource_server::refusal::Kind;

/// A refusal, understood as far as the provider file goes.
#[derive(Debug)]
pub struct Refused {
    /// What follows from it.
    pub kind: Kind,
    /// What the vendor said.
    pub response: ErrorResponse,
    /// What the provider file says about it.
    pub meaning: Option<Meaning>,
    /// What the body of a good status says instead of what a good one says.
    pub denial: Option<String>,
    /// Why it was not sent again, where sending it again could have helped.
    pub not_again: Option<NotAgain>,
}

/// Why a call is not sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAgain {
    /// A new access token was refused as well.
    RefreshedAlready,
    /// Its token was renewed, and then the calls it belongs to were ended.
    Ended,
    /// Its body came from a stream, and is spent.
    StreamSpent,
    /// It may have been carried out, and nothing keeps it from being carried out twice.
    MightHappenTwice,
    /// It was sent as often as was allowed, or the server asks for a longer wait than is waited for.
    Enough,
}

impl Refused {
    /// Whether the vendor says that the call was not carried out for now.
    pub fn is_postponed(&self) -> bool {
        self.meaning.as_ref().is_some_and(|meaning| meaning.action == Action::TryLater)
    }

    /// The status, and the code where that says more.
    pub(super) fn words(&self) -> String {
        match (&self.response.code, self.is_postponed()) {
            (Some(code), true) => format!("HTTP {}, {code}", self.response.status),
            _ => format!("HTTP {}", self.response.status),
        }
    }
}
