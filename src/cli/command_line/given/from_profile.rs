//! The flags that make a profile again.

use super::Given;
use crate::cli::args::FlowChoice;
use crate::cli::command_line::{pair, typed};
use crate::profile::Profile;
use crate::provider::Provider;
use crate::provider::schema::Flow;

/// The longest text that advice gives on standard input, in bytes.
const LONGEST_TEXT: usize = 1000;

impl Given {
    /// Every flag that makes such a profile again, once its file is gone.
    pub fn of(profile: &Profile, provider: &Provider) -> Self {
        let mut given = Self::default();
        given.add("--provider", typed(&profile.provider));
        match profile.registered {
            // What proves such a client goes with the profile.
            Some(_) => given.add_switch("--register", true),
            None => given.add_each("--client-id", &profile.client_id),
        }
        if let Some(method) = profile.client.and_then(|client| client.auth) {
            given.add("--client-authentication", method.registered_name().to_owned());
        }
        for (key, value) in &profile.settings {
            given.add("--set", pair(key, value));
        }
        given.add_each("--scope", &profile.scopes);
        given.add_each("--resource", &profile.resource);
        if let Some(details) = &profile.authorization_details {
            let text = Some(details).filter(|it| it.len() <= LONGEST_TEXT);
            given.add("--authorization-details", text.map_or("FILE", |_| "-").to_owned());
            given.text = text.cloned();
        }
        given.add_each("--redirect-uri", &profile.redirect_uri);
        if let Some(flow) = profile.flow.and_then(FlowChoice::of) {
            given.add("--flow", flow.name());
        }
        given.add_choice("--dpop", profile.dpop.then_some(true));
        given.add_choice("--userinfo", profile.userinfo.then_some(true));
        for (key, value) in &profile.params {
            given.add("--param", pair(key, value));
        }
        if let Some(store) = profile.store {
            given.add("--store", store.name().to_owned());
        }
        given.and_what_is_kept_nowhere(profile, provider)
    }

    /// Adds the token that an exchange wants each time.
    pub fn and_what_is_kept_nowhere(mut self, profile: &Profile, provider: &Provider) -> Self {
        let flow = profile.flow.or_else(|| provider.flows.first().copied());
        if flow != Some(Flow::TokenExchange) {
            return self;
        }
        let words = provider.token_exchange.as_ref();
        let has_type = words.is_some_and(|it| it.subject_token_type.is_some());
        for (name, is_wanted) in
            [("--subject-token-file", true), ("--subject-token-type", !has_type)]
        {
            if is_wanted && !self.flags.iter().any(|it| it.name == name) {
                self.add(name, "…".to_owned());
            }
        }
        self
    }
}
