//! One exchange about a client that the server knows; what it gives is stored before it is used.

use url::Url;

use super::answer::{Told, take_in};
use super::{Registrar, RegistrationError, Updating};
use crate::authorization_server::dynamic_registration::{Management, Said, judge};
use crate::connection::entry::Entry;
use crate::connection::known_client::Which;
use crate::connection::{Notice, other_key};
use crate::http::Request;
use crate::secret::Secret;
use crate::store::lock::Lock;

impl Registrar<'_> {
    /// Asks at the client configuration endpoint.
    pub(super) async fn ask_and_keep(
        &self,
        lock: &Lock,
        entry: &mut Entry,
        which: Which,
        told: Option<Told<'_>>,
        request: impl FnOnce(Url, &Secret) -> Request,
    ) -> Result<(), RegistrationError> {
        let known = entry.known(which).ok_or(RegistrationError::NotManaged)?;
        let Management { url, token } = known.management().ok_or(RegistrationError::NotManaged)?;
        let url = Url::parse(url.expose()).map_err(|_| RegistrationError::NotManaged)?;
        let endpoint = Url::parse(&known.client.endpoint)
            .map_err(|_| RegistrationError::Endpoint(known.client.endpoint.clone()))?;
        let named_by = known.client.named_by.clone();
        let before = known.unknowns();
        *known.updating =
            Some(Updating { at: self.system.clock.now(), token_fingerprint: token.fingerprint() });
        if let Some((_, sent)) = told {
            other_key::hold(known.secrets, sent);
        }
        // The answer may take token, secret and key out of force: nothing is asked that cannot be kept.
        self.drawer.keep(lock, entry)?;
        let answer = self.send(request(url.clone(), &token), Some(&url), named_by.as_deref()).await;
        let mut known = entry.known(which).ok_or(RegistrationError::NotManaged)?;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                if error.never_reached() {
                    known.put_back(&before);
                    self.drawer.keep(lock, entry)?;
                }
                return Err(RegistrationError::Http(error));
            }
        };
        let said = judge(&answer, &endpoint, &known.held(), self.system.clock.now());
        let said = said.without(&known.quotable());
        match &said {
            // Whether anything was changed is not known: the mark stays, and the key.
            Said::NoVerdict { .. } => {}
            // The token is in force no more, and it stays known why that may be.
            Said::Unauthorized(error) if error.status == 401 => {
                self.tell_lost(before.lost.as_ref());
                known.put_back(&before);
            }
            Said::Refused(_) | Said::Unauthorized(_) => {
                *known.updating = None;
                known.forget_sent_key(&before);
            }
            Said::Given(_) | Said::Unfit { .. } => *known.updating = None,
        }
        let changed = take_in(said, known, told, &url);
        self.drawer.keep(lock, entry)?;
        changed
    }

    /// Tells, where the token is refused, that a later one may have been lost.
    pub(super) fn tell_lost(&self, lost: Option<&Updating>) {
        if let Some(Updating { at, .. }) = lost {
            (self.ears.notify)(Notice::RegistrationUpdateLost { at: *at });
        }
    }
}
