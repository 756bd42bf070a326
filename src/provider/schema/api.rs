//! The resource server.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Envelope, Filter, Pages, Sync, yes};

/// The resource server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// What a path is relative to; required.
    pub base_url: String,
    /// Other hosts that may be given the token, such as `https://git.example.com`.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// How the access token is shown.
    #[serde(default)]
    pub authorization: ApiAuthorization,
    /// Headers of every call.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The User-Agent of every call, where the vendor wants the client's name in it.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// Statuses that may mean an ended access token.
    #[serde(default = "unauthorized")]
    pub reauth_on: Vec<u16>,
    /// Whether a refused call was certainly not carried out, so that a write may be sent again.
    #[serde(default = "yes")]
    pub refusal_means_not_executed: bool,
    /// Whether paths end in a slash.
    #[serde(default)]
    pub trailing_slash: bool,
    /// When and how long to wait before a call is sent again.
    #[serde(default)]
    pub retry: Retry,
    /// Safe repetition of writes.
    #[serde(default)]
    pub idempotency: Option<Idempotency>,
    /// Requests the vendor allows, by path.
    #[serde(default)]
    pub limits: Vec<Limit>,
    /// How lists are cut into pages; a `Link` header is followed where this is absent.
    #[serde(default)]
    pub pages: Option<Pages>,
    /// What every answer is wrapped in.
    #[serde(default)]
    pub envelope: Option<Envelope>,
    /// Query parameters of lists.
    #[serde(default)]
    pub filters: Vec<Filter>,
    /// How lists are asked for what changed.
    #[serde(default)]
    pub sync: Option<Sync>,
}

/// Where the access token goes (RFC 6750 section 2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiAuthorization {
    /// The scheme of the Authorization header.
    pub scheme: String,
    /// The query parameter, where the vendor takes one.
    pub query: Option<String>,
    /// `header` or `query`, as a template.
    pub place: String,
}

impl Default for ApiAuthorization {
    fn default() -> Self {
        Self { scheme: "Bearer".into(), query: None, place: "header".into() }
    }
}

/// Repetition of calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// Statuses that ask for a wait.
    pub on: Vec<u16>,
    /// Headers that say how long, the first that is there.
    pub after: Vec<String>,
    /// Headers that say until when, asked after those: seconds since 1970, or a date.
    pub at: Vec<String>,
    /// What a number in one of the vendor's own headers counts; `Retry-After` counts seconds (RFC 9110).
    pub unit: TimeUnit,
    /// Seconds of the first wait where no header says.
    pub base: f64,
    /// The longest wait in seconds.
    pub max: f64,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            on: vec![429, 503],
            after: vec!["retry-after".into()],
            at: Vec::new(),
            unit: TimeUnit::Seconds,
            base: 1.0,
            max: 60.0,
        }
    }
}

/// What a number counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Seconds.
    #[default]
    Seconds,
    /// Thousandths of a second.
    Milliseconds,
}

/// Idempotency keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Idempotency {
    /// The request header.
    pub header: String,
    /// The methods that carry it.
    pub methods: Vec<String>,
    /// Paths that carry none whatever the method: reads that the vendor takes as POST. A stored
    /// answer would hide what has changed since.
    #[serde(default)]
    pub reads: Vec<String>,
    /// Seconds the vendor remembers a key.
    #[serde(default)]
    pub lifetime: Option<u64>,
    /// The response header of a replayed answer.
    #[serde(default)]
    pub replay_header: Option<String>,
}

/// A rate limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// `token` for the token endpoint, `*` for every other path, or the beginning of a path.
    pub path: String,
    /// Requests a minute.
    pub per_minute: u32,
    /// One more sentence.
    #[serde(default)]
    pub note: String,
}

fn unauthorized() -> Vec<u16> {
    vec![401]
}
