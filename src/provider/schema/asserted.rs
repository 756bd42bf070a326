//! Tokens for what somebody asserts: a signed token of the client's own making, or one that is exchanged.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the client asserts (RFC 7523 section 2.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JwtBearer {
    /// Who speaks: `iss`.
    pub issuer: String,
    /// Whom the tokens are for: `sub`.
    pub subject: String,
    /// Whom the assertion is for: `aud`; the token endpoint where this is absent.
    pub audience: Option<String>,
    /// Seconds that an assertion is good for.
    pub lifetime: u32,
    /// Where the scopes go.
    pub scope: ScopePlace,
    /// More claims, each a text.
    pub claims: BTreeMap<String, String>,
}

impl Default for JwtBearer {
    fn default() -> Self {
        Self {
            issuer: "{client_id}".into(),
            subject: "{client_id}".into(),
            audience: None,
            lifetime: 300,
            scope: ScopePlace::default(),
            claims: BTreeMap::new(),
        }
    }
}

/// Where the scopes of an asserted grant go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopePlace {
    /// The parameter `scope` of the request (RFC 7521 section 4.1).
    #[default]
    Parameter,
    /// The claim `scope` of the assertion.
    Claim,
}

/// What is exchanged for what (RFC 8693 section 2.1).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenExchange {
    /// The type of the subject token, where the command line does not say.
    pub subject_token_type: Option<String>,
    /// The type of token that is wanted; the server's choice where this is absent.
    pub requested_token_type: Option<String>,
    /// More parameters, such as `audience` or `resource`.
    pub params: BTreeMap<String, String>,
}
