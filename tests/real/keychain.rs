//! The keychain store against a real Secret Service: gnome-keyring on a private session bus.
//!
//! Each test makes a session and a keyring of its own, and starts this same test binary inside it:
//! its test `inside` then does one step and judges what it meets.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use keyfob::clock::SystemClock;
use keyfob::random::SystemRandom;
use keyfob::secret::Secret;
use keyfob::store::keychain::{Keychain, SessionBus, keychain};
use keyfob::store::lock::Lock;
use keyfob::store::{EntryName, Store, StoreError, StoreKind};

use super::folder::{Folder, Ran};
use super::keyring::{DATA, EMPTY, Session, in_a_session};

/// Which step `inside` takes.
const STEP: &str = "KEYFOB_KEYCHAIN_STEP";
/// The folder of the test.
const FOLDER: &str = "KEYFOB_KEYCHAIN_FOLDER";

/// Takes a test's steps in a session with an unlocked keyring.
fn with_a_keyring(steps: impl Fn(&Session)) {
    in_a_session(|_| (), |session, ()| steps(session), |_, ()| ());
}

fn take(session: &Session, steps: &[&str]) {
    for step in steps {
        passes(step, &session.folder, &mut session.on_bus(this_program()));
    }
}

/// Has the program do one step, and fails where it does not pass.
fn passes(step: &str, folder: &Folder, program: &mut Command) {
    program.args(["--ignored", "--exact", "keychain::inside", "--nocapture"]);
    let ran = Ran::of(program.env(STEP, step).env(FOLDER, folder.path()));
    assert_eq!(ran.exit, Some(0), "{step}:\n{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("1 passed"), "{step} was not taken:\n{}", ran.stdout);
}

fn this_program() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn start_anew(session: &Session, data: &str, password: Option<&str>) {
    session.end_keyring();
    session.start_keyring(data, password);
}

#[test] // ST1, ST4, AT-10c
fn entries_of_every_size_are_kept_and_one_is_seen_from_outside() {
    with_a_keyring(|session| {
        take(session, &["round_trip", "write"]);
        let mut look = session.on_bus("secret-tool");
        let kept = Ran::of(look.args(["lookup", "service", "keyfob", "username", "shop"])).done();
        assert_eq!(kept, "seen from outside");
        take(session, &["remove"]);
    });
}

#[test] // ST1
fn an_entry_outlives_the_process_and_the_daemon() {
    with_a_keyring(|session| {
        take(session, &["write", "read"]);
        start_anew(session, DATA, Some("password"));
        take(session, &["read", "remove"]);
        start_anew(session, DATA, Some("password"));
        take(session, &["read_nothing"]);
    });
}

#[test] // AT-10b
fn a_locked_keychain_is_locked_and_not_empty() {
    with_a_keyring(|session| {
        take(session, &["write"]);
        session.lock_keyring();
        take(session, &["locked"]);
        start_anew(session, DATA, None);
        take(session, &["locked"]);
    });
}

#[test] // T10
fn a_keychain_without_a_collection_is_not_an_empty_one() {
    with_a_keyring(|session| {
        start_anew(session, EMPTY, None);
        take(session, &["no_collection"]);
    });
}

#[test] // AT-10a
fn without_a_bus_the_keychain_is_absent() {
    let folder = Folder::new();
    passes("absent", &folder, &mut folder.command(this_program()));
    let mut command = folder.command(this_program());
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
    passes("absent", &folder, &mut command);
}

#[test] // AT-10a
fn a_bus_without_a_service_has_no_keychain() {
    take(&Session::new(), &["absent"]);
}

#[test] // ST3
fn a_service_that_never_answers_is_silent() {
    with_a_keyring(|session| {
        take(session, &["write"]);
        session.stop_keyring();
        take(session, &["silent"]);
    });
}

#[test]
#[ignore = "one step of the tests above, inside their session"]
fn inside() {
    let step = std::env::var(STEP).expect("the tests above name the step");
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("the tests above name the folder"));
    let seat = Seat::new(&folder);
    match step.as_str() {
        "round_trip" => seat.round_trip(),
        "write" => seat.write("seen from outside"),
        "read" => assert_eq!(seat.read(), Some(Secret::new("seen from outside"))),
        "read_nothing" => assert_eq!(seat.read(), None),
        "remove" => seat.remove(),
        "locked" => seat.is_refused(|error| matches!(error, StoreError::KeychainLocked)),
        "no_collection" => {
            seat.is_refused(|error| matches!(error, StoreError::KeychainWithoutCollection));
        }
        "absent" => seat.is_refused(|error| matches!(error, StoreError::KeychainAbsent { .. })),
        "silent" => {
            seat.is_refused(|error| matches!(error, StoreError::KeychainSilent { seconds: 2 }));
        }
        other => panic!("nobody knows the step {other}"),
    }
}

