//! Tokens that are bound to a key: every request proves it, and no refresh token is spent on a proof.

#[path = "dpop/vendor.rs"]
mod vendor;

use vendor::{Manner, Vendor};

use crate::support::shelf::Trouble;
use crate::support::world::{Ran, World};

/// A vendor and somebody who connects to it.
fn connects(manner: Manner, words: &[&str]) -> (Vendor, World, Ran) {
    connects_with(manner, words, "")
}

/// The same at a vendor that has one endpoint more.
fn connects_with(manner: Manner, words: &[&str], endpoint: &str) -> (Vendor, World, Ran) {
    let (vendor, world) = (Vendor::start(manner), World::new());
    let url = &vendor.url;
    let more = match endpoint {
        "" => String::new(),
        name => format!("{name} = {{ url = \"{url}/{name}\" }}\n"),
    };
    let file = world.own_file(
        "bound.toml",
        format!(
            r#"schema = 1
name = "bound"
flows = ["authorization_code"]
client = {{ auth = "id", secret = "none" }}
authorize = {{ url = "{url}/authorize" }}
token = {{ url = "{url}/token" }}
refresh = {{ rotation = "single_use" }}
{more}api = {{ base_url = "{url}" }}
"#
        ),
    );
    let file = file.to_str().unwrap().to_owned();
    let first = ["connect", "shop", "--provider", &file, "--client-id", "c"];
    let ran = world.run(first.into_iter().chain(words.iter().copied()));
    (vendor, world, ran)
}

fn connected(manner: Manner) -> (Vendor, World) {
    let (vendor, world, ran) = connects(manner, &["--dpop"]);
    ran.ok();
    (vendor, world)
}

