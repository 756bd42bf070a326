//! Where the tokens of an entry may be sent.

use serde::{Deserialize, Serialize};

/// The endpoints that the tokens were given for; other ones never see them (RFC 9700 section 4.4.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// The token endpoint.
    pub token_endpoint: String,
    /// Scheme, host and port of the resource server.
    pub api_origin: String,
    /// The revocation endpoint, where there is one.
    #[serde(default)]
    pub revocation_endpoint: Option<String>,
    /// The introspection endpoint, where there is one.
    #[serde(default)]
    pub introspection_endpoint: Option<String>,
    /// Other hosts that may be given the access token; `None` in entries of before they were kept.
    #[serde(default)]
    pub other_hosts: Option<Vec<String>>,
}
