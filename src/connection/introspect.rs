//! What the provider says of a stored token: asked as it is, never renewed, nothing changed.

use super::{Connection, FreshError, server};
use crate::authorization_server::about_token::{TokenKind, request_about_token};
use crate::authorization_server::introspection::{self, Introspected};
use crate::http::HttpError;
use crate::secret::Secret;

/// Why nothing was said.
#[derive(Debug)]
pub enum IntrospectError {
    /// A step that calls share with this one failed.
    Fresh(FreshError),
    /// The provider file names no introspection endpoint.
    NoEndpoint,
    /// There is no refresh token.
    NoRefreshToken,
    /// No answer.
    Http(HttpError),
}

impl From<FreshError> for IntrospectError {
    fn from(error: FreshError) -> Self {
        Self::Fresh(error)
    }
}

impl Connection<'_> {
    /// Asks about the stored token; gives the secrets too that the answer may quote.
    ///
    /// No lock: what another process stores meanwhile is another token's business.
    pub async fn introspect(
        &self,
        kind: TokenKind,
    ) -> Result<(Introspected, Vec<Secret>), IntrospectError> {
        let introspect = self.provider.introspect.as_ref().ok_or(IntrospectError::NoEndpoint)?;
        let entry = self.entry()?;
        let token = match (kind, &entry.tokens) {
            (TokenKind::AccessToken, Some(tokens)) => &tokens.access_token,
            (TokenKind::RefreshToken, _) => {
                entry.refresh_token().ok_or(IntrospectError::NoRefreshToken)?
            }
            (TokenKind::AccessToken, None) => return Err(FreshError::NotConnected.into()),
        };
        let registration = self.registration_of(&entry)?;
        let (provider, values) = (&self.provider, &self.values);
        let request = request_about_token(provider, introspect, values, &registration, kind, token)
            .map_err(|missing| FreshError::MissingValue(missing.0))?;
        let signed = request.signed(self.system.clock.now(), &*self.system.random);
        let signed = signed.map_err(FreshError::from)?;
        let secrets = signed.request().secrets.clone();
        let answer = server::send(self.http()?, &signed, &self.tracing())
            .await
            .map_err(IntrospectError::Http)?;
        let judged = introspection::judge(provider, &answer, self.system.clock.now());
        let judged = match judged {
            Introspected::Refused(error) => Introspected::Refused(error.without(&secrets)),
            judged => judged,
        };
        Ok((judged, secrets))
    }
}
