//! The real outside: this process's clock, randomness, environment, terminal and streams.
//!
//! The only place besides `main` that reads them.

use std::cell::{OnceCell, RefCell};
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::environment::Environment;
use super::home::Home;
use super::person::{Person, TerminalPerson};
use super::signals::Signals;
use super::stores::RealStores;
use super::{CriticalPart, System, Terminals, Window};
use crate::clock::SystemClock;
use crate::http::{Client, HttpError, Options, Proxies};
use crate::random::{Random, SystemRandom};
use crate::user_agent::browser::SystemBrowser;
use crate::user_agent::opening::CONTAINER_FILES;

/// What makes a client, apart from the environment's proxies; it travels to a worker.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ClientOptions {
    /// Certificates to trust beside the system's.
    pub extra_roots: Vec<PathBuf>,
}

/// Reads one environment variable of this process.
#[expect(clippy::disallowed_methods, reason = "this is the room that reads the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Makes the client of this process.
pub fn client(options: &ClientOptions) -> Result<Client, HttpError> {
    client_with(options, variable)
}

/// Makes a client with the proxies that the given variables name.
pub fn client_with(
    options: &ClientOptions,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Client, HttpError> {
    Client::new(Options {
        extra_roots: options.extra_roots.clone(),
        user_agent: concat!("keyfob/", env!("CARGO_PKG_VERSION")).to_owned(),
        proxies: Proxies::from_variables(variable),
    })
}

/// The environment of this process; what is not text is left out.
#[expect(clippy::disallowed_methods, reason = "this is the room that reads the environment")]
pub fn environment() -> Environment {
    Environment::new(
        std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }),
    )
}

/// The window that standard error is shown in, or standard output where the other goes elsewhere.
fn window() -> Option<Window> {
    #[cfg(unix)]
    return rustix::termios::tcgetwinsize(io::stderr())
        .or_else(|_| rustix::termios::tcgetwinsize(io::stdout()))
        .ok()
        .map(|size| Window { columns: size.ws_col, rows: size.ws_row });
    #[cfg(not(unix))]
    None
}

/// Makes the system of this process; `None` where this user has no home folder.
pub fn system() -> Option<System> {
    let environment = environment();
    let home = Home::find(&environment)?;
    let terminals = Terminals {
        stdin: io::stdin().is_terminal(),
        stdout: io::stdout().is_terminal(),
        stderr: io::stderr().is_terminal(),
        window: window(),
    };
    let person: Option<Arc<dyn Person>> =
        (terminals.stdin && terminals.stderr).then(|| Arc::new(TerminalPerson) as Arc<dyn Person>);
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let stores = RealStores {
        home: home.clone(),
        environment: environment.clone(),
        person: person.clone(),
        random: random.clone(),
        passphrase: OnceCell::new(),
    };
    Some(System {
        clock: Arc::new(SystemClock),
        random,
        browser: Arc::new(SystemBrowser { command: environment.get("BROWSER").map(str::to_owned) }),
        stores: Box::new(stores),
        person,
        home,
        stdin: RefCell::new(Box::new(io::stdin())),
        stdout: RefCell::new(stdout()),
        stdout_file: stdout_file(),
        stderr: RefCell::new(Box::new(io::stderr())),
        terminals,
        critical_part: CriticalPart::OwnProcess,
        critical: super::Critical::default(),
        interruption: Arc::new(Signals),
        in_container: CONTAINER_FILES.iter().any(|file| std::path::Path::new(file).exists()),
        client_options: ClientOptions::default(),
        environment,
    })
}

/// Standard output where it is a plain file.
#[cfg(unix)]
fn stdout_file() -> Option<std::fs::File> {
    use std::os::fd::AsFd as _;
    let file = std::fs::File::from(io::stdout().as_fd().try_clone_to_owned().ok()?);
    file.metadata().is_ok_and(|it| it.is_file()).then_some(file)
}

#[cfg(not(unix))]
fn stdout_file() -> Option<std::fs::File> {
    None
}

/// Standard output without a buffer of its own: a body of a gibibyte goes through in large parts.
#[cfg(unix)]
fn stdout() -> Box<dyn io::Write + Send> {
    use std::os::fd::AsFd as _;
    match io::stdout().as_fd().try_clone_to_owned() {
        Ok(descriptor) if stands_for_a_closed_one(&descriptor) => Box::new(Closed),
        Ok(descriptor) => Box::new(std::fs::File::from(descriptor)),
        Err(_) => Box::new(io::stdout()),
    }
}

/// Where a program is started without a standard stream, Rust puts the null device in its place, open
/// for both ways: what is written there is lost, and nobody asked for that. Who redirects to it opens
/// it to write.
#[cfg(unix)]
fn stands_for_a_closed_one(descriptor: &std::os::fd::OwnedFd) -> bool {
    use rustix::fs::OFlags;
    let is_both_ways = rustix::fs::fcntl_getfl(descriptor)
        .is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDWR);
    let device = |facts: rustix::fs::Stat| (facts.st_mode, facts.st_rdev);
    is_both_ways
        && match (rustix::fs::fstat(descriptor), rustix::fs::stat("/dev/null")) {
            (Ok(here), Ok(null)) => device(here) == device(null),
            _ => false,
        }
}

/// A standard output that nobody opened.
#[cfg(unix)]
struct Closed;

#[cfg(unix)]
impl io::Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::other("it was closed before keyfob started"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(not(unix))]
fn stdout() -> Box<dyn io::Write + Send> {
    Box::new(io::stdout())
}
