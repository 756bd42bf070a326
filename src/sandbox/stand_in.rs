//! One vendor's stand-in without its sockets: a request in, an answer out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::faults::{Delivery, Fault};
use super::message::{Answer, Request};
use super::refusal::{Refused, Side};
use super::state::{Seen, State};
use super::vendor::{Endpoint, Vendor};
use super::{
    api, authorization, consent_page, device, device_page, discovery, introspection, openid,
    registration, revocation, token,
};
use crate::clock::Clock;
use crate::random::{Random, token_256};

/// How a stand-in differs from its vendor's documents where they leave a choice.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// The status of an API call with an ended token.
    pub ended_token_status: Option<u16>,
    /// Seconds an access token lives.
    pub access_lifetime: Option<u64>,
    /// Whether a refresh ends the access tokens that were given before.
    pub refresh_ends_access: bool,
    /// A path below the API base at which no access token is good enough, and 401 says so.
    pub refused_path: Option<String>,
    /// How long a spent refresh token is still taken.
    pub reuse_grace: Duration,
    /// What lets a client register, where not everybody may.
    pub initial_access_token: Option<String>,
    /// Seconds the secret of a client lives that registered itself.
    pub client_secret_lifetime: Option<u64>,
    /// The pause before a failed webhook is tried again for the first time.
    pub webhook_pause: Option<Duration>,
}

/// A vendor with its memory, its clock and its randomness.
pub struct StandIn {
    /// Whom it stands in for.
    pub vendor: Vendor,
    /// The choices.
    pub behaviour: Behaviour,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    state: Mutex<State>,
}

/// One request's turn: the only one that holds the memory.
pub struct Turn<'a> {
    /// Whom it is about.
    pub vendor: &'a Vendor,
    /// The choices.
    pub behaviour: &'a Behaviour,
    /// The memory.
    pub state: &'a mut State,
    /// When it came.
    pub now: Timestamp,
    random: &'a dyn Random,
}

impl Turn<'_> {
    /// A secret nobody can guess, with the vendor's prefix for its kind.
    pub fn secret(&self, kind: &str) -> String {
        format!("{}{}", self.vendor.prefix(kind), token_256(self.random))
    }

    /// A random UUID.
    pub fn uuid(&self) -> String {
        crate::random::uuid_v4(self.random)
    }

    /// Refuses in the vendor's shape and notes why.
    pub fn refuse(&mut self, side: Side, refused: &Refused) -> Answer {
        self.state.note_refusal(&refused.because);
        self.vendor.facts.errors.answer(side, refused)
    }
}

impl StandIn {
    /// A stand-in that has seen nothing yet.
    pub fn new(
        vendor: Vendor,
        behaviour: Behaviour,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        state: State,
    ) -> Self {
        Self { vendor, behaviour, clock, random, state: Mutex::new(state) }
    }

    /// The memory; a panic elsewhere leaves it readable.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one turn.
    pub fn turn<T>(&self, act: impl FnOnce(&mut Turn<'_>) -> T) -> T {
        let mut state = self.state();
        let now = self.clock.now();
        state.forget_ended(now);
        act(&mut Turn {
            vendor: &self.vendor,
            behaviour: &self.behaviour,
            state: &mut state,
            now,
            random: &*self.random,
        })
    }

    /// An answer with the time on it.
    pub fn dated(&self, delivery: Delivery) -> Delivery {
        let dates = self.state().dates;
        dates.on(delivery, self.clock.now())
    }

    /// Notes a request, and takes the fault that was set for it.
    pub fn receive(&self, request: &Request) -> Option<Fault> {
        let endpoint = self.vendor.endpoint(&request.path);
        let mut state = self.state();
        state.note(Seen {
            endpoint,
            method: request.method.clone(),
            path_and_query: request.path_and_query(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            body_bytes: request.body_bytes,
            at: self.clock.now(),
        });
        state.faults.get_mut(&endpoint)?.pop_front()
    }

    /// How long a true answer of that path waits.
    pub fn latency(&self, path: &str) -> Duration {
        match self.vendor.endpoint(path) {
            Endpoint::Token => self.state().latency,
            _ => Duration::ZERO,
        }
    }

    /// Does what a request asks for.
    pub fn answer(&self, request: &Request) -> Answer {
        self.turn(|turn| {
            if !host_is_ours(turn.vendor, request) {
                return Answer::empty(421).with("x-sandbox-reason", "the Host is another one");
            }
            if let Some(slashed) = with_slash(turn.vendor, request) {
                return Answer::empty(301).with("location", slashed);
            }
            match turn.vendor.endpoint(&request.path) {
                Endpoint::Authorization => authorization::answer(turn, request),
                Endpoint::DeviceAuthorization => device::answer(turn, request),
                Endpoint::DevicePage => device_page::answer(turn, request),
                Endpoint::Token => token::answer(turn, request),
                Endpoint::Revocation => revocation::answer(turn, request),
                Endpoint::Discovery => discovery::answer(turn, request),
                Endpoint::Introspection => introspection::answer(turn, request),
                Endpoint::Userinfo => openid::userinfo(turn, request),
                Endpoint::Keys => openid::keys(turn, request),
                Endpoint::Registration => registration::answer(turn, request),
                Endpoint::Api => api::answer(turn, request),
                Endpoint::Other => other(turn.vendor, request),
            }
        })
    }
}

/// A page elsewhere that points its own name at loopback must not reach the consent page (DNS rebinding).
fn host_is_ours(vendor: &Vendor, request: &Request) -> bool {
    let port = vendor.origin.rsplit(':').next().unwrap_or_default();
    let ours = |host: &str| {
        let name = host.strip_suffix(port).and_then(|rest| rest.strip_suffix(':'));
        matches!(name, Some("127.0.0.1" | "localhost"))
    };
    let mut hosts = request.headers_named("host");
    matches!((hosts.next(), hosts.next()), (Some(host), None) if ours(host))
}

/// Where a path only lacks the slash at its end, the server points to the other path and does nothing.
fn with_slash(vendor: &Vendor, request: &Request) -> Option<String> {
    if request.path.ends_with('/') || api::is_measure(vendor, &request.path) {
        return None;
    }
    let slashed = format!("{}/", request.path);
    let endpoint = vendor.endpoint(&request.path);
    let is_api = endpoint == Endpoint::Api && vendor.provider.api.trailing_slash;
    let is_known = endpoint == Endpoint::Api && vendor.endpoint(&slashed) != Endpoint::Api;
    (is_api || is_known).then(|| match request.query.is_empty() {
        true => slashed,
        false => format!("{slashed}?{}", request.query),
    })
}

fn other(vendor: &Vendor, request: &Request) -> Answer {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/") => consent_page::front(vendor),
        _ => Answer::empty(404),
    }
}
