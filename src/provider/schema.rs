//! The words of a provider file, schema 1.
//!
//! Every word is optional unless its comment says otherwise, and every word does something:
//! `file` refuses what is unknown here and what would have no effect.

mod envelope;
mod filters;
mod pages;
mod recipes;
mod sync;
mod webhook;

use std::collections::BTreeMap;

pub use envelope::{Envelope, Success};
pub use pages::{PageStyle, Pages};
use serde::{Deserialize, Serialize};

pub use filters::*;
pub use recipes::*;
pub use sync::*;
pub use webhook::*;

/// A vendor, described.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Always 1; required.
    pub schema: u32,
    /// Lower-case name, as typed after `--provider`; required.
    pub name: String,
    /// The vendor's own name.
    #[serde(default)]
    pub title: String,
    /// One line for `provider list`.
    #[serde(default)]
    pub summary: String,
    /// Pages the facts come from.
    #[serde(default)]
    pub docs: Vec<String>,
    /// What `connect` can do, the default first; required.
    pub flows: Vec<Flow>,
    /// The scope table.
    #[serde(default)]
    pub scope: Vec<Scope>,
    /// Whether scopes outside the table exist, so that one of them is no slip.
    #[serde(default)]
    pub more_scopes: bool,
    /// What a user may or must set for a profile.
    #[serde(default)]
    pub settings: BTreeMap<String, Setting>,
    /// How to register an application at the vendor.
    #[serde(default)]
    pub setup: Setup,
    /// Where the vendor publishes its metadata, and its exact issuer.
    #[serde(default)]
    pub discovery: Option<Discovery>,
    /// How the client proves who it is.
    #[serde(default)]
    pub client: Client,
    /// The authorization endpoint; needed by the code flow.
    #[serde(default)]
    pub authorize: Option<Authorize>,
    /// The token endpoint; required.
    pub token: Token,
    /// Where the token response keeps its fields.
    #[serde(default)]
    pub response: ResponseFields,
    /// What a refresh does at this vendor.
    #[serde(default)]
    pub refresh: Refresh,
    /// The revocation endpoint.
    #[serde(default)]
    pub revoke: Option<Revoke>,
    /// Where a person ends a connection by hand, where `revoke` cannot.
    #[serde(default)]
    pub end_by_hand: Option<EndByHand>,
    /// Tokens made elsewhere.
    #[serde(default)]
    pub import: Option<Import>,
    /// The password flow of old applications.
    #[serde(default)]
    pub legacy: Option<Legacy>,
    /// Values that come with the tokens.
    #[serde(default)]
    pub context: Vec<Context>,
    /// The resource server; required.
    pub api: Api,
    /// Where errors keep their words, and what they mean.
    #[serde(default)]
    pub errors: Errors,
    /// How the vendor signs its webhooks.
    #[serde(default)]
    pub webhook: Option<Webhook>,
    /// What `call PROFILE @NAME` runs.
    #[serde(default)]
    pub recipes: Vec<Recipe>,
}

/// A way to get the first tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// RFC 6749 section 4.1 with RFC 7636.
    AuthorizationCode,
    /// RFC 6749 section 4.4.
    ClientCredentials,
    /// RFC 6749 section 4.3, for old applications.
    Password,
    /// Tokens made elsewhere and handed to `keyfob import`.
    Import,
}

/// A scope and what it opens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// As it is sent; required.
    pub name: String,
    /// What it grants, for people.
    #[serde(default)]
    pub grants: String,
    /// The methods it opens on `endpoints`.
    #[serde(default)]
    pub methods: Vec<String>,
    /// Paths below the API base; a name in braces stands for one segment.
    #[serde(default)]
    pub endpoints: Vec<String>,
    /// Grants nothing yet and must not be requested.
    #[serde(default)]
    pub reserved: bool,
    /// Opens personal or financial data, or everything.
    #[serde(default)]
    pub sensitive: bool,
    /// Gives a refresh token.
    #[serde(default)]
    pub implies_refresh: bool,
    /// One more sentence.
    #[serde(default)]
    pub note: String,
}

/// A value that a profile sets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// What the prompt says; required.
    pub ask: String,
    /// The value where nobody set one.
    #[serde(default)]
    pub default: Option<String>,
    /// The only values there are.
    #[serde(default)]
    pub choices: Vec<String>,
    /// What a value must look like.
    #[serde(default)]
    pub format: Format,
    /// When it must be known.
    #[serde(default)]
    pub needed: Needed,
    /// The list at the resource server that a connected person chooses from.
    #[serde(default)]
    pub list: Option<SettingList>,
}

/// What a setting's value must look like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Anything.
    #[default]
    Text,
    /// A host name or a URL; https unless it is loopback.
    Host,
    /// Digits only.
    Digits,
}

/// When a setting must be known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Needed {
    /// Before the first request.
    #[default]
    Connect,
    /// For calls that use it; may be left out at `connect` with an empty value.
    Call,
    /// Only known once connected; chosen from `list`.
    AfterConnect,
    /// Never.
    Never,
}

