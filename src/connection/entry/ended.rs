//! The end of a connection, as the provider said it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::connection::roll::put_aside::Fate;

/// Why a person must authorise again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When the provider said so.
    pub at: Timestamp,
    /// What it means for the tokens; `None` in entries of before it was kept.
    #[serde(default)]
    pub fate: Option<Fate>,
    /// Its code, `invalid_grant` as a rule.
    pub error: String,
    /// Its words.
    pub description: Option<String>,
    /// Whether an answer had been lost before: the provider may have given tokens that this machine never stored.
    pub after_lost_answer: bool,
}
