//! The one entry that a store keeps for a profile: everything secret, and what protects it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use super::other_key::{OTHER_CERTIFICATE, OTHER_KEY};
use super::registered_client::{NextClient, RegisteredClient};
use super::registration::{Begun, Updating};
use super::roll::put_aside::Fate;
use crate::authorization_server::Wanted;
use crate::random::Random;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::store::key::Key;
use crate::token_set::TokenSet;

/// The client secret's name among the secrets.
pub(super) const CLIENT_SECRET: &str = "client_secret";
/// The name of the client's private key.
pub(super) const PRIVATE_KEY: &str = "private_key";
/// The name of the client's certificate chain.
pub(super) const CERTIFICATE: &str = "client_certificate";
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

/// The endpoints that the tokens were given for; other ones never see them (RFC 9700 section 4.4.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// The token endpoint.
    pub token_endpoint: String,
    /// Scheme, host and port of the resource server.
    pub api_origin: String,
    /// The revocation endpoint, where there is one.
    #[serde(default)]
    pub revocation_endpoint: Option<String>,
    /// The introspection endpoint, where there is one.
    #[serde(default)]
    pub introspection_endpoint: Option<String>,
    /// Other hosts that may be given the access token; `None` in entries of before they were kept.
    #[serde(default)]
    pub other_hosts: Option<Vec<String>>,
}

/// Where beside the token endpoint the client's proof may be shown, because it was given for there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownAt {
    /// The pushed authorization request endpoint.
    pub pushed: Option<String>,
    /// The device authorization endpoint.
    pub codes: Option<String>,
}

/// What a client proves itself with, where it brings it.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// The client secret.
    pub client_secret: Option<Secret>,
    /// The private key, as PEM.
    pub private_key: Option<Secret>,
    /// The certificate chain, as PEM.
    pub certificate: Option<Secret>,
}

/// Says that a refresh token may have been spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When the refresh began.
    pub started_at: Timestamp,
    /// Which refresh token was to be sent.
    pub refresh_token_fingerprint: String,
    /// On which machine.
    pub host: String,
}

