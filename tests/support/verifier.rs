//! An authorization server that believes signatures alone: it verifies every one, and takes no `jti` twice.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyfob::clock::Clock;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::{Value, json};

use super::served::Served;

/// The client that the server knows.
pub const CLIENT: &str = "client-1";

/// How the server knows the client.
#[derive(Clone)]
pub enum Knows {
    /// By a public key, and the one algorithm that goes with it.
    PublicKey(&'static str, Vec<u8>),
    /// By a shared secret, with HS256.
    Secret(String),
}

/// What becomes of a request that was found right.
pub enum Fate {
    /// It is answered with this instead.
    Answer(u16, Value),
    /// The connection ends without an answer.
    Lost,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Came {
    /// Where.
    pub path: String,
    /// The form.
    pub form: BTreeMap<String, String>,
    /// The claims of the assertions in it, by parameter.
    pub claims: BTreeMap<String, Value>,
}

struct Desk {
    knows: Knows,
    clock: Arc<dyn Clock>,
    /// Seconds that the server's clock is ahead.
    ahead: i64,
    spent: BTreeSet<String>,
    came: Vec<Came>,
    fates: VecDeque<Fate>,
    given: u32,
    refresh_token: String,
    /// Beside the token of every grant.
    more: Value,
}

/// The server, until it is dropped.
pub struct Verifier {
    /// Its issuer and origin.
    pub issuer: String,
    desk: Arc<Mutex<Desk>>,
    _served: Served,
}

impl Verifier {
    /// A server on any port that knows the client so.
    pub fn that_knows(knows: Knows, clock: Arc<dyn Clock>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let desk = Arc::new(Mutex::new(Desk {
            knows,
            clock,
            ahead: 0,
            spent: BTreeSet::new(),
            came: Vec::new(),
            fates: VecDeque::new(),
            given: 0,
            refresh_token: "refresh-token-0".into(),
            more: json!({}),
        }));
        let (own, at) = (desk.clone(), issuer.clone());
        let served = Served::by(listener, move |stream| serve(stream, &at, &own));
        Self { issuer, desk, _served: served }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap()
    }

    /// Everything that came to an endpoint, right or wrong, oldest first.
    pub fn came(&self) -> Vec<Came> {
        self.desk().came.clone()
    }

    /// The server's clock goes ahead of the client's.
    pub fn is_ahead_by(&self, seconds: i64) {
        self.desk().ahead = seconds;
    }

    /// What becomes of the next requests that are right.
    pub fn next(&self, fates: Vec<Fate>) {
        self.desk().fates = fates.into();
    }

    /// Members that stand beside every access token from now on.
    pub fn gives_also(&self, more: Value) {
        self.desk().more = more;
    }

    /// How the server knows the client from now on.
    pub fn knows(&self, knows: Knows) {
        self.desk().knows = knows;
    }
}

fn serve(mut stream: TcpStream, issuer: &str, desk: &Mutex<Desk>) {
    let Some((path, body)) = hear(&mut stream) else { return };
    let mut desk = desk.lock().unwrap();
    let answer = match path.as_str() {
        "/.well-known/oauth-authorization-server" => Some((200, metadata(issuer))),
        "/token" | "/revoke" => desk.judge(issuer, &path, &body),
        _ => Some((200, json!({"path": path}))),
    };
    let Some((status, answer)) = answer else { return };
    let text = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        text.len()
    );
    // A client that has gone wants no answer.
    let _ = stream.write_all(format!("{head}{text}").as_bytes());
}

fn hear(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            line.to_lowercase().strip_prefix("content-length: ").map(|it| it.parse().unwrap())
        });
        if body.len() >= length.unwrap_or(0) {
            let path = head.split(' ').nth(1)?.to_owned();
            return Some((path, body.to_owned()));
        }
    }
}

fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/token"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["PS256", "ES256", "EdDSA"],
    })
}

