//! The end of a connection, as the provider said it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a person must authorise again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When the provider said so.
    pub at: Timestamp,
    /// Its code, `invalid_grant` as a rule.
    pub error: String,
    /// Its words.
    pub description: Option<String>,
    /// Whether an answer had been lost before: the provider may have given tokens that this machine never stored.
    pub after_lost_answer: bool,
}
