//! The authorization endpoint, and where it sends the browser back to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::provider::wanted::Detail;

/// The authorization request (RFC 6749 section 4.1.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorize {
    /// The authorization endpoint; required.
    pub url: String,
    /// Where the request is pushed to before the browser opens (RFC 9126).
    #[serde(default)]
    pub pushed_url: Option<String>,
    /// How the answer comes back.
    #[serde(default)]
    pub response_mode: ResponseMode,
    /// Rights in detail that are asked for where a profile names none (RFC 9396).
    #[serde(default)]
    pub authorization_details: Vec<Detail>,
    /// Between two scopes.
    #[serde(default = "super::space")]
    pub scope_separator: String,
    /// Added to whatever is asked for.
    #[serde(default)]
    pub default_scopes: Vec<String>,
    /// RFC 7636.
    #[serde(default)]
    pub pkce: Pkce,
    /// Whether the vendor gives `state` back.
    #[serde(default)]
    pub state: State,
    /// Seconds a code lives, where the vendor says so.
    #[serde(default)]
    pub code_lifetime: Option<u64>,
    /// Extra parameters.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// Where the vendor sends the browser back to.
    #[serde(default)]
    pub redirect: Redirect,
}

/// How an authorization response comes back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of the redirect URI (RFC 6749 section 4.1.2).
    #[default]
    Query,
    /// As a form that the browser posts (OAuth 2.0 Form Post Response Mode).
    FormPost,
}

/// Whether a code is bound to a verifier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    /// Challenge and verifier are sent; the vendor may ignore them.
    #[default]
    S256,
    /// Neither is sent.
    Off,
}

/// Whether `state` comes back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A response without it is not an answer to us.
    #[default]
    Required,
    /// The vendor drops it: an absent one is accepted, a wrong one never.
    MayBeDropped,
}

/// The redirect URI (RFC 8252 section 7.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Redirect {
    /// How the vendor compares it with the registered one.
    #[serde(rename = "match")]
    pub matching: RedirectMatch,
    /// The one to register; a loopback address on any port where this is empty.
    pub uri: String,
    /// Whether the authorization request carries it.
    pub send: bool,
}

impl Default for Redirect {
    fn default() -> Self {
        Self { matching: RedirectMatch::default(), uri: String::new(), send: true }
    }
}

/// How a vendor compares redirect URIs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedirectMatch {
    /// Any port of a loopback address (RFC 8252 section 7.3).
    #[default]
    LoopbackAnyPort,
    /// Character by character.
    Exact,
}
