//! Stand-ins for the vendors on loopback: for trying, rehearsing and testing.
//!
//! A stand-in is driven by the vendor's provider file as far as that goes, and by the vendor's table
//! in `vendors` beyond it; it is stricter than the vendor. No code here is about one vendor. The way
//! of a request is `server` (sockets) → `stand_in` (which endpoint) → `authorization`, `token`,
//! `revocation`, `discovery` or `api`, all over one memory, `state`. `walk` plays the person.
//!
//! Only the command line and the tests come in here.

mod api;
mod authorization;
mod changes;
mod client_authentication;
mod consent_page;
mod dates;
mod device;
mod device_page;
mod discovery;
mod facts;
mod faults;
mod idempotency;
mod introspection;
mod issue;
mod json_template;
mod limits;
mod message;
mod openid;
mod pages;
mod parameters;
mod records;
mod refusal;
mod registration;
mod revocation;
mod server;
mod stand_in;
mod state;
mod token;
mod vendor;
pub mod vendors;
pub mod walk;
mod webhooks;

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

pub use facts::Owner;
pub use faults::{Fault, Gate};
pub use stand_in::Behaviour;
pub use state::{ClientRegistration, Seen};
pub use vendor::Endpoint;
pub use webhooks::{Try, Undelivered};

use crate::clock::{Clock, SystemClock};
use crate::provider::file::FileError;
use crate::provider::schema::{Flow, Presence};
use crate::provider::{MissingValue, Provider};
use crate::random::{Random, SystemRandom, token_256};
use crate::secret::Secret;
use refusal::Refusal;
use stand_in::StandIn;
use state::State;
use vendor::Vendor;

