//! What an answer about a client in force leaves behind: unfit ones, lost ones, and late ends.

use keyfob::sandbox::{Endpoint, Fault};
use serde_json::{Value, json};

use crate::register::{entry, methods, registered};
use crate::support::browser::Behaviour;
use crate::support::free_port;
use crate::support::shelf::Trouble;
use crate::support::site::{Said, Site};
use crate::support::world::World;

/// A server that registers c1, and says this when the registration is read or changed with `rat1`;
/// any other token is refused, as by a server that rotated it.
struct Manager {
    world: World,
    site: Site,
}

/// What an update answers, but for what the test puts in its place.
fn rotated(origin: &str, change: &Value) -> Value {
    let mut whole = json!({
        "client_id": "c1",
        "client_secret": "sec2-0123456789",
        "client_secret_expires_at": 0,
        "registration_client_uri": format!("{origin}/register/c1"),
        "registration_access_token": "rat2-0123456789",
    });
    let members = change.as_object().unwrap().clone();
    whole.as_object_mut().unwrap().extend(members);
    whole
}

impl Manager {
    fn of(says: impl Fn(&str, &str) -> Said + Send + 'static) -> Self {
        let mut world = World::new();
        world.browser(Behaviour::Forgets);
        let site = Site::saying(move |origin, asked| match (&*asked.method, &*asked.path) {
            (_, "/.well-known/oauth-authorization-server") => Said::registers_clients(origin),
            ("POST", "/register") => Said::json(
                201,
                &json!({
                    "client_id": "c1",
                    "client_secret": "sec1-0123456789",
                    "client_secret_expires_at": 0,
                    "registration_client_uri": format!("{origin}/register/c1"),
                    "registration_access_token": "rat1-0123456789",
                }),
            ),
            ("GET" | "PUT" | "DELETE", "/register/c1") => {
                says(origin, asked.header("authorization").unwrap_or_default())
            }
            _ => Said::text(404, ""),
        });
        let words = ["connect", "x", "--provider", site.origin(), "--register", "--scope", "a"];
        // A port of its own, for tests run side by side.
        let port = free_port().to_string();
        world.run(words.into_iter().chain(["--port", &port, "--timeout", "50ms"])).exits(4);
        Self { world, site }
    }

    /// Says this to the first update; one with any other token is no more.
    fn first_says(change: Value) -> Self {
        Self::of(move |origin, bearer| match bearer {
            "Bearer rat1-0123456789" => Said::json(200, &rotated(origin, &change)),
            _ => Said::text(401, ""),
        })
    }

    fn entry(&self) -> Value {
        serde_json::from_str(&self.world.shelf.entry("x").unwrap()).unwrap()
    }

    fn secret(&self, name: &str) -> String {
        self.entry()["secrets"][name].as_str().unwrap().to_owned()
    }

    /// The token of the last request about the client.
    fn bearer(&self) -> String {
        self.site.asked().last().unwrap().header("authorization").unwrap().to_owned()
    }
}

#[test] // EX7
fn an_unfit_answer_to_an_update_still_takes_the_old_token_and_secret_out_of_force() {
    let unfit = [
        json!({"token_endpoint_auth_method": "magic"}),
        json!({"redirect_uris": "http://127.0.0.1/"}),
        json!({"client_secret_expires_at": "soon"}),
    ];
    for change in unfit {
        let manager = Manager::first_says(change.clone());
        let ran = manager.world.line("connect x --scope b --timeout 50ms").exits(3);
        let ran = ran.says("stays in force for what it was registered for before");
        assert!(!ran.stderr.contains("may live on"), "{change}: {}", ran.stderr);
        assert_eq!(manager.secret("registration_access_token"), "rat2-0123456789", "{change}");
        assert_eq!(manager.secret("client_secret"), "sec2-0123456789", "{change}");
        assert_eq!(manager.entry()["registration"]["secret_expires_at"], Value::Null);
        manager.world.line("connect x --scope b --timeout 50ms").exits(3);
        assert_eq!(manager.bearer(), "Bearer rat2-0123456789", "{change}");
    }
}

#[test] // EX7
fn an_answer_about_another_client_gives_this_one_nothing_but_a_token_for_its_own_address() {
    let own = Manager::first_says(json!({"client_id": "c2"}));
    own.world.line("connect x --scope b --timeout 50ms").exits(3).says("about another client");
    assert_eq!(own.secret("registration_access_token"), "rat2-0123456789");
    assert_eq!(own.secret("client_secret"), "sec1-0123456789");
    assert_eq!(own.entry()["registration"]["client_id"], "c1");

    for method in [Value::Null, json!("magic")] {
        let elsewhere = Manager::of(move |origin, _| {
            let uri = format!("{origin}/register/c2");
            let change = json!({
                "client_id": "c2",
                "registration_client_uri": uri,
                "token_endpoint_auth_method": method,
            });
            Said::json(200, &rotated(origin, &change))
        });
        elsewhere.world.line("connect x --scope b --timeout 50ms").exits(3);
        assert_eq!(elsewhere.secret("registration_access_token"), "rat1-0123456789");
        assert_eq!(elsewhere.secret("client_secret"), "sec1-0123456789");
        assert!(elsewhere.secret("registration_client_uri").ends_with("/register/c1"));
    }
}

