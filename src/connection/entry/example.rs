//! An entry as the tests of this room want it.

use super::credentials::{CERTIFICATE, CLIENT_SECRET, PRIVATE_KEY};
use super::{Bound, Entry};
use crate::random::SystemRandom;
use crate::secret::Secret;

pub const HERE: &str = "https://here.example/token";
pub const ELSEWHERE: &str = "https://elsewhere.example/token";

/// An entry of a client whose tokens and credentials are for an endpoint.
pub fn entry_for(client_id: &str, endpoint: &str) -> Entry {
    let mut entry = Entry::empty(&SystemRandom);
    entry.client_id = Some(client_id.into());
    entry.bound = Some(Bound {
        token_endpoint: endpoint.into(),
        api_origin: "https://api.example".into(),
        revocation_endpoint: None,
        introspection_endpoint: None,
        other_hosts: None,
    });
    for name in [CLIENT_SECRET, PRIVATE_KEY, CERTIFICATE, "webhook_secret"] {
        entry.secrets.insert(name.into(), Secret::new(name));
    }
    entry.secrets_for = Some(endpoint.into());
    entry
}
