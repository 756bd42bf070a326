//! A keychain without a desktop: a bus and a gnome-keyring of the benchmark's own.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::home::{Home, World};
use crate::measure;
use crate::tools;

/// The service and its bus; both end with this value.
pub struct Keychain {
    bus: Child,
    service: Option<Child>,
    address: String,
}

impl Keychain {
    /// Starts it; `None` where a part is not installed, which is said.
    pub fn start(world: &World) -> Result<Option<Self>, Failure> {
        let parts = [
            ("dbus-daemon", "dbus-daemon"),
            ("dbus-send", "dbus-bin"),
            ("gnome-keyring-daemon", "gnome-keyring"),
            ("secret-tool", "libsecret-tools"),
        ];
        if !parts.iter().all(|(program, package)| {
            tools::is_there(program, package, "the rows about the keychain")
        }) {
            return Ok(None);
        }
        let mut bus = world
            .command("dbus-daemon")
            .args(["--session", "--nofork", "--print-address"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut address = String::new();
        let told = bus.stdout.take().ok_or("the bus has no output")?;
        BufReader::new(told).read_line(&mut address)?;
        let mut keychain = Self { bus, service: None, address: address.trim().to_owned() };
        keychain.serve(world)?;
        Ok(Some(keychain))
    }

    fn serve(&mut self, world: &World) -> Result<(), Failure> {
        let mut service = self
            .on_the_bus(world.command("gnome-keyring-daemon"))
            .args(["--foreground", "--components=secrets", "--unlock"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let password = service.stdin.take();
        self.service = Some(service);
        password.ok_or("the keychain has no input")?.write_all(b"a password")?;
        let start = Instant::now();
        while !self.is_ready(world)? {
            if start.elapsed() > Duration::from_secs(10) {
                return Err("gnome-keyring does not come up".into());
            }
            // The service tells nobody but the bus that it is there.
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn is_ready(&self, world: &World) -> Result<bool, Failure> {
        let mut question = self.on_the_bus(world.command("dbus-send"));
        question.args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/"]);
        question.args(["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"]);
        Ok(measure::answer(&mut question)?.contains("true"))
    }

    fn on_the_bus(&self, mut command: Command) -> Command {
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command
    }

    /// A home whose tokens are in this keychain.
    pub fn home(&self, world: &World) -> Home {
        let variables = vec![
            ("KEYFOB_STORE".into(), "keychain".into()),
            ("DBUS_SESSION_BUS_ADDRESS".into(), self.address.clone()),
        ];
        Home { folder: world.folder().join("keychain"), variables }
    }

    /// secret-tool looking up the one entry that keyfob made, hence of the same size.
    pub fn lookup(&self, world: &World) -> Result<Command, Failure> {
        let mut search = self.on_the_bus(world.command("secret-tool"));
        search.args(["search", "--all", "service", "keyfob"]);
        let output = search.stdin(Stdio::null()).output()?;
        // Attributes come on standard error, by older versions on standard output.
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        let name = text.lines().find_map(|line| line.strip_prefix("attribute.username = "));
        let name = name.ok_or("secret-tool does not find keyfob's entry")?;
        let mut lookup = self.on_the_bus(world.command("secret-tool"));
        lookup.args(["lookup", "service", "keyfob", "username", name]);
        Ok(lookup)
    }
}

impl Drop for Keychain {
    fn drop(&mut self) {
        for process in self.service.iter_mut().chain([&mut self.bus]) {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
