//! What counts of an answer about the client in force that is of no other use: a server that gives
//! a new token or secret takes the one of before out of force (RFC 7592 section 3).

use jiff::Timestamp;
use url::Url;

use super::entry::CLIENT_SECRET;
use super::known_client::KnownClient;
use super::registered_client::keep_management;
use crate::authorization_server::dynamic_registration::Management;
use crate::secret::Secret;

/// What an answer gives beside what makes it unfit.
pub struct Beside {
    /// Whom it is about, where it says so.
    pub client_id: Option<String>,
    /// A client secret and its end.
    pub secret: Option<(Secret, Option<Timestamp>)>,
    /// What the registration is managed with from now on.
    pub management: Option<Management>,
}

impl Beside {
    /// Puts what is about this client into its entry; `asked` is the address that was asked.
    pub fn keep_in(self, known: KnownClient<'_>, asked: &Url) {
        let KnownClient { client, secrets, .. } = known;
        let is_named = self.client_id.as_ref() == Some(&client.client_id);
        // A token for the client's own address is its token, whoever is named beside it.
        let is_its = |it: &Management| is_named || it.url.expose() == asked.as_str();
        if let Some(management) = self.management.filter(is_its) {
            keep_management(secrets, &management);
        }
        let proves_with_one = secrets.contains_key(CLIENT_SECRET);
        if let Some((secret, end)) = self.secret.filter(|_| is_named && proves_with_one) {
            secrets.insert(CLIENT_SECRET.into(), secret);
            client.secret_expires_at = end;
        }
    }
}
