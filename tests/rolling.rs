//! The corners of rolling a token: what an answer, a lost answer and another writer leave behind.

use keyfob::random::SystemRandom;
use keyfob::sandbox::{Behaviour, Endpoint, Fault};
use keyfob::secret::Secret;
use keyfob::store::journal::{Journal, Recovered};
use keyfob::store::key::Key;
use serde_json::json;

use crate::support::scripted::{Answer, Scripted, honest, value};
use crate::support::shelf::{Shelf, Trouble};
use crate::support::{Shop, World};

fn status(status: u16, body: &str) -> Fault {
    Fault::Status { status, headers: Vec::new(), body: body.into() }
}

fn too_many() -> Fault {
    Fault::Status {
        status: 429,
        headers: vec![("retry-after".into(), "60".into())],
        body: String::new(),
    }
}

#[test] // T2
fn tokens_that_do_not_fit_the_provider_file_are_kept_and_nothing_is_sent_again() {
    let shop = Shop::connected("inkress");
    let requests = shop.token_requests();
    let odd = json!({"access_token": "inka_odd", "token_type": "mac", "refresh_token": "inkr_odd"});
    shop.sandbox.next_token_answers(vec![status(200, &odd.to_string())]);
    shop.line("refresh shop").exits(7).says("gave tokens, but").says("kept in the journal");
    shop.line("refresh shop").exits(7).says("gave tokens, but");
    assert_eq!(shop.token_requests(), requests + 1, "the spent token is not sent again");
}

#[test] // RF11
fn a_429_after_a_lost_answer_does_not_make_the_loss_forgotten() {
    let shop = Shop::connected("inkress");
    shop.sandbox.next_token_answers(vec![Fault::RotateThenReset, too_many()]);
    shop.line("refresh shop").exits(7).says("an earlier answer was lost");
    let requests = shop.token_requests();
    // The access token serves, so the doubtful refresh token is left alone.
    shop.world.pass(3600 - 30);
    shop.line("token shop").ok().says("still serves");
    assert_eq!(shop.token_requests(), requests);
}

#[test] // T2
fn an_answer_lost_in_the_same_command_is_told_when_the_resend_is_refused() {
    let shop = Shop::connected("inkress");
    shop.sandbox.next_token_answers(vec![Fault::RotateThenReset]);
    shop.line("refresh shop").exits(4).says("an earlier answer was lost");
}

#[test] // A14, ER2
fn an_end_in_a_megabyte_of_words_is_kept_in_a_few() {
    let shop = Shop::connected("inkress");
    let words = json!({"error": "invalid_grant", "error_description": "no ".repeat(300_000)});
    shop.sandbox.next_token_answers(vec![status(400, &words.to_string())]);
    shop.line("refresh shop").exits(4);
    assert_eq!(shop.world.status("shop")["state"], "authorization-needed");
    assert!(shop.world.shelf.entry("shop").unwrap().len() < 4096);
}

#[test] // T17
fn a_token_that_is_quoted_in_an_answer_from_the_journal_is_not_printed() {
    let shop = Shop::connected("inkress");
    let entry: serde_json::Value =
        serde_json::from_str(&shop.world.shelf.entry("shop").unwrap()).unwrap();
    let token = entry["tokens"]["refresh_token"].as_str().unwrap();
    let words = json!({"error": "invalid_grant", "error_description": format!("{token} is spent")});
    shop.sandbox.next_token_answers(vec![status(400, &words.to_string())]);
    shop.world.trouble(Trouble::Full { after: 1 });
    shop.line("refresh shop").exits(4);
    shop.world.trouble(Trouble::None);
    let requests = shop.token_requests();
    let ran = shop.line("refresh shop").exits(4).says("[hidden sha256:").says("is spent");
    assert!(!ran.stderr.contains(token), "{}", ran.stderr);
    assert_eq!(shop.token_requests(), requests, "the answer came from the journal");
}

