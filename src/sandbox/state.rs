//! What the sandbox remembers: clients, tickets, codes, families of tokens, records, and what it has seen.
//!
//! Nothing here knows HTTP; time is handed in.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::dates::Dates;
use super::faults::Fault;
use super::message::Answer;
use super::openid::SigningKey;
use super::registration::SelfRegistered;
use super::vendor::Endpoint;
use super::webhooks::Outbox;
use crate::clock::after_seconds;
use crate::secret::Secret;

/// Requests that are remembered; older ones are forgotten so that memory stays bounded.
const REMEMBERED: usize = 4096;

/// A registered client.
#[derive(Clone)]
pub struct ClientRegistration {
    /// As registered.
    pub client_id: String,
    /// None for a public client.
    pub client_secret: Option<Secret>,
    /// The redirect URI a client uses where it has no other.
    pub redirect_uri: String,
}

/// An authorization request that waits for a person's decision.
#[derive(Clone)]
pub struct Ticket {
    /// Where the browser goes back to.
    pub redirect_uri: String,
    /// Given back, where the vendor does.
    pub state: Option<String>,
    /// The PKCE challenge (RFC 7636).
    pub challenge: Option<String>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// What the ID token repeats.
    pub nonce: Option<String>,
    /// Who asked.
    pub client_id: String,
    /// The page's own end.
    pub expires_at: Timestamp,
}

/// An authorization code.
#[derive(Clone)]
pub struct Code {
    /// Where the code went; the token request must name it again.
    pub redirect_uri: String,
    /// The PKCE challenge.
    pub challenge: Option<String>,
    /// What was granted.
    pub scopes: Vec<String>,
    /// What the ID token repeats.
    pub nonce: Option<String>,
    /// The client that it is for.
    pub client_id: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whether it was presented before, and the family that came of it.
    pub spent: Option<Option<u64>>,
}

/// What a client asked for on behalf of a person at another device (RFC 8628).
#[derive(Clone)]
pub struct DeviceCode {
    /// What the person types, as it was shown.
    pub user_code: String,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// The client that it is for.
    pub client_id: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The shortest wait between two questions now, in seconds.
    pub interval: u64,
    /// When it was last asked about, or given out.
    pub asked_at: Timestamp,
    /// What the consent page carries while the person thinks.
    pub ticket: Option<String>,
    /// What has become of it.
    pub decision: Decision,
}

/// What has become of a device code.
#[derive(Clone)]
pub enum Decision {
    /// Nobody has said anything.
    Open,
    /// The person has allowed these scopes.
    Allowed(Vec<String>),
    /// The person has said no.
    Denied,
    /// Tokens were given for it: this family.
    Spent(u64),
}

/// All tokens that came of one authorization.
#[derive(Clone)]
pub struct Family {
    /// The client that they were given to.
    pub client_id: String,
    /// What was granted.
    pub scopes: Vec<String>,
    /// False once it was revoked.
    pub alive: bool,
}

/// An access token.
#[derive(Clone)]
pub struct AccessToken {
    /// Its family.
    pub family: u64,
    /// When it ends, where it does.
    pub expires_at: Option<Timestamp>,
    /// Whether it alone was revoked.
    pub revoked: bool,
}

/// A refresh token.
#[derive(Clone)]
pub struct RefreshToken {
    /// Its family.
    pub family: u64,
    /// When it ends, where it does.
    pub expires_at: Option<Timestamp>,
    /// When it was used.
    pub spent_at: Option<Timestamp>,
}

/// A stored answer to a write.
#[derive(Clone)]
pub struct Replay {
    /// Digest of method, path and body.
    pub fingerprint: String,
    /// What was answered.
    pub answer: Answer,
    /// When it is forgotten.
    pub expires_at: Timestamp,
}

/// A request that was seen.
#[derive(Clone)]
pub struct Seen {
    /// Where it went.
    pub endpoint: Endpoint,
    /// The method.
    pub method: String,
    /// As in the request line.
    pub path_and_query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body; empty for an upload.
    pub body: Vec<u8>,
    /// Bytes that the body had.
    pub body_bytes: u64,
    /// When, by the sandbox's clock.
    pub at: Timestamp,
}