/// Why a person must authorise again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When the provider said so.
    pub at: Timestamp,
    /// What it means for the tokens; `None` in entries of before it was kept.
    #[serde(default)]
    pub fate: Option<Fate>,
    /// Its code, `invalid_grant` as a rule.
    pub error: String,
    /// Its words.
    pub description: Option<String>,
    /// Whether an answer had been lost before: the provider may have given tokens that this machine never stored.
    pub after_lost_answer: bool,
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

    /// Everything in it that must not be shown.
    pub fn all_secrets(&self) -> impl Iterator<Item = &Secret> {
        let tokens = self.tokens.iter().flat_map(|tokens| {
            std::iter::once(&tokens.access_token).chain(tokens.refresh_token.as_ref())
        });
        let next = self.next_client.iter().flat_map(|it| it.secrets.values());
        tokens.chain(self.secrets.values()).chain(&self.dpop_key).chain(next)
    }

    /// The client secret, where one is kept.
    pub fn client_secret(&self) -> Option<&Secret> {
        self.secrets.get(CLIENT_SECRET)
    }

    /// The client's private key, where one is kept.
    pub fn private_key(&self) -> Option<&Secret> {
        self.secrets.get(PRIVATE_KEY)
    }

    /// The client secret, if it was kept for this token endpoint: another vendor's never goes there.
    pub fn client_secret_for(
        &self,
        token_endpoint: Option<&str>,
        provider: &str,
    ) -> Option<&Secret> {
        self.client_secret().filter(|_| self.is_kept_for(token_endpoint, provider))
    }

    /// The same of the private key: what one vendor knows it by, no other learns.
    pub fn private_key_for(&self, token_endpoint: Option<&str>, provider: &str) -> Option<&Secret> {
        self.private_key().filter(|_| self.is_kept_for(token_endpoint, provider))
    }

    /// The client's certificate chain, where one is kept.
    pub fn client_certificate(&self) -> Option<&Secret> {
        self.secrets.get(CERTIFICATE)
    }

    /// The same, if it was kept for this token endpoint: it names its holder.
    pub fn client_certificate_for(
        &self,
        token_endpoint: Option<&str>,
        provider: &str,
    ) -> Option<&Secret> {
        self.client_certificate().filter(|_| self.is_kept_for(token_endpoint, provider))
    }

    fn is_kept_for(&self, token_endpoint: Option<&str>, provider: &str) -> bool {
        match self.secrets_for.as_deref() {
            Some(kept_for) => Some(kept_for) == token_endpoint || kept_for == provider,
            // In entries of before it was kept, the tokens say for whom.
            None => match &self.bound {
                Some(bound) => Some(bound.token_endpoint.as_str()) == token_endpoint,
                None => self.tokens.is_none(),
            },
        }
    }

    /// Takes the place of the client's credentials: what was kept for another token endpoint goes,
    /// so that one of them never vouches for the other. `shown_at` is where else they were shown.
    pub fn bring_credentials(
        &mut self,
        brought: Credentials,
        token_endpoint: Option<String>,
        provider: &str,
        shown_at: ShownAt,
    ) {
        let Credentials { client_secret, private_key, certificate } = brought;
        let named = [
            (CLIENT_SECRET, client_secret),
            (PRIVATE_KEY, private_key),
            (CERTIFICATE, certificate),
        ];
        if named.iter().all(|(_, secret)| secret.is_none()) {
            return;
        }
        self.keep_for_alone(token_endpoint.as_deref(), provider);
        let is_known = |name: &str, secret: &Secret| self.secrets.get(name) == Some(secret);
        let all_known =
            named.iter().all(|(name, it)| it.as_ref().is_none_or(|it| is_known(name, it)));
        // What was there before has been shown where it was; what is new, where it was shown just now.
        let before = if all_known { self.shown_at() } else { ShownAt::default() };
        self.show_at(ShownAt {
            pushed: shown_at.pushed.or(before.pushed),
            codes: shown_at.codes.or(before.codes),
        });
        for (name, secret) in named {
            if let Some(secret) = secret {
                self.secrets.insert(name.into(), secret);
                self.secrets_for.clone_from(&token_endpoint);
            }
        }
    }

    /// Forgets what the client proves itself with where that was kept for another token endpoint.
    pub fn keep_for_alone(&mut self, token_endpoint: Option<&str>, provider: &str) {
        if !self.is_kept_for(token_endpoint, provider) {
            self.forget_credentials();
        }
    }

    /// Forgets what the client proves itself with, and whom that was kept for; what else is kept stays.
    pub(super) fn forget_credentials(&mut self) {
        for name in [CLIENT_SECRET, PRIVATE_KEY, CERTIFICATE, OTHER_KEY, OTHER_CERTIFICATE] {
            self.secrets.remove(name);
        }
        self.secrets_for = None;
        self.show_at(ShownAt::default());
    }

    /// Where beside the token endpoint the client's proof may be shown.
    pub fn shown_at(&self) -> ShownAt {
        let (pushed, codes) = (&self.secrets_pushed_to, &self.secrets_asked_codes_at);
        ShownAt { pushed: pushed.clone(), codes: codes.clone() }
    }

    /// Says where beside the token endpoint it may be shown from now on.
    pub fn show_at(&mut self, ShownAt { pushed, codes }: ShownAt) {
        self.secrets_pushed_to = pushed;
        self.secrets_asked_codes_at = codes;
    }

    /// Whether the client may be proved there with what is kept: at the token endpoint's own
    /// server, or where that was shown when it was given (attack A16).
    pub fn may_prove_at(&self, endpoint: &str) -> bool {
        let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
        let kept_for = self.secrets_for.as_deref().and_then(origin);
        let shown = [&self.secrets_pushed_to, &self.secrets_asked_codes_at];
        shown.into_iter().any(|it| it.as_deref() == Some(endpoint))
            || kept_for.is_none_or(|kept_for| origin(endpoint) == Some(kept_for))
    }

    /// The refresh token, where there is one.
    pub fn refresh_token(&self) -> Option<&Secret> {
        self.tokens.as_ref()?.refresh_token.as_ref()
    }

    /// Whether a refresh token is the one of the last import, and another one is in force now.
    pub fn has_rolled(&self, refresh_token: Option<&Secret>) -> bool {
        let Some(refresh_token) = refresh_token else {
            return false;
        };
        self.imported.as_ref() == Some(&refresh_token.fingerprint())
            && self.refresh_token().is_some_and(|now| now != refresh_token)
    }

    /// Puts new tokens in place of the old ones: whatever stood between is over.
    pub fn adopt(&mut self, tokens: TokenSet) {
        self.tokens = Some(tokens);
        self.generation += 1;
        self.mark = None;
        self.ended = None;
    }

    /// Forgets the tokens and all that concerns them; the client's own secrets stay.
    pub fn forget_tokens(&mut self) {
        self.tokens = None;
        self.requested = Vec::new();
        self.wanted = Wanted::default();
        self.bound = None;
        self.mark = None;
        self.ended = None;
        self.reissues = false;
        self.asserts = false;
        self.last_refreshed_at = None;
        self.saved = None;
        self.borrowed = false;
        self.access_only = false;
        self.account_is_claimed = false;
        self.dpop_key = None;
        self.generation += 1;
    }

    /// Whether there is anything left that is worth keeping.
    pub fn is_bare(&self) -> bool {
        self.tokens.is_none()
            && self.secrets.is_empty()
            && self.registration.is_none()
            && self.next_client.is_none()
            && self.registering.is_none()
    }

    /// The mark, where it is about the refresh token that is stored now.
    pub fn mark_of_this_token(&self) -> Option<&Mark> {
        let fingerprint = self.refresh_token().map(Secret::fingerprint).unwrap_or_default();
        self.mark.as_ref().filter(|mark| mark.refresh_token_fingerprint == fingerprint)
    }

    /// Writes the entry as text for a store (a keychain may take UTF-8 only).
    pub fn encode(&self) -> Result<Secret, StoreError> {
        Secret::json(self).map_err(|_| StoreError::Damaged {
            detail: "the entry cannot be written as text".into(),
        })
    }

    /// Reads an entry; one of a newer keyfob is refused rather than damaged.
    pub fn decode(text: &Secret) -> Result<Self, StoreError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u64,
        }
        // The parser's own words may quote the text, so they are not passed on.
        let damaged = |_| StoreError::Damaged { detail: "it is not a keyfob entry".into() };
        let Versioned { version } = serde_json::from_str(text.expose()).map_err(damaged)?;
        if version > VERSION {
            return Err(StoreError::Newer { version });
        }
        serde_json::from_str(text.expose()).map_err(damaged)
    }
}

