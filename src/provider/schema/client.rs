//! How the client proves who it is (RFC 6749 section 2.3).

use serde::{Deserialize, Serialize};

/// Client authentication (RFC 6749 section 2.3).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Client {
    /// One method a request.
    pub auth: ClientAuthentication,
    /// How id and secret are written in HTTP Basic.
    pub basic_encoding: BasicEncoding,
    /// Whether there is a client secret.
    pub secret: Presence,
    /// Whether tokens are bound to a key that every request proves (RFC 9449 section 5.2).
    pub dpop_bound_access_tokens: bool,
}

/// Names a method of client authentication.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// `client_id` and `client_secret` in the body.
    #[default]
    Post,
    /// HTTP Basic.
    Basic,
    /// Only `client_id` in the body: a public client.
    Id,
}

/// How id and secret become HTTP Basic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BasicEncoding {
    /// Form-encoded first (RFC 6749 section 2.3.1).
    #[default]
    Form,
    /// As they are, like `curl -u`.
    Raw,
}

/// Whether a thing is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It must be.
    #[default]
    Required,
    /// It may be.
    Optional,
    /// It is not.
    None,
}
