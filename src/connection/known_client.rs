//! A client that the server knows, with all that is kept of it: in force, or waiting for its first tokens.

use std::collections::BTreeMap;

use super::entry::{CLIENT_SECRET, Entry};
use super::other_key;
use super::registered_client::{RegisteredClient, TOKEN, URI, management};
use super::registration::Updating;
use crate::authorization_server::dynamic_registration::{Held, Management};
use crate::secret::Secret;

/// Which of the two that an entry may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one of the tokens.
    InForce,
    /// The one that takes its place with its own first tokens.
    Waiting,
}

/// A client in its entry.
pub struct KnownClient<'e> {
    /// Without its secrets.
    pub client: &'e mut RegisteredClient,
    /// What it proves itself with, and what it is managed with.
    pub secrets: &'e mut BTreeMap<String, Secret>,
    /// A question about it whose answer is not known.
    pub updating: &'e mut Option<Updating>,
}

/// What was not known of a client before it was asked about.
pub struct Unknowns {
    /// An earlier question whose answer was lost, and after which no other token came.
    pub lost: Option<Updating>,
    /// A key that may be the one that the server knows.
    other_key: other_key::Pair,
}

impl Entry {
    /// One of its clients; `None` where there is none of that kind.
    pub fn known(&mut self, which: Which) -> Option<KnownClient<'_>> {
        Some(match which {
            Which::InForce => KnownClient {
                client: self.registration.as_deref_mut()?,
                secrets: &mut self.secrets,
                updating: &mut self.updating,
            },
            Which::Waiting => {
                let next = self.next_client.as_deref_mut()?;
                KnownClient {
                    client: &mut next.client,
                    secrets: &mut next.secrets,
                    updating: &mut next.updating,
                }
            }
        })
    }
}

impl KnownClient<'_> {
    /// What it is managed with.
    pub fn management(&self) -> Option<Management> {
        management(self.secrets)
    }

    /// What is not known of it now.
    pub fn unknowns(&self) -> Unknowns {
        let token = self.secrets.get(TOKEN).map(Secret::fingerprint);
        let is_its = |it: &&Updating| Some(&it.token_fingerprint) == token.as_ref();
        Unknowns {
            lost: self.updating.as_ref().filter(is_its).cloned(),
            other_key: other_key::pair(self.secrets),
        }
    }

    /// Nothing came of the last question: what was not known before it is not known still.
    pub fn put_back(&mut self, before: &Unknowns) {
        self.updating.clone_from(&before.lost);
        self.forget_sent_key(before);
    }

    /// The server has certainly not taken the key that was sent.
    pub fn forget_sent_key(&mut self, before: &Unknowns) {
        other_key::put(self.secrets, &before.other_key);
    }

    /// Everything in it that an answer about it may quote.
    pub fn quotable(&self) -> Vec<Secret> {
        let names = [CLIENT_SECRET, TOKEN, URI];
        names.iter().filter_map(|name| self.secrets.get(*name).cloned()).collect()
    }

    /// What it has already.
    pub fn held(&self) -> Held {
        let secret = self.secrets.get(CLIENT_SECRET);
        Held {
            authentication: Some(self.client.authentication),
            secret: secret.map(|it| (it.clone(), self.client.secret_expires_at)),
        }
    }
}
