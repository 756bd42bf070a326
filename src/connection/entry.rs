//! The one entry that a store keeps for a profile: everything secret, and what protects it.
//!
//! What is asked of an entry and done to it stands in a file for each of its parts.

mod bound;
mod carried;
mod credentials;
mod ended;
#[cfg(test)]
mod example;
mod mark;
pub(super) mod named_secrets;
mod shown_at;
mod text;
mod tokens;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::registered_client::{NextClient, RegisteredClient};
use super::registration::{Begun, Updating};
use crate::authorization_server::Wanted;
use crate::random::Random;
use crate::secret::Secret;
use crate::store::key::Key;
use crate::token_set::TokenSet;
pub use bound::Bound;
pub use credentials::Credentials;
pub(super) use credentials::{CERTIFICATE, CLIENT_SECRET, PRIVATE_KEY};
pub use ended::Ended;
pub use mark::Mark;
pub use shown_at::ShownAt;

/// The newest entry this program can read.
const VERSION: u64 = 1;

/// What is kept for a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    version: u64,
    /// Counts the writes that changed tokens; a late writer is told by it.
    pub generation: u64,
    /// Opens the journal.
    #[serde(with = "crate::secret::stored")]
    pub journal_key: Secret,
    /// The client that the tokens were given to.
    #[serde(default)]
    pub client_id: Option<String>,
    /// `client_secret`, and what else the vendor gave.
    #[serde(default, with = "named_secrets")]
    pub secrets: BTreeMap<String, Secret>,
    /// Absent before the first authorization.
    #[serde(default)]
    pub tokens: Option<TokenSet>,
    /// Scopes that were asked for.
    #[serde(default)]
    pub requested: Vec<String>,
    /// What else was asked for; a refresh names the resources again.
    #[serde(default)]
    pub wanted: Wanted,
    /// Where the tokens may be sent.
    #[serde(default)]
    pub bound: Option<Bound>,
    /// A refresh began and its end is not written yet.
    #[serde(default)]
    pub mark: Option<Mark>,
    /// The provider ended the connection.
    #[serde(default)]
    pub ended: Option<Ended>,
    /// Whom the secrets were kept for: the token endpoint, or the provider while that is not known.
    #[serde(default)]
    pub secrets_for: Option<String>,
    /// Where authorization requests were pushed to when the client secret was given.
    #[serde(default)]
    pub secrets_pushed_to: Option<String>,
    /// Where codes were asked for with the client secret when it was given (RFC 8628 section 3.1).
    #[serde(default)]
    pub secrets_asked_codes_at: Option<String>,
    /// The refresh token of the last import, by its fingerprint.
    #[serde(default)]
    pub imported: Option<String>,
    /// How often a person or an import has authorised this profile.
    #[serde(default)]
    pub authorizations: u64,
    /// The tokens came from the client's own credentials, which renew them as well.
    #[serde(default)]
    pub reissues: bool,
    /// And that with an assertion which the client signs for somebody (RFC 7523 section 2.1).
    #[serde(default)]
    pub asserts: bool,
    /// When a refresh last succeeded.
    #[serde(default)]
    pub last_refreshed_at: Option<Timestamp>,
    /// The generation that a save command took last; 0 where one is owed its first.
    #[serde(default)]
    pub saved: Option<u64>,
    /// A CI job's copy: its home is elsewhere, and what it becomes here is lost with the job.
    #[serde(default)]
    pub borrowed: bool,
    /// Handed over without what renews it.
    #[serde(default)]
    pub access_only: bool,
    /// Whose account it is was said by whoever imported it, and not by the provider.
    #[serde(default)]
    pub account_is_claimed: bool,
    /// The key that the tokens are bound to, as PEM (RFC 9449).
    #[serde(with = "crate::secret::stored_option", default)]
    pub dpop_key: Option<Secret>,
    /// The client that keyfob registered itself (RFC 7591); its secrets are among `secrets`.
    #[serde(default)]
    pub registration: Option<Box<RegisteredClient>>,
    /// One that was registered in its place, and has no tokens yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_client: Option<Box<NextClient>>,
    /// A registration began and its end is not written yet.
    #[serde(default)]
    pub registering: Option<Begun>,
    /// The server was asked about the client in force, and its answer is not written yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updating: Option<Updating>,
}

impl Entry {
    /// An entry without tokens and with a journal key of its own.
    pub fn empty(random: &dyn Random) -> Self {
        Self {
            version: VERSION,
            generation: 0,
            journal_key: Key::random(random).encode(),
            client_id: None,
            secrets: BTreeMap::new(),
            tokens: None,
            requested: Vec::new(),
            wanted: Wanted::default(),
            bound: None,
            mark: None,
            ended: None,
            secrets_for: None,
            secrets_pushed_to: None,
            secrets_asked_codes_at: None,
            imported: None,
            authorizations: 0,
            reissues: false,
            asserts: false,
            last_refreshed_at: None,
            saved: None,
            borrowed: false,
            access_only: false,
            account_is_claimed: false,
            dpop_key: None,
            registration: None,
            next_client: None,
            registering: None,
            updating: None,
        }
    }

    /// Everything in it that must not be shown.
    pub fn all_secrets(&self) -> impl Iterator<Item = &Secret> {
        let tokens = self.tokens.iter().flat_map(|tokens| {
            std::iter::once(&tokens.access_token).chain(tokens.refresh_token.as_ref())
        });
        let next = self.next_client.iter().flat_map(|it| it.secrets.values());
        tokens.chain(self.secrets.values()).chain(&self.dpop_key).chain(next)
    }

    /// Whether there is anything left that is worth keeping.
    pub fn is_bare(&self) -> bool {
        self.tokens.is_none()
            && self.secrets.is_empty()
            && self.registration.is_none()
            && self.next_client.is_none()
            && self.registering.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test] // EX7
    fn an_entry_that_says_a_registration_began_is_worth_keeping() {
        let mut entry = Entry::empty(&SystemRandom);
        assert!(entry.is_bare());
        let at = Timestamp::UNIX_EPOCH;
        entry.registering = Some(Begun { at, endpoint: "https://here.example/token".into() });
        assert!(!entry.is_bare());
    }
}
