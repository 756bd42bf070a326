//! A client is ended at the server (RFC 7592 section 2.3).

use url::Url;

use super::change::Managed;
use super::{Registrar, RegistrationError};
use crate::authorization_server::dynamic_registration::{Management, delete_request};
use crate::connection::known_client::Which;
use crate::connection::registered_client::NextClient;
use crate::http::error_response::ErrorResponse;
use crate::http::{Answer, HttpError};

impl Registrar<'_> {
    /// Ends the client at the server; what is kept here is somebody else's to forget.
    pub async fn unregister(&self) -> Result<(), RegistrationError> {
        let _seen_through = self.system.critical.enter();
        let Managed { lock: _lock, mut entry, client } = self.managed().await?;
        let known = entry.known(Which::InForce).ok_or(RegistrationError::NotManaged)?;
        let management = known.management().ok_or(RegistrationError::NotManaged)?;
        let answer = self.delete(&management, client.named_by.as_deref()).await;
        let answer = answer.map_err(RegistrationError::Http)?;
        let now = self.system.clock.now();
        let error = || {
            let places = crate::http::ErrorPlaces::default();
            ErrorResponse::read(answer.status, &answer.headers, &answer.body, places, now)
                .without(&known.quotable())
        };
        if answer.status == 401 {
            self.tell_lost(known.unknowns().lost.as_ref());
        }
        let done = match answer.status {
            200..=299 => Ok(()),
            401 | 404 | 410 => Err(RegistrationError::Gone),
            400..=428 | 430..=499 => return Err(RegistrationError::Refused(error())),
            status => return Err(RegistrationError::NoVerdict { status, what: "no verdict" }),
        };
        if let Some(next) = &entry.next_client {
            self.end_waiting(next).await;
        }
        done
    }

    /// Ends a client that waited, under the issuer that named its own endpoint.
    pub(super) async fn end_waiting(&self, next: &NextClient) -> bool {
        self.end_at_once(next.management().as_ref(), next.client.named_by.as_deref()).await
    }

    /// Ends a client that nobody will use; whether it worked is all that can be said about it.
    pub(super) async fn end_at_once(
        &self,
        management: Option<&Management>,
        named_by: Option<&str>,
    ) -> bool {
        let Some(management) = management else { return false };
        let answer = self.delete(management, named_by).await;
        answer.is_ok_and(|answer| (200..300).contains(&answer.status))
    }

    async fn delete(
        &self,
        management: &Management,
        named_by: Option<&str>,
    ) -> Result<Answer, HttpError> {
        let url = Url::parse(management.url.expose())
            .map_err(|_| HttpError::InvalidRequest { detail: "the client's address".into() })?;
        self.send(delete_request(url.clone(), &management.token), Some(&url), named_by).await
    }
}