/// Where the choices of a setting are listed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingList {
    /// Path below the API base; a call to it never needs the setting.
    pub get: String,
    /// Field of the value in each item.
    pub id: String,
    /// Field of the name in each item.
    pub label: String,
}

/// Registration, for people.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Setup {
    /// Page that registers an application.
    pub register_url: String,
    /// Way to it through the vendor's dashboard.
    pub console: String,
    /// What the vendor does before the application works.
    pub approval: String,
    /// What to do, in order.
    pub steps: Vec<String>,
    /// What else to know.
    pub notes: Vec<String>,
    /// Whom to ask.
    pub support: String,
    /// How a client id begins.
    pub client_id_prefix: String,
    /// The most characters a client id may have; letters and digits only where this is set.
    pub client_id_max_length: Option<usize>,
}

/// RFC 8414 or OpenID Connect metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discovery {
    /// The metadata document.
    pub url: String,
    /// The exact issuer, where it is known (RFC 8414 section 3.3 compares code points).
    #[serde(default)]
    pub issuer: Option<String>,
    /// Whether authorization responses carry `iss` (RFC 9207 section 3).
    #[serde(default)]
    pub iss_in_response: bool,
}

/// Client authentication (RFC 6749 section 2.3).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Client {
    /// One method a request.
    pub auth: ClientAuthentication,
    /// How id and secret are written in HTTP Basic.
    pub basic_encoding: BasicEncoding,
    /// Whether there is a client secret.
    pub secret: Presence,
}

/// Names a method of client authentication.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// `client_id` and `client_secret` in the body.
    #[default]
    Post,
    /// HTTP Basic.
    Basic,
    /// Only `client_id` in the body: a public client.
    Id,
}

/// How id and secret become HTTP Basic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BasicEncoding {
    /// Form-encoded first (RFC 6749 section 2.3.1).
    #[default]
    Form,
    /// As they are, like `curl -u`.
    Raw,
}

/// Whether a thing is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It must be.
    #[default]
    Required,
    /// It may be.
    Optional,
    /// It is not.
    None,
}

/// The authorization request (RFC 6749 section 4.1.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorize {
    /// The authorization endpoint; required.
    pub url: String,
    /// Between two scopes.
    #[serde(default = "space")]
    pub scope_separator: String,
    /// Added to whatever is asked for.
    #[serde(default)]
    pub default_scopes: Vec<String>,
    /// RFC 7636.
    #[serde(default)]
    pub pkce: Pkce,
    /// Whether the vendor gives `state` back.
    #[serde(default)]
    pub state: State,
    /// Seconds a code lives, where the vendor says so.
    #[serde(default)]
    pub code_lifetime: Option<u64>,
    /// Extra parameters.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// Where the vendor sends the browser back to.
    #[serde(default)]
    pub redirect: Redirect,
}

/// Whether a code is bound to a verifier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    /// Challenge and verifier are sent; the vendor may ignore them.
    #[default]
    S256,
    /// Neither is sent.
    Off,
}

/// Whether `state` comes back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A response without it is not an answer to us.
    #[default]
    Required,
    /// The vendor drops it: an absent one is accepted, a wrong one never.
    MayBeDropped,
}

/// The redirect URI (RFC 8252 section 7.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Redirect {
    /// How the vendor compares it with the registered one.
    #[serde(rename = "match")]
    pub matching: RedirectMatch,
    /// The one to register; a loopback address on any port where this is empty.
    pub uri: String,
    /// Whether the authorization request carries it.
    pub send: bool,
}

impl Default for Redirect {
    fn default() -> Self {
        Self { matching: RedirectMatch::default(), uri: String::new(), send: true }
    }
}

/// How a vendor compares redirect URIs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedirectMatch {
    /// Any port of a loopback address (RFC 8252 section 7.3).
    #[default]
    LoopbackAnyPort,
    /// Character by character.
    Exact,
}

/// A token request (RFC 6749 section 4.1.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The token endpoint; required.
    pub url: String,
    /// How the parameters are written.
    #[serde(default)]
    pub body: BodyFormat,
    /// Extra parameters of every grant.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// Extra headers of every grant.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Standard parameter to the vendor's name for it.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    /// Standard parameters the vendor does not want.
    #[serde(default)]
    pub omit: Vec<String>,
    /// Whether a refresh repeats the scopes.
    #[serde(default)]
    pub scope_on_refresh: bool,
}

/// How parameters are written in a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyFormat {
    /// `application/x-www-form-urlencoded`.
    #[default]
    Form,
    /// One JSON object of strings.
    Json,
}

/// Where the fields of a token response lie: dotted paths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResponseFields {
    /// The access token.
    pub access_token: String,
    /// Its type.
    pub token_type: String,
    /// The refresh token.
    pub refresh_token: String,
    /// Seconds the access token lives.
    pub expires_in: String,
    /// Seconds the refresh token lives.
    pub refresh_expires_in: String,
    /// The granted scopes.
    pub scope: String,
    /// Seconds the access token lives where the answer does not say.
    pub lifetime: Option<u64>,
    /// How the vendor's secrets begin, by kind: tells a wrongly pasted one.
    pub prefix: BTreeMap<String, String>,
}

