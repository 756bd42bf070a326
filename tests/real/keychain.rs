//! The keychain store against a real Secret Service: gnome-keyring on a private session bus.
//!
//! Each test makes a folder, a bus and a keyring of its own, and starts this same test binary
//! inside that session: its test `inside` then does one step and judges what it meets.

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

/// Which step `inside` takes.
const STEP: &str = "KEYFOB_KEYCHAIN_STEP";
/// The folder of the test.
const FOLDER: &str = "KEYFOB_KEYCHAIN_FOLDER";
/// What the tests need from outside, and the Debian package that has it.
const TOOLS: [(&str, &str); 6] = [
    ("gnome-keyring-daemon", "gnome-keyring"),
    ("dbus-daemon", "dbus-daemon"),
    ("dbus-run-session", "dbus-daemon"),
    ("dbus-send", "dbus-bin"),
    ("secret-tool", "libsecret-tools"),
    ("gdbus", "libglib2.0-bin"),
];

/// Starts a keyring as `$KEYRING` says and takes the steps that are given as arguments.
///
/// The daemon returns before it owns its name, so the script waits for the name. The password is
/// all of standard input. `secret-tool` cannot lock (it crashes on Debian 12), so `gdbus` does.
const SCRIPT: &str = r#"
set -eu
case "$KEYRING" in
unlocked) printf %s password | gnome-keyring-daemon --components=secrets --daemonize --unlock ;;
started) gnome-keyring-daemon --components=secrets --start </dev/null ;;
none) ;;
esac >/dev/null 2>&1
if [ "$KEYRING" != none ]; then
    gdbus wait --session --timeout 20 org.freedesktop.secrets
    daemon=$(dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus / \
        org.freedesktop.DBus.GetConnectionUnixProcessID string:org.freedesktop.secrets)
    daemon=${daemon##* }
    trap 'kill -KILL $daemon' EXIT
fi
for step in "$@"; do
    case "$step" in
    lock)
        gdbus call --session --dest org.freedesktop.secrets \
            --object-path /org/freedesktop/secrets \
            --method org.freedesktop.Secret.Service.Lock \
            "[objectpath '/org/freedesktop/secrets/collection/login']" >/dev/null
        ;;
    stop) kill -STOP "$daemon" ;;
    look) [ "$(secret-tool lookup service keyfob username shop)" = "seen from outside" ] ;;
    *) KEYFOB_KEYCHAIN_STEP=$step "$TEST_BINARY" --ignored --exact keychain::inside --nocapture ;;
    esac || { echo "the step $step failed" >&2; exit 1; }
done
"#;

/// A bus that knows no service and starts none.
pub const BARE_BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        require_tools();
        let desk = Self(tempfile::tempdir().unwrap());
        for part in ["data", "cache", "run", "config"] {
            std::fs::create_dir(desk.path(part)).unwrap();
            let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
            std::fs::set_permissions(desk.path(part), private).unwrap();
        }
        desk
    }

    fn path(&self, part: &str) -> PathBuf {
        self.0.path().join(part)
    }

    /// A command that sees this desk and nothing of the session that runs the tests.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("XDG_DATA_HOME", self.path("data"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env("HOME", self.0.path())
            .env(FOLDER, self.0.path())
            .env("TEST_BINARY", std::env::current_exe().unwrap());
        for foreign in
            ["DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "GNOME_KEYRING_CONTROL"]
        {
            command.env_remove(foreign);
        }
        command
    }

    /// Takes the steps on a new bus, over the keyring that this desk has by now.
    fn session(&self, keyring: &str, steps: &[&str]) {
        self.session_on(&["--"], keyring, steps);
    }

    fn session_on(&self, bus: &[&str], keyring: &str, steps: &[&str]) {
        let mut command = self.command("timeout");
        command.args(["60", "dbus-run-session"]).args(bus);
        command.args(["bash", "-c", SCRIPT, "session"]).args(steps).env("KEYRING", keyring);
        passes(command);
    }

    /// Takes one step without any bus.
    fn step(&self, step: &str, address: Option<&str>) {
        let mut command = self.command(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "keychain::inside", "--nocapture"]).env(STEP, step);
        if let Some(address) = address {
            command.env("DBUS_SESSION_BUS_ADDRESS", address);
        }
        passes(command);
    }
}

fn passes(mut command: Command) {
    let output = command.output().unwrap();
    let said =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "{}\n{}", output.status, said.join("\n"));
    assert!(said[0].contains("1 passed"), "no step was taken:\n{}", said.join("\n"));
}

pub fn require_tools() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there =
        |tool: &str| std::env::split_paths(&path).any(|folder| folder.join(tool).exists());
    let missing: Vec<_> =
        TOOLS.iter().filter(|(tool, _)| !is_there(tool)).map(|(_, package)| *package).collect();
    assert!(missing.is_empty(), "run this first: apt-get install {}", missing.join(" "));
}

#[test] // ST1, ST4, AT-10c
fn entries_of_every_size_are_kept_and_one_is_seen_from_outside() {
    Desk::new().session("unlocked", &["round_trip", "write", "look", "remove"]);
}

#[test] // ST1
fn an_entry_outlives_the_process_and_the_daemon() {
    let desk = Desk::new();
    desk.session("unlocked", &["write", "read"]);
    desk.session("unlocked", &["read", "remove"]);
    desk.session("unlocked", &["read_nothing"]);
}

#[test] // AT-10b
fn a_locked_keychain_is_locked_and_not_empty() {
    let desk = Desk::new();
    desk.session("unlocked", &["write", "lock", "locked"]);
    desk.session("started", &["locked"]);
}

#[test] // T10
fn a_keychain_without_a_collection_is_not_an_empty_one() {
    Desk::new().session("started", &["no_collection"]);
}

#[test] // AT-10a
fn without_a_bus_the_keychain_is_absent() {
    let desk = Desk::new();
    desk.step("absent", None);
    desk.step("absent", Some("unix:path=/nowhere/bus"));
}

#[test] // AT-10a
fn a_bus_without_a_service_has_no_keychain() {
    let desk = Desk::new();
    let config = desk.path("bus.conf");
    std::fs::write(&config, BARE_BUS).unwrap();
    desk.session_on(&["--config-file", config.to_str().unwrap(), "--"], "none", &["absent"]);
}

#[test] // ST3
fn a_service_that_never_answers_is_silent() {
    Desk::new().session("unlocked", &["write", "stop", "silent"]);
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
            assert!(took < Duration::from_secs(4), "{took:?}");
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
