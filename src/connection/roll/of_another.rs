//! Whether a refresh brought the tokens of somebody else (OpenID Connect Core section 12.2).

use super::super::entry::Ended;
use super::Rolling;
use crate::authorization_server::authorization_request::OPENID;
use crate::authorization_server::id_token::same_as_before;
use crate::authorization_server::jose::verify::claims_unverified;
use crate::authorization_server::token_response::id_token;
use crate::http::Answer;
use crate::profile::settings;

/// What stands in the place of the provider's error code where a refresh brought another account.
pub const OTHER_ACCOUNT: &str = "id_token_mismatch";

impl Rolling<'_> {
    /// Why the tokens of an answer must not be used; `None` where its ID token, if there is one,
    /// names the same issuer, subject and audience as at `connect`.
    ///
    /// Its signature is not looked at: it came from the token endpoint itself, over TLS, and
    /// whoever could change it there could leave it out as well. For the same reason one that
    /// cannot be read says nothing.
    pub(super) fn of_another(&self, answer: &Answer) -> Option<Ended> {
        let (order, entry) = (self.order, &self.entry);
        let provider = &order.provider;
        provider.id_token.as_ref()?;
        entry.requested.iter().find(|scope| *scope == OPENID)?;
        let subject = entry.tokens.as_ref()?.contexts.get("sub")?.as_str()?;
        let values = settings::values(provider, &order.settings, Some(&order.client_id));
        let issuer = provider.discovery.as_ref()?.issuer.as_ref()?;
        let issuer = values.render_url(issuer).ok()?;
        let claims = claims_unverified(&id_token(answer)?).ok()?;
        let claim = same_as_before(&claims, &issuer, &order.client_id, subject).err()?;
        Some(Ended {
            at: self.tools.clock.now(),
            error: OTHER_ACCOUNT.into(),
            description: Some(claim.into()),
            after_lost_answer: self.lost,
        })
    }
}
