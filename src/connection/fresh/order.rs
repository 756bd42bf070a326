//! What a refresh is told, and what it works with.

use super::{FreshError, Wanted};
use crate::connection::cooldown::Cooldown;
use crate::connection::pace::Lane;
use crate::connection::roll::{Order, Reason, Tools};
use crate::connection::{Connection, Entry, Notice, saving};

impl Connection<'_> {
    pub(in crate::connection) fn order(
        &self,
        entry: &Entry,
        wanted: &Wanted,
    ) -> Result<Order, FreshError> {
        let client_id = entry
            .client_id
            .clone()
            .or_else(|| self.client_id.clone())
            .ok_or(FreshError::ClientIdMissing)?;
        let client_secret = self.client_secret_override();
        if self.provider.client.shows_certificate() && entry.client_certificate().is_none() {
            return Err(FreshError::ClientCertificateMissing);
        }
        let endpoint = self.token_endpoint().ok();
        let (to, name) = (endpoint.as_deref(), self.provider.name.as_str());
        if self.provider.client.needs_key() && entry.private_key_for(to, name).is_none() {
            return Err(FreshError::ClientKeyMissing);
        }
        let secret_needed = self.provider.client.needs_secret();
        let kept = entry.client_secret_for(to, name);
        if secret_needed && client_secret.is_none() && kept.is_none() {
            return Err(FreshError::ClientSecretMissing);
        }
        Ok(Order {
            provider: self.provider.clone(),
            settings: self.profile.settings.clone(),
            client_id,
            client_secret,
            generation: entry.generation,
            reason: self.reason(entry, wanted),
            host: self.system.host_name(),
            saving: self.saving_for(entry)?.cloned(),
        })
    }

    fn reason(&self, entry: &Entry, wanted: &Wanted) -> Reason {
        match wanted {
            Wanted::New => Reason::Asked,
            Wanted::NotThis(_) => Reason::Refused,
            Wanted::Good(_) if self.still_serves(entry, &Wanted::Good(None)) => Reason::Due,
            Wanted::Good(_) => Reason::Expired,
        }
    }

    /// What a refresh in this process needs from outside.
    pub(in crate::connection) fn tools(&self, order: &Order) -> Result<Tools<'_>, FreshError> {
        Ok(Tools {
            http: self.http()?,
            clock: &*self.system.clock,
            random: &*self.system.random,
            cooldown: self.cooldown(&order.client_id)?,
            pace: self.token_lane(&order.client_id)?,
            tracing: self.tracing(),
            copies: saving::copies(&self.system.home),
            nonces: self.system.home.nonces(),
        })
    }

    /// Tells why a limit of token requests is not shared, where it is not.
    pub(in crate::connection) fn tell_counts_alone(&self, why: Option<String>) {
        if let Some(why) = why {
            (self.notify)(Notice::CountsAlone(why));
        }
    }

    pub(in crate::connection) fn cooldown(&self, client_id: &str) -> Result<Cooldown, FreshError> {
        let endpoint = self
            .values
            .render_url(&self.provider.token.url)
            .map_err(|missing| FreshError::MissingValue(missing.0))?;
        Ok(Cooldown::of(self.system.home.cooldowns(), &endpoint, client_id))
    }

    /// The limit of the token endpoint for a client; none where the vendor declares none.
    pub(in crate::connection) fn token_lane(
        &self,
        client_id: &str,
    ) -> Result<Option<Lane>, FreshError> {
        let endpoint =
            self.token_endpoint().map_err(|missing| FreshError::MissingValue(missing.0))?;
        Ok(Lane::of_endpoint(&self.provider, &self.system.home, &endpoint, client_id))
    }
}
