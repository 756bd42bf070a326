//! Tokens that a refresh brought and that must not be used: somebody else's, another account's, or
//! bound to nothing. They are stored all the same, since the refresh token that was sent is spent.

use serde::{Deserialize, Serialize};

use super::super::entry::Ended;
use super::super::identity::{Identity, Likeness, compare, difference, identity_of};
use super::Rolling;
use crate::authorization_server::authorization_request::OPENID;
use crate::authorization_server::id_token::same_as_before;
use crate::authorization_server::jose::verify::claims_unverified;
use crate::authorization_server::token_response::{id_token, identity_in};
use crate::http::Answer;
use crate::http::printable::printable;
use crate::profile::settings;

/// What an end says of the tokens that are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The provider refused them: they are over.
    Over,
    /// An ID token names somebody else.
    OtherSubject,
    /// What came with them names another account.
    OtherAccount,
    /// They are not bound to the key that was proved.
    Unbound,
}

impl Fate {
    /// What stands in the place of the provider's error code, where it gave none.
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Over => None,
            Self::OtherSubject => Some("id_token_mismatch"),
            Self::OtherAccount => Some("account_mismatch"),
            Self::Unbound => Some("token_unbound"),
        }
    }

    /// As it is written; an entry of before it was has the text alone, which a provider's own code
    /// may equal.
    fn of(ended: &Ended) -> Self {
        let all = [Self::OtherSubject, Self::OtherAccount, Self::Unbound];
        let by_code = || all.into_iter().find(|it| it.code() == Some(ended.error.as_str()));
        ended.fate.or_else(by_code).unwrap_or(Self::Over)
    }
}

/// Why tokens are stored and never used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutAside<'e> {
    /// This claim of the ID token is another one (OpenID Connect Core section 12.2).
    Subject(&'e str),
    /// The account is another one: which, and instead of which (attack A29).
    Account(&'e str),
    /// Anyone could use them (RFC 9449 section 5).
    Unbound,
}

impl<'e> PutAside<'e> {
    /// Why the tokens of a connection that needs a person are good, and not used; `None` where they
    /// are simply over.
    pub fn of(ended: &'e Ended) -> Option<Self> {
        let how = ended.description.as_deref().unwrap_or_default();
        match Fate::of(ended) {
            Fate::Over => None,
            Fate::OtherSubject => Some(Self::Subject(how)),
            Fate::OtherAccount => Some(Self::Account(how)),
            Fate::Unbound => Some(Self::Unbound),
        }
    }
}

/// What is known of an answer beside its tokens.
pub(super) struct Judged {
    /// Why they must not be used, where they must not.
    pub put_aside: Option<Ended>,
    /// Whether the provider itself has named the account.
    pub is_named: bool,
}

impl Rolling<'_> {
    /// Judges whether the tokens of an answer may be used.
    pub(super) fn judged(&self, answer: &Answer, is_bound: bool) -> Judged {
        let named = identity_in(&self.order.provider, answer);
        let subject = || Some((Fate::OtherSubject, Some(self.other_claim(answer)?.to_owned())));
        let account = || Some((Fate::OtherAccount, Some(self.other_account(&named)?)));
        let unbound = || (!is_bound).then_some((Fate::Unbound, None));
        let why = subject().or_else(account).or_else(unbound);
        let put_aside = why.map(|(fate, how)| Ended {
            at: self.tools.clock.now(),
            fate: Some(fate),
            // A keyfob of before the fate was written knows it by this.
            error: fate.code().unwrap_or_default().into(),
            // As long as it is ever shown: what is kept must not grow with a server's words.
            description: how.as_deref().map(printable),
            after_lost_answer: self.lost,
        });
        Judged { put_aside, is_named: !named.is_empty() }
    }

    /// The claim of the answer's ID token that is not the one of `connect`; `None` where its ID token,
    /// if there is one, names the same issuer, subject and audience.
    ///
    /// Its signature is not looked at: it came from the token endpoint itself, over TLS, and
    /// whoever could change it there could leave it out as well. For the same reason one that
    /// cannot be read says nothing.
    fn other_claim(&self, answer: &Answer) -> Option<&'static str> {
        let (order, entry) = (self.order, &self.entry);
        let provider = &order.provider;
        provider.id_token.as_ref()?;
        entry.requested.iter().find(|scope| *scope == OPENID)?;
        let subject = entry.tokens.as_ref()?.contexts.get("sub")?.as_str()?;
        let values = settings::values(provider, &order.settings, Some(&order.client_id));
        let issuer = provider.discovery.as_ref()?.issuer.as_ref()?;
        let issuer = values.render_url(issuer).ok()?;
        let claims = claims_unverified(&id_token(answer)?).ok()?;
        same_as_before(&claims, &issuer, &order.client_id, subject).err()
    }

    /// How the account that an answer names is not this connection's.
    ///
    /// One that was only claimed, by whoever imported the tokens, is no account to hold the
    /// provider's word against: there the provider's word takes its place.
    fn other_account(&self, named: &Identity) -> Option<String> {
        if self.entry.account_is_claimed {
            return None;
        }
        let was = identity_of(&self.order.provider, self.entry.tokens.as_ref()?);
        (compare(&was, named) == Likeness::Different).then(|| difference(&was, named))
    }
}
