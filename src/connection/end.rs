//! How a connection ends: revoked at the provider first, then forgotten here.

use super::entry::Entry;
use super::prover::nonces;
use super::roll::Rolled;
use super::{Connection, FreshError, Wanted, roll, saving, server};
use crate::authorization_server::ClientRegistration;
use crate::authorization_server::about_token::{TokenKind, request_about_token};
use crate::authorization_server::token_response::error_of;
use crate::http::HttpError;
use crate::http::error_response::ErrorResponse;
use crate::provider::schema::Revoke;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::store::journal::Journal;
use crate::store::lock::Lock;

/// What became of one token at the provider.
#[derive(Debug)]
pub struct Revoked {
    /// Which one.
    pub kind: TokenKind,
    /// The provider's word on it.
    pub outcome: Outcome,
}

/// The provider's word.
#[derive(Debug)]
pub enum Outcome {
    /// Ended, or not known there any more, which a 200 does not tell apart (RFC 7009 section 2.2).
    Done,
    /// Not known there any more, in the provider's own words.
    NotKnown,
    /// The provider does not revoke this kind (RFC 7009 section 2.2.1).
    NotSupported,
    /// Refused.
    Refused(ErrorResponse),
    /// Cannot be judged: the token may live on.
    NoVerdict {
        /// The status.
        status: u16,
        /// Seconds to wait, where the answer says.
        retry_after: Option<std::time::Duration>,
    },
    /// No answer.
    Unreached(HttpError),
}

impl Outcome {
    /// Whether the token is of no use any more, as far as the provider can do it.
    pub fn is_settled(&self) -> bool {
        self.is_ended() || matches!(self, Self::NotSupported)
    }

    /// Whether the token has ended by the provider's word.
    pub fn is_ended(&self) -> bool {
        matches!(self, Self::Done | Self::NotKnown)
    }
}

/// How a connection ended.
#[derive(Debug)]
pub enum Ending {
    /// Revoked at the provider and forgotten here.
    Revoked(Vec<Revoked>),
    /// Forgotten here; the provider has no way to be asked.
    ForgottenHere,
    /// The provider did not settle it: the connection is kept.
    Kept(Vec<Revoked>),
}

