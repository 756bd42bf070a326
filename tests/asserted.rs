//! Grants in which a signed token speaks: the client's own, a ready one, or one that is exchanged.

use serde_json::{Value, json};

use crate::client_keys::{P256, of_p256};
use crate::support::private_file;
use crate::support::verifier::{CLIENT, Came, Fate, Verifier};
use crate::support::world::{Ran, World};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A runner's token, as marked as a secret can be.
const SUBJECT: &str = "MARKED-subject.MARKED-of-the-runner.MARKED-signature";

struct Place {
    world: World,
    server: Verifier,
}

impl Place {
    fn new(flow: &str, more: &str) -> Self {
        let world = World::new();
        let server = Verifier::that_knows(of_p256(), world.clock.clone());
        let (issuer, folder) = (&server.issuer, world.home().providers());
        let text = format!(
            "schema = 1\nname = \"signed\"\ntitle = \"Signed\"\nflows = [\"{flow}\"]\n[client]\nauth = \"id\"\nsecret = \"none\"\n[token]\nurl = \"{issuer}/token\"\n[revoke]\nurl = \"{issuer}/revoke\"\n[api]\nbase_url = \"{issuer}\"\n{more}\n"
        );
        private_file(&folder.join("signed.toml"), text);
        Self { world, server }
    }

    fn connect(&self, more: &[&str]) -> Ran {
        let words = ["connect", "shop", "--provider", "signed", "--client-id", CLIENT];
        self.world.run(words.into_iter().chain(more.iter().copied()).collect::<Vec<_>>())
    }

    fn line(&self, line: &str) -> Ran {
        self.world.run(line.split(' ').collect::<Vec<_>>())
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.world.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn exchange(&self, more: &[&str]) -> Ran {
        let file = self.file("subject", SUBJECT);
        let words = ["--subject-token-file", &file, "--subject-token-type", "jwt"];
        self.connect(&words.into_iter().chain(more.iter().copied()).collect::<Vec<_>>())
    }

    fn came(&self) -> Vec<Came> {
        self.server.came()
    }

    fn is_not_connected(&self) {
        self.line("token shop").exits(3).without_product();
    }
}

const ROBOT: &str = "[settings.user]\nask = \"For whom\"\n[jwt_bearer]\nsubject = \"{user}\"\naudience = \"https://tokens.test\"\nlifetime = 120\nscope = \"claim\"\n[jwt_bearer.claims]\ntenant = \"of-{client_id}\"";

#[test] // CA6, CA10
fn an_assertion_of_the_client_s_own_gives_tokens_for_somebody_and_renews_them() {
    let place = Place::new("jwt_bearer", ROBOT);
    let key = place.file("key", P256);
    place.connect(&["--client-key-file", &key, "--set", "user=ada", "--scope", "orders:read"]).ok();
    assert_eq!(place.line("token shop").ok().stdout, "access-token-1\n");
    place.world.pass(2 * 3600);
    assert_eq!(place.line("token shop").ok().stdout, "access-token-2\n");
    let came = place.came();
    for came in &came {
        let names: Vec<&String> = came.form.keys().collect();
        assert_eq!(names, ["assertion", "client_id", "grant_type"]);
        assert_eq!(came.form["grant_type"], JWT_BEARER);
        let claims = &came.claims["assertion"];
        let said =
            ["iss", "sub", "aud", "scope", "tenant"].map(|name| claims[name].as_str().unwrap());
        assert_eq!(said, [CLIENT, "ada", "https://tokens.test", "orders:read", "of-client-1"]);
        let (iat, exp) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
        assert_eq!(exp - iat, 120);
    }
    assert_ne!(came[0].claims["assertion"]["jti"], came[1].claims["assertion"]["jti"]);
    // It is kept for another `connect`, which needs no flag.
    place.line("connect shop").ok();
    assert_eq!(place.came().len(), 3);
}

#[test]
fn without_words_of_the_provider_the_client_speaks_for_itself_to_the_token_endpoint() {
    let place = Place::new("jwt_bearer", "");
    place.connect(&["--scope", "a"]).exits(3).says("there is no private key for `shop`");
    let key = place.file("key", P256);
    place.connect(&["--client-key-file", &key, "--scope", "a"]).ok();
    let came = place.came();
    let claims = &came[0].claims["assertion"];
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(CLIENT), &json!(CLIENT)));
    assert_eq!(claims["aud"], format!("{}/token", place.server.issuer));
    assert_eq!(came[0].form["scope"], "a");
}

