//! A new key that was sent with an update whose answer is of no use: whichever key the server knows
//! afterwards, keyfob has it and comes to use it.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::clients::is_signed;
use crate::support::site::{Asked, Said, Site};
use crate::support::world::{Ran, World};

/// What an update is answered with.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Fit,
    Unfit,
    Down,
    Refused,
}

/// How the server keeps its client.
struct Desk {
    answer: Answer,
    /// Whether an update changes what the client is known by.
    takes: bool,
    /// The public key of the client.
    key: Vec<u8>,
    /// The keys that were sent, oldest first.
    sent: Vec<Vec<u8>>,
}

struct Server {
    world: World,
    site: Site,
    desk: Arc<Mutex<Desk>>,
}

/// The public key in the metadata of a client.
fn key_of(asked: &Asked) -> Vec<u8> {
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    let part = |name: &str| {
        let text = body["jwks"]["keys"][0][name].as_str().unwrap();
        URL_SAFE_NO_PAD.decode(text).unwrap()
    };
    [vec![4], part("x"), part("y")].concat()
}

fn information(origin: &str, asked: &Asked) -> Value {
    let mut whole: Value = serde_json::from_str(&asked.body).unwrap();
    whole["client_id"] = json!("c1");
    whole["registration_client_uri"] = json!(format!("{origin}/register/c1"));
    whole["registration_access_token"] = json!("registration-token-1");
    whole
}

fn token(desk: &Desk, origin: &str, asked: &Asked) -> Said {
    let form = url::form_urlencoded::parse(asked.body.as_bytes());
    let assertion = form.into_owned().find(|(name, _)| name == "client_assertion").unwrap().1;
    match is_signed(&assertion, &desk.key, origin, "c1") {
        true => Said::json(
            200,
            &json!({"access_token": "access-token-1", "token_type": "Bearer", "expires_in": 3600}),
        ),
        false => Said::json(401, &json!({"error": "invalid_client"})),
    }
}

fn update(desk: &mut Desk, origin: &str, asked: &Asked) -> Said {
    desk.sent.push(key_of(asked));
    if desk.takes {
        desk.key = key_of(asked);
    }
    let mut whole = information(origin, asked);
    match desk.answer {
        Answer::Fit => Said::json(200, &whole),
        Answer::Unfit => {
            whole["token_endpoint_auth_method"] = json!("magic");
            Said::json(200, &whole)
        }
        Answer::Down => Said::text(503, ""),
        Answer::Refused => Said::json(400, &json!({"error": "invalid_client_metadata"})),
    }
}

impl Server {
    /// A client is registered with a key and connected; its next updates are answered so.
    fn connected(answer: Answer, takes: bool) -> Self {
        let start = Desk { answer: Answer::Fit, takes: true, key: Vec::new(), sent: Vec::new() };
        let desk = Arc::new(Mutex::new(start));
        let own = desk.clone();
        let site = Site::saying(move |origin, asked| {
            let mut desk = own.lock().unwrap();
            match (&*asked.method, &*asked.path) {
                (_, "/.well-known/oauth-authorization-server") => Said::json(
                    200,
                    &json!({
                        "issuer": origin,
                        "token_endpoint": format!("{origin}/token"),
                        "registration_endpoint": format!("{origin}/register"),
                        "grant_types_supported": ["client_credentials"],
                        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                        "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
                    }),
                ),
                ("POST", "/register") => {
                    desk.key = key_of(asked);
                    Said::json(201, &information(origin, asked))
                }
                ("PUT", "/register/c1") => update(&mut desk, origin, asked),
                ("POST", "/token") => token(&desk, origin, asked),
                _ => Said::text(404, ""),
            }
        });
        let server = Self { world: World::new(), site, desk };
        server.connect(&["--register"], Some(&another_key())).ok();
        let mut desk = server.desk.lock().unwrap();
        (desk.answer, desk.takes) = (answer, takes);
        drop(desk);
        server
    }

    /// `connect x`, with a key where one is given.
    fn connect(&self, more: &[&str], key: Option<&str>) -> Ran {
        let words =
            ["connect", "x", "--provider", self.site.origin(), "--flow", "client-credentials"];
        let mut words: Vec<&str> = words.into_iter().chain(more.iter().copied()).collect();
        if let Some(key) = key {
            *self.world.stdin.borrow_mut() = key.as_bytes().to_vec();
            words.extend(["--client-key-file", "-"]);
        }
        self.world.run(words)
    }

