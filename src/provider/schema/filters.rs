//! Query parameters that lists take, as far as the vendor says what their values may be.

use serde::{Deserialize, Serialize};

/// A query parameter that narrows a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// As it is sent; required.
    pub name: String,
    /// The only value the vendor takes.
    #[serde(default)]
    pub only_value: Option<String>,
    /// What a value must look like.
    #[serde(default)]
    pub format: Option<FilterFormat>,
    /// What it leaves over, for people.
    #[serde(default)]
    pub meaning: String,
}

/// What the value of a filter must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilterFormat {
    /// A time as RFC 3339 writes it, with its offset.
    Rfc3339,
}
