//! A vendor that gives no token without a proof, and takes none without one: it verifies every signature.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::form_urlencoded::parse;

use crate::support::served::Served;

/// What it does beside what the standard says.
#[derive(Default, Clone, Copy)]
pub struct Manner {
    /// Gives tokens that are bound to nothing.
    pub forgets_the_key: bool,
    /// Gives tokens of the bound kind without any proof.
    pub asks_no_proof: bool,
    /// Wants another nonce each time, and takes none.
    pub never_content: bool,
    /// The API takes none of its tokens, and says so in this challenge.
    pub api_asks_for: Option<&'static str>,
    /// The next API calls are refused for their token.
    pub refuses_tokens: usize,
}

/// What it has seen.
#[derive(Default)]
pub struct Seen {
    /// `token`, `orders` …, each with what became of it.
    pub requests: Vec<(String, &'static str)>,
    /// The thumbprints of the keys.
    pub keys: BTreeSet<String>,
    ids: BTreeSet<String>,
    nonces: u32,
    refreshes: u32,
    code_for: String,
}

/// The vendor, until it is dropped.
pub struct Vendor {
    pub url: String,
    pub seen: Arc<Mutex<Seen>>,
    pub manner: Arc<Mutex<Manner>>,
    _served: Served,
}

struct Asked {
    method: String,
    path: String,
    query: String,
    head: String,
    body: String,
}

impl Vendor {
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let (seen, manner) = (Arc::<Mutex<Seen>>::default(), Arc::new(Mutex::new(manner)));
        let (memory, way, own) = (seen.clone(), manner.clone(), url.clone());
        let served = Served::by(listener, move |mut stream| {
            let Some(asked) = read(&mut stream) else { return };
            let answer = answer(&asked, &own, &memory, &way);
            let _ = stream.write_all(answer.as_bytes());
        });
        Self { url, seen, manner, _served: served }
    }

    /// What became of the requests, and forgets them.
    pub fn take(&self) -> Vec<(String, &'static str)> {
        std::mem::take(&mut self.seen.lock().unwrap().requests)
    }
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&part[..count]);
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let length = header(&head, "content-length").map_or(0, |it| it.parse().unwrap());
    while bytes.len() < end + length {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&part[..count]);
    }
    let mut words = head.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let body = String::from_utf8(bytes[end..].to_vec()).unwrap();
    Some(Asked { method, path: path.into(), query: query.into(), head: head.clone(), body })
}

fn header(head: &str, name: &str) -> Option<String> {
    let line = head.lines().find(|line| {
        line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name))
    })?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn field(pairs: &str, name: &str) -> String {
    parse(pairs.as_bytes()).find(|(it, _)| it == name).map(|(_, it)| it.into()).unwrap_or_default()
}

fn answer(asked: &Asked, own: &str, seen: &Mutex<Seen>, manner: &Mutex<Manner>) -> String {
    let (mut seen, mut manner) = (seen.lock().unwrap(), manner.lock().unwrap());
    let name = asked.path.trim_start_matches('/').to_owned();
    if name == "authorize" {
        seen.code_for = field(&asked.query, "dpop_jkt");
        let (to, state) = (field(&asked.query, "redirect_uri"), field(&asked.query, "state"));
        let to = format!("Location: {to}?code=c1&state={state}\r\n");
        return message("303 See Other", &to, "");
    }
    let (what, answer) = match name.as_str() {
        "token" => token(asked, own, &mut seen, &manner),
        "revoke" => (revoked(asked), message("200 OK", "", "")),
        _ => api(asked, own, &mut seen, &mut manner),
    };
    seen.requests.push((name, what));
    answer
}

