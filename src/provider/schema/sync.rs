//! How lists are asked for what changed: the words that `keyfob sync` needs.

use serde::{Deserialize, Serialize};

/// What a vendor has for reconciliation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    /// The query parameter that takes the time since which records are wanted (RFC 3339); required.
    pub parameter: String,
    /// The member of a record that says when it last changed; the server's clock stands in where a record has none.
    #[serde(default = "updated_at")]
    pub time: String,
    /// The member that identifies a record; one without it is never taken for a repetition.
    #[serde(default = "id")]
    pub id: String,
    /// Seconds that the next run goes back behind where this one ended: for records that were being written meanwhile.
    #[serde(default = "overlap")]
    pub overlap: u64,
    /// Whether a list comes whole in one answer; for vendors without `[api.pages]`.
    #[serde(default)]
    pub whole: bool,
}

fn updated_at() -> String {
    "updated_at".into()
}

fn id() -> String {
    "id".into()
}

fn overlap() -> u64 {
    60
}
