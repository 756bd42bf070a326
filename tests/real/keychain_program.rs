//! The whole program with its tokens in a real keychain: gnome-keyring on a bus of each test's own.

#![cfg(target_os = "linux")]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use keyfob::sandbox::{Endpoint, Options, Sandbox};
use rustix::process::{Pid, Signal, kill_process};

use super::authorization_server::person;
use super::folder::{Folder, Ran};
use super::keychain::{BARE_BUS, require_tools};
use super::stand_in;

/// The promise is two seconds; the rest is for a machine that is busy with other tests.
const AT_ONCE: Duration = Duration::from_secs(4);

/// A bus without any service, and where keyrings on it lie.
pub struct Session {
    pub folder: Folder,
    bus: Child,
    daemon: Option<Child>,
}

impl Session {
    fn new() -> Self {
        require_tools();
        let folder = Folder::new();
        for part in ["run", "data", "empty"] {
            std::fs::create_dir(folder.join(part)).unwrap();
            let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
            std::fs::set_permissions(folder.join(part), private).unwrap();
        }
        let address = format!("unix:path={}", folder.join("bus").display());
        let config = folder.write("bus.conf", &BARE_BUS.replace("unix:tmpdir=/tmp", &address));
        let bus = folder
            .command("dbus-daemon")
            .args(["--nofork", "--nopidfile", "--config-file", &config])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_until("the bus", || folder.join("bus").exists());
        Self { folder, bus, daemon: None }
    }

    /// The same with an unlocked keyring.
    pub fn unlocked() -> Self {
        let mut session = Self::new();
        session.start_keyring("data", Some("password"));
        session
    }

    /// Starts a keyring over a folder; without a password it stays as it lies there.
    fn start_keyring(&mut self, data: &str, password: Option<&str>) {
        let mut command = self.on_bus("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets"]);
        command.env("XDG_DATA_HOME", self.folder.join(data));
        match password {
            Some(password) => command
                .arg("--unlock")
                .stdin(std::fs::File::open(self.folder.write("password", password)).unwrap()),
            None => &mut command,
        };
        self.daemon = Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let mut named = self.on_bus("gdbus");
        named.args(["wait", "--session", "--timeout", "20", "org.freedesktop.secrets"]);
        Ran::of(&mut named).done();
    }

    fn end_keyring(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }

    fn lock_keyring(&self) {
        let mut lock = self.on_bus("gdbus");
        lock.args(["call", "--session", "--dest", "org.freedesktop.secrets"])
            .args(["--object-path", "/org/freedesktop/secrets"])
            .args(["--method", "org.freedesktop.Secret.Service.Lock"])
            .arg("[objectpath '/org/freedesktop/secrets/collection/login']");
        Ran::of(&mut lock).done();
    }

    fn on_bus(&self, program: &str) -> Command {
        let mut command = self.folder.command(program);
        command
            .env(
                "DBUS_SESSION_BUS_ADDRESS",
                format!("unix:path={}", self.folder.join("bus").display()),
            )
            .env("XDG_RUNTIME_DIR", self.folder.join("run"));
        command
    }

    /// keyfob with its own default store: the keychain.
    pub fn keyfob(&self, home: &str, arguments: &[&str]) -> Command {
        let mut command = self.on_bus(super::folder::KEYFOB);
        command.env("KEYFOB_HOME", self.folder.join(home)).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.keyfob("home", arguments))
    }

    fn connect(&self, home: &str, sandbox: &Sandbox) {
        let mut command = self.keyfob(home, &[]);
        stand_in::connect(sandbox, &self.folder, &mut command);
        Ran::of(command.env("BROWSER", person(&self.folder, "allow"))).done();
    }

    /// What somebody sees who looks from outside.
    fn seen(&self) -> String {
        let mut look = self.on_bus("secret-tool");
        let ran = Ran::of(look.args(["search", "--all", "service", "keyfob"]));
        ran.stdout + &ran.stderr
    }

    /// `token` answers at once that the keychain is not to be had, names the choices, and takes no other store.
    fn refuses_at_once(&self, words: &str) {
        let start = Instant::now();
        let stderr = self.run(&["token", "shop"]).failed(6);
        let took = start.elapsed();
        assert!(took < AT_ONCE, "{took:?}\n{stderr}");
        assert!(stderr.contains(words), "not `{words}`:\n{stderr}");
        assert!(stderr.contains("file"), "the other store is not named:\n{stderr}");
        let sealed = self.folder.join("home/state/store");
        let files = std::fs::read_dir(sealed).map_or(0, Iterator::count);
        assert_eq!(files, 0, "a weaker store was taken");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end_keyring();
        let _ = self.bus.kill();
        let _ = self.bus.wait();
    }
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + super::folder::PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn sandbox() -> Sandbox {
    Sandbox::start("inkress", Options::default()).unwrap()
}