/// An assertion as another program would make it, with the key that the server knows.
#[test] // CA10
fn a_file_that_forgets_to_say_that_the_assertion_is_enough_is_told_the_words() {
    let place = Place::new("jwt_bearer", "");
    let file = place.world.home().providers().join("signed.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("auth = \"id\"\nsecret = \"none\"\n", "")).unwrap();
    let key = place.file("key", P256);
    let ran = place.connect(&["--client-key-file", &key]).exits(3);
    ran.says("there is no client secret").says("`auth = \"id\"` and `secret = \"none\"`");
    assert_eq!(place.came().len(), 0);
    std::fs::write(&file, text).unwrap();
    place.connect(&["--client-key-file", &key]).ok();
}

fn ready(place: &Place, audience: &str, ends_in: i64) -> String {
    use keyfob::authorization_server::jose::{Members, SigningKey};
    use keyfob::clock::Clock as _;
    let now = place.world.clock.now().as_second();
    let claims = json!({
        "iss": "https://elsewhere.test", "sub": "ada", "aud": audience, "jti": "once",
        "iat": now, "exp": now + ends_in,
    });
    let Value::Object(claims) = claims else { unreachable!() };
    let key = SigningKey::read(&keyfob::secret::Secret::new(P256), None).unwrap();
    key.sign(Members::new(), &claims).unwrap().expose().to_owned()
}

#[test] // CA10
fn a_ready_assertion_is_sent_as_it_is_and_renews_nothing() {
    let place = Place::new("jwt_bearer", "");
    let assertion = ready(&place, &format!("{}/token", place.server.issuer), 200);
    *place.world.stdin.borrow_mut() = format!("{assertion}\n").into_bytes();
    place
        .connect(&["--assertion-file", "-", "-v", "-v", "-v"])
        .ok()
        .says("when the access token ends, connect again");
    assert_eq!(place.came()[0].form["assertion"], assertion);
    assert_eq!(place.line("token shop").ok().stdout, "access-token-1\n");
    let status = place.world.status("shop");
    assert_eq!((&status["state"], &status["refresh_expires_at"]), (&json!("ready"), &Value::Null));
    place.world.pass(2 * 3600);
    place.line("token shop").exits(4).says("cannot be renewed");
    assert_eq!(place.world.status("shop")["needs_attention"], true);
    assert_eq!(place.came().len(), 1);
}

#[test] // CA10
fn a_ready_assertion_for_another_time_or_another_server_is_not_sent() {
    let place = Place::new("jwt_bearer", "");
    let here = format!("{}/token", place.server.issuer);
    let cases = [
        (ready(&place, "https://other.test", 200), "it is for https://other.test, and not for"),
        (ready(&place, &here, -1), "it ended at"),
        (SUBJECT.to_owned(), "it is no signed JSON Web Token"),
    ];
    for (assertion, says) in cases {
        let file = place.file("assertion", &assertion);
        let ran = place.connect(&["--assertion-file", &file, "-v", "-v"]).exits(3).says(says);
        assert!(!ran.stderr.contains("MARKED"), "{}", ran.stderr);
    }
    assert_eq!(place.came().len(), 0);
    place.is_not_connected();
}

const CLOUD: &str = "[token_exchange]\nrequested_token_type = \"urn:ietf:params:oauth:token-type:access_token\"\n[token_exchange.params]\naudience = \"//cloud.test/{client_id}\"\nresource = \"https://default.test\"";

