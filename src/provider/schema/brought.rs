//! Tokens that come another way.

use serde::{Deserialize, Serialize};

/// Tokens made in a vendor's dashboard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The page that makes them.
    pub console: String,
    /// Seconds an imported access token lives where the import does not say.
    #[serde(default)]
    pub lifetime: Option<u64>,
    /// Whether to refresh at once, so that only keyfob holds the live refresh token.
    #[serde(default)]
    pub refresh_at_once: bool,
    /// What to do, in order.
    #[serde(default)]
    pub steps: Vec<String>,
}

/// The password flow of old applications.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Legacy {
    /// Whose applications may use it.
    pub until: String,
    /// What to know before using it.
    #[serde(default)]
    pub notes: Vec<String>,
}