/// A process inside the session.
struct Seat {
    folder: PathBuf,
    keychain: Keychain,
    lock: Lock,
}

impl Seat {
    fn new(folder: &Path) -> Self {
        let lock = Lock::try_take(&folder.join("lock"), &SystemClock).unwrap().unwrap();
        let bus = SessionBus {
            address: std::env::var_os("DBUS_SESSION_BUS_ADDRESS"),
            runtime_folder: std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from),
        };
        let keychain = keychain(bus, folder.join("spill"), Arc::new(SystemRandom));
        Self { folder: folder.to_owned(), keychain, lock }
    }

    fn write(&self, entry: &str) {
        self.keychain.write(&self.lock, &name(), &Secret::new(entry)).unwrap();
    }

    fn read(&self) -> Option<Secret> {
        self.keychain.read(&name()).unwrap()
    }

    fn remove(&self) {
        self.keychain.remove(&self.lock, &name()).unwrap();
        assert_eq!(self.read(), None);
        self.keychain.remove(&self.lock, &name()).unwrap();
    }

    fn round_trip(&self) {
        assert_eq!(self.keychain.kind(), StoreKind::Keychain);
        assert_eq!(self.read(), None);
        self.keychain.prove().unwrap();
        for size in [1, 2_560, 9_000, 60_000, 65_536, 70_000, 12] {
            let entry = "x".repeat(size);
            self.write(&entry);
            assert_eq!(self.read(), Some(Secret::new(entry)), "{size}");
            let spilled = std::fs::read_dir(self.folder.join("spill")).unwrap().count();
            assert_eq!(spilled, usize::from(size > 65_536), "{size}");
        }
        let elsewhere = EntryName { home: "another-home".to_owned(), ..name() };
        assert_eq!(self.keychain.read(&elsewhere).unwrap(), None);
        self.keychain.write(&self.lock, &elsewhere, &Secret::new("theirs")).unwrap();
        self.remove();
        assert_eq!(self.keychain.read(&elsewhere).unwrap(), Some(Secret::new("theirs")));
    }

    /// Every question is refused for this reason, the last one too, and none waits for a prompt.
    fn is_refused(&self, reason: impl Fn(&StoreError) -> bool) {
        let entry = Secret::new("not to be kept");
        let refusals = [
            timed(|| self.keychain.read(&name()).map(|_| ())),
            timed(|| self.keychain.prove()),
            timed(|| self.keychain.write(&self.lock, &name(), &entry)),
        ];
        for (refusal, took) in refusals {
            match refusal {
                Err(error) if reason(&error) => {}
                other => panic!("{other:?} after {took:?}"),
            }
            // The limit is two seconds; the rest is for a machine that is busy with other tests.
            assert!(took < Duration::from_secs(8), "{took:?}");
        }
    }
}

fn timed<T>(task: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let done = task();
    (done, start.elapsed())
}

fn name() -> EntryName {
    EntryName { profile: "shop".to_owned(), home: String::new() }
}
