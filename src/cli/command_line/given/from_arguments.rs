//! The flags of a command that was typed.

use super::{Given, PATIENCE};
use crate::cli::args::{Client, Connect, Global};
use crate::cli::command_line::{pair, typed};
use crate::cli::connect::absolute_file;
use crate::store::StoreKind;

impl Given {
    /// What every command takes, and another one needs as well.
    pub fn of_global(global: &Global) -> Self {
        let mut given = Self::default();
        given.add_global(global);
        given
    }

    fn add_global(&mut self, global: &Global) {
        if let Some(store) = global.store {
            self.add("--store", StoreKind::from(store).name().to_owned());
        }
        self.add_file("--cacert", global.cacert.as_deref());
    }

    /// What `import` and `connect` both take.
    pub fn of_client(global: &Global, client: &Client) -> Self {
        let mut given = Self::default();
        if let Some(provider) = &client.provider {
            given.add("--provider", typed(&absolute_file(provider)));
        }
        if let Some(server) = &client.authorization_server {
            given.add("--authorization-server", typed(server));
        }
        if let Some(client_id) = &client.client_id {
            given.add("--client-id", typed(client_id));
        }
        if let Some(method) = client.client_authentication {
            given.add("--client-authentication", method.registered_name().to_owned());
        }
        given.add_file("--client-secret-file", client.client_secret_file.as_deref());
        given.add_file("--client-key-file", client.client_key_file.as_deref());
        given.add_file("--client-certificate-file", client.client_certificate_file.as_deref());
        for (key, value) in &client.settings {
            given.add("--set", pair(key, value));
        }
        given.add_global(global);
        given.add_switch("--yes", global.yes);
        given
    }

    /// All that `connect` was given; never a secret.
    pub fn of_connect(global: &Global, args: &Connect) -> Self {
        let mut given = Self::of_client(global, &args.client);
        let registering = &args.registering;
        given.add_switch("--register", registering.register);
        let token = registering.initial_access_token_file.as_deref();
        given.add_file("--initial-access-token-file", token);
        given.add_switch("--print-client-document", registering.print_client_document);
        given.add_each("--scope", &args.scopes);
        given.add_each("--redirect-uri", &args.redirect_uri);
        given.add_each("--resource", &args.resource);
        given.add_file("--authorization-details", args.authorization_details.as_deref());
        if let Some(port) = args.port {
            given.add("--port", port.to_string());
        }
        if let Some(flow) = args.flow {
            given.add("--flow", flow.name());
        }
        given.add_choice("--dpop", args.dpop);
        given.add_choice("--userinfo", args.userinfo);
        for (key, value) in &args.params {
            given.add("--param", pair(key, value));
        }
        given.add_switch("--no-browser", args.no_browser);
        given.add_switch(PATIENCE, args.timeout.is_some());
        given.add_switch("--print-redirect", args.print_redirect);
        given.add_each("--username", &args.username);
        given.add_file("--password-file", args.password_file.as_deref());
        let exchange = &args.exchange;
        given.add_file("--assertion-file", exchange.assertion_file.as_deref());
        given.add_file("--subject-token-file", exchange.subject_token_file.as_deref());
        given.add_each("--subject-token-type", &exchange.subject_token_type);
        given.add_file("--actor-token-file", exchange.actor_token_file.as_deref());
        given.add_each("--actor-token-type", &exchange.actor_token_type);
        given.add_each("--requested-token-type", &exchange.requested_token_type);
        given
    }
}
