//! What a server says about a client, and what the client has already.

use jiff::Timestamp;

use crate::http::ErrorResponse;
use crate::http::quoting::without_secrets;
use crate::provider::schema::ClientAuthentication;
use crate::secret::Secret;

/// What the client has already, so that an answer need not say it again.
#[derive(Debug, Clone, Default)]
pub struct Held {
    /// How it proves who it is: as it was registered, or with a key of its own that was registered just now.
    pub authentication: Option<ClientAuthentication>,
    /// Its client secret and that one's end.
    pub secret: Option<(Secret, Option<Timestamp>)>,
}

/// A client as the server registered it, which may be another than was asked for (RFC 7591 section 3.2.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// Its name at this server.
    pub client_id: String,
    /// Absent for a public client.
    pub client_secret: Option<Secret>,
    /// When the secret ends; `None` for never.
    pub secret_expires_at: Option<Timestamp>,
    /// How it proves who it is.
    pub authentication: ClientAuthentication,
    /// What it may ask for, where the server says.
    pub scopes: Option<Vec<String>>,
    /// How it may get tokens, where the server says.
    pub grant_types: Option<Vec<String>>,
    /// Where the browser may come back to, where the server says.
    pub redirect_uris: Vec<String>,
    /// What the registration is changed and ended with.
    pub management: Option<Management>,
}

/// The right to read, change and end a registration (RFC 7592).
#[derive(Debug, Clone, PartialEq)]
pub struct Management {
    /// The client configuration endpoint, which carries no secret by the standard and does by custom.
    pub url: Secret,
    /// The registration access token.
    pub token: Secret,
}

/// What a server says to a registration.
#[derive(Debug)]
pub enum Said {
    /// There is a client.
    Given(Box<Given>),
    /// There is one, of which keyfob can make no use.
    Unfit {
        /// Why not.
        why: String,
        /// Its name, where that can be read.
        client_id: Option<String>,
        /// A client secret that the answer names, and its end.
        secret: Option<(Secret, Option<Timestamp>)>,
        /// What it could be changed and ended with.
        management: Option<Management>,
    },
    /// No, and nothing was registered.
    Refused(ErrorResponse),
    /// No, for want of a token (RFC 7591 section 3, RFC 6750).
    Unauthorized(ErrorResponse),
    /// It cannot be told whether there is a client.
    NoVerdict {
        /// The status.
        status: u16,
        /// What it was.
        what: &'static str,
    },
}

impl Said {
    /// Puts a fingerprint in place of every secret that the server quotes back.
    pub fn without(self, secrets: &[Secret]) -> Self {
        match self {
            Self::Refused(error) => Self::Refused(error.without(secrets)),
            Self::Unauthorized(error) => Self::Unauthorized(error.without(secrets)),
            Self::Unfit { why, client_id, secret, management } => {
                Self::Unfit { why: without_secrets(&why, secrets), client_id, secret, management }
            }
            said => said,
        }
    }
}
