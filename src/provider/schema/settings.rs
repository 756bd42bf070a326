//! What a person sets for a profile, and how an application is registered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A value that a profile sets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// What the prompt says; required.
    pub ask: String,
    /// The value where nobody set one.
    #[serde(default)]
    pub default: Option<String>,
    /// The only values there are.
    #[serde(default)]
    pub choices: Vec<String>,
    /// What is worth knowing of a choice, by its value.
    #[serde(default)]
    pub warn: BTreeMap<String, String>,
    /// What a value must look like.
    #[serde(default)]
    pub format: Format,
    /// When it must be known.
    #[serde(default)]
    pub needed: Needed,
    /// The list at the resource server that a connected person chooses from.
    #[serde(default)]
    pub list: Option<SettingList>,
}

/// What a setting's value must look like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Anything.
    #[default]
    Text,
    /// A host name or a URL; https unless it is loopback.
    Host,
    /// Digits only.
    Digits,
}

/// When a setting must be known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Needed {
    /// Before the first request.
    #[default]
    Connect,
    /// For calls that use it; may be left out at `connect` with an empty value.
    Call,
    /// Only known once connected; chosen from `list`.
    AfterConnect,
    /// Never.
    Never,
}

/// Where the choices of a setting are listed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingList {
    /// Path below the API base; a call to it never needs the setting.
    pub get: String,
    /// Field of the value in each item.
    pub id: String,
    /// Field of the name in each item.
    pub label: String,
}

/// Registration, for people.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Setup {
    /// Page that registers an application.
    pub register_url: String,
    /// Way to it through the vendor's dashboard.
    pub console: String,
    /// What the vendor does before the application works.
    pub approval: String,
    /// What to do, in order.
    pub steps: Vec<String>,
    /// What else to know.
    pub notes: Vec<String>,
    /// Whom to ask.
    pub support: String,
    /// How a client id begins.
    pub client_id_prefix: String,
    /// The most characters a client id may have; letters and digits only where this is set.
    pub client_id_max_length: Option<usize>,
    /// The most characters a client secret may have.
    pub client_secret_max_length: Option<usize>,
}
