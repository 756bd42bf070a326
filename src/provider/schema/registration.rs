//! How a client becomes known at the vendor without a person and a form (RFC 7591, Client ID Metadata Document).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Registration that needs no form of the vendor's; without this table a person registers by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// How; required.
    pub kind: RegistrationKind,
    /// The client registration endpoint (RFC 7591 section 3); needed by `dynamic`.
    #[serde(default)]
    pub url: Option<String>,
    /// Extra members of the client metadata that keyfob registers.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
}

/// Who makes a client known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationKind {
    /// keyfob sends its metadata and is given a client id (RFC 7591).
    Dynamic,
    /// The client id is the https URL of a document that the person publishes.
    MetadataDocument,
}
