//! What a client is registered for, and whether that covers what is needed now (RFC 7591 section 2).
//!
//! How a registration is asked for is told in `dynamic_registration`; where it is kept is not known here.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::dynamic_registration::Given;

/// What a server was asked to register, and what it said it had: nothing is asked for twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// By their registered names.
    pub grant_types: Vec<String>,
    /// What may be asked for.
    pub scopes: Vec<String>,
    /// Whether the server refuses tokens without a proof of possession (RFC 9449 section 5.2).
    pub dpop: bool,
}

/// One thing that a registration does not cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// A way to get tokens.
    Grant(String),
    /// Something to ask for.
    Scope(String),
    /// Where the browser comes back to.
    RedirectUri(String),
    /// It demands a proof of possession that is not wanted now.
    PlainTokens,
    /// It does not demand one that is wanted now: tokens are bound all the same, and the server
    /// would refuse others only if it knew.
    BoundTokens,
    /// The key or the certificate that the client proves itself with now.
    Key,
}

impl Terms {
    /// Of the metadata that was asked for, and the answer to it.
    pub fn agreed(metadata: &Map<String, Value>, given: &Given) -> Self {
        let asked = Self::of(metadata);
        let said = given.grant_types.iter().flatten().chain(&asked.grant_types);
        let scopes = given.scopes.iter().flatten().chain(&asked.scopes);
        Self { grant_types: each_once(said), scopes: each_once(scopes), dpop: asked.dpop }
    }

    /// Of the metadata that would be asked for.
    fn of(metadata: &Map<String, Value>) -> Self {
        Self {
            grant_types: texts(metadata, "grant_types"),
            scopes: words(metadata.get("scope")),
            dpop: metadata.get("dpop_bound_access_tokens") == Some(&Value::Bool(true)),
        }
    }

    /// What they do not cover of the metadata that is needed now.
    pub fn lacks(&self, metadata: &Map<String, Value>) -> Vec<Lack> {
        let wanted = Self::of(metadata);
        let grants = missing(&wanted.grant_types, &self.grant_types).map(Lack::Grant);
        let scopes = missing(&wanted.scopes, &self.scopes).map(Lack::Scope);
        let proofs = match (self.dpop, wanted.dpop) {
            (true, false) => Some(Lack::PlainTokens),
            (false, true) => Some(Lack::BoundTokens),
            _ => None,
        };
        grants.chain(scopes).chain(proofs).collect()
    }
}

/// What is registered already, with what is needed now: an update replaces all of the metadata
/// (RFC 7592 section 2.2), and the tokens of before must still be renewed.
pub fn widened(
    metadata: &Map<String, Value>,
    terms: &Terms,
    scopes: Option<&[String]>,
    redirect_uris: &[String],
) -> Map<String, Value> {
    let mut members = metadata.clone();
    let grants = texts(metadata, "grant_types");
    let grants = each_once(terms.grant_types.iter().chain(&grants));
    if grants.iter().any(|it| it == "authorization_code") {
        members.insert("response_types".into(), json!(["code"]));
        if texts(metadata, "redirect_uris").is_empty() && !redirect_uris.is_empty() {
            members.insert("redirect_uris".into(), json!(redirect_uris));
        }
    }
    members.insert("grant_types".into(), json!(grants));
    let asked = words(metadata.get("scope"));
    let scopes = each_once(scopes.unwrap_or_default().iter().chain(&asked));
    if !scopes.is_empty() {
        members.insert("scope".into(), json!(scopes.join(" ")));
    }
    members
}

/// The texts of a list.
pub fn texts(metadata: &Map<String, Value>, name: &str) -> Vec<String> {
    let list = metadata.get(name).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn words(text: Option<&Value>) -> Vec<String> {
    let text = text.and_then(Value::as_str).unwrap_or_default();
    text.split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect()
}

fn missing(wanted: &[String], there: &[String]) -> impl Iterator<Item = String> {
    wanted.iter().filter(|it| !there.contains(it)).cloned()
}

fn each_once<'a>(all: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for one in all {
        if !once.contains(one) {
            once.push(one.clone());
        }
    }
    once
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn terms() -> Terms {
        Terms {
            grant_types: vec!["authorization_code".into(), "refresh_token".into()],
            scopes: vec!["a".into()],
            dpop: false,
        }
    }

    #[test] // EX7
    fn what_a_registration_does_not_cover_is_named() {
        let lacks = |value| terms().lacks(&metadata(value));
        assert_eq!(lacks(json!({"grant_types": ["refresh_token"], "scope": "a"})), []);
        assert_eq!(lacks(json!({})), []);
        assert_eq!(
            lacks(json!({"grant_types": ["client_credentials"], "scope": "b a"})),
            [Lack::Grant("client_credentials".into()), Lack::Scope("b".into())]
        );
        let bound = json!({"dpop_bound_access_tokens": true});
        assert_eq!(lacks(bound.clone()), [Lack::BoundTokens]);
        let demands = Terms { dpop: true, ..terms() };
        assert_eq!(demands.lacks(&metadata(json!({}))), [Lack::PlainTokens]);
        assert_eq!(demands.lacks(&metadata(bound)), []);
    }

    #[test] // EX7
    fn an_update_takes_nothing_away_that_the_tokens_of_before_need() {
        let machine = json!({
            "grant_types": ["client_credentials"], "response_types": [], "scope": "b",
        });
        let uris = ["http://127.0.0.1:9/cb".to_owned()];
        let scopes = ["a".to_owned()];
        let update = widened(&metadata(machine), &terms(), Some(&scopes), &uris);
        let expected = json!({
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
            "response_types": ["code"], "redirect_uris": uris, "scope": "a b",
        });
        assert_eq!(Value::Object(update), expected);
        let moved = json!({
            "grant_types": ["authorization_code"], "redirect_uris": ["http://127.0.0.1:10/cb"],
        });
        let update = widened(&metadata(moved.clone()), &terms(), None, &uris);
        assert_eq!(update["redirect_uris"], moved["redirect_uris"]);
        assert!(!update.contains_key("scope"), "the server chose, and chooses again");
    }
}
