//! What the client proves itself with, and whom that was given for: one vendor's never goes to another.

use super::{Entry, ShownAt};
use crate::connection::other_key::{OTHER_CERTIFICATE, OTHER_KEY};
use crate::secret::Secret;

/// The client secret's name among the secrets.
pub(in crate::connection) const CLIENT_SECRET: &str = "client_secret";
/// The name of the client's private key.
pub(in crate::connection) const PRIVATE_KEY: &str = "private_key";
/// The name of the client's certificate chain.
pub(in crate::connection) const CERTIFICATE: &str = "client_certificate";

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

impl Entry {
    /// The client secret, where one is kept.
    pub fn client_secret(&self) -> Option<&Secret> {
        self.secrets.get(CLIENT_SECRET)
    }

    /// The client's private key, where one is kept.
    pub fn private_key(&self) -> Option<&Secret> {
        self.secrets.get(PRIVATE_KEY)
    }

    /// The client's certificate chain, where one is kept.
    pub fn client_certificate(&self) -> Option<&Secret> {
        self.secrets.get(CERTIFICATE)
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
    pub(in crate::connection) fn forget_credentials(&mut self) {
        for name in [CLIENT_SECRET, PRIVATE_KEY, CERTIFICATE, OTHER_KEY, OTHER_CERTIFICATE] {
            self.secrets.remove(name);
        }
        self.secrets_for = None;
        self.show_at(ShownAt::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::entry::example::{ELSEWHERE, HERE, entry_for};

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
    fn an_old_entry_s_secret_is_for_the_endpoint_of_its_tokens() {
        let mut entry = entry_for("c", HERE);
        entry.secrets_for = None;
        assert!(entry.client_secret_for(Some(HERE), "vendor").is_some());
        assert!(entry.client_secret_for(Some(ELSEWHERE), "vendor").is_none());
        assert!(entry.client_secret_for(None, "vendor").is_none());
    }
}
