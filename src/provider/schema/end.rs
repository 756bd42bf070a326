//! How a connection ends.

use serde::{Deserialize, Serialize};

use super::{BodyFormat, yes};

/// Token revocation (RFC 7009).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// The revocation endpoint; required.
    pub url: String,
    /// How the parameters are written.
    #[serde(default)]
    pub body: BodyFormat,
    /// Whether `token_type_hint` is sent.
    #[serde(default = "yes")]
    pub hint: bool,
    /// What else ends with a revoked token.
    #[serde(default)]
    pub reach: RevocationReach,
}

/// What a revocation ends (RFC 7009 section 2.1 leaves it to the server).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReach {
    /// Possibly all that the account gave to the client, so a replaced grant of the same account is left alone.
    #[default]
    Account,
    /// The token and what came with it; a replaced grant is ended once the new one is stored.
    Token,
}

/// Where a person ends a connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndByHand {
    /// What to do, one sentence.
    pub how: String,
    /// The vendor's page or address, if one is known.
    #[serde(default)]
    pub page: String,
}
