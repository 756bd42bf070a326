//! A world with a vendor's stand-in beside it, and a profile called `shop`.

use std::sync::Arc;

use keyfob::sandbox::{Behaviour, Endpoint, HowToConnect, Options, Sandbox, Seen};
use serde_json::Value;

use super::files::private_file;
use super::ports::{free_port, port_to_listen_on, watch};
use super::random::Sequence;
use super::world::{Ran, World};

/// The provider file of the plain server, as a user would have written it.
const STANDARD: &str = include_str!("../../src/sandbox/vendors/standard_provider.toml");

/// A vendor and somebody who uses it.
pub struct Shop {
    /// Whose home it is.
    pub world: World,
    /// The vendor.
    pub sandbox: Sandbox,
    /// Where the browser comes back to; none where the vendor has no browser flow.
    pub redirect_uri: String,
    /// What the vendor's stand-in says about itself.
    pub how: HowToConnect,
}

impl Shop {
    /// A vendor as its documents say; nothing is connected yet.
    pub fn of(vendor: &str) -> Self {
        Self::behaving(vendor, Behaviour::default())
    }

    /// A vendor where the documents leave a choice.
    pub fn behaving(vendor: &str, behaviour: Behaviour) -> Self {
        Self::at_port(0, vendor, behaviour)
    }

    /// The world of a connected vendor that has gone: nobody listens where it was, and nobody else
    /// is given that port.
    pub fn gone(vendor: &str) -> World {
        let port = port_to_listen_on();
        let Self { world, sandbox, .. } =
            Self::at_port(port, vendor, Behaviour::default()).and_connected();
        drop(sandbox);
        watch(port);
        world
    }

    fn at_port(port: u16, vendor: &str, behaviour: Behaviour) -> Self {
        let world = World::new();
        let redirect_uri = format!("http://127.0.0.1:{}/callback/{vendor}", free_port());
        let options = Options {
            port,
            clock: world.clock.clone(),
            random: Arc::new(Sequence::named("vendor")),
            redirect_uris: vec![redirect_uri.clone()],
            behaviour,
            ..Options::default()
        };
        let sandbox = Sandbox::start(vendor, options).unwrap();
        let how = sandbox.how_to_connect();
        if vendor == "standard" {
            let folder = world.home().providers();
            private_file(&folder.join("standard.toml"), STANDARD);
        }
        Self { world, sandbox, redirect_uri, how }
    }

    /// The words that name vendor, hosts and client.
    pub fn client(&self) -> Vec<String> {
        let mut words = vec!["--provider".into(), self.how.provider.clone()];
        for (name, value) in self.sandbox.settings() {
            words.extend(["--set".into(), format!("{name}={value}")]);
        }
        words.extend(["--client-id".into(), self.how.client.client_id.clone()]);
        words
    }

    /// Puts the client secret on the next run's standard input.
    pub fn secret_on_stdin(&self) -> [&'static str; 2] {
        let secret = self.how.client.client_secret.as_ref().expect("the vendor gives a secret");
        *self.world.stdin.borrow_mut() = secret.expose().as_bytes().to_vec();
        ["--client-secret-file", "-"]
    }

    /// A first `connect shop`, with these words besides.
    pub fn connect_with(&self, words: &[&str]) -> Ran {
        let mut all = vec!["connect".to_owned(), "shop".to_owned()];
        all.extend(self.client());
        if self.sandbox.provider().authorize.is_some() {
            all.extend(["--redirect-uri".to_owned(), self.redirect_uri.clone()]);
        }
        let secret = self.secret_on_stdin();
        all.extend(secret.into_iter().chain(words.iter().copied()).map(str::to_owned));
        self.world.run(all.iter().map(String::as_str))
    }

    /// A first `connect shop` for the scopes that the stand-in suggests.
    pub fn connect(&self) -> Ran {
        let words: Vec<&str> =
            self.how.scopes.iter().flat_map(|scope| ["--scope", scope.as_str()]).collect();
        self.connect_with(&words)
    }

    /// `import shop` of tokens from the vendor's dashboard.
    pub fn import(&self, scopes: &[&str]) -> Ran {
        let mut tokens = self.sandbox.dashboard_tokens(scopes);
        if let Some(secret) = &self.how.client.client_secret {
            tokens["client_secret"] = Value::from(secret.expose());
        }
        *self.world.stdin.borrow_mut() = tokens.to_string().into_bytes();
        let mut all = vec!["import".to_owned(), "shop".to_owned()];
        all.extend(self.client());
        self.world.run(all.iter().map(String::as_str))
    }

    /// The plain vendor, connected by its address alone as the profile `found`.
    pub fn found() -> Self {
        let shop = Self::of("standard");
        let secret = shop.secret_on_stdin();
        let (origin, client_id) = (shop.sandbox.origin(), &shop.how.client.client_id);
        let mut words = vec!["connect", "found", "--provider", &origin, "--client-id", client_id];
        words.extend(["--redirect-uri", &shop.redirect_uri, "--scope", "items:read"]);
        words.extend(secret);
        shop.world.run(words).ok();
        shop
    }

    /// A vendor that is connected, as a test wants it that is about something else.
    pub fn connected(vendor: &str) -> Self {
        Self::of(vendor).and_connected()
    }

    /// The same for a vendor that is there already.
    pub fn and_connected(self) -> Self {
        let scopes: Vec<&str> = self.how.scopes.iter().map(String::as_str).collect();
        match vendor_imports(&self.sandbox) {
            true => self.import(&scopes).ok(),
            false => self.connect().ok(),
        };
        self
    }

    /// Runs a line in the world.
    pub fn line(&self, line: &str) -> Ran {
        self.world.line(line)
    }

    /// What an endpoint has seen, oldest first.
    pub fn seen(&self, endpoint: Endpoint) -> Vec<Seen> {
        self.sandbox.log().into_iter().filter(|seen| seen.endpoint == endpoint).collect()
    }

    /// How many requests came to the token endpoint.
    pub fn token_requests(&self) -> u64 {
        self.sandbox.counts(Endpoint::Token)
    }

    /// How many requests came to the API.
    pub fn calls(&self) -> u64 {
        self.sandbox.counts(Endpoint::Api)
    }
}

/// Whether the vendor's tokens are made elsewhere.
pub fn vendor_imports(sandbox: &Sandbox) -> bool {
    sandbox.provider().flows.first() == Some(&keyfob::provider::schema::Flow::Import)
}
