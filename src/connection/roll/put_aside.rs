//! Whether a refresh brought the tokens of somebody else: another subject (OpenID Connect Core
//! section 12.2), or another account among what the provider names with the tokens (attack A29).

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

/// Whose tokens an answer holds, as far as it says.
pub(super) struct Whose {
    /// Why they must not be used, where they are another's.
    pub another: Option<Ended>,
    /// Whether the provider itself has named the account.
    pub is_named: bool,
}

/// How the tokens that are stored are another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Another<'e> {
    /// This claim of the ID token is another one.
    Subject(&'e str),
    /// The account is another one: which, and instead of which.
    Account(&'e str),
}

/// Whether a connection was ended because its tokens are another's: those are good, and never used.
pub fn is_of_another(ended: &Ended) -> Option<Another<'_>> {
    let how = ended.description.as_deref().unwrap_or_default();
    match ended.error.as_str() {
        OTHER_SUBJECT => Some(Another::Subject(how)),
        OTHER_ACCOUNT => Some(Another::Account(how)),
        _ => None,
    }
}

impl Rolling<'_> {
    /// Judges whose tokens an answer holds.
    pub(super) fn whose(&self, answer: &Answer) -> Whose {
        let named = identity_in(&self.order.provider, answer);
        let subject = || Some((OTHER_SUBJECT, self.other_claim(answer)?.to_owned()));
        let account = || Some((OTHER_ACCOUNT, self.other_account(&named)?));
        let another = subject().or_else(account).map(|(error, how)| Ended {
            at: self.tools.clock.now(),
            error: error.into(),
            // As long as it is ever shown: what is kept must not grow with a server's words.
            description: Some(printable(&how)),
            after_lost_answer: self.lost,
        });
        Whose { another, is_named: !named.is_empty() }
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
