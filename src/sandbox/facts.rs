//! What a vendor's documents say that a provider file has no word for: the tables in `vendors`.
//!
//! Every word is general; a vendor that seems to need code needs a word here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::openid::OpenIdFacts;
use super::pages::Paging;
use super::refusal::ErrorFacts;
use super::webhooks::WebhookFacts;
use crate::secret::Secret;

/// A vendor's table.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Facts {
    /// The registered client.
    pub client_id: String,
    /// Characters at the end of the made client secret, where the vendor's own hold odd ones.
    pub client_secret_suffix: String,
    /// Who is signed in on the consent page.
    pub account: String,
    /// Values of the provider's settings and contexts.
    pub values: BTreeMap<String, String>,
    /// Scopes that a first try should ask for.
    pub suggested_scopes: Vec<String>,
    /// Scopes that are granted where a request names none; a request must name some where this is empty.
    pub default_scopes: Vec<String>,
    /// Whether a request without a PKCE challenge is refused.
    pub pkce_required: bool,
    /// Whether parameters nobody documented are passed over (RFC 6749 section 3.1) or refused.
    pub ignores_unknown_parameters: bool,
    /// The token answer.
    pub token: TokenFacts,
    /// The person of the password grant.
    pub owner: Option<Owner>,
    /// Error shapes.
    pub errors: ErrorFacts,
    /// Lists of records.
    pub collection: Vec<Collection>,
    /// Answers that never change.
    pub document: Vec<Document>,
    /// Who is signed in, where there are ID tokens.
    pub openid: Option<OpenIdFacts>,
    /// What is told to subscribers.
    pub webhook: Option<WebhookFacts>,
}

/// What a token answer looks like beyond the provider file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenFacts {
    /// Whether access tokens look like JWTs.
    pub jwt: bool,
    /// Standard members that are not there.
    pub leaves_out: Vec<String>,
    /// Members that are there beside the standard ones.
    pub extra: Map<String, Value>,
    /// How many scopes stand on a line; all on one where absent.
    pub scopes_per_line: Option<usize>,
}

/// Who owns the account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// As typed.
    pub username: String,
    /// As typed; a play password.
    #[serde(with = "crate::secret::stored")]
    pub password: Secret,
    /// What a token for this person opens.
    pub scopes: Vec<String>,
}

/// A list of records and its items.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collection {
    /// The whole path, with settings in braces.
    pub path: String,
    /// What the list takes.
    #[serde(default = "get")]
    pub methods: Vec<String>,
    /// What `path/ID` takes.
    #[serde(default)]
    pub item_methods: Vec<String>,
    /// The member that identifies a record.
    #[serde(default = "id")]
    pub id: String,
    /// The records at the start.
    #[serde(default)]
    pub records: Vec<Value>,
    /// Makes that many records of the first one, with `{n}` counted from 1.
    #[serde(default)]
    pub repeat: Option<u64>,
    /// Members of a record that a call creates: `{now}`, and the request's own as `{body.NAME}`.
    #[serde(default)]
    pub stamp: Map<String, Value>,
    /// The answer for the list: `{records}`, `{count}`, `{next}`, `{previous}`, `{cursor}`, `{more}`.
    #[serde(default)]
    pub envelope: Option<Value>,
    /// The answer for one record: `{record}`.
    #[serde(default)]
    pub item_envelope: Option<Value>,
    /// Records on a page.
    #[serde(default)]
    pub page_size: Option<usize>,
    /// What a client says to get the next one.
    #[serde(default)]
    pub paging: Paging,
    /// Whether pages are linked in a header (RFC 8288).
    #[serde(default)]
    pub link_header: bool,
    /// Query parameter to the only value it takes and the member and value that records must then have.
    #[serde(default)]
    pub only: BTreeMap<String, Only>,
    /// Members that a parameter of the same name narrows to; of several values any will do.
    #[serde(default)]
    pub filters: Vec<String>,
    /// The member that `updated_since` compares.
    #[serde(default)]
    pub updated_member: Option<String>,
    /// Method to scopes any of which opens it; the provider's scope table where absent.
    #[serde(default)]
    pub needs: BTreeMap<String, Vec<String>>,
}

/// A filter with one value.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Only {
    /// The value the parameter takes.
    pub value: String,
    /// The member it looks at.
    pub member: String,
    /// What the member must be.
    pub equals: Value,
}

/// An answer that depends on nothing but the request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The whole path, with settings in braces.
    pub path: String,
    /// What it takes.
    #[serde(default = "get")]
    pub methods: Vec<String>,
    /// The answer: `{now}`, `{body.NAME}`, `{query.NAME}`.
    pub body: Value,
    /// Method to scopes any of which opens it; the provider's scope table where absent.
    #[serde(default)]
    pub needs: BTreeMap<String, Vec<String>>,
}

fn get() -> Vec<String> {
    vec!["GET".into()]
}

fn id() -> String {
    "id".into()
}
