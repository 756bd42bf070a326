//! A gnome-keyring on a bus of a test's own, and what a test may do where it ends by itself.
//!
//! gnome-keyring is not keyfob's: 42 aborts now and then when clients are new to it (see
//! `src/store/keychain/secret_service/calls.rs`), and a test cannot blame keyfob for that. So a
//! test may begin again in a new session, but only where the service is proven to be broken: its
//! process has ended though nobody here ended it, or it answers nobody else either. Whatever
//! keyfob promises for such a moment is asserted all the same, with a new service over the same keyring.

#![cfg(target_os = "linux")]

use std::cell::{Cell, RefCell};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use super::folder::{Folder, PATIENCE, Ran};

/// How many services may break in one test.
const SESSIONS: u32 = 5;
/// How long an independent client gives a service before it is called stuck, in seconds.
const STUCK_AFTER: &str = "20";
/// The keyring that is made and unlocked for a test, as a folder of the session.
pub const DATA: &str = "data";
/// A folder without any keyring.
pub const EMPTY: &str = "empty";
/// What the tests need from outside, and the Debian package that has it.
const TOOLS: [(&str, &str); 4] = [
    ("gnome-keyring-daemon", "gnome-keyring"),
    ("dbus-daemon", "dbus-daemon"),
    ("secret-tool", "libsecret-tools"),
    ("gdbus", "libglib2.0-bin"),
];

/// A bus that starts no service by itself.
const BARE_BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>@ADDRESS@</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// A bus without any service, and where keyrings on it lie; everything ends with it.
pub struct Session {
    pub folder: Folder,
    bus: RefCell<Child>,
    service: RefCell<Option<Child>>,
    stopped: Cell<bool>,
}

impl Session {
    /// Without a keyring.
    pub fn new() -> Self {
        require_tools();
        let folder = Folder::new();
        for part in ["run", DATA, EMPTY] {
            std::fs::create_dir(folder.join(part)).unwrap();
            let private = std::fs::Permissions::from_mode(0o700);
            std::fs::set_permissions(folder.join(part), private).unwrap();
        }
        let address = format!("unix:path={}", folder.join("bus").display());
        let config = folder.write("bus.conf", &BARE_BUS.replace("@ADDRESS@", &address));
        let bus = folder
            .command("dbus-daemon")
            .args(["--nofork", "--nopidfile", "--config-file", &config])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The socket is there before anybody listens at it.
        wait_until("the bus", || UnixStream::connect(folder.join("bus")).is_ok());
        let service = RefCell::default();
        Self { folder, bus: RefCell::new(bus), service, stopped: Cell::new(false) }
    }

    /// With an unlocked keyring.
    pub fn unlocked() -> Self {
        let session = Self::new();
        session.start_keyring(DATA, Some("password"));
        session
    }