impl Default for ResponseFields {
    fn default() -> Self {
        Self {
            access_token: "access_token".into(),
            token_type: "token_type".into(),
            refresh_token: "refresh_token".into(),
            expires_in: "expires_in".into(),
            refresh_expires_in: "refresh_token_expires_in".into(),
            scope: "scope".into(),
            lifetime: None,
            prefix: BTreeMap::new(),
        }
    }
}

/// What a refresh does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Refresh {
    /// What becomes of the refresh token that was used.
    pub rotation: Rotation,
    /// Seconds a refresh token lives where the answer does not say.
    pub lifetime: Option<u64>,
    /// Seconds before its end at which an access token counts as ended; 60 where this is absent.
    pub margin: Option<u64>,
    /// The scope without which there is no refresh token.
    pub needs_scope: Option<String>,
}

/// What becomes of a used refresh token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// It may be replaced: keep whichever came last.
    #[default]
    Rotating,
    /// It is spent, and sending it again is an offence.
    SingleUse,
    /// There is none: the client's own credentials give a new access token.
    Reissue,
    /// There is none, and no way to renew.
    None,
}

/// Token revocation (RFC 7009).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// The revocation endpoint; required.
    pub url: String,
    /// How the parameters are written.
    #[serde(default)]
    pub body: BodyFormat,
    /// Whether `token_type_hint` is sent.
    #[serde(default = "yes")]
    pub hint: bool,
    /// What else ends with a revoked token.
    #[serde(default)]
    pub reach: RevocationReach,
}

/// What a revocation ends (RFC 7009 section 2.1 leaves it to the server).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReach {
    /// Possibly all that the account gave to the client, so a replaced grant of the same account is left alone.
    #[default]
    Account,
    /// The token and what came with it; a replaced grant is ended once the new one is stored.
    Token,
}

/// Where a person ends a connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndByHand {
    /// What to do, one sentence.
    pub how: String,
    /// The vendor's page or address, if one is known.
    #[serde(default)]
    pub page: String,
}

/// Tokens made in a vendor's dashboard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The page that makes them.
    pub console: String,
    /// Seconds an imported access token lives where the import does not say.
    #[serde(default)]
    pub lifetime: Option<u64>,
    /// Whether to refresh at once, so that only keyfob holds the live refresh token.
    #[serde(default)]
    pub refresh_at_once: bool,
    /// What to do, in order.
    #[serde(default)]
    pub steps: Vec<String>,
}

/// The password flow of old applications.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Legacy {
    /// Whose applications may use it.
    pub until: String,
    /// What to know before using it.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// A value that comes with the tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// Its name in paths and in `status`; required.
    pub name: String,
    /// Dotted path in the token response; required.
    pub path: String,
    /// Whether an answer without it is a failure.
    #[serde(default)]
    pub required: bool,
    /// Whether a change of it means another account.
    #[serde(default)]
    pub identifies_account: bool,
    /// One more sentence.
    #[serde(default)]
    pub note: String,
}

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

/// Where errors keep their words (dotted paths, the first that is there), and what they mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Errors {
    /// The error code.
    pub code: Vec<String>,
    /// The vendor's words.
    pub message: Vec<String>,
    /// What is wrong, field by field.
    pub fields: Vec<String>,
    /// What the body of a good API answer says, at a vendor that refuses calls with a status of success.
    pub success: Option<Success>,
    /// Codes of authorization responses.
    pub authorize: BTreeMap<String, Meaning>,
    /// Codes of token responses.
    pub token: BTreeMap<String, Meaning>,
    /// Codes of API answers; a bare status stands for an answer without a code.
    pub api: BTreeMap<String, Meaning>,
}

impl Default for Errors {
    fn default() -> Self {
        Self {
            code: vec!["error".into()],
            message: vec!["error_description".into(), "message".into(), "detail".into()],
            fields: Vec::new(),
            success: None,
            authorize: BTreeMap::new(),
            token: BTreeMap::new(),
            api: BTreeMap::new(),
        }
    }
}

/// What an error code means at this vendor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meaning {
    /// What happened, for people.
    pub meaning: String,
    /// What to do.
    #[serde(default)]
    pub hint: String,
    /// What keyfob does.
    #[serde(default)]
    pub action: Action,
}

/// What follows from an error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Tell the person.
    #[default]
    Report,
    /// The access token has ended: refresh once.
    Refresh,
    /// A person must authorise again.
    Reconnect,
    /// The granted scopes do not cover the call: a refresh would not help.
    MissingScope,
    /// The client's registration or credentials are wrong.
    FixClient,
    /// The vendor has not approved the application yet.
    WaitForApproval,
    /// The call was not carried out for now: wait as for a 429, then send it again.
    TryLater,
}

fn space() -> String {
    " ".into()
}

fn yes() -> bool {
    true
}

fn unauthorized() -> Vec<u16> {
    vec![401]
}
