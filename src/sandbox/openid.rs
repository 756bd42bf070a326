//! OpenID Connect as far as a client needs it: signed ID tokens, the keys to check them with, userinfo.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::message::{Answer, Request};
use super::parameters::invalid;
use super::refusal::{Refusal, Refused, Side};
use super::stand_in::Turn;
use crate::authorization_server::authorization_request::OPENID;
use crate::authorization_server::id_token::hash_of;
use crate::clock::after_seconds;
use crate::provider::schema::SignatureAlgorithm;
use crate::secret::Secret;

/// Seconds an ID token lives.
const LIFETIME: u64 = 600;

/// Who is signed in, claim by claim.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenIdFacts {
    /// Always there.
    pub sub: String,
    /// Scope to the claims it opens.
    pub claims: Map<String, Value>,
}

/// What an ID token is signed with: ES256.
pub struct SigningKey {
    id: String,
    pair: EcdsaKeyPair,
}

impl SigningKey {
    /// A new key; none where the library has no randomness.
    pub fn new(id: String) -> Option<Self> {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let text = EcdsaKeyPair::generate_pkcs8(algorithm, &random).ok()?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, text.as_ref(), &random).ok()?;
        Some(Self { id, pair })
    }

    /// The public side as a set of keys (RFC 7517).
    pub fn published(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let coordinate = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        json!({ "keys": [{
            "kty": "EC",
            "crv": "P-256",
            "alg": "ES256",
            "use": "sig",
            "kid": self.id,
            "x": coordinate(point.get(1..33).unwrap_or_default()),
            "y": coordinate(point.get(33..).unwrap_or_default()),
        }]})
    }

    /// Claims as a compact signed token (RFC 7515 section 3.1).
    pub fn sign(&self, claims: &Value) -> Option<String> {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": self.id });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).ok()?;
        Some(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// A request for `openid` brings a nonce: stricter than the standard, which wants it checked when sent.
pub fn nonce(
    turn: &Turn<'_>,
    scopes: &[String],
    nonce: Option<&str>,
) -> Result<Option<String>, Refused> {
    let wanted = turn.vendor.facts.openid.is_some() && scopes.iter().any(|it| it == OPENID);
    match (wanted, nonce) {
        (true, None) => Err(invalid("`nonce` is missing")),
        (_, nonce) => Ok(nonce.map(str::to_owned)),
    }
}

/// Adds an ID token to a token answer, where the grant has `openid`.
pub fn add_id_token(turn: &Turn<'_>, family: u64, nonce: Option<String>, answer: &mut Value) {
    let scopes = turn.state.families.get(&family).map(|family| family.scopes.as_slice());
    let scopes = scopes.unwrap_or_default();
    let (Some(facts), Some(key)) = (&turn.vendor.facts.openid, &turn.state.signing_key) else {
        return;
    };
    // What a test puts there stays.
    let is_there = answer.get("id_token").is_some();
    if is_there || !scopes.iter().any(|scope| scope == OPENID) {
        return;
    }
    let access_token = Secret::new(answer["access_token"].as_str().unwrap_or_default());
    let now = turn.now.as_second();
    let mut claims = person(facts, scopes);
    claims.extend(
        json!({
            "iss": turn.vendor.origin,
            "aud": turn.state.families.get(&family).map(|it| it.client_id.as_str()),
            "iat": now,
            "auth_time": now,
            "exp": after_seconds(turn.now, LIFETIME).as_second(),
            "at_hash": hash_of(SignatureAlgorithm::ES256, &access_token),
        })
        .as_object()
        .cloned()
        .unwrap_or_default(),
    );
    claims.extend(nonce.map(|nonce| ("nonce".to_owned(), nonce.into())));
    put(&mut claims, &turn.state.id_token_members);
    if let Some(token) = key.sign(&Value::Object(claims)) {
        answer["id_token"] = token.into();
    }
}

/// Answers with the keys.
pub fn keys(turn: &mut Turn<'_>, request: &Request) -> Answer {
    match (request.method.as_str(), &turn.state.signing_key) {
        ("GET", Some(key)) => Answer::json(200, &key.published()),
        ("GET", None) => Answer::empty(404),
        _ => Answer::empty(405).with("allow", "GET"),
    }
}

/// Answers with claims about the person whose access token it is (OpenID Connect Core section 5.3).
pub fn userinfo(turn: &mut Turn<'_>, request: &Request) -> Answer {
    match claims_of(turn, request) {
        Ok(claims) => Answer::json(200, &Value::Object(claims)),
        Err(refused) => turn.refuse(Side::Api, &refused),
    }
}

fn claims_of(turn: &Turn<'_>, request: &Request) -> Result<Map<String, Value>, Refused> {
    if request.method != "GET" {
        return Err(Refused::new(Refusal::MethodNotAllowed, "claims are asked for by GET"));
    }
    let shown = request.header("authorization").and_then(|it| it.strip_prefix("Bearer "));
    let missing = || Refused::new(Refusal::TokenMissing, "no access token is shown");
    let ended = || Refused::new(Refusal::TokenInvalid, "the access token is unknown or has ended");
    let scopes = turn.state.scopes_of(shown.ok_or_else(missing)?, turn.now).ok_or_else(ended)?;
    let nothing = || Refused::new(Refusal::NotFound, "this vendor knows no people");
    let facts = turn.vendor.facts.openid.as_ref().ok_or_else(nothing)?;
    if !scopes.iter().any(|scope| scope == OPENID) {
        return Err(Refused::new(
            Refusal::InsufficientScope,
            "the token was not given for `openid`",
        ));
    }
    let mut claims = person(facts, scopes);
    put(&mut claims, &turn.state.userinfo_members);
    Ok(claims)
}

/// The subject, and what the scopes open.
fn person(facts: &OpenIdFacts, scopes: &[String]) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("sub".into(), facts.sub.clone().into());
    for scope in scopes {
        let opened = facts.claims.get(scope).and_then(Value::as_object).cloned();
        claims.extend(opened.unwrap_or_default());
    }
    claims
}

/// Members that a test sets otherwise; `null` takes one away.
fn put(claims: &mut Map<String, Value>, members: &Map<String, Value>) {
    for (name, value) in members {
        match value {
            Value::Null => drop(claims.remove(name)),
            value => drop(claims.insert(name.clone(), value.clone())),
        }
    }
}