pub(super) mod named_secrets {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use crate::secret::Secret;

    pub fn serialize<S: Serializer>(
        secrets: &BTreeMap<String, Secret>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(secrets.iter().map(|(name, secret)| (name, secret.expose())))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, Secret>, D::Error> {
        let plain = BTreeMap::<String, String>::deserialize(deserializer)?;
        Ok(plain.into_iter().map(|(name, value)| (name, Secret::new(value))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test] // ST11
    fn a_newer_entry_is_refused_and_a_damaged_one_never_quoted() {
        let newer = Secret::new(r#"{"version":2,"surprise":true}"#);
        assert!(matches!(Entry::decode(&newer), Err(StoreError::Newer { version: 2 })));
        let damaged = Entry::decode(&Secret::new(r#"{"version":1,"journal_key":"mark-17"#));
        assert!(!format!("{damaged:?}").contains("mark-17"));
        assert!(matches!(damaged, Err(StoreError::Damaged { .. })));
    }

    #[test]
    fn an_entry_comes_back_as_it_was_written() {
        let mut entry = Entry::empty(&SystemRandom);
        entry.secrets.insert("client_secret".into(), Secret::new("s"));
        assert_eq!(Entry::decode(&entry.encode().unwrap()).unwrap(), entry);
    }

    const HERE: &str = "https://here.example/token";
    const ELSEWHERE: &str = "https://elsewhere.example/token";

    /// An entry of a client whose tokens and credentials are for an endpoint.
    fn entry_for(client_id: &str, endpoint: &str) -> Entry {
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

    #[test] // A16
    fn credentials_kept_for_another_endpoint_go_when_one_of_them_is_brought() {
        for (to, key_stays) in [(HERE, true), (ELSEWHERE, false)] {
            let mut entry = entry_for("c", HERE);
            let client_secret = Some(Secret::new("new"));
            let brought = Credentials { client_secret, ..Credentials::default() };
            entry.bring_credentials(brought, Some(to.into()), "vendor", ShownAt::default());
            assert_eq!(entry.client_secret_for(Some(to), "vendor").unwrap().expose(), "new");
            assert_eq!(entry.private_key_for(Some(to), "vendor").is_some(), key_stays, "{to}");
            assert_eq!(entry.private_key().is_some(), key_stays, "{to}");
            assert_eq!(entry.client_certificate().is_some(), key_stays, "{to}");
            assert!(entry.secrets.contains_key("webhook_secret"));
        }
    }

    #[test] // A16
    fn a_certificate_alone_vouches_for_nothing_that_another_endpoint_was_given() {
        let mut entry = entry_for("c", HERE);
        let brought =
            Credentials { certificate: Some(Secret::new("new")), ..Credentials::default() };
        entry.bring_credentials(brought, Some(ELSEWHERE.into()), "vendor", ShownAt::default());
        assert_eq!(entry.client_certificate().unwrap().expose(), "new");
        assert_eq!((entry.client_secret(), entry.private_key()), (None, None));
    }

    #[test] // A16
    fn a_secret_is_shown_again_where_it_was_shown_and_another_one_is_not() {
        const CODES: &str = "https://codes.example/device";
        let shown = || ShownAt { pushed: None, codes: Some(CODES.into()) };
        let secret = |text: &str| Credentials {
            client_secret: Some(Secret::new(text)),
            ..Credentials::default()
        };
        let mut entry = entry_for("c", HERE);
        let mut bring = |text, shown_at| {
            entry.bring_credentials(secret(text), Some(HERE.into()), "vendor", shown_at);
            entry.may_prove_at(CODES)
        };
        assert!(!bring("one", ShownAt::default()));
        assert!(bring("one", shown()));
        assert!(bring("one", ShownAt::default()), "the same secret was there before");
        assert!(!bring("two", ShownAt::default()), "this one never was");
    }

    #[test] // EX7
    fn an_entry_that_says_a_registration_began_is_worth_keeping() {
        let mut entry = Entry::empty(&SystemRandom);
        assert!(entry.is_bare());
        let at = Timestamp::UNIX_EPOCH;
        entry.registering = Some(Begun { at, endpoint: HERE.into() });
        assert!(!entry.is_bare());
    }

    #[test] // A16
    fn an_old_entry_s_secret_is_for_the_endpoint_of_its_tokens() {
        let mut entry = entry_for("c", HERE);
        entry.secrets_for = None;
        assert!(entry.client_secret_for(Some(HERE), "vendor").is_some());
        assert!(entry.client_secret_for(Some(ELSEWHERE), "vendor").is_none());
        assert!(entry.client_secret_for(None, "vendor").is_none());
    }

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
