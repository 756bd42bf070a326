//! An entry that goes to another machine, or comes from one.

use std::collections::BTreeMap;

use super::Entry;
use crate::random::Random;
use crate::store::key::Key;
use crate::token_set::TokenSet;

impl Entry {
    /// The same for another machine: what belongs to this one is left out.
    pub fn to_carry(&self, random: &dyn Random) -> Self {
        Self {
            journal_key: Key::random(random).encode(),
            mark: None,
            saved: None,
            borrowed: false,
            next_client: None,
            registering: None,
            updating: None,
            ..self.clone()
        }
    }

    /// What was carried here in the place of what is here: the journal and the counts stay this machine's.
    pub fn in_place_of(self, here: Self) -> Self {
        let brings_secrets = !self.secrets.is_empty();
        let here = here.for_the_client_of(&self);
        let shown_at = if brings_secrets { self.shown_at() } else { here.shown_at() };
        let (secrets, secrets_for, registration) = match brings_secrets {
            true => (self.secrets, self.secrets_for, self.registration),
            false => (here.secrets, here.secrets_for, here.registration),
        };
        Self {
            secrets,
            secrets_for,
            secrets_pushed_to: shown_at.pushed,
            secrets_asked_codes_at: shown_at.codes,
            registration,
            next_client: here.next_client,
            registering: here.registering,
            updating: here.updating,
            journal_key: here.journal_key,
            generation: here.generation,
            imported: here.imported,
            authorizations: here.authorizations,
            mark: None,
            ended: None,
            saved: None,
            borrowed: false,
            ..self
        }
    }

    /// The same without what another client proves itself with, or this one elsewhere.
    fn for_the_client_of(mut self, carried: &Self) -> Self {
        let endpoint = carried.bound.as_ref().map(|bound| &bound.token_endpoint);
        let bound_to = self.bound.as_ref().map(|bound| &bound.token_endpoint);
        let is_for_it = endpoint.is_some()
            && (endpoint == bound_to || endpoint == self.secrets_for.as_ref())
            && self.client_id == carried.client_id;
        if !is_for_it {
            self.forget_credentials();
        }
        self
    }

    /// Whether its tokens were given after those of another.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        // Generations count the writes of one machine, and say nothing between two.
        let issued_at = |entry: &Self| entry.tokens.as_ref().map(|tokens| tokens.issued_at);
        issued_at(self) > issued_at(other)
    }

    /// The same without all that renews it: the access token alone goes on.
    pub fn access_token_only(&self) -> Self {
        let tokens = self.tokens.clone().map(|tokens| TokenSet {
            refresh_token: None,
            refresh_expires_at: None,
            ..tokens
        });
        Self {
            tokens,
            secrets: BTreeMap::new(),
            secrets_for: None,
            secrets_pushed_to: None,
            secrets_asked_codes_at: None,
            registration: None,
            next_client: None,
            registering: None,
            updating: None,
            imported: None,
            reissues: false,
            asserts: false,
            access_only: true,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::connection::entry::example::{ELSEWHERE, HERE, entry_for};

    #[test] // A16
    fn a_carried_entry_without_secrets_takes_those_of_its_own_client_alone() {
        for (client_id, endpoint, stays) in
            [("c", HERE, true), ("other", HERE, false), ("c", ELSEWHERE, false)]
        {
            let mut carried = entry_for(client_id, endpoint);
            carried.secrets.clear();
            carried.secrets_for = None;
            let now = carried.in_place_of(entry_for("c", HERE));
            assert_eq!(now.client_secret().is_some(), stays, "{client_id} {endpoint}");
            assert_eq!(now.private_key().is_some(), stays, "{client_id} {endpoint}");
            assert_eq!(now.secrets_for.is_some(), stays, "{client_id} {endpoint}");
            assert!(now.secrets.contains_key("webhook_secret"));
        }
    }
}
