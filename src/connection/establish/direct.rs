//! Flows without a browser: client credentials and, for old applications, the password.

use super::{Brought, EstablishError};
use crate::authorization_server::Grant;
use crate::authorization_server::token_request::token_request;
use crate::connection::{Connection, Entry};
use crate::secret::Secret;

impl Connection<'_> {
    /// Fetches one token with the client's own credentials, which proves them (RFC 6749 section 4.4).
    pub async fn establish_with_client_credentials(
        &self,
        brought: &Brought,
    ) -> Result<Entry, EstablishError> {
        let scopes = brought.scopes.clone();
        let grant = Grant::ClientCredentials { scopes }.wanting(brought.wanted.clone());
        self.establish_directly(brought, &grant, true).await
    }

    /// Exchanges the account owner's password, which is used once and kept nowhere (RFC 6749 section 4.3).
    pub async fn establish_with_password(
        &self,
        brought: &Brought,
        username: String,
        password: Secret,
    ) -> Result<Entry, EstablishError> {
        let grant = Grant::Password { username, password, scopes: brought.scopes.clone() };
        let grant = grant.wanting(brought.wanted.without_details());
        self.establish_directly(brought, &grant, false).await
    }

    async fn establish_directly(
        &self,
        brought: &Brought,
        grant: &Grant,
        reissues: bool,
    ) -> Result<Entry, EstablishError> {
        let registration = self.registration(brought)?;
        let request = token_request(&self.provider, &self.values, &registration, grant)?;
        self.drawer.store.prove()?;
        let mut tokens = self.first_tokens(&registration, &request, &brought.scopes).await?;
        if reissues {
            // RFC 6749 section 4.4.3: none is expected, and none is kept.
            tokens.refresh_token = None;
            tokens.refresh_expires_at = None;
        }
        self.store_first(tokens, &registration, brought, reissues).await
    }
}