fn what(taken: Vec<(String, &'static str)>) -> Vec<String> {
    taken.into_iter().map(|(name, what)| format!("{name} {what}")).collect()
}

#[test] // SC1, SC2, SC3, SC4, SC6, SC7
fn a_connection_proves_one_key_with_every_request() {
    let (vendor, world) = connected(Manner::default());
    assert_eq!(what(vendor.take()), ["token nonce", "token given"]);
    let orders = world.line("call shop GET /orders page==2").ok();
    assert_eq!(orders.stdout, "{\"orders\":[]}");
    assert_eq!(what(vendor.take()), ["orders nonce", "orders answered"]);
    world.line("refresh shop").ok();
    world.line("call shop POST /orders a=1").ok();
    assert_eq!(vendor.seen.lock().unwrap().keys.len(), 1, "one key for all of it");
}

#[test] // SC3, RF13
fn an_ended_token_is_renewed_once_and_a_refused_proof_never_renews() {
    let (vendor, world) = connected(Manner::default());
    vendor.take();
    vendor.manner.lock().unwrap().refuses_tokens = 1;
    world.line("call shop GET /orders").ok();
    let seen = what(vendor.take());
    let expected =
        ["orders nonce", "orders refused", "token nonce", "token given", "orders answered"];
    assert_eq!(seen, expected);
    vendor.manner.lock().unwrap().never_content = true;
    let refused = world.line("call shop GET /orders").exits(8);
    assert!(refused.stderr.contains("use_dpop_nonce"), "{}", refused.stderr);
    assert_eq!(what(vendor.take()), ["orders nonce", "orders nonce"], "no token request");
}

#[test] // SC2, RF13
fn an_api_that_takes_no_bound_token_costs_no_refresh_token() {
    let (vendor, world) = connected(Manner::default());
    vendor.take();
    let asks_for = |challenge| vendor.manner.lock().unwrap().api_asks_for = Some(challenge);
    asks_for("Bearer realm=\"api\"");
    let ran = world.line("call shop GET /orders").exits(8);
    let ran = ran.says("this API asks for tokens of another kind").says("--dpop=false");
    assert_eq!(ran.stdout, "{}", "its body is the product all the same");
    assert_eq!(what(vendor.take()), ["orders turned away"], "no token request");
    // One that says that it takes both has judged the token.
    asks_for("Bearer realm=\"api\", DPoP algs=\"ES256\"");
    world.line("call shop GET /orders").exits(8);
    let seen = ["orders turned away", "token given", "orders turned away"];
    assert_eq!(what(vendor.take()), seen);
}

#[test] // SC3
fn the_newest_nonce_is_kept_for_the_next_command() {
    let (vendor, world) = connected(Manner::default());
    vendor.take();
    world.line("call shop GET /orders").ok();
    assert_eq!(what(vendor.take()), ["orders nonce", "orders answered"]);
    world.line("call shop GET /orders").ok();
    assert_eq!(what(vendor.take()), ["orders answered"]);
    // What can be read once only arrives, too.
    *world.stdin.borrow_mut() = b"a=1".to_vec();
    world.line("call shop POST /orders -d @-").ok();
    assert_eq!(what(vendor.take()), ["orders answered"]);
    // One that is too old costs what none costs.
    let file = world.home().nonces().join("shop.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("api-1", "api-0")).unwrap();
    world.line("call shop GET /orders").ok();
    assert_eq!(what(vendor.take()), ["orders nonce", "orders answered"]);
    world.line("profile remove shop --yes").ok();
    assert!(!file.exists());
}

#[test] // SC3
fn every_answer_is_traced_that_of_a_refused_proof_too() {
    let (_vendor, world) = connected(Manner::default());
    let ran = world.line("call shop GET /orders -v").ok();
    let lines = |mark: &str| ran.stderr.lines().filter(|line| line.starts_with(mark)).count();
    assert_eq!((lines("> GET"), lines("< 401"), lines("< 200")), (2, 1, 1), "{}", ran.stderr);
}

#[test] // SC3
fn a_token_endpoint_that_is_never_content_is_asked_twice() {
    let (vendor, world, ran) =
        connects(Manner { never_content: true, ..Manner::default() }, &["--dpop"]);
    ran.exits(5).says("use_dpop_nonce");
    assert_eq!(what(vendor.take()), ["token nonce", "token nonce"]);
    assert!(!world.home().configuration.join("profiles/shop.toml").exists());
}

#[test] // SC5
fn tokens_that_are_bound_to_nothing_are_not_stored() {
    let forgetful = Manner { forgets_the_key: true, ..Manner::default() };
    let (vendor, world, ran) = connects(forgetful, &["--dpop"]);
    let ran = ran.exits(3).says("not bound to the key").says("it cannot be revoked from here");
    let next = ran.stderr.lines().last().unwrap();
    assert!(next.ends_with("--dpop=false") && !next.contains("--dpop "), "{next}");
    assert_eq!(what(vendor.take()), ["token nonce", "token given"]);
    world.line("token shop").exits(3);
    let (_vendor, _, ran) = connects(forgetful, &["--dpop", "--json"]);
    assert_eq!(ran.exits(3).failure()["code"], "dpop-not-supported");
}

#[test] // SC5
fn tokens_that_are_bound_to_nothing_are_ended_where_that_can_be_asked_for() {
    let forgetful = Manner { forgets_the_key: true, ..Manner::default() };
    let (vendor, world, ran) = connects_with(forgetful, &["--dpop"], "revoke");
    ran.exits(3).says("was revoked at bound");
    let seen = ["token nonce", "token given", "revoke refresh-0", "revoke access-0"];
    assert_eq!(what(vendor.take()), seen);
    world.line("token shop").exits(3);
}

/// Exits 4, with the tokens of the refresh stored all the same.
#[track_caller]
fn unbound_and_put_aside(vendor: &Vendor, world: &World, ran: Ran) {
    let ran = ran.exits(4).without_product().says("not bound to the key");
    ran.says("they are stored and not used").says("keyfob connect shop");
    let entry = world.shelf.entry("shop").unwrap();
    assert!(entry.contains("refresh-1"), "the new refresh token is stored");
    assert_eq!(world.state("shop"), "authorization-needed");
    vendor.take();
    for line in ["token shop", "call shop GET /orders", "refresh shop", "header shop"] {
        world.line(line).exits(4).without_product();
    }
    assert!(vendor.take().is_empty(), "nothing was sent");
}

#[test] // SC5, RF2
fn a_refresh_that_brings_unbound_tokens_is_stored_and_never_used() {
    let (vendor, world, ran) = connects_with(Manner::default(), &["--dpop"], "revoke");
    ran.ok();
    vendor.manner.lock().unwrap().forgets_the_key = true;
    let ran = world.line("refresh shop");
    unbound_and_put_aside(&vendor, &world, ran);
    // What anyone could use can be ended from here, and the person can go on.
    world.line("revoke shop").ok();
    assert_eq!(what(vendor.take()), ["revoke another", "revoke another"]);
    vendor.manner.lock().unwrap().forgets_the_key = false;
}

#[test] // SC5, RF4
fn unbound_tokens_that_come_by_the_journal_are_not_used_either() {
    let (vendor, world) = connected(Manner::default());
    vendor.manner.lock().unwrap().forgets_the_key = true;
    world.trouble(Trouble::Full { after: 1 });
    world.line("refresh shop").exits(6).says("safe in the journal");
    world.trouble(Trouble::None);
    let ran = world.line("refresh shop");
    unbound_and_put_aside(&vendor, &world, ran);
}

#[test] // SC5
fn a_bound_token_is_not_taken_without_a_key() {
    let (vendor, _, ran) = connects(Manner::default(), &[]);
    ran.exits(5).says("invalid_dpop_proof");
    assert_eq!(what(vendor.take()), ["token one proof"]);
    // Nor one that the vendor gives all the same: nobody here could prove the key to it.
    let (vendor, world, ran) = connects(Manner { asks_no_proof: true, ..Manner::default() }, &[]);
    ran.exits(7).without_product().says("a token of a type that is not known");
    assert_eq!(what(vendor.take()), ["token given"]);
    world.line("token shop").exits(3).without_product();
}

#[test] // SC2
fn other_programs_are_told_that_the_token_alone_is_no_use() {
    let (vendor, world) = connected(Manner::default());
    vendor.take();
    world.line("token shop").ok().says("bound to a key");
    for line in ["header shop", "call shop GET /orders --curl", "helper mcp shop"] {
        let refused = world.line(line).exits(3).without_product();
        refused.says("a key that never leaves keyfob").says("keyfob proxy shop");
    }
    let shown = world.line("call shop GET /orders --dry-run").ok();
    assert!(shown.stdout.contains("DPoP"), "{}", shown.stdout);
    assert!(vendor.take().is_empty(), "nothing was sent");
}

#[test] // SC2
fn a_connection_is_used_the_way_it_was_made() {
    let (vendor, world) = connected(Manner::default());
    vendor.take();
    let path = world.home().configuration.join("profiles/shop.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("dpop = true\n", "")).unwrap();
    world.line("call shop GET /orders").exits(4).says("keyfob connect shop");
    assert!(vendor.take().is_empty(), "a bound token is never shown as Bearer");
}

#[test] // SC7, LG1
fn the_key_and_its_proofs_are_told_nobody() {
    let (_vendor, world) = connected(Manner::default());
    for line in ["call shop GET /orders -vv", "refresh shop -vv", "profile show shop"] {
        let ran = world.line(line).ok();
        let told = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!told.contains("PRIVATE KEY") && !told.contains("eyJ"), "{line}: {told}");
    }
    for (path, text) in world.files() {
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(!text.contains("PRIVATE KEY"), "{}", path.display());
    }
}

#[test] // SC2, SC5
fn tokens_without_their_key_are_not_imported() {
    let (vendor, world) = connected(Manner::default());
    vendor.take();
    let before = world.line("token shop").ok().stdout;
    *world.stdin.borrow_mut() = br#"{"access_token":"a","refresh_token":"r"}"#.to_vec();
    let refused = world.line("import shop").exits(3).without_product();
    refused.says("without the key").says("keyfob connect shop").says("keyfob import shop --sealed");
    assert_eq!(world.line("token shop").ok().stdout, before);
    assert!(vendor.take().is_empty(), "nothing was sent");
}

#[test] // SC1, SC5
fn a_refresh_token_is_not_sent_without_the_proof_of_its_key() {
    let (vendor, world) = connected(Manner::default());
    vendor.take();
    let entry = world.shelf.entry("shop").unwrap();
    let mut entry: serde_json::Value = serde_json::from_str(&entry).unwrap();
    assert!(entry["dpop_key"].is_string());
    entry["dpop_key"] = "no key".into();
    world.shelf.put("shop", &entry.to_string());
    world.line("refresh shop").exits(6).says("bound to cannot be used").says("nothing was sent");
    assert!(vendor.take().is_empty(), "nothing was sent");
}
