//! One authorization server with several clients: each is let in by its own proof, and by no other.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};

use super::certified::{Authority, serve};
use super::served::Served;
use super::verifier::part;

/// How the server knows a client.
#[derive(Clone, Debug, PartialEq)]
pub enum Proof {
    /// By its id alone.
    Nothing,
    /// By a secret in HTTP Basic.
    Basic(String),
    /// By a secret in the body.
    Post(String),
    /// By a signature with ES256; the public key.
    Key(Vec<u8>),
    /// By any certificate of the authority's, at the endpoints for that.
    Certificate,
}

/// A request to an endpoint that wants to know the client.
#[derive(Clone, Debug, PartialEq)]
pub struct Came {
    /// Where.
    pub path: String,
    /// Who.
    pub client: String,
    /// Whether the proof was the one that the client has, and no other beside it.
    pub is_proven: bool,
}

struct Desk {
    clients: BTreeMap<String, Proof>,
    /// What stands in the metadata in the place of what the server would say.
    other: Value,
    came: Vec<Came>,
    given: u32,
    /// The refresh token that is good now, by client.
    refresh_tokens: BTreeMap<String, String>,
}

/// The server, until it is dropped.
pub struct Clients {
    /// Its issuer.
    pub issuer: String,
    /// Where its endpoints for certificates are.
    pub alias: String,
    desk: Arc<Mutex<Desk>>,
    _served: [Served; 2],
}

/// What a request shows.
struct Shown<'a> {
    head: &'a str,
    form: &'a BTreeMap<String, String>,
    certificate: bool,
    is_alias: bool,
}

impl Clients {
    /// A server with these clients.
    pub fn known(authority: &Authority, clients: &[(&str, Proof)]) -> Self {
        let clients = clients.iter().map(|(id, proof)| ((*id).to_owned(), proof.clone()));
        let desk = Arc::new(Mutex::new(Desk {
            clients: clients.collect(),
            other: json!({}),
            came: Vec::new(),
            given: 0,
            refresh_tokens: BTreeMap::new(),
        }));
        let bind = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (plain, alias) = (bind(), bind());
        let origin = |it: &TcpListener| format!("https://{}", it.local_addr().unwrap());
        let (issuer, alias_origin) = (origin(&plain), origin(&alias));
        let config = Arc::new(authority.server());
        let served = [(plain, false), (alias, true)].map(|(listener, is_alias)| {
            let (config, desk) = (config.clone(), desk.clone());
            let (issuer, alias) = (issuer.clone(), alias_origin.clone());
            serve(listener, config, move |request| {
                let shown = Shown {
                    head: &request.head,
                    form: &request.form,
                    certificate: request.shown.is_some(),
                    is_alias,
                };
                desk.lock().unwrap().answer(&issuer, &alias, &request.path(), &shown)
            })
        });
        Self { issuer, alias: alias_origin, desk, _served: served }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap()
    }

    /// Members of the metadata from now on; `null` takes one out.
    pub fn says(&self, other: Value) {
        self.desk().other = other;
    }

    /// Every request that should have proven who the client is, oldest first; they are forgotten here.
    pub fn came(&self) -> Vec<Came> {
        std::mem::take(&mut self.desk().came)
    }
}

impl Desk {
    fn answer(&mut self, issuer: &str, alias: &str, path: &str, shown: &Shown<'_>) -> (u16, Value) {
        if path == "/.well-known/oauth-authorization-server" {
            return (200, self.metadata(issuer, alias));
        }
        if !["/device", "/token", "/revoke"].contains(&path) {
            return (404, json!({}));
        }
        let client = named(shown);
        let known = self.clients.get(&client);
        let is_proven = known.is_some_and(|proof| is_proof(proof, issuer, &client, shown));
        self.came.push(Came { path: path.to_owned(), client: client.clone(), is_proven });
        match path {
            _ if !is_proven => (401, json!({"error": "invalid_client"})),
            "/revoke" => (200, json!({})),
            "/device" => (
                200,
                json!({
                    "device_code": "device-code",
                    "user_code": "AAAA-BBBB",
                    "verification_uri": format!("{issuer}/device"),
                    "expires_in": 300,
                }),
            ),
            _ => self.tokens(&client, shown.form),
        }
    }

