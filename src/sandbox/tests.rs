//! Each vendor's strictness over raw HTTP: what a client gets that does one thing wrong.

mod api;
mod authorization;
mod device;
mod faults;
mod token;
mod webhooks;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use url::Url;
use url::form_urlencoded::Serializer;

use super::walk::wire::{self, Received};
use super::*;
use crate::clock::Wait;
use crate::provider::schema::{BodyFormat, ClientAuthentication};

/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A clock moved by hand.
struct HandClock(Mutex<Timestamp>);

impl HandClock {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new("2026-06-01T12:00:00Z".parse().unwrap())))
    }

    fn forward(&self, seconds: i64) {
        *self.0.lock().unwrap() += SignedDuration::from_secs(seconds);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, _: Duration) -> Wait<'_> {
        Box::pin(std::future::ready(()))
    }
}

/// A sandbox under test, with its clock and a client that knows how its vendor wants things said.
struct Bench {
    sandbox: Sandbox,
    clock: Arc<HandClock>,
}

impl Bench {
    fn of(vendor: &str) -> Self {
        Self::with(vendor, Behaviour::default())
    }

    fn with(vendor: &str, behaviour: Behaviour) -> Self {
        let clock = HandClock::new();
        let options = Options { clock: clock.clone(), behaviour, ..Options::default() };
        Self { sandbox: Sandbox::start(vendor, options).unwrap(), clock }
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Received {
        let url = Url::parse(&format!("{}{path}", self.sandbox.origin())).unwrap();
        wire::send(method, &url, headers, body.as_bytes()).unwrap()
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> Received {
        self.send("GET", path, headers, "")
    }

    /// What comes back for these bytes, as they are.
    fn raw(&self, request: &str) -> String {
        let address = self.sandbox.origin().replace("http://", "");
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        // What came before a reset counts.
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The path of an endpoint.
    fn path(&self, endpoint: Endpoint) -> String {
        Url::parse(&self.sandbox.url(endpoint).unwrap()).unwrap().path().to_owned()
    }

    /// A sound authorization request of this vendor.
    fn authorization_request(&self, scope: &str) -> Vec<(String, String)> {
        let client = self.sandbox.client();
        let authorize = self.sandbox.provider().authorize.clone().unwrap();
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", client.client_id.as_str()),
            ("scope", scope),
            ("state", "st4te"),
        ];
        if authorize.redirect.send {
            parameters.push(("redirect_uri", &client.redirect_uri));
        }
        if authorize.pkce == crate::provider::schema::Pkce::S256 {
            parameters.push(("code_challenge", CHALLENGE));
            parameters.push(("code_challenge_method", "S256"));
        }
        owned(&parameters)
    }

    fn authorize(&self, parameters: &[(String, String)]) -> Received {
        let query = encoded(parameters);
        self.get(&format!("{}?{query}", self.path(Endpoint::Authorization)), &[])
    }

    /// The redirect that follows a decision on a sound consent page.
    fn decided(&self, page: &Received, decision: &str) -> Received {
        let text = String::from_utf8(page.body.clone()).unwrap();
        let ticket =
            text.split_once("name=\"ticket\" value=\"").unwrap().1.split('"').next().unwrap();
        let body = encoded(&owned(&[("ticket", ticket), ("decision", decision)]));
        self.send("POST", &self.path(Endpoint::Authorization), FORM, &body)
    }

    /// A code that the person has just granted.
    fn code(&self, scope: &str) -> String {
        let page = self.authorize(&self.authorization_request(scope));
        assert_eq!(page.status, 200, "{}", String::from_utf8_lossy(&page.body));
        query_of(&self.decided(&page, "allow"), "code").unwrap()
    }

    /// Sends a token request in the vendor's own form and with its own client authentication.
    fn token(&self, parameters: &[(&str, &str)]) -> Received {
        self.to_endpoint(Endpoint::Token, self.sandbox.provider().token.body, parameters)
    }

    fn to_endpoint(
        &self,
        endpoint: Endpoint,
        format: BodyFormat,
        parameters: &[(&str, &str)],
    ) -> Received {
        let client = self.sandbox.client();
        let secret = client.client_secret.unwrap();
        let mut all = owned(parameters);
        let mut headers = Vec::new();
        match self.sandbox.provider().client.auth {
            ClientAuthentication::Basic => {
                headers.push(("authorization", self.basic(&client.client_id, secret.expose())));
            }
            _ => {
                all.push(("client_id".into(), client.client_id.clone()));
                all.push(("client_secret".into(), secret.expose().to_owned()));
            }
        }
        let rename = &self.sandbox.provider().token.rename;
        for (name, _) in &mut all {
            *name = rename.get(name).unwrap_or(name).clone();
        }
        let (content_type, body) = match format {
            BodyFormat::Form => ("application/x-www-form-urlencoded", encoded(&all)),
            BodyFormat::Json => {
                let members = all.into_iter().map(|(name, value)| (name, Value::from(value)));
                ("application/json", Value::Object(members.collect()).to_string())
            }
        };
        headers.push(("content-type", content_type.to_owned()));
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        self.send("POST", &self.path(endpoint), &headers, &body)
    }

    fn basic(&self, id: &str, secret: &str) -> String {
        use crate::provider::schema::BasicEncoding::{Form, Raw};
        let form = |text: &str| Serializer::new(String::new()).append_key_only(text).finish();
        let pair = match self.sandbox.provider().client.basic_encoding {
            Raw => format!("{id}:{secret}"),
            Form => format!("{}:{}", form(id), form(secret)),
        };
        format!("Basic {}", STANDARD.encode(pair))
    }

    /// The token request for a code, sound in every way.
    fn exchange(&self, code: &str) -> Received {
        let redirect_uri = self.sandbox.client().redirect_uri;
        let mut parameters = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri.as_str()),
        ];
        let pkce = self.sandbox.provider().authorize.as_ref().unwrap().pkce;
        if pkce == crate::provider::schema::Pkce::S256 {
            parameters.push(("code_verifier", VERIFIER));
        }
        self.token(&parameters)
    }

