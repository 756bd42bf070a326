//! What a server says that it has for clients with a certificate (RFC 8705 sections 3.3 and 5).

use super::document::OtherHost;
use crate::provider::schema::ClientAuthentication;

/// Used only by a client that shows a certificate.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MutualTls {
    /// How a certificate is a proof there; `None` where it is none.
    pub method: Option<ClientAuthentication>,
    /// Whether tokens can be bound to it.
    pub binds_tokens: bool,
    /// The endpoints that ask for one.
    pub aliases: Aliases,
    /// Their hosts that are not the issuer's.
    pub other_hosts: Vec<OtherHost>,
}

/// `mtls_endpoint_aliases`; each takes the place of the plain one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Aliases {
    /// Where tokens come from.
    pub token: Option<String>,
    /// RFC 7009.
    pub revocation: Option<String>,
    /// RFC 7662.
    pub introspection: Option<String>,
    /// RFC 8628.
    pub device: Option<String>,
    /// RFC 9126.
    pub pushed: Option<String>,
    /// OpenID Connect Core section 5.3.
    pub userinfo: Option<String>,
}