impl Connection<'_> {
    /// Revokes refresh token, then access token, then forgets; holds the lock, so that no refresh revives it.
    pub async fn end(&self, local_only: bool) -> Result<Ending, FreshError> {
        let lock = self.lock().await.map_err(FreshError::Lock)?;
        let read = || match self.drawer.read()? {
            Some(entry) if entry.tokens.is_some() => Ok(entry),
            _ => Err(FreshError::NotConnected),
        };
        let mut entry = read()?;
        let revoke = match (&self.provider.revoke, local_only) {
            (Some(revoke), false) => revoke,
            _ => {
                self.forget(&lock, entry)?;
                return Ok(Ending::ForgottenHere);
            }
        };
        self.check_bound_to_end(&entry)?;
        let _seen_through = self.system.critical.enter();
        if self.store_what_was_lost(&lock, &entry).await? {
            entry = read()?;
        }
        let revoked = self.revoke_all(revoke, &entry).await?;
        if revoked.iter().all(|it| it.outcome.is_settled()) {
            self.forget(&lock, entry)?;
            Ok(Ending::Revoked(revoked))
        } else {
            Ok(Ending::Kept(revoked))
        }
    }

    /// Tokens that only the journal holds would live on at the provider: they are stored first.
    pub(super) async fn store_what_was_lost(
        &self,
        lock: &Lock,
        entry: &Entry,
    ) -> Result<bool, FreshError> {
        if entry.mark_of_this_token().is_none() {
            return Ok(false);
        }
        let order = self.order(entry, &Wanted::New)?;
        let tools = self.tools(&order)?;
        match roll::recover(&self.drawer, lock, &order, &tools).await? {
            None => Ok(false),
            // They live on, and the ones that the store holds are spent: nothing is settled with those.
            Some(Rolled::NoVerdict(lost)) => Err(FreshError::NoVerdict(lost)),
            Some(Rolled::Unstored { error, in_journal }) => {
                Err(FreshError::Unstored { error, in_journal })
            }
            Some(_) => Ok(true),
        }
    }

    pub(super) async fn revoke_all(
        &self,
        revoke: &Revoke,
        entry: &Entry,
    ) -> Result<Vec<Revoked>, FreshError> {
        let registration = self.registration_of(entry)?;
        let access_token = entry.tokens.as_ref().map(|tokens| &tokens.access_token);
        let tokens = [
            (TokenKind::RefreshToken, entry.refresh_token()),
            (TokenKind::AccessToken, access_token),
        ];
        let mut revoked = Vec::new();
        for (kind, token) in tokens {
            let Some(token) = token else { continue };
            let outcome = self.revoke_one(revoke, &registration, kind, token).await?;
            let goes_on = outcome.is_settled();
            revoked.push(Revoked { kind, outcome });
            if !goes_on {
                break;
            }
        }
        Ok(revoked)
    }

    /// The client that the tokens of an entry were given to.
    pub(super) fn registration_of(&self, entry: &Entry) -> Result<ClientRegistration, FreshError> {
        let client_id = entry.client_id.clone().or_else(|| self.client_id.clone());
        let endpoint = self.token_endpoint().ok();
        let (to, name) = (endpoint.as_deref(), self.provider.name.as_str());
        let kept = || entry.client_secret_for(to, name).cloned();
        Ok(ClientRegistration {
            client_id: client_id.ok_or(FreshError::ClientIdMissing)?,
            client_secret: self.client_secret_override().or_else(kept),
            private_key: entry.private_key_for(to, name).cloned(),
        })
    }

    async fn revoke_one(
        &self,
        revoke: &Revoke,
        registration: &ClientRegistration,
        kind: TokenKind,
        token: &Secret,
    ) -> Result<Outcome, FreshError> {
        let (provider, values) = (&self.provider, &self.values);
        let request = request_about_token(provider, revoke, values, registration, kind, token)
            .map_err(|missing| FreshError::MissingValue(missing.0))?;
        let signed = request.signed(self.system.clock.now(), &*self.system.random)?;
        let answer = match server::send(self.http()?, &signed, &self.tracing()).await {
            Ok(answer) => answer,
            Err(error) => return Ok(Outcome::Unreached(error)),
        };
        let error =
            error_of(provider, &answer, self.system.clock.now()).without(&signed.request().secrets);
        Ok(match (answer.status, error.code.as_deref()) {
            (200..=299, None) => Outcome::Done,
            (200..=299, Some(_)) => Outcome::Refused(error),
            (400..=499, Some("unsupported_token_type")) => Outcome::NotSupported,
            // As some servers say instead of 200.
            (400..=499, Some("invalid_token" | "invalid_grant")) => Outcome::NotKnown,
            (400..=428 | 430..=499, Some(_)) => Outcome::Refused(error),
            (status, _) => Outcome::NoVerdict { status, retry_after: error.retry_after },
        })
    }

    /// Forgets the tokens; the client's own secrets stay with the profile.
    pub(super) fn forget(&self, lock: &Lock, mut entry: Entry) -> Result<(), StoreError> {
        entry.forget_tokens();
        match entry.is_bare() {
            true => self.drawer.remove(lock)?,
            false => self.drawer.keep(lock, &entry)?,
        }
        Journal::discard_all(&self.drawer.journal, self.name())?;
        saving::discard(&self.system.home, self.name());
        nonces::discard(&self.system.home.nonces(), self.name());
        // `status` mends itself at the next write; the tokens are gone.
        let _ = self.drawer.tell(&entry, self.provider.refresh.rotation);
        Ok(())
    }
}