#[test]
fn tokens_live_in_the_keychain_from_connect_to_revoke() {
    let (session, sandbox) = (Session::unlocked(), sandbox());
    session.connect("home", &sandbox);
    let seen = session.seen();
    assert_eq!(seen.matches("attribute.username = ").count(), 1, "{seen}");
    let first = session.run(&["token", "shop"]).done();
    assert!(seen.contains(first.trim()), "the token is not in the keychain");

    let children: Vec<Child> = (0..20)
        .map(|_| {
            let mut command = session.keyfob("home", &["refresh", "shop"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        Ran::from(child.wait_with_output().unwrap()).done();
    }
    assert_eq!((sandbox.spent_tokens_seen(), sandbox.grants_alive()), (0, 1));
    let last = session.run(&["token", "shop"]).done();
    assert_ne!(first, last);
    session.run(&["call", "shop", "/orders"]).done();

    session.run(&["revoke", "shop"]).done();
    assert_eq!(sandbox.grants_alive(), 0);
    let seen = session.seen();
    assert!(!seen.contains("inka_") && !seen.contains("inkr_"), "{seen}");
    session.run(&["token", "shop"]).failed(4);
}

#[test]
fn two_homes_never_share_an_entry() {
    let (session, sandbox) = (Session::unlocked(), sandbox());
    session.connect("home", &sandbox);
    session.connect("other-home", &sandbox);
    let seen = session.seen();
    assert_eq!(seen.matches("attribute.username = ").count(), 2, "{seen}");
    let [one, other] = ["home", "other-home"]
        .map(|home| Ran::of(&mut session.keyfob(home, &["token", "shop"])).done());
    assert_ne!(one, other);
    session.run(&["revoke", "shop"]).done();
    let kept = Ran::of(&mut session.keyfob("other-home", &["token", "shop"])).done();
    assert_eq!(kept, other);
}

#[test]
fn tokens_of_nine_kilobytes_come_back_whole() {
    let (session, sandbox) = (Session::unlocked(), sandbox());
    let long = format!("inka_{}", "x".repeat(9_000));
    sandbox.answer_with("access_token", long.clone().into());
    session.connect("home", &sandbox);
    assert_eq!(session.run(&["token", "shop"]).done().trim(), long);
}

#[test]
fn a_keychain_that_is_not_to_be_had_is_told_at_once() {
    let sandbox = sandbox();
    let mut session = Session::unlocked();
    session.connect("home", &sandbox);

    session.lock_keyring();
    session.refuses_at_once("locked");

    session.end_keyring();
    session.start_keyring("data", None);
    session.refuses_at_once("locked");

    session.end_keyring();
    session.start_keyring("empty", None);
    session.refuses_at_once("no default keyring");

    let daemon = Pid::from_child(session.daemon.as_ref().unwrap());
    kill_process(daemon, Signal::STOP).unwrap();
    session.refuses_at_once("seconds");

    session.end_keyring();
    session.refuses_at_once("keychain");

    session.bus.kill().unwrap();
    session.bus.wait().unwrap();
    session.refuses_at_once("keychain");
    assert_eq!(sandbox.counts(Endpoint::Token), 1, "something was refreshed on the way");
}

#[test]
fn a_locked_keychain_stops_connect_before_the_browser() {
    let (session, sandbox) = (Session::unlocked(), sandbox());
    session.lock_keyring();
    let mut command = session.keyfob("home", &[]);
    stand_in::connect(&sandbox, &session.folder, &mut command);
    let stderr = Ran::of(command.env("BROWSER", person(&session.folder, "allow"))).failed(6);
    assert!(!stderr.contains("/oauth/authorize"), "a person was sent in vain: {stderr}");
    assert_eq!(sandbox.counts(Endpoint::Authorization), 0);
}