    fn metadata(&self, issuer: &str, alias: &str) -> Value {
        let methods = [
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
            "tls_client_auth",
            "none",
        ];
        let mut metadata = json!({
            "issuer": issuer,
            "token_endpoint": format!("{issuer}/token"),
            "device_authorization_endpoint": format!("{issuer}/device"),
            "revocation_endpoint": format!("{issuer}/revoke"),
            "grant_types_supported": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
            "mtls_endpoint_aliases": {
                "token_endpoint": format!("{alias}/token"),
                "device_authorization_endpoint": format!("{alias}/device"),
                "revocation_endpoint": format!("{alias}/revoke"),
            },
        });
        for (name, value) in self.other.as_object().unwrap() {
            metadata[name] = value.clone();
        }
        metadata
    }

    /// Tokens for the code, or for the refresh token that this client was given last.
    fn tokens(&mut self, client: &str, form: &BTreeMap<String, String>) -> (u16, Value) {
        let refresh_token = self.refresh_tokens.get(client);
        if form["grant_type"] == "refresh_token" && form.get("refresh_token") != refresh_token {
            return (400, json!({"error": "invalid_grant"}));
        }
        self.given += 1;
        let refresh_token = format!("refresh-{}", self.given);
        self.refresh_tokens.insert(client.to_owned(), refresh_token.clone());
        let answer = json!({
            "access_token": format!("access-{}", self.given),
            "token_type": "Bearer",
            "expires_in": 3600,
            "refresh_token": refresh_token,
        });
        (200, answer)
    }
}

fn authorization<'a>(shown: &Shown<'a>) -> Option<&'a str> {
    let line =
        shown.head.lines().find(|line| line.to_lowercase().starts_with("authorization: "))?;
    line.split_once(": ").map(|(_, value)| value)
}

/// Id and secret of HTTP Basic.
fn basic(shown: &Shown<'_>) -> Option<(String, String)> {
    let text = STANDARD.decode(authorization(shown)?.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(text).ok()?;
    text.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
}

fn named(shown: &Shown<'_>) -> String {
    let basic = basic(shown).map(|(id, _)| id);
    basic.or_else(|| shown.form.get("client_id").cloned()).unwrap_or_default()
}

/// Whether the request shows this proof and nothing beside it.
fn is_proof(proof: &Proof, issuer: &str, client: &str, shown: &Shown<'_>) -> bool {
    let secret = shown.form.get("client_secret");
    let assertion = shown.form.get("client_assertion");
    let (header, certificate) = (authorization(shown).is_some(), shown.certificate);
    let is_this = match proof {
        Proof::Nothing => true,
        Proof::Basic(own) => basic(shown).is_some_and(|(_, secret)| secret == *own),
        Proof::Post(own) => secret == Some(own),
        Proof::Key(key) => assertion.is_some_and(|it| is_signed(it, key, issuer, client)),
        Proof::Certificate => certificate && shown.is_alias,
    };
    let is_alone = header == matches!(proof, Proof::Basic(_))
        && secret.is_some() == matches!(proof, Proof::Post(_))
        && assertion.is_some() == matches!(proof, Proof::Key(_))
        && certificate == (*proof == Proof::Certificate)
        && shown.is_alias == (*proof == Proof::Certificate);
    is_this && is_alone
}

/// Whether an assertion is this client's, for this issuer, by ES256.
pub fn is_signed(assertion: &str, key: &[u8], issuer: &str, client: &str) -> bool {
    let Some((input, signature)) = assertion.rsplit_once('.') else { return false };
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    let claims = part(assertion, 1);
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key)
        .verify(input.as_bytes(), &signature)
        .is_ok()
        && claims["sub"] == client
        && claims["aud"] == issuer
}
