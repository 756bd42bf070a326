//! What is known to everyone of a client that keyfob registered itself; its secrets are in the store.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{OwnClient, Profile};
use crate::provider::Provider;
use crate::provider::schema::{Client, ClientAuthentication, Presence};

/// A registration (RFC 7591), as far as a file may tell of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registered {
    /// The client registration endpoint.
    pub endpoint: String,
    /// When.
    pub at: Timestamp,
    /// How the server wants the client to prove who it is.
    pub authentication: ClientAuthentication,
    /// When its secret ends; absent for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_expires_at: Option<Timestamp>,
}

impl Profile {
    /// The client of this profile: as it was registered, else as it was chosen or the provider describes
    /// all of its clients.
    pub fn client_of(&self, provider: &Provider) -> Client {
        let client = self.chosen_client(provider);
        let Some(registered) = &self.registered else { return client };
        let secret = match registered.authentication {
            ClientAuthentication::Id => Presence::None,
            _ => Presence::Required,
        };
        Client { auth: registered.authentication, secret, ..client }
    }

    /// What is said of this one client: as it was registered, else as it was chosen.
    pub fn own_client(&self) -> Option<OwnClient> {
        let Some(registered) = &self.registered else { return self.client };
        let certificate = self.client.is_some_and(|own| own.certificate);
        Some(OwnClient { auth: Some(registered.authentication), certificate })
    }

    /// Names another client; what was registered or chosen is about the one that it replaces.
    pub fn name_client(&mut self, client_id: Option<String>) {
        if self.client_id != client_id {
            self.registered = None;
            // What was chosen before any client had a name is about the one that gets it.
            self.client = self.client.filter(|_| self.client_id.is_none());
        }
        self.client_id = client_id;
    }

    /// Whether the secret that the server gave has ended.
    pub fn secret_has_ended(&self, now: Timestamp) -> bool {
        let end = self.registered.as_ref().and_then(|it| it.secret_expires_at);
        end.is_some_and(|end| end <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // EX7, CA3
    fn a_registered_client_proves_itself_as_the_server_said_until_another_is_named() {
        let provider = crate::provider::catalogue::shipped("inkress").unwrap().unwrap();
        let at = Timestamp::UNIX_EPOCH;
        let registered = Registered {
            endpoint: "https://as.example/register".into(),
            at,
            authentication: ClientAuthentication::Id,
            secret_expires_at: Some(at),
        };
        let mut profile = Profile {
            client_id: Some("c1".into()),
            registered: Some(registered),
            ..Profile::default()
        };
        let client = profile.client_of(&provider);
        assert_eq!((client.auth, client.secret), (ClientAuthentication::Id, Presence::None));
        assert!(profile.secret_has_ended(at));
        profile.name_client(Some("c1".into()));
        assert!(profile.registered.is_some());
        profile.name_client(Some("c2".into()));
        assert_eq!((&profile.registered, profile.client_of(&provider)), (&None, provider.client));
    }

    #[test] // CA3
    fn a_chosen_method_is_the_named_client_s_and_not_the_next_one_s() {
        let chosen = Some(OwnClient { auth: Some(ClientAuthentication::Id), certificate: false });
        let mut profile = Profile { client: chosen, ..Profile::default() };
        for client_id in ["c1", "c1"] {
            profile.name_client(Some(client_id.into()));
            assert_eq!(profile.client, chosen);
        }
        profile.name_client(Some("c2".into()));
        assert_eq!(profile.client, None);
        profile.client = chosen;
        profile.name_client(None);
        assert_eq!(profile.client, None);
    }
}
