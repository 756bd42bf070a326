//! The authorization request, pushed to the server just before the browser opens (RFC 9126).

use super::{Brought, EstablishError};
use crate::authorization_server::ClientRegistration;
use crate::authorization_server::pushed_request::{PushAnswer, Pushed, judge, pushed_request};
use crate::connection::{Connection, Entry, server};
use crate::http::HttpError;
use crate::http::error_response::ErrorResponse;

/// Why a request could not be pushed. There is no way around: what a server takes by push it may demand so.
#[derive(Debug)]
pub enum PushError {
    /// The server's verdict.
    Refused(ErrorResponse),
    /// Too many requests.
    TooMany {
        /// Seconds to wait, where the answer says.
        retry_after: Option<u64>,
    },
    /// An answer that judges nothing.
    NoVerdict {
        /// Its status.
        status: u16,
        /// What it was.
        what: String,
    },
    /// No answer.
    Http(HttpError),
    /// The stored client secret was never sent to that endpoint.
    OtherEndpoint {
        /// Where it would go.
        endpoint: String,
    },
}

impl Connection<'_> {
    /// What the store keeps for the token endpoint proves the client nowhere else (attack A16): an
    /// assertion that another server gets could be used at the right one.
    pub(super) fn check_stored_proof(
        &self,
        registration: &ClientRegistration,
        brought: &Brought,
        endpoint: &str,
    ) -> Result<(), EstablishError> {
        let is_stored_secret = registration.client_secret.is_some()
            && brought.client_secret.is_none()
            && self.client_secret_override().is_none();
        let is_stored_key = registration.private_key.is_some() && brought.private_key.is_none();
        let may_go = |entry: &Entry| entry.may_prove_at(endpoint);
        if (is_stored_secret || is_stored_key)
            && !self.entry_of_client()?.as_ref().is_none_or(may_go)
        {
            let endpoint = endpoint.to_owned();
            return Err(EstablishError::Push(PushError::OtherEndpoint { endpoint }));
        }
        Ok(())
    }

    /// Pushes the parameters, once: what comes back is for one use (RFC 9126 section 2.2).
    pub(super) async fn push(
        &self,
        pushed_url: &str,
        registration: &ClientRegistration,
        brought: &Brought,
        parameters: &[(String, String)],
    ) -> Result<Pushed, EstablishError> {
        let provider = &self.provider;
        let request = pushed_request(provider, pushed_url, &self.values, registration, parameters)?;
        self.check_stored_proof(registration, brought, &request.url)?;
        let signed = request.signed(self.system.clock.now(), &*self.system.random);
        let signed = signed.map_err(crate::connection::FreshError::from)?;
        let sent = server::send(self.http()?, &signed, &self.tracing()).await;
        let answer = sent.map_err(|error| EstablishError::Push(PushError::Http(error)))?;
        let refused = match judge(provider, &answer, self.system.clock.now()) {
            PushAnswer::Taken(pushed) => return Ok(pushed),
            PushAnswer::Refused(error) => {
                PushError::Refused(error.without(&signed.request().secrets))
            }
            PushAnswer::TooMany { retry_after } => PushError::TooMany { retry_after },
            PushAnswer::NoVerdict { status, what } => PushError::NoVerdict { status, what },
        };
        Err(EstablishError::Push(refused))
    }
}