/// Where what is lost is told.
const LOST: &str = "the client may live on there, under a new token that keyfob does not have";

#[test] // EX7
fn a_lost_answer_to_an_update_is_told_once_the_token_is_refused() {
    for fault in [Fault::RotateThenReset, Fault::RotateThenBadGateway] {
        let shop = registered();
        shop.sandbox.next_answers(Endpoint::Registration, vec![fault]);
        let line = "connect shop --scope items:write";
        shop.line(line).exits(7);
        assert!(entry(&shop)["updating"].is_object());
        // A person who looks twice is told twice.
        for _ in 0..2 {
            shop.line(line)
                .exits(3)
                .says(LOST)
                .says("keyfob connect shop --scope items:write --register");
        }
        shop.line(&format!("{line} --register")).ok().says(LOST);
        shop.sandbox.next_answers(Endpoint::Registration, vec![Fault::status(401)]);
        let ran = shop.line("profile remove shop --unregister --yes").ok();
        assert!(!ran.stderr.contains(LOST), "that was another client: {}", ran.stderr);
    }
}

#[test] // EX7
fn a_lost_answer_is_told_where_the_client_is_to_be_ended() {
    let shop = registered();
    shop.sandbox.next_answers(Endpoint::Registration, vec![Fault::RotateThenReset]);
    shop.line("connect shop --scope items:write").exits(7);
    shop.line("profile remove shop --unregister --yes").ok().says(LOST);
}

#[test] // EX7
fn an_update_that_the_store_took_no_answer_of_is_told_too() {
    let shop = registered();
    // The mark is written; the answer is not.
    shop.world.trouble(Trouble::Full { after: 1 });
    shop.line("connect shop --scope items:write").exits(6);
    shop.world.trouble(Trouble::None);
    shop.line("connect shop --scope items:write").exits(3).says(LOST);
}

#[test] // EX7
fn a_verdict_ends_the_mark_of_an_update() {
    let line = "connect shop --scope items:write";
    for (fault, exit) in [(Fault::status(400), 5), (Fault::status(403), 5), (Fault::status(401), 3)]
    {
        let shop = registered();
        shop.sandbox.next_answers(Endpoint::Registration, vec![fault.clone()]);
        let ran = shop.line(line).exits(exit);
        assert!(!ran.stderr.contains(LOST), "{fault:?}: {}", ran.stderr);
        assert_eq!(entry(&shop)["updating"], Value::Null, "{fault:?}");
        shop.line(line).ok().says("is registered at Standard for items:write too");
        assert_eq!(entry(&shop)["updating"], Value::Null);
    }
    // A lost answer that the next verdict shows to have changed nothing.
    let shop = registered();
    shop.sandbox.next_answers(Endpoint::Registration, vec![Fault::status(503), Fault::status(400)]);
    shop.line(line).exits(7);
    shop.line(line).exits(5);
    shop.sandbox.next_answers(Endpoint::Registration, vec![Fault::status(401)]);
    let ran = shop.line(line).exits(3);
    assert!(!ran.stderr.contains(LOST), "{}", ran.stderr);
}

#[test] // EX7
fn a_request_that_never_left_loses_no_answer() {
    let shop = registered();
    let mut nowhere = entry(&shop);
    let uri = json!(format!("http://127.0.0.1:{}/register/c1", free_port()));
    nowhere["secrets"]["registration_client_uri"] = uri;
    shop.world.shelf.put("shop", &nowhere.to_string());
    shop.line("connect shop --scope items:write").exits(7);
    assert_eq!(entry(&shop)["updating"], Value::Null);
}

#[test] // EX7, A15
fn a_client_that_waited_is_ended_under_the_issuer_that_named_its_own_endpoint() {
    for (named_by, ends) in [(Value::Null, true), (json!("https://1.1.1.1"), false)] {
        let shop = registered();
        let mut planted = entry(&shop);
        let mut next = planted["registration"].clone();
        next["client_id"] = json!("waiting");
        next["endpoint"] = json!("https://elsewhere.example/register");
        next["named_by"] = named_by.clone();
        let secrets = json!({
            "registration_access_token": "waits-0123456789",
            "registration_client_uri": planted["secrets"]["registration_client_uri"],
        });
        planted["next_client"] = json!({"client": next, "secrets": secrets, "secrets_for": "t"});
        shop.world.shelf.put("shop", &planted.to_string());
        shop.sandbox.next_answers(Endpoint::Registration, vec![Fault::status(401)]);
        shop.line("connect shop --scope items:write --register").ok();
        let ended = methods(&shop).contains(&"DELETE".to_owned());
        assert_eq!(ended, ends, "an issuer elsewhere sends nothing into this machine: {named_by}");
    }
}