    fn answers(&self, answer: Answer) {
        self.desk.lock().unwrap().answer = answer;
    }

    fn sent(&self) -> Vec<Vec<u8>> {
        self.desk.lock().unwrap().sent.clone()
    }

    /// The key in force, and the other one.
    fn keys(&self) -> (Value, Value) {
        let entry: Value = serde_json::from_str(&self.world.shelf.entry("x").unwrap()).unwrap();
        let secret = |name: &str| entry["secrets"][name].clone();
        (secret("private_key"), secret("other_private_key"))
    }
}

fn another_key() -> String {
    rcgen::KeyPair::generate().unwrap().serialize_pem().trim_end().to_owned()
}

const BOTH: &str = "is kept beside the one of before";

#[test] // EX7, CA6
fn a_key_that_the_server_has_taken_is_used_once_the_old_one_is_not_known() {
    for (answer, exit) in [(Answer::Unfit, 3), (Answer::Down, 7)] {
        let server = Server::connected(answer, true);
        let (old, new) = (server.keys().0, another_key());
        let ran = server.connect(&[], Some(&new)).exits(exit).says(BOTH);
        assert!(!ran.stderr.contains("PRIVATE KEY"), "{}", ran.stderr);
        assert_eq!(server.keys(), (old, json!(new)), "{answer:?}");
        let ran = server.world.line("refresh x").exits(3);
        ran.says("may know the client by the other of the two");
        server.world.line("refresh x").ok();
        assert_eq!(server.keys(), (json!(new), Value::Null), "{answer:?}");
    }
}

#[test] // EX7, CA6
fn a_key_that_the_server_has_not_taken_is_forgotten_once_the_old_one_is_known() {
    for (answer, exit) in [(Answer::Unfit, 3), (Answer::Down, 7)] {
        let server = Server::connected(answer, false);
        let old = server.keys().0;
        server.connect(&[], Some(&another_key())).exits(exit).says(BOTH);
        server.world.line("refresh x").ok();
        assert_eq!(server.keys(), (old, Value::Null), "{answer:?}");
    }
}

#[test] // EX7, CA6
fn connecting_again_tells_the_server_once_more() {
    for takes in [true, false] {
        let server = Server::connected(Answer::Down, takes);
        let new = another_key();
        server.connect(&[], Some(&new)).exits(7);
        server.answers(Answer::Fit);
        server.desk.lock().unwrap().takes = true;
        server.connect(&[], None).ok().says("by the key that was given");
        assert_eq!(server.keys(), (json!(new), Value::Null));
        let sent = server.sent();
        assert_eq!((sent.len(), &sent[0]), (2, &sent[1]));
        server.world.line("refresh x").ok();
    }
}

#[test] // EX7, CA6
fn a_third_key_is_sent_after_the_second_one_is_settled() {
    let server = Server::connected(Answer::Down, true);
    server.connect(&[], Some(&another_key())).exits(7);
    let third = another_key();
    // Else the server might know a key that is kept nowhere.
    server.connect(&[], Some(&third)).exits(7).says(BOTH);
    let sent = server.sent();
    assert_eq!((sent.len(), &sent[0]), (2, &sent[1]));
    server.answers(Answer::Fit);
    server.connect(&[], Some(&third)).ok();
    let sent = server.sent();
    assert_eq!((sent.len(), &sent[0]), (4, &sent[2]));
    assert_ne!(sent[2], sent[3]);
    assert_eq!(server.keys(), (json!(third), Value::Null));
    server.world.line("refresh x").ok();
}

#[test] // EX7, CA6
fn a_key_that_was_refused_is_not_kept() {
    let server = Server::connected(Answer::Refused, false);
    let before = server.keys();
    let ran = server.connect(&[], Some(&another_key())).exits(5);
    assert!(!ran.stderr.contains(BOTH), "{}", ran.stderr);
    assert_eq!((server.keys(), &before.1), (before.clone(), &Value::Null));
    // A verdict on the second request says nothing about the first.
    server.answers(Answer::Down);
    let new = another_key();
    server.connect(&[], Some(&new)).exits(7);
    server.answers(Answer::Refused);
    server.connect(&[], None).exits(5);
    assert_eq!(server.keys(), (before.0, json!(new)));
}
