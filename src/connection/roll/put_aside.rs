//! Tokens that a refresh brought and that must not be used: somebody else's, another account's, or
//! bound to nothing. They are stored all the same, since the refresh token that was sent is spent.

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

/// What stands in the place of the provider's error code where an ID token names somebody else.
const OTHER_SUBJECT: &str = "id_token_mismatch";
/// The same where what comes with the tokens names another account.
const OTHER_ACCOUNT: &str = "account_mismatch";
/// The same where the tokens are not bound to the key that was proved.
const UNBOUND: &str = "token_unbound";

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
        match ended.error.as_str() {
            OTHER_SUBJECT => Some(Self::Subject(how)),
            OTHER_ACCOUNT => Some(Self::Account(how)),
            UNBOUND => Some(Self::Unbound),
            _ => None,
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
        let subject = || Some((OTHER_SUBJECT, Some(self.other_claim(answer)?.to_owned())));
        let account = || Some((OTHER_ACCOUNT, Some(self.other_account(&named)?)));
        let unbound = || (!is_bound).then_some((UNBOUND, None));
        let why = subject().or_else(account).or_else(unbound);
        let put_aside = why.map(|(error, how)| Ended {
            at: self.tools.clock.now(),
            error: error.into(),
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
