//! The words of a provider file, schema 1.
//!
//! Every word is optional unless its comment says otherwise, and every word does something:
//! `file` refuses what is unknown here and what would have no effect.

mod api;
mod asserted;
mod authorize;
mod brought;
mod client;
mod device;
mod end;
mod envelope;
mod errors;
mod filters;
mod mutual_tls;
mod openid;
mod pages;
mod recipes;
mod registration;
mod settings;
mod signing;
mod sync;
mod token;
mod webhook;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::template::{MissingValue, Values};

pub use api::*;
pub use asserted::*;
pub use authorize::*;
pub use brought::*;
pub use client::*;
pub use device::*;
pub use end::*;
pub use envelope::*;
pub use errors::*;
pub use filters::*;
pub use mutual_tls::*;
pub use openid::*;
pub use pages::*;
pub use recipes::*;
pub use registration::*;
pub use settings::*;
pub use signing::*;
pub use sync::*;
pub use token::*;
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
    /// What the server has for clients that show a certificate.
    #[serde(default)]
    pub mutual_tls: Option<MutualTls>,
    /// The authorization endpoint; needed by the code flow.
    #[serde(default)]
    pub authorize: Option<Authorize>,
    /// The device authorization endpoint; needed by the device flow.
    #[serde(default)]
    pub device: Option<Device>,
    /// What the client asserts to get tokens for somebody.
    #[serde(default)]
    pub jwt_bearer: Option<JwtBearer>,
    /// What is exchanged for what.
    #[serde(default)]
    pub token_exchange: Option<TokenExchange>,
    /// How a client becomes known without a form of the vendor's.
    #[serde(default)]
    pub registration: Option<Registration>,
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
    /// ID tokens, where `openid` is asked for.
    #[serde(default)]
    pub id_token: Option<IdToken>,
    /// The userinfo endpoint.
    #[serde(default)]
    pub userinfo: Option<Userinfo>,
    /// The introspection endpoint.
    #[serde(default)]
    pub introspect: Option<Introspect>,
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

impl Provider {
    /// Whether anything is signed with the client's private key.
    pub fn signs(&self) -> bool {
        self.client.auth == ClientAuthentication::PrivateKeyJwt
            || self.flows.contains(&Flow::JwtBearer)
    }

    /// Whether the client's private key is of any use: it signs, or a certificate goes with it.
    pub fn takes_key(&self) -> bool {
        self.signs() || self.client.needs_key()
    }

    /// The issuer whose metadata named the endpoints; `None` where a person wrote them down.
    pub fn named_by(&self, values: &Values) -> Result<Option<String>, MissingValue> {
        let discovery = self.discovery.as_ref();
        Ok(discovery.map(|it| it.names_the_endpoints(values)).transpose()?.flatten())
    }
}

/// A way to get the first tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// RFC 6749 section 4.1 with RFC 7636.
    AuthorizationCode,
    /// RFC 8628: a code typed on another device.
    DeviceCode,
    /// RFC 6749 section 4.4.
    ClientCredentials,
    /// RFC 6749 section 4.3, for old applications.
    Password,
    /// RFC 7523 section 2.1.
    JwtBearer,
    /// RFC 8693.
    TokenExchange,
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

/// RFC 8414 or OpenID Connect metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discovery {
    /// The metadata document.
    pub url: String,
    /// The exact issuer, where it is known (RFC 8414 section 3.3 compares code points); settings may stand in it.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Whether authorization responses carry `iss` (RFC 9207 section 3).
    #[serde(default)]
    pub iss_in_response: bool,
    /// Whether this file's endpoints were named by that document: those then never lead into this
    /// machine or its network, unless the issuer is there itself (RFC 9728 section 7.7).
    #[serde(default)]
    pub names_endpoints: bool,
}

impl Discovery {
    /// The issuer with the settings in it, where its metadata named the endpoints and not a person.
    pub fn names_the_endpoints(&self, values: &Values) -> Result<Option<String>, MissingValue> {
        let issuer = self.issuer.as_ref().filter(|_| self.names_endpoints);
        issuer.map(|template| values.render_url(template)).transpose()
    }
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

fn yes() -> bool {
    true
}

fn space() -> String {
    " ".into()
}
