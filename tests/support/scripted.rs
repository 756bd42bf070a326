//! A server that does what a test says: an authorization server and an API in one, with a memory.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::form_urlencoded::{Serializer, parse};

use super::served::Served;

/// Names and values in their order.
pub type Pairs = Vec<(String, String)>;

/// One request.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `POST /token`.
    pub line: String,
    /// Of the address.
    pub query: Pairs,
    /// With names in lower case.
    pub headers: Pairs,
    /// Of the body.
    pub form: Pairs,
}

/// One answer; status 0 closes the connection without any.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// A server that runs until it is dropped.
pub struct Scripted {
    /// `http://127.0.0.1:PORT`.
    pub origin: String,
    log: Arc<Mutex<Vec<Asked>>>,
    _served: Served,
}

impl Answer {
    /// A JSON document.
    pub fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body: body.to_string() }
    }

    /// Anything else.
    pub fn text(status: u16, body: &str) -> Self {
        Self { status, headers: Vec::new(), body: body.to_owned() }
    }

    /// With one more header.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// The first value of that name.
pub fn value<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    pairs.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
}

/// Every value of that name.
pub fn values<'a>(pairs: &'a Pairs, name: &str) -> Vec<&'a str> {
    pairs.iter().filter(|(it, _)| it == name).map(|(_, value)| value.as_str()).collect()
}

/// The names, in their order.
pub fn names(pairs: &Pairs) -> Vec<&str> {
    pairs.iter().map(|(name, _)| name.as_str()).collect()
}