impl Desk {
    /// `None` where the connection just ends.
    fn judge(&mut self, issuer: &str, path: &str, body: &str) -> Option<(u16, Value)> {
        let form: BTreeMap<String, String> =
            url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let tokens = ["client_assertion", "assertion"].into_iter();
        let tokens = tokens.filter_map(|name| Some((name, form.get(name)?.clone())));
        let tokens: Vec<(&str, String)> = tokens.collect();
        let claims = tokens.iter().map(|(name, token)| ((*name).to_owned(), part(token, 1)));
        self.came.push(Came {
            path: path.to_owned(),
            form: form.clone(),
            claims: claims.collect(),
        });
        for (name, token) in &tokens {
            if let Err(why) = self.verify(issuer, name, token) {
                // As some servers do: the very token comes back in the words.
                let error = if *name == "assertion" { "invalid_grant" } else { "invalid_client" };
                let description = format!("{why}: {token}");
                let refused = json!({"error": error, "error_description": description});
                return Some((401, refused));
            }
        }
        if tokens.is_empty() && form.get("grant_type").is_none_or(|it| !it.ends_with("exchange")) {
            return Some((401, json!({"error": "invalid_client"})));
        }
        match self.fates.pop_front() {
            Some(Fate::Lost) => None,
            Some(Fate::Answer(status, answer)) => Some((status, answer)),
            None if path == "/revoke" => Some((200, json!({}))),
            None => Some(self.grant(&form)),
        }
    }

    fn grant(&mut self, form: &BTreeMap<String, String>) -> (u16, Value) {
        let grant = form.get("grant_type").map(String::as_str).unwrap_or_default();
        self.given += 1;
        let mut answer = json!({
            "access_token": format!("access-token-{}", self.given),
            "token_type": "Bearer",
            "expires_in": 3600,
        });
        if grant == "refresh_token" {
            if form["refresh_token"] != self.refresh_token {
                return (400, json!({"error": "invalid_grant"}));
            }
            self.refresh_token = format!("refresh-token-{}", self.given);
            answer["refresh_token"] = json!(self.refresh_token);
        }
        answer.as_object_mut().unwrap().extend(self.more.as_object().unwrap().clone());
        (200, answer)
    }

    fn verify(&mut self, issuer: &str, name: &str, token: &str) -> Result<(), String> {
        let header = part(token, 0);
        let claims = part(token, 1);
        let (input, signature) = token.rsplit_once('.').ok_or("no signature")?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "no base64url")?;
        let verified = match &self.knows {
            Knows::PublicKey(algorithm, _) if header["alg"] != *algorithm => false,
            Knows::PublicKey(algorithm, key) => UnparsedPublicKey::new(verifying(algorithm), key)
                .verify(input.as_bytes(), &signature)
                .is_ok(),
            Knows::Secret(secret) => {
                use hmac::{KeyInit as _, Mac as _};
                let mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
                header["alg"] == "HS256" && mac.chain_update(input).verify_slice(&signature).is_ok()
            }
        };
        let now = self.clock.now().as_second() + self.ahead;
        let (iat, exp) = (claims["iat"].as_i64(), claims["exp"].as_i64());
        let (Some(iat), Some(exp)) = (iat, exp) else { return Err("no times".into()) };
        let jti = claims["jti"].as_str().unwrap_or_default().to_owned();
        let of_the_client = name == "client_assertion";
        let rules = [
            (verified, "the signature is wrong"),
            (!of_the_client || claims["iss"] == CLIENT, "iss"),
            (!of_the_client || claims["sub"] == CLIENT, "sub"),
            (!of_the_client || claims["aud"] == issuer, "aud is not the issuer alone"),
            (!of_the_client || header["typ"] == "client-authentication+jwt", "typ"),
            (iat <= now, "issued in the future"),
            (exp > now, "it has expired"),
            (exp - iat <= 300, "it lives too long"),
            (!jti.is_empty() && self.spent.insert(jti), "its jti was used"),
        ];
        match rules.into_iter().find(|(kept, _)| !kept) {
            Some((_, why)) => Err(why.to_owned()),
            None => Ok(()),
        }
    }
}

fn verifying(algorithm: &str) -> &'static dyn VerificationAlgorithm {
    match algorithm {
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "ES256" => &ECDSA_P256_SHA256_FIXED,
        "EdDSA" => &ED25519,
        other => panic!("{other}"),
    }
}

/// The header or the claims of a token; nothing where there is none.
pub fn part(token: &str, place: usize) -> Value {
    let part = token.split('.').nth(place).unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}
