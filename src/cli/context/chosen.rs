//! A profile that was chosen, before anything secret is touched.

use crate::cli::command_line::Given;
use crate::cli::discovered::ToKeep;
use crate::cli::report::Situation;
use crate::profile::{Profile, Record, scopes, settings};
use crate::provider::Provider;
use crate::provider::schema::Flow;
use crate::system::System;

/// A profile with its provider, before anything secret is touched.
pub struct Chosen {
    /// The profile's name.
    pub name: String,
    /// What the user said.
    pub profile: Profile,
    /// The vendor.
    pub provider: Provider,
    /// What is known of its connection.
    pub record: Record,
    /// The file of a provider that was just discovered.
    pub discovered: Option<ToKeep>,
    /// What the command line says and no file yet does.
    pub given: Given,
    /// The settings that this command alone has otherwise than the profile.
    pub set_for_once: Vec<String>,
}

impl Chosen {
    /// How the profile gets its first tokens: its own word, else the provider's first.
    fn flow(&self) -> Option<Flow> {
        self.profile.flow.or_else(|| self.provider.flows.first().copied())
    }

    /// What advice may take for granted.
    pub fn situation(&self, system: &System) -> Situation {
        let client_id = self.profile.client_id.as_deref();
        let values = settings::values(&self.provider, &self.profile.settings, client_id);
        let names =
            |names: &mut dyn Iterator<Item = &String>| -> Vec<String> { names.cloned().collect() };
        let with_value = self.provider.settings.keys().filter(|name| values.get(name).is_some());
        Situation {
            saving: Default::default(),
            profile: self.name.clone(),
            provider: title(&self.provider),
            person: system.person.is_some(),
            connected: self.record.connected,
            secret_of_environment: system.environment.get("KEYFOB_CLIENT_SECRET").is_some(),
            imports: self.flow() == Some(Flow::Import),
            is_the_client: self.flow() == Some(Flow::ClientCredentials),
            has_scopes: !self.provider.scope.is_empty(),
            given: self.given.clone().and_what_is_kept_nowhere(&self.profile, &self.provider),
            anew: Given::of(&self.profile, &self.provider),
            set_for_once: self.set_for_once.clone(),
            flow: None,
            redirect_uri: None,
            settings: names(&mut self.provider.settings.keys()),
            contexts: names(&mut self.provider.context.iter().map(|it| &it.name)),
            known: names(&mut with_value.chain(self.record.account.keys())),
            granted: self.record.granted.clone(),
            scopes: scopes::closed(&self.provider),
            lists: self
                .provider
                .settings
                .iter()
                .filter_map(|(name, it)| Some((name.clone(), it.list.as_ref()?.get.clone())))
                .collect(),
            leaves: Default::default(),
        }
    }
}

/// The vendor's own name, or the provider's where it has none.
pub fn title(provider: &Provider) -> String {
    match provider.title.is_empty() {
        true => provider.name.clone(),
        false => provider.title.clone(),
    }
}