/// How a sandbox is started.
pub struct Options {
    /// The port; 0 takes a free one.
    pub port: u16,
    /// Decides when codes and tokens end.
    pub clock: Arc<dyn Clock>,
    /// Makes codes and tokens.
    pub random: Arc<dyn Random>,
    /// Redirect URIs that are registered in place of the provider's own.
    pub redirect_uris: Vec<String>,
    /// The client secret; a random one where absent.
    pub client_secret: Option<Secret>,
    /// Where the vendor's documents leave a choice.
    pub behaviour: Behaviour,
    /// Hears of webhook deliveries that did not arrive.
    pub undelivered: Option<UnboundedSender<Undelivered>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            redirect_uris: Vec::new(),
            client_secret: None,
            behaviour: Behaviour::default(),
            undelivered: None,
        }
    }
}

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// There is no stand-in of that name.
    #[error("there is no sandbox for `{0}`")]
    UnknownVendor(String),
    /// The provider file is not sound.
    #[error(transparent)]
    Provider(#[from] FileError),
    /// The vendor's table is not sound.
    #[error("the sandbox's table of this vendor cannot be read")]
    Table(#[from] toml::de::Error),
    /// A URL of the provider names a value that the table does not have.
    #[error(transparent)]
    MissingValue(#[from] MissingValue),
    /// The port cannot be had.
    #[error("port {port} of 127.0.0.1 cannot be had")]
    Port {
        /// As asked for.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// No thread can be had.
    #[error("no thread can be started")]
    Thread(#[source] io::Error),
}

/// What a person needs to connect to a sandbox.
pub struct HowToConnect {
    /// The name after `--provider`.
    pub provider: String,
    /// The values after `--set`.
    pub settings: Vec<(String, String)>,
    /// Scopes for a first try.
    pub scopes: Vec<String>,
    /// Client id, client secret, redirect URI.
    pub client: ClientRegistration,
    /// What `connect` can do here, the default first.
    pub flows: Vec<Flow>,
    /// Who may use the password grant, where there is one.
    pub owner: Option<Owner>,
}

/// A vendor's stand-in that runs; dropping it stops it.
pub struct Sandbox {
    stand_in: Arc<StandIn>,
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Sandbox {
    /// Starts the stand-in of a shipped provider, or of `standard`.
    pub fn start(vendor: &str, options: Options) -> Result<Self, SandboxError> {
        let unknown = || SandboxError::UnknownVendor(vendor.to_owned());
        let provider = vendors::provider(vendor).ok_or_else(unknown)??;
        Self::start_for(provider, options)
    }

    /// Starts a stand-in for any provider; one without a table of its own is served as the standard's.
    pub fn start_for(provider: Provider, options: Options) -> Result<Self, SandboxError> {
        let port = options.port;
        let no_port = |source| SandboxError::Port { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(no_port)?;
        listener.set_nonblocking(true).map_err(no_port)?;
        let origin = format!("http://{}", listener.local_addr().map_err(no_port)?);
        let mut facts = vendors::facts(&provider.name)?;
        if let Some(status) = options.behaviour.ended_token_status {
            facts.errors.refusal.entry(Refusal::TokenInvalid).or_default().status = Some(status);
        }
        let vendor = Vendor::new(provider, facts, origin)?;
        let mut state =
            first_state(&vendor, &*options.random, options.redirect_uris, options.client_secret);
        state.webhooks.hears = options.undelivered;
        let stand_in =
            StandIn::new(vendor, options.behaviour, options.clock, options.random, state);
        Self::run(listener, Arc::new(stand_in))
    }

    fn run(listener: TcpListener, stand_in: Arc<StandIn>) -> Result<Self, SandboxError> {
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&stand_in);
        let thread = std::thread::Builder::new()
            .name("sandbox".into())
            .spawn(move || server::serve(listener, served, stopped))
            .map_err(SandboxError::Thread)?;
        Ok(Self { stand_in, stop: Some(stop), thread: Some(thread) })
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        self.stand_in.vendor.origin.clone()
    }

    /// Whether it still serves; it ends by itself only where the machine gives it no more connections.
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// The provider it stands in for.
    pub fn provider(&self) -> &Provider {
        &self.stand_in.vendor.provider
    }

    /// The registered client.
    pub fn client(&self) -> ClientRegistration {
        self.stand_in.state().client.clone()
    }

    /// The values of `--set` that point keyfob at it.
    pub fn settings(&self) -> Vec<(String, String)> {
        self.stand_in.vendor.settings()
    }

    /// What a person needs to connect to it.
    pub fn how_to_connect(&self) -> HowToConnect {
        let vendor = &self.stand_in.vendor;
        HowToConnect {
            provider: vendor.provider.name.clone(),
            settings: vendor.settings(),
            scopes: vendor.facts.suggested_scopes.clone(),
            client: self.client(),
            flows: vendor.provider.flows.clone(),
            owner: vendor.facts.owner.clone(),
        }
    }

    /// Makes tokens as the vendor's dashboard does, in standard words, for `import`.
    pub fn dashboard_tokens(&self, scopes: &[&str]) -> Value {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.stand_in.turn(|turn| issue::by_dashboard(turn, scopes))
    }

    /// The URL of an endpoint.
    pub fn url(&self, endpoint: Endpoint) -> Option<String> {
        let endpoints = &self.stand_in.vendor.endpoints;
        let path = match endpoint {
            Endpoint::Authorization => endpoints.authorize.as_deref()?,
            Endpoint::DeviceAuthorization => endpoints.device.as_deref()?,
            Endpoint::DevicePage => endpoints.device.as_ref().map(|_| vendor::DEVICE_PAGE)?,
            Endpoint::Token => &endpoints.token,
            Endpoint::Revocation => endpoints.revoke.as_deref()?,
            Endpoint::Discovery => endpoints.discovery.as_deref()?,
            Endpoint::Introspection => endpoints.introspect.as_deref()?,
            Endpoint::Userinfo => endpoints.userinfo.as_deref()?,
            Endpoint::Keys => endpoints.keys.as_deref()?,
            Endpoint::Registration => endpoints.registration.as_deref()?,
            Endpoint::Api => &endpoints.api,
            Endpoint::Other => "/",
        };
        Some(format!("{}{path}", self.origin()))
    }
}

/// What is scripted: the vendor's side of the story, and the network's.
impl Sandbox {
    /// Registers one more redirect URI.
    pub fn register_redirect_uri(&self, uri: &str) {
        self.stand_in.state().redirect_uris.push(uri.to_owned());
    }

    /// Approves the client, or puts it back under review.
    pub fn set_approved(&self, approved: bool) {
        self.stand_in.state().approved = approved;
    }

    /// Lets the person grant these scopes at most, whatever is asked for.
    pub fn grant_at_most(&self, scopes: &[&str]) {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.stand_in.state().grants_at_most = Some(scopes);
    }

    /// Puts a member into the token answers to come, such as another `merchant_id`.
    pub fn answer_with(&self, member: &str, value: Value) {
        self.stand_in.state().answer_members.insert(member.to_owned(), value);
    }

    /// Sets a claim of the ID tokens to come, whatever it would be; `null` leaves it out.
    pub fn id_token_with(&self, claim: &str, value: Value) {
        self.stand_in.state().id_token_members.insert(claim.to_owned(), value);
    }

    /// Sets a claim of the userinfo answers to come; `null` leaves it out.
    pub fn userinfo_with(&self, claim: &str, value: Value) {
        self.stand_in.state().userinfo_members.insert(claim.to_owned(), value);
    }

    /// Signs with a new key from now on, and gives the set of keys as it was.
    pub fn rotate_keys(&self) -> Value {
        self.stand_in.turn(|turn| {
            let before = turn.state.signing_key.as_ref().map(openid::SigningKey::published);
            turn.state.signing_key = openid::SigningKey::new(turn.uuid());
            before.unwrap_or_default()
        })
    }

    /// Sets what goes wrong with an endpoint's next answers, in order.
    pub fn next_answers(&self, endpoint: Endpoint, faults: Vec<Fault>) {
        self.stand_in.state().faults.entry(endpoint).or_default().extend(faults);
    }

    /// Sets what goes wrong with the next token answers, in order.
    pub fn next_token_answers(&self, faults: Vec<Fault>) {
        self.next_answers(Endpoint::Token, faults);
    }

    /// Sets what goes wrong with the next API answers, in order.
    pub fn next_api_answers(&self, faults: Vec<Fault>) {
        self.next_answers(Endpoint::Api, faults);
    }

    /// Lets every token answer come that much later; the work is done at once.
    pub fn latency(&self, latency: Duration) {
        self.stand_in.state().latency = latency;
    }

    /// Ends every access token, as time does.
    pub fn expire_access_tokens(&self) {
        self.stand_in.turn(|turn| {
            let now = turn.now;
            turn.state.access_tokens.values_mut().for_each(|token| token.expires_at = Some(now));
        });
    }

    /// Ends every grant, as a merchant does in the vendor's dashboard.
    pub fn revoke_all(&self) {
        self.stand_in.state().families.values_mut().for_each(|family| family.alive = false);
    }
}

/// What was seen.
impl Sandbox {
    /// The last requests, oldest first.
    pub fn log(&self) -> Vec<Seen> {
        self.stand_in.state().seen.iter().cloned().collect()
    }

    /// How many requests came to an endpoint.
    pub fn counts(&self, endpoint: Endpoint) -> u64 {
        self.stand_in.state().counts.get(&endpoint).copied().unwrap_or(0)
    }

    /// Why requests were refused, oldest first; no secret is in it.
    pub fn refusals(&self) -> Vec<String> {
        self.stand_in.state().refusals.iter().cloned().collect()
    }

    /// How many refreshes gave new tokens.
    pub fn rotations(&self) -> u64 {
        self.stand_in.state().rotations
    }

    /// How many spent refresh tokens and codes came again.
    pub fn spent_tokens_seen(&self) -> u64 {
        self.stand_in.state().spent_seen
    }

    /// What signs its webhooks; none where it has none.
    pub fn webhook_secret(&self) -> Option<Secret> {
        self.stand_in.state().webhooks.secret.clone()
    }

    /// Where it is discovered: the address of its API, where that describes itself (RFC 9728), so that
    /// paths are relative to the API base.
    pub fn discovered_at(&self) -> String {
        let endpoints = &self.stand_in.vendor.endpoints;
        match endpoints.discovery {
            Some(_) => format!("{}{}", self.origin(), endpoints.api),
            None => self.origin(),
        }
    }

    /// A list below its API base that can be called first, as typed after `keyfob call PROFILE`.
    pub fn example_call(&self) -> Option<String> {
        let vendor = &self.stand_in.vendor;
        let lists = vendor.facts.collection.iter().filter(|it| it.methods.contains(&"GET".into()));
        let mut paths = lists.map(|it| vendor.path(&it.path));
        paths.find_map(|path| {
            let relative = vendor.relative(&path);
            (relative.len() < path.len() || vendor.endpoints.api.is_empty())
                .then(|| format!("GET {relative}"))
        })
    }

    /// Calls that show a webhook to a receiver, as typed after `keyfob call PROFILE`.
    pub fn webhook_example(&self, receiver: &str) -> Vec<String> {
        let facts = self.stand_in.vendor.facts.webhook.iter();
        let calls = facts.flat_map(|facts| &facts.example);
        calls.map(|call| call.replace("{receiver}", receiver)).collect()
    }

    /// The tries of webhook deliveries, oldest first.
    pub fn webhook_tries(&self) -> Vec<Try> {
        self.stand_in.state().webhooks.tries.iter().cloned().collect()
    }

    /// How many grants are not revoked.
    pub fn grants_alive(&self) -> usize {
        self.stand_in.state().families.values().filter(|family| family.alive).count()
    }

    /// The records of a list, by its whole path.
    pub fn records(&self, path: &str) -> Vec<Value> {
        self.stand_in.state().records.get(path).cloned().unwrap_or_default()
    }
}

impl Drop for Sandbox {
    /// Stops the server and waits for its thread; open connections are dropped.
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Nothing is left to tell it to: the server has ended either way.
            let _ = thread.join();
        }
    }
}

fn first_state(
    vendor: &Vendor,
    random: &dyn Random,
    redirect_uris: Vec<String>,
    client_secret: Option<Secret>,
) -> State {
    let own = vendor.provider.authorize.as_ref().map(|it| it.redirect.uri.clone());
    let own = own.map(|uri| if uri.is_empty() { "http://127.0.0.1".to_owned() } else { uri });
    let registered: Vec<String> = match redirect_uris.is_empty() {
        true => own.into_iter().collect(),
        false => redirect_uris,
    };
    let made = || Secret::new(token_256(random) + &vendor.facts.client_secret_suffix);
    let has_secret = vendor.provider.client.secret != Presence::None;
    let client = ClientRegistration {
        client_id: vendor.facts.client_id.clone(),
        client_secret: has_secret.then(|| client_secret.unwrap_or_else(made)),
        redirect_uri: registered.first().cloned().unwrap_or_default(),
    };
    let mut state = State::new(client, registered, records::at_the_start(vendor));
    let prefix = vendor.prefix("webhook_secret");
    let signs = vendor.facts.webhook.is_some();
    let signs_in = vendor.facts.openid.is_some();
    state.signing_key =
        signs_in.then(|| openid::SigningKey::new(crate::random::uuid_v4(random))).flatten();
    state.webhooks.secret = signs.then(|| Secret::new(format!("{prefix}{}", token_256(random))));
    state
}

#[cfg(test)]
mod tests;
