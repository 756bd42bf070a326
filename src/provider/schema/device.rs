//! The device authorization endpoint: what it is asked, and where its answer keeps its fields.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::BodyFormat;

/// A device authorization request (RFC 8628 section 3.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// The device authorization endpoint; required.
    pub url: String,
    /// How the parameters are written.
    #[serde(default)]
    pub body: BodyFormat,
    /// Between two scopes.
    #[serde(default = "super::space")]
    pub scope_separator: String,
    /// Extra parameters.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// Extra headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Standard parameter to the vendor's name for it.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    /// Standard parameters the vendor does not want.
    #[serde(default)]
    pub omit: Vec<String>,
    /// Where the answer keeps its fields.
    #[serde(default)]
    pub response: DeviceFields,
}

/// Where the fields of a device authorization response lie (RFC 8628 section 3.2): dotted paths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeviceFields {
    /// The secret that is exchanged for tokens.
    pub device_code: String,
    /// What the person types.
    pub user_code: String,
    /// Where the person types it.
    pub verification_uri: String,
    /// The same with the code in it.
    pub verification_uri_complete: String,
    /// Seconds the codes live.
    pub expires_in: String,
    /// Seconds between two questions.
    pub interval: String,
}

impl Default for DeviceFields {
    fn default() -> Self {
        Self {
            device_code: "device_code".into(),
            user_code: "user_code".into(),
            verification_uri: "verification_uri".into(),
            verification_uri_complete: "verification_uri_complete".into(),
            expires_in: "expires_in".into(),
            interval: "interval".into(),
        }
    }
}
