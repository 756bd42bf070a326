//! A client that was registered in another's place and waits for its first tokens: whether the server
//! knows it still is asked before it is taken.

use keyfob::sandbox::{Endpoint, Fault};
use serde_json::Value;

use crate::register::{entry, methods, registered};
use crate::support::Shop;
use crate::support::browser::Behaviour;

const LINE: &str = "connect shop --scope items:write --register";

/// One waits, since nobody allowed anything to it.
fn waiting() -> Shop {
    let mut shop = registered();
    answers(&shop, vec![Fault::status(401)]);
    shop.world.browser(Behaviour::Denies);
    shop.line(LINE).exits(5);
    assert_eq!(methods(&shop), ["POST", "PUT", "POST"]);
    shop.world.browser(Behaviour::Allows);
    shop
}

/// What the next requests about clients are answered with, in place of what they ask for.
fn answers(shop: &Shop, faults: Vec<Fault>) {
    shop.sandbox.next_answers(Endpoint::Registration, faults);
}

/// The next update is refused, so that the one that waits is looked at; then this.
fn then(shop: &Shop, fault: Fault) {
    answers(shop, vec![Fault::status(401), fault]);
}

fn waits(shop: &Shop) -> Value {
    entry(shop)["next_client"].clone()
}

#[test] // EX7
fn one_that_the_server_knows_is_taken_with_what_the_server_gave_anew() {
    let shop = waiting();
    let before = waits(&shop);
    answers(&shop, vec![Fault::status(401)]);
    shop.line(LINE).ok().says("was registered before at");
    assert_eq!(methods(&shop)[3..], ["PUT", "GET"], "one request, and no other");
    let now = entry(&shop);
    assert_eq!(now["client_id"], before["client"]["client_id"]);
    let token = "registration_access_token";
    assert_ne!(now["secrets"][token], before["secrets"][token], "the token was replaced");
    shop.line("refresh shop").ok();
    shop.line("profile remove shop --unregister --yes").ok().says("is ended at");
}

#[test] // EX7
fn one_that_is_gone_is_forgotten_and_another_is_registered_before_a_browser_opens() {
    for status in [401, 404, 410] {
        let shop = waiting();
        let before = waits(&shop);
        let opened = shop.world.browser.opened().len();
        then(&shop, Fault::status(status));
        let ran = shop.line(LINE).ok();
        ran.says("knows the client no more that was registered for `shop`").says("registered at");
        assert_eq!(methods(&shop)[3..], ["PUT", "GET", "POST"], "{status}");
        let now = entry(&shop);
        assert_eq!(now["next_client"], Value::Null);
        assert_ne!(now["client_id"], before["client"]["client_id"]);
        assert_eq!(shop.world.browser.opened().len(), opened + 1, "with the new one alone");
        shop.line("refresh shop").ok();
    }
}

#[test] // EX7
fn one_that_is_gone_stays_forgotten_where_no_other_can_be_registered() {
    let shop = waiting();
    answers(&shop, vec![Fault::status(401), Fault::status(401), Fault::status(400)]);
    shop.line(LINE).exits(5);
    assert_eq!(waits(&shop), Value::Null);
    shop.line("refresh shop").ok();
}

#[test] // EX7, ER2
fn a_server_that_does_not_answer_is_told_and_nothing_is_lost() {
    for fault in [Fault::status(503), Fault::Reset] {
        let shop = waiting();
        let before = waits(&shop);
        let opened = shop.world.browser.opened().len();
        then(&shop, fault);
        let ran = shop.line(LINE).exits(7).says("waits for its tokens, and was to be asked about");
        assert!(ran.stderr.contains("keyfob connect shop --scope items:write"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("nobody uses"), "{}", ran.stderr);
        assert_eq!(shop.world.browser.opened().len(), opened);
        assert_eq!(waits(&shop)["client"], before["client"]);
        assert_eq!(waits(&shop)["secrets"], before["secrets"]);
        shop.line("refresh shop").ok();
        answers(&shop, vec![Fault::status(401)]);
        shop.line(LINE).ok().says("was registered before at");
        assert_eq!(entry(&shop)["client_id"], before["client"]["client_id"]);
    }
}

#[test] // EX7
fn an_answer_that_was_lost_is_told_where_its_token_is_refused_later() {
    let shop = waiting();
    // The server gives a new token, and takes the old one out of force.
    then(&shop, Fault::RotateThenReset);
    shop.line(LINE).exits(7);
    answers(&shop, vec![Fault::status(401)]);
    shop.line(LINE).ok().says("the answer was lost").says("knows the client no more");
    assert_eq!(methods(&shop)[5..], ["PUT", "GET", "POST"]);
}

#[test] // EX7
fn a_server_that_lets_nobody_ask_still_knows_it() {
    let shop = waiting();
    let before = waits(&shop);
    then(&shop, Fault::status(403));
    shop.line(LINE).ok().says("was registered before at");
    assert_eq!(methods(&shop)[3..], ["PUT", "GET"]);
    assert_eq!(entry(&shop)["client_id"], before["client"]["client_id"]);
}