#[test]
fn recovered_tokens_are_as_old_as_their_answer_and_rolled_when_they_have_ended() {
    let shop = Shop::connected("inkress");
    shop.world.trouble(Trouble::Full { after: 1 });
    shop.line("refresh shop").exits(6).says("safe in the journal");
    shop.world.trouble(Trouble::None);
    shop.world.pass(5 * 3600);
    shop.line("token shop").ok();
    assert_eq!(shop.world.status("shop")["access_expires_at"], "2026-06-01T14:00:00Z");
    assert_eq!((shop.sandbox.rotations(), shop.sandbox.spent_tokens_seen()), (2, 0));
}

#[test] // RV6
fn revoke_ends_the_tokens_that_only_the_journal_holds() {
    let shop = Shop::connected("inkress");
    shop.world.trouble(Trouble::Full { after: 1 });
    shop.line("refresh shop").exits(6);
    shop.world.trouble(Trouble::None);
    shop.line("revoke shop").ok();
    assert_eq!(shop.sandbox.grants_alive(), 0);
    assert_eq!(shop.sandbox.spent_tokens_seen(), 0);
}

#[test] // RF14, RV1
fn revoke_sends_nothing_to_another_host_than_the_tokens_were_given_for() {
    let shop = Shop::connected("inkress");
    let other = Shop::of("inkress");
    let origin = other.sandbox.origin();
    shop.line(&format!("profile set shop api_host={origin}")).ok();
    shop.line("revoke shop").exits(3).says("were given for another host");
    assert!(other.sandbox.log().is_empty());
    shop.line("revoke shop --local-only").ok();
}

#[test] // A16
fn a_client_secret_is_not_sent_to_another_vendor_than_it_was_kept_for() {
    let shop = Shop::connected("inkress");
    let inyo = Shop::of("inyo");
    let line = format!(
        "connect shop --yes --provider inyo --client-id x --set host={}",
        inyo.sandbox.origin()
    );
    shop.line(&line).exits(3).says("client secret");
    assert_eq!(inyo.sandbox.counts(Endpoint::Token), 0);
}

#[test]
fn a_wish_for_a_longer_life_than_tokens_have_is_met_as_far_as_it_can_be() {
    let shop = Shop::connected("inkress");
    let requests = shop.token_requests();
    shop.line("token shop --min-ttl 2h").ok();
    assert_eq!(shop.token_requests(), requests, "an hour is all there is");
    shop.world.pass(20 * 60);
    shop.line("token shop --min-ttl 2h").ok();
    assert_eq!(shop.token_requests(), requests + 1);
}

#[test] // AT-23, AT-16f
fn a_first_token_request_keeps_to_the_cooldown_too() {
    let shop = Shop::behaving("inyo", Behaviour::default());
    shop.sandbox.next_token_answers(vec![too_many()]);
    shop.connect().exits(7);
    let requests = shop.token_requests();
    shop.connect().exits(7).says("wait");
    assert_eq!(shop.token_requests(), requests);
    shop.world.pass(61);
    shop.connect().ok();
}

#[test] // AT-22
fn an_api_s_refusal_is_told_beside_the_refresh_that_could_not_help() {
    let shop = Shop::connected("merchantos");
    shop.sandbox.revoke_all();
    let ran = shop
        .line("call shop GET /Item")
        .exits(4)
        .says("the API refused the access token (HTTP 401)");
    ran.says("keyfob connect shop");
}