impl Scripted {
    /// Answers as the script says; it is given the server's own origin.
    pub fn start(script: impl Fn(&Asked, &str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let log: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (memory, own, script) = (log.clone(), origin.clone(), Arc::new(script));
        let served = Served::by(listener, move |mut stream| {
            let (memory, own, script) = (memory.clone(), own.clone(), script.clone());
            std::thread::spawn(move || {
                let Some(asked) = hear(&mut stream) else { return };
                memory.lock().unwrap().push(asked.clone());
                tell(stream, &script(&asked, &own));
            });
        });
        Self { origin, log, _served: served }
    }

    /// One that does everything right.
    pub fn honest() -> Self {
        Self::start(honest)
    }

    /// One that does everything right, and is found by its URL; what `more` makes of its origin
    /// stands in its metadata as well.
    pub fn described(more: impl Fn(&str) -> Value + Send + Sync + 'static) -> Self {
        Self::start(move |asked, origin| match asked.line.as_str() {
            "GET /.well-known/oauth-authorization-server" => {
                let mut metadata = json!({
                    "issuer": origin,
                    "authorization_endpoint": format!("{origin}/authorize"),
                    "token_endpoint": format!("{origin}/token"),
                    "response_types_supported": ["code"],
                    "authorization_response_iss_parameter_supported": true,
                });
                metadata.as_object_mut().unwrap().extend(more(origin).as_object().unwrap().clone());
                Answer::json(200, &metadata)
            }
            _ => honest(asked, origin),
        })
    }

    /// What came to a place, such as `POST /token`, oldest first.
    pub fn heard(&self, line: &str) -> Vec<Asked> {
        self.log.lock().unwrap().iter().filter(|it| it.line == line).cloned().collect()
    }

    /// How much came at all.
    pub fn count(&self) -> usize {
        self.log.lock().unwrap().len()
    }

    /// A provider file for it; `authorize` and `token` are further words of these tables.
    pub fn provider(&self, authorize: &str, token: &str) -> String {
        let origin = &self.origin;
        format!(
            "schema = 1\nname = \"plain\"\ntitle = \"Plain\"\nflows = [\"authorization_code\"]\n\
             [discovery]\nurl = \"{origin}/meta\"\nissuer = \"{origin}\"\niss_in_response = true\n\
             [client]\nauth = \"basic\"\n\
             [token]\nurl = \"{origin}/token\"\n{token}\n\
             [revoke]\nurl = \"{origin}/revoke\"\n\
             [api]\nbase_url = \"{origin}\"\n\
             [authorize]\nurl = \"{origin}/authorize\"\n{authorize}\n"
        )
    }
}

/// The script of a server that does everything right, and asks nobody.
pub fn honest(asked: &Asked, origin: &str) -> Answer {
    match asked.line.as_str() {
        "POST /par" => {
            // What an answer needs, so that nothing has to be remembered.
            let needed = ["redirect_uri", "state", "code_challenge"];
            let kept = asked.form.iter().filter(|(name, _)| needed.contains(&name.as_str()));
            let mut whole = Serializer::new(String::new());
            whole.extend_pairs(kept);
            let name = URL_SAFE_NO_PAD.encode(whole.finish());
            Answer::json(201, &json!({"request_uri": format!("urn:x:{name}"), "expires_in": 60}))
        }
        "GET /authorize" => sent_back(origin, &request_of(&asked.query)),
        "POST /token" => tokens(&asked.form),
        "GET /me" => Answer::json(200, &json!({"me": true})),
        _ => Answer::text(404, ""),
    }
}

/// The parameters of an authorization request, also where they were pushed.
pub fn request_of(query: &Pairs) -> Pairs {
    let pushed = value(query, "request_uri").and_then(|it| it.strip_prefix("urn:x:"));
    match pushed {
        Some(name) => {
            let text = URL_SAFE_NO_PAD.decode(name).unwrap();
            parse(&text).into_owned().collect()
        }
        None => query.clone(),
    }
}

/// Back to the client; the code says to which challenge it belongs.
fn sent_back(origin: &str, request: &Pairs) -> Answer {
    let code = format!("code.{}", value(request, "code_challenge").unwrap_or_default());
    let state = value(request, "state").unwrap_or_default();
    let answer = [("code", code.as_str()), ("state", state), ("iss", origin)];
    back(request, &answer)
}

/// Back to the client with anything.
pub fn back(request: &Pairs, answer: &[(&str, &str)]) -> Answer {
    let mut query = Serializer::new(String::new());
    query.extend_pairs(answer);
    let uri = value(request, "redirect_uri").unwrap_or_default();
    Answer::text(303, "").with("location", format!("{uri}?{}", query.finish()))
}

/// Tokens for a code with its verifier, for a refresh token, or for the client itself.
pub fn tokens(form: &Pairs) -> Answer {
    let verifier = value(form, "code_verifier").unwrap_or_default();
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let is_good = match value(form, "grant_type") {
        Some("authorization_code") => value(form, "code") == Some(&format!("code.{challenge}")),
        Some("refresh_token") => value(form, "refresh_token") == Some("refresh.1"),
        Some("client_credentials") => true,
        _ => false,
    };
    match is_good {
        true => Answer::json(200, &granted()),
        false => Answer::json(400, &json!({"error": "invalid_grant"})),
    }
}

/// A token response.
pub fn granted() -> Value {
    json!({
        "access_token": "access.1",
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": "refresh.1",
    })
}

fn hear(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break end;
        }
        more(stream, &mut bytes)?;
    };
    let head = String::from_utf8(bytes.drain(..end + 4).collect()).ok()?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?, first.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Pairs = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = value(&headers, "content-length").map_or(0, |it| it.parse().unwrap());
    while bytes.len() < length {
        more(stream, &mut bytes)?;
    }
    Some(Asked {
        line: format!("{method} {path}"),
        query: parse(query.as_bytes()).into_owned().collect(),
        headers,
        form: parse(&bytes).into_owned().collect(),
    })
}

fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut part = [0; 4096];
    let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
    bytes.extend_from_slice(&part[..count]);
    Some(())
}

fn tell(mut stream: TcpStream, answer: &Answer) {
    if answer.status == 0 {
        return;
    }
    let mut text = format!(
        "HTTP/1.1 {} X\r\nContent-Length: {}\r\nConnection: close\r\n",
        answer.status,
        answer.body.len()
    );
    for (name, value) in &answer.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    // Whoever has gone wants no answer.
    let _ = stream.write_all(format!("{text}\r\n{}", answer.body).as_bytes());
}