    /// A connected client's tokens.
    fn tokens(&self, scope: &str) -> Value {
        let received = self.exchange(&self.code(scope));
        assert_eq!(received.status, 200, "{}", String::from_utf8_lossy(&received.body));
        json_of(&received)
    }

    fn refresh(&self, refresh_token: &Value) -> Received {
        let token = refresh_token.as_str().unwrap();
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)])
    }

    /// Calls with the access token in the vendor's scheme and with the vendor's headers.
    fn call(&self, method: &str, path: &str, token: &Value, body: &str) -> Received {
        self.call_with(method, path, token, &[], body)
    }

    fn call_with(
        &self,
        method: &str,
        path: &str,
        token: &Value,
        more: &[(&str, &str)],
        body: &str,
    ) -> Received {
        let api = &self.sandbox.provider().api;
        let token = format!("{} {}", api.authorization.scheme, token.as_str().unwrap());
        let mut headers = vec![("authorization", token.as_str()), ("user-agent", "a test")];
        let fixed = api.headers.iter().filter(|(_, value)| !value.contains('{'));
        headers.extend(fixed.map(|(name, value)| (name.as_str(), value.as_str())));
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        headers.extend(more);
        self.send(method, path, &headers, body)
    }
}

const FORM: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded")];

fn owned(parameters: &[(&str, &str)]) -> Vec<(String, String)> {
    parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn encoded(parameters: &[(String, String)]) -> String {
    Serializer::new(String::new()).extend_pairs(parameters).finish()
}

fn json_of(received: &Received) -> Value {
    serde_json::from_slice(&received.body)
        .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&received.body)))
}

fn location(received: &Received) -> Url {
    Url::parse(received.header("location").expect("a redirect")).unwrap()
}

fn query_of(received: &Received, name: &str) -> Option<String> {
    let url = location(received);
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn reason(received: &Received) -> &str {
    received.header("x-sandbox-reason").unwrap_or_default()
}

#[test]
fn a_sandbox_that_is_dropped_leaves_its_port() {
    let sandbox = Sandbox::start("inkress", Options::default()).unwrap();
    let port = Url::parse(&sandbox.origin()).unwrap().port().unwrap();
    let taken = Sandbox::start("inkress", Options { port, ..Options::default() });
    assert!(matches!(taken, Err(SandboxError::Port { .. })));
    drop(sandbox);
    let again = Sandbox::start("inkress", Options { port, ..Options::default() }).unwrap();
    assert_eq!(again.origin(), format!("http://127.0.0.1:{port}"));
}

#[test]
fn a_vendor_nobody_stands_in_for_is_named() {
    let error = Sandbox::start("nobody", Options::default()).err().unwrap();
    assert_eq!(error.to_string(), "there is no sandbox for `nobody`");
}

#[test]
fn how_to_connect_names_what_a_person_must_type() {
    let bench = Bench::of("merchantos");
    let how = bench.sandbox.how_to_connect();
    assert_eq!(how.provider, "merchantos");
    assert_eq!(how.client.redirect_uri, "http://127.0.0.1:8976/callback/merchantos");
    assert!(how.settings.contains(&("account_id".into(), "12345".into())));
    assert!(how.settings.contains(&("auth_host".into(), bench.sandbox.origin())));
    assert!(Bench::of("inventorum").sandbox.how_to_connect().owner.is_some());
}

#[test]
fn the_front_page_says_who_answers() {
    let bench = Bench::of("inkress");
    let page = bench.get("/", &[]);
    let text = String::from_utf8(page.body).unwrap();
    assert!(text.contains("Inkress on loopback") && text.contains("/api/v1/hooks/oauth/revoke"));
    assert_eq!(bench.get("/favicon.ico", &[]).status, 404);
}

#[test]
fn another_name_that_points_at_loopback_reaches_nothing() {
    let bench = Bench::of("inkress");
    let url = bench.sandbox.origin();
    let port = url.rsplit(':').next().unwrap();
    for (host, status) in [
        (format!("127.0.0.1:{port}"), "200"),
        (format!("localhost:{port}"), "200"),
        (format!("evil.example:{port}"), "421"),
        ("127.0.0.1".to_owned(), "421"),
        (format!("127.0.0.1:{port}\r\nhost: evil.example"), "421"),
    ] {
        let answer =
            bench.raw(&format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"));
        assert_eq!(answer.split(' ').nth(1), Some(status), "{host}");
    }
}

#[test]
fn the_log_keeps_what_was_sent_and_counts_by_endpoint() {
    let bench = Bench::of("inkress");
    bench.token(&[("grant_type", "refresh_token"), ("refresh_token", "inkr_x")]);
    let seen = bench.sandbox.log().pop().unwrap();
    assert_eq!(seen.path_and_query, "/api/v1/hooks/oauth/token");
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert!(seen.text().contains("inkr_x"));
    assert_eq!(bench.sandbox.counts(Endpoint::Token), 1);
    assert_eq!(bench.sandbox.refusals(), ["the refresh token is not known"]);
    assert_eq!(json!(bench.sandbox.counts(Endpoint::Api)), json!(0));
}