#[test] // T17, RR8
fn a_token_that_a_challenge_quotes_is_not_printed() {
    let shop = Shop::connected("inkress");
    let entry: serde_json::Value =
        serde_json::from_str(&shop.world.shelf.entry("shop").unwrap()).unwrap();
    let token = entry["tokens"]["access_token"].as_str().unwrap().to_owned();
    let challenge = format!(r#"Bearer error="invalid_request", error_description="bad {token}""#);
    shop.sandbox.next_api_answers(vec![Fault::Status {
        status: 403,
        headers: vec![("www-authenticate".into(), challenge)],
        body: String::new(),
    }]);
    let ran = shop.line("call shop GET /orders").exits(8).says("[hidden sha256:");
    assert!(!ran.stderr.contains(&token), "{}", ran.stderr);
}

#[test] // ST10
fn a_connection_that_moves_to_another_store_leaves_nothing_in_the_old_one() {
    let shop = Shop::connected("inkress");
    assert!(shop.world.shelf.entry("shop").is_some());
    // The client secret comes along: nobody is asked for it again.
    shop.line("connect shop --store file").ok();
    assert!(shop.world.shelf.entry("shop").is_none());
    assert_eq!(shop.world.status("shop")["store"], "file");
    shop.line("refresh shop").ok();
    assert_eq!(shop.sandbox.spent_tokens_seen(), 0);
}

#[test] // RF8
fn an_invalid_grant_for_a_connection_that_has_moved_meanwhile_ends_nothing() {
    let world = World::new();
    let shelf = world.shelf.clone();
    let server = Scripted::start(move |asked, origin| {
        if value(&asked.form, "grant_type") != Some("refresh_token") {
            return honest(asked, origin);
        }
        // Somebody who goes on without the lock has spent the token first, and stores what came.
        let mut winner = entry_of(&shelf);
        winner["generation"] = (winner["generation"].as_u64().unwrap() + 1).into();
        winner["tokens"]["access_expires_at"] = "2026-06-01T11:00:00Z".into();
        winner["tokens"]["access_token"] = "access.of-the-winner".into();
        winner["tokens"]["refresh_token"] = "refresh.of-the-winner".into();
        shelf.put("shop", &winner.to_string());
        Answer::json(400, &json!({"error": "invalid_grant"}))
    });
    let file = world.own_file("plain.toml", server.provider("", ""));
    *world.stdin.borrow_mut() = b"s3cret".to_vec();
    let words = ["connect", "shop", "--provider", file.to_str().unwrap(), "--client-id", "me"];
    world.run(words.into_iter().chain(["--client-secret-file", "-"])).ok();
    world.pass(7200);
    assert_eq!(world.line("token shop").ok().stdout, "access.of-the-winner\n");
    let kept = entry_of(&world.shelf);
    assert_eq!(kept["tokens"]["refresh_token"], "refresh.of-the-winner");
    assert_eq!(world.state("shop"), "ready");
}

fn entry_of(shelf: &Shelf) -> serde_json::Value {
    serde_json::from_str(&shelf.entry("shop").unwrap()).unwrap()
}

#[test] // ST13
fn importing_a_token_again_that_was_rolled_since_is_refused_and_changes_nothing() {
    let shop = Shop::of("inventorum");
    let mut tokens = shop.sandbox.dashboard_tokens(&["orders:read"]);
    tokens["client_secret"] = shop.how.client.client_secret.as_ref().unwrap().expose().into();
    let mut line = vec!["import".to_owned(), "shop".to_owned()];
    line.extend(shop.client());
    let import = || {
        *shop.world.stdin.borrow_mut() = tokens.to_string().into_bytes();
        shop.world.run(line.iter().map(String::as_str))
    };
    import().ok();
    import().exits(2).says("was imported before and is spent");
    shop.line("refresh shop").ok();
    assert_eq!(shop.sandbox.spent_tokens_seen(), 0);
}

/// Does this during the next wait, once.
fn during_the_wait(shop: &Shop, act: impl FnOnce() + Send + 'static) {
    let mut act = Some(act);
    shop.world.clock.meanwhile(move |_| {
        if let Some(act) = act.take() {
            act();
        }
    });
}

/// The journal of the first tokens, as another process has it that goes on without the lock.
fn journal_of_another(shop: &Shop, key: &Key, answer: &[u8]) -> Journal {
    let claimed = Journal::claim(&shop.world.home().journal(), "shop", 1).unwrap();
    let mut journal = claimed.unwrap().fill().unwrap();
    journal.record(key, &SystemRandom, answer).unwrap();
    journal
}

#[test] // A22, RF4, RF18
fn whoever_comes_second_leaves_the_first_one_s_journal_as_it_is() {
    let shop = Shop::connected("inkress");
    let before = shop.world.shelf.entry("shop").unwrap();
    let key = Key::random(&SystemRandom);
    let journal = journal_of_another(&shop, &key, b"all there is");
    let requests = shop.token_requests();
    let mut moved: serde_json::Value = serde_json::from_str(&before).unwrap();
    moved["imported"] = "another writer was here".into();
    let shelf = shop.world.shelf.clone();
    during_the_wait(&shop, move || {
        shelf.put("shop", &moved.to_string());
        drop(journal);
    });
    shop.line("refresh shop");
    assert!(!shop.world.clock.slept().is_empty(), "it waited for the journal");
    assert_eq!(shop.token_requests(), requests, "nothing was sent");
    let held = Journal::recover(&shop.world.home().journal(), "shop", 1, &key).unwrap();
    assert_eq!(held, Recovered::Answer(b"all there is".to_vec().into()));
}

#[test] // A22, RF4
fn an_answer_that_came_while_the_journal_was_waited_for_is_stored() {
    let shop = Shop::connected("inkress");
    shop.sandbox.next_token_answers(vec![status(503, ""), status(503, "")]);
    shop.line("refresh shop").exits(7);
    let requests = shop.token_requests();
    let entry: serde_json::Value =
        serde_json::from_str(&shop.world.shelf.entry("shop").unwrap()).unwrap();
    assert!(entry["mark"].is_object(), "the first refresh is marked");
    let key = Key::decode(&Secret::new(entry["journal_key"].as_str().unwrap())).unwrap();
    let claimed = Journal::claim(&shop.world.home().journal(), "shop", 1).unwrap();
    let mut journal = claimed.unwrap().fill().unwrap();
    during_the_wait(&shop, move || {
        let tokens = json!({"access_token": "inka_late", "token_type": "Bearer",
            "refresh_token": "inkr_late", "expires_in": 3600});
        let answer = [&200_u16.to_be_bytes()[..], tokens.to_string().as_bytes()].concat();
        journal.record(&key, &SystemRandom, &answer).unwrap();
        drop(journal);
    });
    shop.line("refresh shop").ok();
    assert_eq!(shop.token_requests(), requests, "the spent token is not sent again");
    assert_eq!(shop.line("token shop").ok().stdout, "inka_late\n");
}

#[test] // A22, RF4, RF18
fn an_answer_that_its_receiver_is_still_storing_is_left_to_it() {
    let shop = Shop::connected("inkress");
    shop.sandbox.next_token_answers(vec![status(503, ""), status(503, "")]);
    shop.line("refresh shop").exits(7);
    let mut entry: serde_json::Value =
        serde_json::from_str(&shop.world.shelf.entry("shop").unwrap()).unwrap();
    let key = Key::decode(&Secret::new(entry["journal_key"].as_str().unwrap())).unwrap();
    let tokens = json!({"access_token": "inka_late", "token_type": "Bearer",
        "refresh_token": "inkr_late", "expires_in": 3600});
    let answer = [&200_u16.to_be_bytes()[..], tokens.to_string().as_bytes()].concat();
    let journal = journal_of_another(&shop, &key, &answer);
    entry["generation"] = 2.into();
    entry["mark"] = serde_json::Value::Null;
    entry["tokens"]["access_token"] = "inka_late".into();
    entry["tokens"]["refresh_token"] = "inkr_late".into();
    let (shelf, stored) = (shop.world.shelf.clone(), entry.to_string());
    during_the_wait(&shop, move || {
        shelf.put("shop", &stored);
        drop(journal);
    });
    shop.line("refresh shop").ok();
    assert!(!shop.world.clock.slept().is_empty(), "it waited for the journal");
    let now: serde_json::Value =
        serde_json::from_str(&shop.world.shelf.entry("shop").unwrap()).unwrap();
    assert_eq!(now, entry, "what the first one stored is not written over");
}
