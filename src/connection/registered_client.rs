//! A client that keyfob registered, as an entry keeps it: in force, or waiting for its first tokens.
//!
//! How one is registered, changed and ended is told in `registration`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::entry::{CERTIFICATE, CLIENT_SECRET, Credentials, Entry, PRIVATE_KEY, named_secrets};
use super::registration::Updating;
use crate::authorization_server::client_terms::{Lack, Terms, texts};
use crate::authorization_server::dynamic_registration::{Given, Held, Management, has_own_key};
use crate::profile::Registered;
use crate::provider::schema::ClientAuthentication;
use crate::secret::Secret;

/// The names of the secrets that a registration is managed with.
pub(super) const TOKEN: &str = "registration_access_token";
pub(super) const URI: &str = "registration_client_uri";

/// A client that keyfob registered, as the server answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredClient {
    /// The client registration endpoint.
    pub endpoint: String,
    /// The issuer elsewhere that named the endpoint; `None` where a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named_by: Option<String>,
    /// Public.
    pub client_id: String,
    /// How it proves who it is.
    pub authentication: ClientAuthentication,
    /// When it was registered.
    pub at: Timestamp,
    /// When its secret ends; `None` for never.
    #[serde(default)]
    pub secret_expires_at: Option<Timestamp>,
    /// What it may ask for, where the server said.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// How it may get tokens, where the server said.
    #[serde(default)]
    pub grant_types: Option<Vec<String>>,
    /// Where the browser may come back to, where the server said.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// What it was registered for; `None` in entries of before it was kept.
    #[serde(default)]
    pub terms: Option<Terms>,
}

impl RegisteredClient {
    /// What a profile's file may tell of it.
    pub fn public(&self) -> Registered {
        Registered {
            endpoint: self.endpoint.clone(),
            at: self.at,
            authentication: self.authentication,
            secret_expires_at: self.secret_expires_at,
        }
    }

    /// What it does not cover of the metadata that is needed now; of one of before that was kept,
    /// only the redirect URIs are known.
    pub fn lacks(&self, metadata: &Map<String, Value>) -> Vec<Lack> {
        let terms = self.terms.as_ref().map(|terms| terms.lacks(metadata)).unwrap_or_default();
        let uris = texts(metadata, "redirect_uris").into_iter();
        let uris = uris.filter(|uri| !self.redirect_uris.contains(uri)).map(Lack::RedirectUri);
        terms.into_iter().chain(uris).collect()
    }

    /// Whether its secret has ended.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.secret_expires_at.is_some_and(|end| end <= now)
    }
}

/// A client that was registered beside the one of the tokens, and takes its place with its own first tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NextClient {
    /// Without its secrets.
    pub client: RegisteredClient,
    /// What it proves itself with, and what it is managed with.
    #[serde(with = "named_secrets")]
    pub secrets: BTreeMap<String, Secret>,
    /// The token endpoint that they are for.
    pub secrets_for: String,
    /// Where else they may prove it.
    #[serde(default)]
    pub shown_at: super::entry::ShownAt,
    /// The server was asked about it, and its answer is not written yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updating: Option<Updating>,
}

impl NextClient {
    /// What it is managed with.
    pub fn management(&self) -> Option<Management> {
        management(&self.secrets)
    }
}

impl Entry {
    /// What the client in force is managed with.
    pub fn management(&self) -> Option<Management> {
        management(&self.secrets)
    }

    /// The metadata without what would put the tokens in force out of use: a server that hears of
    /// bound tokens refuses the others from then on (RFC 9449 section 5.2), so it hears of it once
    /// those are replaced.
    pub fn registrable_now(&self, metadata: &Map<String, Value>) -> Map<String, Value> {
        let mut metadata = metadata.clone();
        let terms = self.registration.as_ref().and_then(|it| it.terms.as_ref());
        let knows = terms.is_some_and(|terms| terms.dpop);
        if !knows && self.tokens.is_some() && self.dpop_key.is_none() {
            metadata.remove("dpop_bound_access_tokens");
        }
        metadata
    }

    /// Forgets what another client than the next was registered and proved with.
    pub fn leave_client(&mut self) {
        for name in [TOKEN, URI] {
            self.secrets.remove(name);
        }
        self.forget_credentials();
        self.registration = None;
    }

    /// Puts the client that waited in the place of the one before, where tokens were given to it.
    pub fn take_up(&mut self, client_id: &str) {
        let Some(next) = self.next_client.take_if(|it| it.client.client_id == client_id) else {
            return;
        };
        self.leave_client();
        self.secrets.extend(next.secrets);
        self.updating = next.updating;
        self.secrets_for = Some(next.secrets_for);
        self.show_at(next.shown_at);
        self.registration = Some(Box::new(next.client));
    }

    /// The same as it is for a client that may be the one that waits.
    pub fn for_client(mut self, client_id: Option<&str>) -> Self {
        self.take_up(client_id.unwrap_or_default());
        self
    }
}

/// Puts what the server gave among the secrets: what it gives anew counts at once (RFC 7592 section 3).
pub fn keep_given(secrets: &mut BTreeMap<String, Secret>, given: &Given) {
    match &given.client_secret {
        Some(secret) => secrets.insert(CLIENT_SECRET.into(), secret.clone()),
        None => secrets.remove(CLIENT_SECRET),
    };
    if let Some(management) = &given.management {
        keep_management(secrets, management);
    }
}

/// Puts what a registration is managed with from now on among the secrets.
pub fn keep_management(secrets: &mut BTreeMap<String, Secret>, management: &Management) {
    secrets.insert(URI.into(), management.url.clone());
    secrets.insert(TOKEN.into(), management.token.clone());
}

pub(super) fn management(secrets: &BTreeMap<String, Secret>) -> Option<Management> {
    let secret = |name: &str| secrets.get(name).cloned();
    Some(Management { url: secret(URI)?, token: secret(TOKEN)? })
}

/// Whether all that a client brings is kept already.
pub fn keeps(secrets: &BTreeMap<String, Secret>, brought: &Credentials) -> bool {
    let is_kept = |brought: &Option<Secret>, kept: Option<&Secret>| {
        brought.as_ref().is_none_or(|brought| kept == Some(brought))
    };
    is_kept(&brought.private_key, secrets.get(PRIVATE_KEY))
        && is_kept(&brought.certificate, secrets.get(CERTIFICATE))
}

/// Keeps what a client is known by, before it is used.
pub fn keep_brought(secrets: &mut BTreeMap<String, Secret>, brought: &Credentials) {
    let named = [(PRIVATE_KEY, &brought.private_key), (CERTIFICATE, &brought.certificate)];
    for (name, secret) in named {
        if let Some(secret) = secret {
            secrets.insert(name.into(), secret.clone());
        }
    }
}

/// What a client that is registered just now has already: a key of its own, or nothing.
pub fn held_by_a_new_one(authentication: ClientAuthentication) -> Held {
    Held { authentication: Some(authentication).filter(|it| has_own_key(*it)), secret: None }
}
