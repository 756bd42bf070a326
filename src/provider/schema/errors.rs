//! Where errors keep their words, and what they mean.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Success;

/// Where errors keep their words (dotted paths, the first that is there), and what they mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Errors {
    /// The error code.
    pub code: Vec<String>,
    /// The vendor's words.
    pub message: Vec<String>,
    /// What is wrong, field by field.
    pub fields: Vec<String>,
    /// What the body of a good API answer says, at a vendor that refuses calls with a status of success.
    pub success: Option<Success>,
    /// Codes of authorization responses.
    pub authorize: BTreeMap<String, Meaning>,
    /// Codes of token responses.
    pub token: BTreeMap<String, Meaning>,
    /// Codes of API answers; a bare status stands for an answer without a code.
    pub api: BTreeMap<String, Meaning>,
}

impl Default for Errors {
    fn default() -> Self {
        Self {
            code: vec!["error".into()],
            message: vec!["error_description".into(), "message".into(), "detail".into()],
            fields: Vec::new(),
            success: None,
            authorize: BTreeMap::new(),
            token: BTreeMap::new(),
            api: BTreeMap::new(),
        }
    }
}

/// What an error code means at this vendor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meaning {
    /// What happened, for people.
    pub meaning: String,
    /// What to do.
    #[serde(default)]
    pub hint: String,
    /// What keyfob does.
    #[serde(default)]
    pub action: Action,
}

/// What follows from an error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Tell the person.
    #[default]
    Report,
    /// The access token has ended: refresh once.
    Refresh,
    /// A person must authorise again.
    Reconnect,
    /// The granted scopes do not cover the call: a refresh would not help.
    MissingScope,
    /// The client's registration or credentials are wrong.
    FixClient,
    /// The vendor has not approved the application yet.
    WaitForApproval,
    /// The call was not carried out for now: wait as for a 429, then send it again.
    TryLater,
}