#[test] // EX6
fn a_runner_s_token_is_exchanged_for_an_access_token() {
    let place = Place::new("token_exchange", CLOUD);
    place.server.gives_also(json!({"issued_token_type": ACCESS_TOKEN}));
    let param = "resource=https://api.cloud.test";
    place
        .exchange(&["--param", param, "--scope", "deploy"])
        .ok()
        .says(&format!("Signed issued a token of the type {ACCESS_TOKEN}"));
    let form = &place.came()[0].form;
    let expected = json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": SUBJECT,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "requested_token_type": ACCESS_TOKEN,
        "audience": "//cloud.test/client-1",
        "resource": "https://api.cloud.test",
        "scope": "deploy",
        "client_id": CLIENT,
    });
    assert_eq!(json!(form), expected);
    assert_eq!(place.line("token shop").ok().stdout, "access-token-1\n");
    assert_eq!(place.world.status("shop")["account"], json!({}));
    // It is not renewed with a token that was kept nowhere.
    place.world.pass(2 * 3600);
    place.line("token shop").exits(4).says("cannot be renewed");
}

#[test] // EX6
fn who_acts_for_whom_is_said_with_two_tokens() {
    let place = Place::new("token_exchange", "");
    place.server.gives_also(json!({"issued_token_type": ACCESS_TOKEN}));
    let actor = place.file("actor", "actor-token");
    place.exchange(&["--actor-token-file", &actor, "--actor-token-type", "urn:x:actor"]).ok();
    let form = &place.came()[0].form;
    assert_eq!(
        (form["actor_token"].as_str(), form["actor_token_type"].as_str()),
        ("actor-token", "urn:x:actor")
    );
    assert!(!form.contains_key("requested_token_type"));
}

#[test] // EX6
fn what_an_exchange_issued_must_be_said_and_must_be_good_for_calls() {
    let place = Place::new("token_exchange", "");
    place.exchange(&[]).exits(7).says("no `issued_token_type` in the answer").says("start again");
    place.is_not_connected();
    let id_token = "urn:ietf:params:oauth:token-type:id_token";
    place.server.gives_also(json!({"issued_token_type": id_token, "token_type": "N_A"}));
    place
        .exchange(&[])
        .exits(5)
        .says("issued a token that no call can be made with")
        .says(id_token)
        .says("--requested-token-type access_token");
    place.is_not_connected();
    place.server.gives_also(json!({"issued_token_type": ACCESS_TOKEN, "token_type": "mac"}));
    place.exchange(&[]).exits(7).says("a type that is not known");
    place.is_not_connected();
}

#[test]
fn an_exchange_needs_its_token_and_its_flags_have_no_other_flow() {
    let place = Place::new("token_exchange", "");
    place.connect(&[]).exits(2).says("needs the token to exchange").says("--subject-token-file …");
    let file = place.file("subject", SUBJECT);
    place.connect(&["--subject-token-file", &file]).exits(2).says("needs the type");
    place.connect(&["--subject-token-type", "runner"]).exits(2).says("one of access_token");
    place.exchange(&["--param", "scope=x"]).exits(2).says("the protocol's own parameter");
    place.exchange(&["--assertion-file", &file]).exits(2).says("is for --flow jwt-bearer");
    let bearer = Place::new("jwt_bearer", "");
    bearer.exchange(&[]).exits(2).says("--subject-token-file is for --flow token-exchange");
    assert_eq!(place.came().len(), 0);
}

#[test] // EX6, T17
fn a_token_that_is_exchanged_is_on_no_stream_and_in_no_file() {
    let place = Place::new("token_exchange", "");
    let mut said = Vec::new();
    // The vendor repeats what it was given in its words.
    let words = format!("{SUBJECT} is not known here");
    let refused = json!({"error": "invalid_grant", "error_description": words});
    place.server.next(vec![Fate::Answer(400, refused)]);
    said.push(place.exchange(&["-v", "-v", "-v"]).exits(4));
    place.server.gives_also(json!({"issued_token_type": ACCESS_TOKEN}));
    said.push(place.exchange(&["-v", "-v", "-v", "--json"]).ok());
    said.push(place.line("profile show shop --json"));
    for ran in said {
        assert!(!ran.stderr.contains("MARKED") && !ran.stdout.contains("MARKED"), "{}", ran.stderr);
    }
    for (path, text) in place.world.files() {
        assert!(!String::from_utf8_lossy(&text).contains("MARKED"), "{}", path.display());
    }
}
