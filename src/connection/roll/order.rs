//! What a refresh is asked to do, and why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::saving::Saving;
use crate::provider::Provider;
use crate::secret::Secret;

/// What is to be done, complete: it travels to the worker as one message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    /// The vendor.
    pub provider: Provider,
    /// The profile's settings.
    pub settings: BTreeMap<String, String>,
    /// Public.
    pub client_id: String,
    /// Where it does not come from the entry.
    #[serde(with = "crate::secret::stored_option")]
    pub client_secret: Option<Secret>,
    /// The entry as the caller saw it.
    pub generation: u64,
    /// Why.
    pub reason: Reason,
    /// This machine, for the mark.
    pub host: String,
    /// Where the new connection is saved, if anywhere.
    pub saving: Option<Saving>,
}

/// Why a refresh is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// The access token ends soon but still serves.
    Due,
    /// The access token has ended.
    Expired,
    /// The resource server refused the access token.
    Refused,
    /// A person or a script asked for it.
    Asked,
    /// The tokens are good, and the save command has not taken them: only that is made up for.
    Unsaved,
}

impl Reason {
    /// Whether a refresh token whose answer was lost is worth one more try: it is, where nothing else is left.
    pub(super) fn allows_resend(self) -> bool {
        self != Self::Due
    }
}