    /// Starts a service over a folder; without a password its keyring stays as it lies there.
    pub fn start_keyring(&self, data: &str, password: Option<&str>) {
        let mut command = self.on_bus("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets"]);
        command.env("XDG_DATA_HOME", self.folder.join(data));
        match password {
            Some(password) => command
                .arg("--unlock")
                .stdin(std::fs::File::open(self.folder.write("password", password)).unwrap()),
            None => &mut command,
        };
        let words = std::fs::File::create(self.folder.join("keyring.log")).unwrap();
        let service = command.stdout(Stdio::null()).stderr(words).spawn().unwrap();
        self.service.replace(Some(service));
        self.stopped.set(false);
        let mut named = self.on_bus("gdbus");
        named.args(["wait", "--session", "--timeout", "30", "org.freedesktop.secrets"]);
        Ran::of(&mut named).done();
    }

    pub fn end_keyring(&self) {
        if let Some(mut service) = self.service.take() {
            let _ = service.kill();
            let _ = service.wait();
        }
    }

    /// From now on it answers nobody.
    pub fn stop_keyring(&self) {
        let service = Pid::from_child(self.service.borrow().as_ref().unwrap());
        self.stopped.set(true);
        kill_process(service, Signal::STOP).unwrap();
    }

    pub fn lock_keyring(&self) {
        // `secret-tool` of Debian 12 crashes when it is to lock.
        let login = "[objectpath '/org/freedesktop/secrets/collection/login']";
        Ran::of(&mut self.call("Lock", login)).done();
    }

    pub fn end_bus(&self) {
        let mut bus = self.bus.borrow_mut();
        let _ = bus.kill();
        let _ = bus.wait();
    }

    /// A program that sees this session and nothing of the one that runs the tests.
    pub fn on_bus(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = self.folder.command(program);
        let address = format!("unix:path={}", self.folder.join("bus").display());
        command.env("DBUS_SESSION_BUS_ADDRESS", address);
        command.env("XDG_RUNTIME_DIR", self.folder.join("run"));
        command
    }

    /// keyfob with its own default store: the keychain.
    pub fn keyfob(&self, home: &str, arguments: &[&str]) -> Command {
        let mut command = self.on_bus(super::folder::KEYFOB);
        command.env("KEYFOB_HOME", self.folder.join(home)).args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.keyfob("home", arguments))
    }

    /// How the service broke by itself; `None` where it works, or where the test had it end or stop.
    pub fn broken(&self) -> Option<String> {
        let ended = self.service.borrow_mut().as_mut()?.try_wait().unwrap();
        let how = match ended {
            Some(status) => format!("ended by itself, {status}"),
            None if self.stopped.get() || self.answers() => return None,
            None => format!("answers no other program within {STUCK_AFTER} seconds"),
        };
        let words = std::fs::read(self.folder.join("keyring.log")).unwrap();
        Some(format!("gnome-keyring {how}:\n{}", String::from_utf8_lossy(&words)))
    }

    /// A new service over the same keyring.
    pub fn revive(&self) {
        self.end_keyring();
        self.start_keyring(DATA, Some("password"));
    }

    /// Whether the service answers a client that is not keyfob: a question to its main loop.
    fn answers(&self) -> bool {
        Ran::of(&mut self.call("ReadAlias", "nobody")).exit == Some(0)
    }

    fn call(&self, method: &str, argument: &str) -> Command {
        let mut call = self.on_bus("gdbus");
        call.args(["call", "--session", "--timeout", STUCK_AFTER])
            .args([
                "--dest",
                "org.freedesktop.secrets",
                "--object-path",
                "/org/freedesktop/secrets",
            ])
            .args(["--method", &format!("org.freedesktop.Secret.Service.{method}"), argument]);
        call
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end_keyring();
        self.end_bus();
    }
}

/// Takes a test's steps in a session with an unlocked keyring, then asserts what holds at any moment.
///
/// Where the steps fail and the service is proven to have broken by itself, that is said, what holds
/// at any moment is asserted over the same keyring, and the steps are taken anew in a new session.
pub fn in_a_session<W>(
    world: impl Fn(&Session) -> W,
    steps: impl Fn(&Session, &W),
    always: impl Fn(&Session, &W),
) {
    for number in 1..=SESSIONS {
        let session = Session::unlocked();
        let world = world(&session);
        let Err(failure) = catch_unwind(AssertUnwindSafe(|| steps(&session, &world))) else {
            return always(&session, &world);
        };
        let Some(broken) = session.broken() else { resume_unwind(failure) };
        eprintln!("IN SESSION {number} OF {SESSIONS}, NOT KEYFOB'S FAULT: {broken}");
        session.revive();
        always(&session, &world);
    }
    panic!("gnome-keyring broke in each of {SESSIONS} sessions");
}

fn require_tools() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there =
        |tool: &str| std::env::split_paths(&path).any(|folder| folder.join(tool).exists());
    let missing: Vec<_> =
        TOOLS.iter().filter(|(tool, _)| !is_there(tool)).map(|(_, package)| *package).collect();
    assert!(missing.is_empty(), "run this first: apt-get install {}", missing.join(" "));
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} never came");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
