//! The tokens of an entry: how new ones take their place, and how they are forgotten.

use super::Entry;
use crate::authorization_server::Wanted;
use crate::secret::Secret;
use crate::token_set::TokenSet;

impl Entry {
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
}
