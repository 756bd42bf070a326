//! The token request of a refresh as a value, made of what is stored.

use super::Rolling;
use crate::authorization_server::token_request::{ServerRequest, token_request};
use crate::authorization_server::{ClientRegistration, Grant};
use crate::profile::settings;
use crate::provider::MissingValue;
use crate::provider::schema::Rotation;

impl Rolling<'_> {
    pub(super) fn request(&self) -> Result<ServerRequest, MissingValue> {
        let order = self.order;
        let provider = &order.provider;
        let reissues = self.entry.reissues || provider.refresh.rotation == Rotation::Reissue;
        let grant = match self.entry.refresh_token() {
            _ if self.entry.asserts => Grant::OwnAssertion { scopes: self.entry.requested.clone() },
            _ if reissues => Grant::ClientCredentials { scopes: self.entry.requested.clone() },
            None => Grant::ClientCredentials { scopes: self.entry.requested.clone() },
            Some(refresh_token) => Grant::RefreshToken {
                refresh_token: refresh_token.clone(),
                scopes: match provider.token.scope_on_refresh {
                    true => self.granted().unwrap_or_default(),
                    false => Vec::new(),
                },
            },
        };
        let mut wanted = match grant {
            Grant::ClientCredentials { .. } => self.entry.wanted.clone(),
            Grant::OwnAssertion { .. } => self.entry.wanted.without_details(),
            _ => self.entry.wanted.resources_alone(),
        };
        if wanted.resource.is_empty() {
            // Nobody asked here for tokens that were imported.
            wanted.resource.clone_from(&provider.token.resource);
        }
        let grant = grant.wanting(wanted);
        let values = settings::values(provider, &order.settings, Some(&order.client_id));
        let endpoint = values.render_url(&provider.token.url)?;
        let (to, name) = (Some(endpoint.as_str()), provider.name.as_str());
        let secret = order.client_secret.as_ref().or(self.entry.client_secret_for(to, name));
        let registration = ClientRegistration {
            client_id: order.client_id.clone(),
            client_secret: secret.cloned(),
            private_key: self.entry.private_key_for(to, name).cloned(),
        };
        token_request(provider, &values, &registration, &grant)
    }
}