fn message(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

fn token(asked: &Asked, own: &str, seen: &mut Seen, manner: &Manner) -> (&'static str, String) {
    let wanted = format!("as-{}", seen.nonces / 2);
    let proof = match proof(asked, own, seen) {
        Err(_) if manner.asks_no_proof => json!({ "nonce": wanted, "key": "" }),
        Ok(proof) => proof,
        Err(why) => {
            let body = json!({ "error": "invalid_dpop_proof" }).to_string();
            return (why, message("400 Bad Request", "", &body));
        }
    };
    if manner.never_content || proof["nonce"] != wanted.as_str() {
        seen.nonces += u32::from(manner.never_content) * 2;
        let nonce = format!("DPoP-Nonce: as-{}\r\n", seen.nonces / 2);
        let body = json!({ "error": "use_dpop_nonce" }).to_string();
        return ("nonce", message("400 Bad Request", &nonce, &body));
    }
    assert_eq!(proof.get("ath"), None, "a token request has no token to name");
    let key = proof["key"].as_str().unwrap();
    match field(&asked.body, "grant_type").as_str() {
        "authorization_code" => assert_eq!(seen.code_for, key, "the code is another key's"),
        _ => {
            let expected = format!("refresh-{}", seen.refreshes);
            assert_eq!(field(&asked.body, "refresh_token"), expected, "a spent refresh token");
            seen.refreshes += 1;
        }
    }
    // The next proof must carry the nonce of this answer.
    seen.nonces += 2;
    let next = format!("DPoP-Nonce: as-{}\r\n", seen.nonces / 2);
    let kind = if manner.forgets_the_key { "Bearer" } else { "dpop" };
    let body = json!({
        "access_token": format!("access-{}", seen.refreshes), "token_type": kind,
        "refresh_token": format!("refresh-{}", seen.refreshes), "expires_in": 3600,
    });
    ("given", message("200 OK", &next, &body.to_string()))
}

/// Which of its tokens is to end.
fn revoked(asked: &Asked) -> &'static str {
    match field(&asked.body, "token").as_str() {
        "access-0" => "access-0",
        "refresh-0" => "refresh-0",
        _ => "another",
    }
}

fn api(asked: &Asked, own: &str, seen: &mut Seen, manner: &mut Manner) -> (&'static str, String) {
    if let Some(challenge) = manner.api_asks_for {
        let challenge = format!("WWW-Authenticate: {challenge}\r\n");
        return ("turned away", message("401 Unauthorized", &challenge, "{}"));
    }
    let refusal = |error: &str, nonce: &str| {
        let challenge = format!("WWW-Authenticate: DPoP error=\"{error}\"\r\n{nonce}");
        message("401 Unauthorized", &challenge, "{}")
    };
    let proof = match proof(asked, own, seen) {
        Ok(proof) => proof,
        Err(why) => return (why, refusal("invalid_dpop_proof", "")),
    };
    if manner.never_content || proof["nonce"] != "api-1" {
        seen.nonces += u32::from(manner.never_content);
        let number = if manner.never_content { seen.nonces } else { 1 };
        return ("nonce", refusal("use_dpop_nonce", &format!("DPoP-Nonce: api-{number}\r\n")));
    }
    let token = format!("access-{}", seen.refreshes);
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()));
    let shown = header(&asked.head, "authorization").unwrap_or_default();
    if manner.refuses_tokens > 0
        || shown != format!("DPoP {token}")
        || proof["ath"] != hash.as_str()
    {
        manner.refuses_tokens = manner.refuses_tokens.saturating_sub(1);
        return ("refused", refusal("invalid_token", ""));
    }
    ("answered", message("200 OK", "", "{\"orders\":[]}"))
}

/// The claims of a good proof, with the thumbprint of its key.
fn proof(asked: &Asked, own: &str, seen: &mut Seen) -> Result<Value, &'static str> {
    let proofs = asked.head.lines().filter(|line| line.to_lowercase().starts_with("dpop:")).count();
    let text = header(&asked.head, "dpop").filter(|_| proofs == 1).ok_or("one proof")?;
    let (input, signature) = text.rsplit_once('.').ok_or("two dots")?;
    let part = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| "base64url");
    let (head, claims) = input.split_once('.').ok_or("two dots")?;
    let head: Value = serde_json::from_slice(&part(head)?).map_err(|_| "header")?;
    let mut claims: Value = serde_json::from_slice(&part(claims)?).map_err(|_| "claims")?;
    let jwk = &head["jwk"];
    if head["typ"] != "dpop+jwt" || head["alg"] != "ES256" || jwk.get("d").is_some() {
        return Err("header");
    }
    let point = |name: &str| part(jwk[name].as_str().ok_or("jwk")?);
    let (x, y) = (point("x")?, point("y")?);
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [vec![4], x.clone(), y.clone()].concat())
        .verify(input.as_bytes(), &part(signature)?)
        .map_err(|_| "signature")?;
    let target = format!("{own}{}", asked.path);
    if claims["htm"] != asked.method.as_str() || claims["htu"] != target.as_str() {
        return Err("another request");
    }
    if !seen.ids.insert(claims["jti"].as_str().ok_or("jti")?.to_owned()) {
        return Err("used twice");
    }
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let members =
        format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, encode(&x), encode(&y));
    let key = encode(&Sha256::digest(members.as_bytes()));
    seen.keys.insert(key.clone());
    claims["key"] = key.into();
    Ok(claims)
}
