//! Environment variables, read once.

use std::collections::BTreeMap;

/// The variables of keyfob's own that hold a secret; no other program is meant to see them.
pub const SECRET_VARIABLES: [&str; 5] = [
    "KEYFOB_BLOB",
    "KEYFOB_BLOB_KEY",
    "KEYFOB_STORE_KEY",
    "KEYFOB_CLIENT_SECRET",
    "KEYFOB_WEBHOOK_SECRET",
];

/// A copy of the environment.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Takes variables; those that are not text are left out.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(variables.into_iter().collect())
    }

    /// A variable; an empty one counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// All variables.
    pub fn all(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}
