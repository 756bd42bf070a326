//! The token endpoint: what it is asked, what it answers, and how its tokens are renewed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A token request (RFC 6749 section 4.1.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The token endpoint; required.
    pub url: String,
    /// How the parameters are written.
    #[serde(default)]
    pub body: BodyFormat,
    /// Extra parameters of every grant.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// Extra headers of every grant.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Standard parameter to the vendor's name for it.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    /// Standard parameters the vendor does not want.
    #[serde(default)]
    pub omit: Vec<String>,
    /// What the tokens are for, where a profile names nothing: sent when they are asked for and renewed (RFC 8707).
    #[serde(default)]
    pub resource: Vec<String>,
    /// Whether a refresh repeats the scopes.
    #[serde(default)]
    pub scope_on_refresh: bool,
}

/// How parameters are written in a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyFormat {
    /// `application/x-www-form-urlencoded`.
    #[default]
    Form,
    /// One JSON object of strings.
    Json,
}

/// Where the fields of a token response lie: dotted paths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResponseFields {
    /// The access token.
    pub access_token: String,
    /// Its type.
    pub token_type: String,
    /// The refresh token.
    pub refresh_token: String,
    /// Seconds the access token lives.
    pub expires_in: String,
    /// Seconds the refresh token lives.
    pub refresh_expires_in: String,
    /// The granted scopes.
    pub scope: String,
    /// Seconds the access token lives where the answer does not say.
    pub lifetime: Option<u64>,
    /// How the vendor's secrets begin, by kind: tells a wrongly pasted one.
    pub prefix: BTreeMap<String, String>,
}

impl Default for ResponseFields {
    fn default() -> Self {
        Self {
            access_token: "access_token".into(),
            token_type: "token_type".into(),
            refresh_token: "refresh_token".into(),
            expires_in: "expires_in".into(),
            refresh_expires_in: "refresh_token_expires_in".into(),
            scope: "scope".into(),
            lifetime: None,
            prefix: BTreeMap::new(),
        }
    }
}

/// What a refresh does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Refresh {
    /// What becomes of the refresh token that was used.
    pub rotation: Rotation,
    /// Seconds a refresh token lives where the answer does not say.
    pub lifetime: Option<u64>,
    /// Seconds before its end at which an access token counts as ended; 60 where this is absent.
    pub margin: Option<u64>,
    /// The scope without which there is no refresh token.
    pub needs_scope: Option<String>,
}

/// What becomes of a used refresh token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// It may be replaced: keep whichever came last.
    #[default]
    Rotating,
    /// It is spent, and sending it again is an offence.
    SingleUse,
    /// There is none: the client's own credentials give a new access token.
    Reissue,
    /// There is none, and no way to renew.
    None,
}
