//! Flows without a browser in which a signed token speaks: the client's own, a ready one, or one that is exchanged.

use serde_json::Value;

use super::{Brought, EstablishError};
use crate::authorization_server::grant_assertion::check_brought;
use crate::authorization_server::token_request::{ServerRequest, token_request};
use crate::authorization_server::{ClientRegistration, Grant};
use crate::connection::entry::ShownAt;
use crate::connection::leftover::Origin;
use crate::connection::{Connection, Entry, FreshError, Notice};
use crate::secret::Secret;
use crate::token_set::TokenSet;

impl Connection<'_> {
    /// Signs an assertion and exchanges it for tokens; the key renews them as well (RFC 7523 section 2.1).
    pub async fn establish_with_own_assertion(
        &self,
        brought: &Brought,
    ) -> Result<Entry, EstablishError> {
        let grant = Grant::OwnAssertion { scopes: brought.scopes.clone() };
        let (registration, request) = self.directly(brought, &grant)?;
        let mut tokens = self.first_tokens(&registration, &request, &brought.scopes).await?;
        // RFC 7521 section 4.1: none is expected, and none is kept.
        tokens.refresh_token = None;
        tokens.refresh_expires_at = None;
        let fill = |entry: &mut Entry| {
            self.fill_first(entry, (&registration, ShownAt::default()), brought, true)?;
            entry.asserts = true;
            Ok(())
        };
        self.put(tokens, brought, Origin::Granted, &|_, _| Ok(()), fill).await
    }

    /// Exchanges an assertion that was made elsewhere; what it gives cannot be renewed with it.
    pub async fn establish_with_assertion(
        &self,
        brought: &Brought,
        assertion: Secret,
    ) -> Result<Entry, EstablishError> {
        let now = self.system.clock.now();
        check_brought(&self.provider, &self.values, &assertion, now)?
            .map_err(EstablishError::Assertion)?;
        let grant = Grant::Assertion { assertion, scopes: brought.scopes.clone() };
        let (registration, request) = self.directly(brought, &grant)?;
        let tokens = self.first_tokens(&registration, &request, &brought.scopes).await?;
        self.store_first(tokens, &registration, brought, false).await
    }

    /// Exchanges a token that was made elsewhere for one that calls can be made with (RFC 8693).
    pub async fn establish_with_exchange(
        &self,
        brought: &Brought,
        grant: &Grant,
    ) -> Result<Entry, EstablishError> {
        let (registration, request) = self.directly(brought, grant)?;
        let mut tokens = self.exchanged_tokens(&registration, &request, &brought.scopes).await?;
        let issued = said(&mut tokens, "issued_token_type");
        // RFC 8693 section 2.2.1: such a token is none to call with.
        if said(&mut tokens, "token_type") == "N_A" {
            return Err(EstablishError::NotForCalls { issued });
        }
        let entry = self.store_first(tokens, &registration, brought, false).await?;
        (self.notify)(Notice::Issued(issued));
        Ok(entry)
    }

    fn directly(
        &self,
        brought: &Brought,
        grant: &Grant,
    ) -> Result<(ClientRegistration, ServerRequest), EstablishError> {
        let registration = self.registration(brought)?;
        let grant = grant.clone().wanting(brought.wanted.without_details());
        let request = token_request(&self.provider, &self.values, &registration, &grant)?;
        request.check().map_err(FreshError::from)?;
        self.drawer.store.prove()?;
        Ok((registration, request))
    }
}

/// What an exchange says beside its tokens, which is no context of the account.
fn said(tokens: &mut TokenSet, name: &str) -> String {
    match tokens.contexts.remove(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}
