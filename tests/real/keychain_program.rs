//! The whole program with its tokens in a real keychain: gnome-keyring on a bus of each test's own.

#![cfg(target_os = "linux")]

use std::cell::{Cell, RefCell};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use keyfob::sandbox::{Endpoint, Options, Sandbox};

use super::authorization_server::person;
use super::folder::Ran;
use super::keyring::{DATA, EMPTY, Session, in_a_session};
use super::stand_in;

/// The promise is two seconds; the rest is for a machine that is busy with other tests.
const AT_ONCE: Duration = Duration::from_secs(8);

/// A vendor, and what must be so at its end whatever became of the keychain.
struct Shop {
    sandbox: Sandbox,
    /// Whether a connection is kept that nobody has begun to revoke.
    connected: Cell<bool>,
    /// Commands that ran side by side.
    together: RefCell<Vec<Ran>>,
}

impl Shop {
    fn open(_: &Session) -> Self {
        let sandbox = Sandbox::start("inkress", Options::default()).unwrap();
        Self { sandbox, connected: Cell::default(), together: RefCell::default() }
    }

    fn connect(&self, session: &Session, home: &str) {
        self.allow(session, home).done();
        self.connected.set(true);
    }

    /// `connect`, with a person who allows it.
    fn allow(&self, session: &Session, home: &str) -> Ran {
        let mut command = session.keyfob(home, &[]);
        stand_in::connect(&self.sandbox, &session.folder, &mut command);
        Ran::of(command.env("BROWSER", person(&session.folder, "allow")))
    }

    /// No spent token was sent, no grant is lost, and a keychain that broke was told as one.
    fn holds(&self, session: &Session) {
        for ran in self.together.borrow().iter() {
            assert!(matches!(ran.exit, Some(0 | 6)), "{ran:#?}");
        }
        assert_eq!(self.sandbox.spent_tokens_seen(), 0);
        if self.connected.get() {
            session.run(&["refresh", "shop"]).done();
            session.run(&["call", "shop", "/orders"]).done();
            assert_eq!(self.sandbox.spent_tokens_seen(), 0);
        }
    }
}

/// What somebody sees who looks from outside.
fn seen(session: &Session) -> String {
    let mut look = session.on_bus("secret-tool");
    let ran = Ran::of(look.args(["search", "--all", "service", "keyfob"]));
    ran.stdout + &ran.stderr
}

/// `token` answers at once that the keychain is not to be had, names the choices, and takes no other store.
fn refuses_at_once(session: &Session, words: &str) {
    let start = Instant::now();
    let stderr = session.run(&["token", "shop"]).failed(6);
    let took = start.elapsed();
    assert!(took < AT_ONCE, "{took:?}\n{stderr}");
    assert!(stderr.contains(words), "not `{words}`:\n{stderr}");
    assert!(stderr.contains("file"), "the other store is not named:\n{stderr}");
    let sealed = session.folder.join("home/state/store");
    let files = std::fs::read_dir(sealed).map_or(0, Iterator::count);
    assert_eq!(files, 0, "a weaker store was taken");
}

#[test]
fn tokens_live_in_the_keychain_from_connect_to_revoke() {
    let steps = |session: &Session, shop: &Shop| {
        shop.connect(session, "home");
        let kept = seen(session);
        assert_eq!(kept.matches("attribute.username = ").count(), 1, "{kept}");
        let first = session.run(&["token", "shop"]).done();
        assert!(kept.contains(first.trim()), "the token is not in the keychain");

        refresh_together(session, shop);
        assert_eq!((shop.sandbox.spent_tokens_seen(), shop.sandbox.grants_alive()), (0, 1));
        let last = session.run(&["token", "shop"]).done();
        assert_ne!(first, last);
        session.run(&["call", "shop", "/orders"]).done();

        shop.connected.set(false);
        session.run(&["revoke", "shop"]).done();
        assert_eq!(shop.sandbox.grants_alive(), 0);
        let kept = seen(session);
        assert!(!kept.contains("inka_") && !kept.contains("inkr_"), "{kept}");
        session.run(&["token", "shop"]).failed(4);
    };
    in_a_session(Shop::open, steps, |session, shop| shop.holds(session));
}

/// Twenty commands that all want the one refresh.
fn refresh_together(session: &Session, shop: &Shop) {
    let children: Vec<Child> = (0..20)
        .map(|_| {
            let mut command = session.keyfob("home", &["refresh", "shop"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        shop.together.borrow_mut().push(child.wait_with_output().unwrap().into());
    }
    for ran in shop.together.borrow().iter() {
        assert_eq!(ran.exit, Some(0), "{ran:#?}");
    }
}

#[test]
fn two_homes_never_share_an_entry() {
    let steps = |session: &Session, shop: &Shop| {
        shop.connect(session, "home");
        shop.allow(session, "other-home").done();
        let kept = seen(session);
        assert_eq!(kept.matches("attribute.username = ").count(), 2, "{kept}");
        let [one, other] = ["home", "other-home"]
            .map(|home| Ran::of(&mut session.keyfob(home, &["token", "shop"])).done());
        assert_ne!(one, other);
        shop.connected.set(false);
        session.run(&["revoke", "shop"]).done();
        let kept = Ran::of(&mut session.keyfob("other-home", &["token", "shop"])).done();
        assert_eq!(kept, other);
    };
    in_a_session(Shop::open, steps, |session, shop| shop.holds(session));
}

#[test]
fn tokens_of_nine_kilobytes_come_back_whole() {
    let long = format!("inka_{}", "x".repeat(9_000));
    let steps = |session: &Session, shop: &Shop| {
        shop.sandbox.answer_with("access_token", long.clone().into());
        shop.allow(session, "home").done();
        assert_eq!(session.run(&["token", "shop"]).done().trim(), long);
    };
    in_a_session(Shop::open, steps, |session, shop| shop.holds(session));
}

#[test]
fn a_keychain_that_is_not_to_be_had_is_told_at_once() {
    let steps = |session: &Session, shop: &Shop| {
        shop.allow(session, "home").done();

        session.lock_keyring();
        refuses_at_once(session, "locked");

        session.end_keyring();
        session.start_keyring(DATA, None);
        refuses_at_once(session, "locked");

        session.end_keyring();
        session.start_keyring(EMPTY, None);
        refuses_at_once(session, "no default keyring");

        session.stop_keyring();
        refuses_at_once(session, "seconds");

        session.end_keyring();
        refuses_at_once(session, "keychain");

        session.end_bus();
        refuses_at_once(session, "keychain");
        assert_eq!(shop.sandbox.counts(Endpoint::Token), 1, "something was refreshed on the way");
    };
    in_a_session(Shop::open, steps, |session, shop| shop.holds(session));
}

#[test]
fn a_locked_keychain_stops_connect_before_the_browser() {
    let steps = |session: &Session, shop: &Shop| {
        session.lock_keyring();
        let stderr = shop.allow(session, "home").failed(6);
        assert!(!stderr.contains("/oauth/authorize"), "a person was sent in vain: {stderr}");
        assert_eq!(shop.sandbox.counts(Endpoint::Authorization), 0);
    };
    in_a_session(Shop::open, steps, |session, shop| shop.holds(session));
}
