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
        let asks_stored_secret = registration.client_secret.is_some()
            && brought.client_secret.is_none()
            && self.client_secret_override().is_none();
        let may_go = |entry: &Entry| entry.may_push_secret_to(&request.url);
        if asks_stored_secret && !self.drawer.read()?.as_ref().is_none_or(may_go) {
            let endpoint = request.url.clone();
            return Err(EstablishError::Push(PushError::OtherEndpoint { endpoint }));
        }
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
