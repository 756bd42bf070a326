//! keyfob's own registration at an authorization server: made once a profile, kept before it is
//! used, renewed when its secret has ended, and ended on request (RFC 7591, RFC 7592).
//!
//! All of it happens under the profile's lock: who comes second finds what the first one stored.

mod answer;
mod asking;
mod change;
mod ending;
mod error;
mod new;
mod sending;
mod waiting;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::entry::{Credentials, ShownAt};
use super::keeping::{self, KeepingError};
pub use super::registered_client::RegisteredClient;
use super::{Drawer, Ears};
use crate::http::Client;
use crate::provider::schema::ClientAuthentication;
use crate::secret::Secret;
use crate::store::lock::Lock;
use crate::system::System;

pub use error::RegistrationError;

/// Says that a client may have been registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// When.
    pub at: Timestamp,
    /// Where.
    pub endpoint: String,
}

/// Says that what a server gave for the client in force may have been lost: a new token, perhaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Updating {
    /// When it was asked.
    pub at: Timestamp,
    /// The registration token that was shown; with another one in its place this is over.
    pub token_fingerprint: String,
}

/// A client, and whether it was registered just now.
pub struct Obtained {
    /// The client.
    pub client: RegisteredClient,
    /// False where an earlier or a parallel command registered it.
    pub is_new: bool,
    /// Whether another client stays in force until this one has tokens.
    pub waits: bool,
}

/// What a registration is made of.
pub struct Asked<'a> {
    /// The client registration endpoint.
    pub endpoint: &'a str,
    /// The issuer that named the endpoint; `None` where a person did.
    pub named_by: Option<&'a str>,
    /// The provider's name.
    pub provider: &'a str,
    /// The token endpoint that the client's secret belongs to.
    pub token_endpoint: &'a str,
    /// Where else it may be shown: the endpoints that are named beside that one now.
    pub shown_at: &'a ShownAt,
    /// How the client would prove who it is.
    pub authentication: ClientAuthentication,
    /// What it proves that with, where it brings it.
    pub brought: &'a Credentials,
    /// The client metadata.
    pub metadata: &'a Map<String, Value>,
    /// What lets a client in (RFC 7591 section 3).
    pub initial_access_token: Option<&'a Secret>,
    /// The client whose place it takes; that one stays in force while it has tokens and the new one has none.
    pub replaces: Option<&'a str>,
}

/// Registers, renews and ends the client of one profile.
pub struct Registrar<'a> {
    /// The outside.
    pub system: &'a System,
    /// Where everything is kept.
    pub drawer: &'a Drawer,
    /// The one client of this command.
    pub http: &'a Client,
    /// Who hears what happens.
    pub ears: Ears<'a>,
}

impl Registrar<'_> {
    async fn lock(&self) -> Result<Lock, KeepingError> {
        keeping::lock(self.system, self.drawer, self.ears.notify).await
    }
}