impl Seen {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Everything the sandbox remembers.
pub struct State {
    /// The client.
    pub client: ClientRegistration,
    /// The redirect URIs that are registered.
    pub redirect_uris: Vec<String>,
    /// The clients that registered themselves, the last ones.
    pub self_registered: VecDeque<SelfRegistered>,
    /// Whether the vendor has approved the client that it registered itself.
    pub approved: bool,
    /// What a person grants at most; everything asked for where absent.
    pub grants_at_most: Option<Vec<String>>,
    /// Members of the next token answers that differ from the vendor's table.
    pub answer_members: BTreeMap<String, Value>,
    /// Claims of the next ID tokens that differ from the vendor's table.
    pub id_token_members: Map<String, Value>,
    /// Claims of the next userinfo answers that differ from the vendor's table.
    pub userinfo_members: Map<String, Value>,
    /// Signs ID tokens, where there are any.
    pub signing_key: Option<SigningKey>,
    /// By ticket.
    pub tickets: HashMap<String, Ticket>,
    /// By code.
    pub codes: HashMap<String, Code>,
    /// By device code.
    pub device_codes: HashMap<String, DeviceCode>,
    /// By number.
    pub families: HashMap<u64, Family>,
    /// By token.
    pub access_tokens: HashMap<String, AccessToken>,
    /// By token.
    pub refresh_tokens: HashMap<String, RefreshToken>,
    /// By key.
    pub replays: HashMap<String, Replay>,
    /// By place in the provider's list of limits: when the last minute's requests came.
    pub windows: HashMap<usize, VecDeque<Timestamp>>,
    /// By path.
    pub records: BTreeMap<String, Vec<Value>>,
    /// Faults to come.
    pub faults: HashMap<Endpoint, VecDeque<Fault>>,
    /// How long every token answer waits.
    pub latency: Duration,
    /// What answers say about the time.
    pub dates: Dates,
    /// The last requests.
    pub seen: VecDeque<Seen>,
    /// Requests by endpoint.
    pub counts: HashMap<Endpoint, u64>,
    /// Why requests were refused, the last ones.
    pub refusals: VecDeque<String>,
    /// Refreshes that gave a new refresh token.
    pub rotations: u64,
    /// Spent refresh tokens and codes that came again.
    pub spent_seen: u64,
    /// Webhooks.
    pub webhooks: Outbox,
    next_family: u64,
    next_sweep: Option<Timestamp>,
}

impl State {
    /// A memory that has seen nothing yet.
    pub fn new(
        client: ClientRegistration,
        redirect_uris: Vec<String>,
        records: BTreeMap<String, Vec<Value>>,
    ) -> Self {
        Self {
            client,
            redirect_uris,
            self_registered: VecDeque::new(),
            approved: true,
            grants_at_most: None,
            answer_members: BTreeMap::new(),
            id_token_members: Map::new(),
            userinfo_members: Map::new(),
            signing_key: None,
            tickets: HashMap::new(),
            codes: HashMap::new(),
            device_codes: HashMap::new(),
            families: HashMap::new(),
            access_tokens: HashMap::new(),
            refresh_tokens: HashMap::new(),
            replays: HashMap::new(),
            windows: HashMap::new(),
            records,
            faults: HashMap::new(),
            latency: Duration::ZERO,
            dates: Dates::default(),
            seen: VecDeque::new(),
            counts: HashMap::new(),
            refusals: VecDeque::new(),
            rotations: 0,
            spent_seen: 0,
            webhooks: Outbox::default(),
            next_family: 0,
            next_sweep: None,
        }
    }

    /// Notes a request.
    pub fn note(&mut self, seen: Seen) {
        *self.counts.entry(seen.endpoint).or_default() += 1;
        keep_last(&mut self.seen, seen);
    }

    /// Notes why a request was refused.
    pub fn note_refusal(&mut self, because: &str) {
        keep_last(&mut self.refusals, because.to_owned());
    }

    /// The client of that name, and the redirect URIs that are registered for it.
    pub fn client_named(&self, client_id: &str) -> Option<(&ClientRegistration, &[String])> {
        if self.client.client_id == client_id {
            return Some((&self.client, &self.redirect_uris));
        }
        self.self_registered(client_id).map(|it| (&it.client, it.redirect_uris.as_slice()))
    }

    /// A client that registered itself.
    pub fn self_registered(&self, client_id: &str) -> Option<&SelfRegistered> {
        self.self_registered.iter().find(|it| it.client.client_id == client_id)
    }

    /// Whether a client may be used: one that registered itself needs nobody's approval.
    pub fn is_approved(&self, client_id: &str) -> bool {
        self.approved || self.client.client_id != client_id
    }

    /// Begins a family.
    pub fn begin_family(&mut self, client_id: &str, scopes: Vec<String>) -> u64 {
        self.next_family += 1;
        let family = Family { client_id: client_id.to_owned(), scopes, alive: true };
        self.families.insert(self.next_family, family);
        self.next_family
    }

    /// Ends a family: none of its tokens is good any more.
    pub fn end_family(&mut self, family: u64) {
        if let Some(family) = self.families.get_mut(&family) {
            family.alive = false;
        }
    }

    /// The granted scopes of an access token that is good at `now`.
    pub fn scopes_of(&self, access_token: &str, now: Timestamp) -> Option<&[String]> {
        let token = self.access_tokens.get(access_token)?;
        let ended = token.revoked || token.expires_at.is_some_and(|at| now >= at);
        let family = self.families.get(&token.family).filter(|family| family.alive && !ended)?;
        Some(&family.scopes)
    }

    /// Forgets, once a minute, what ended before `now`: a long run does not grow without end.
    pub fn forget_ended(&mut self, now: Timestamp) {
        if self.next_sweep.is_some_and(|at| now < at) {
            return;
        }
        self.next_sweep = Some(after_seconds(now, 60));
        let lives = |at: &Option<Timestamp>| at.is_none_or(|at| now < at);
        self.tickets.retain(|_, ticket| now < ticket.expires_at);
        self.codes.retain(|_, code| now < code.expires_at);
        // One that has ended is still told apart from one that never was.
        self.device_codes.retain(|_, code| now < after_seconds(code.expires_at, 3600));
        self.replays.retain(|_, replay| now < replay.expires_at);
        self.access_tokens.retain(|_, token| lives(&token.expires_at));
        self.refresh_tokens.retain(|_, token| lives(&token.expires_at));
        let access = self.access_tokens.values().map(|token| token.family);
        let used: HashSet<u64> =
            access.chain(self.refresh_tokens.values().map(|token| token.family)).collect();
        self.families.retain(|number, _| used.contains(number));
    }
}

/// Adds to a list that forgets its oldest beyond a number.
pub fn keep_last<T>(list: &mut VecDeque<T>, item: T) {
    if list.len() == REMEMBERED {
        list.pop_front();
    }
    list.push_back(item);
}
