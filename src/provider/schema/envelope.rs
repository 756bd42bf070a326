//! What a vendor wraps every answer of its API in.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The wrapping of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// Dotted path of what is wrapped; required.
    pub result: String,
    /// Dotted path below `result` of the records of a list.
    #[serde(default)]
    pub list: String,
    /// What a good answer says, where the wrapping says so.
    #[serde(default)]
    pub success: Option<Success>,
}

/// The word of a body that tells a good answer from a bad one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Success {
    /// Its dotted path.
    pub path: String,
    /// What it is in a good answer: a text, a number or a truth value.
    pub equals: Value,
}
