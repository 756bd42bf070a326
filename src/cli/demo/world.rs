//! The outside of the demo: a home of its own, a store in memory, a scripted person where there is no browser.

use std::cell::RefCell;
use std::io::{self, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use url::Url;

use super::super::context::Context;
use super::super::report::Report;
use super::{arguments, failed};
use crate::sandbox::Sandbox;
use crate::sandbox::walk::{self, Decision};
use crate::secret::Secret;
use crate::store::memory::MemoryStore;
use crate::store::{EntryName, Store, StoreError, StoreKind};
use crate::system::critical::Critical;
use crate::system::real::ClientOptions;
use crate::system::{CriticalPart, Environment, Home, Stores, System, Terminals};
use crate::user_agent::browser::{Browser, BrowserError, SystemBrowser};
use crate::user_agent::opening::{
    BrowserChoice, Opening, in_ci, in_container, over_ssh, should_open,
};

/// The vendor's usual port, so that the demo shows what a person registers.
const USUAL_PORT: u16 = 8976;

/// The demo's own outside.
pub struct World {
    system: System,
    said: Said,
    settings: String,
    /// Removed when the demo ends.
    _home: TempDir,
}

/// What a step came to.
pub struct Done {
    /// Its exit code.
    pub exit: u8,
    /// Everything it wrote.
    pub text: String,
}

/// Collects both streams in the order of writing.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut said = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        said.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One store in memory for all steps.
struct OneStore(MemoryStore);

impl Stores for OneStore {
    fn open(&self, _: StoreKind) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(self.0.clone()))
    }

    fn worker_key(&self, _: StoreKind, _: &EntryName) -> Result<Option<Secret>, StoreError> {
        Ok(None)
    }
}

/// Reads the consent page and presses Allow, as a person would.
struct ScriptedPerson;

impl Browser for ScriptedPerson {
    fn open(&self, url: &Url) -> Result<(), BrowserError> {
        // What becomes of it is seen where the command waits for the browser to come back.
        let _walking = walk::in_thread(url.as_str(), Decision::Allow);
        Ok(())
    }
}

/// The person's browser; where none starts after all, the scripted person steps in.
struct RealBrowser {
    browser: SystemBrowser,
    /// Whether standard error is for people.
    tells: bool,
}

impl Browser for RealBrowser {
    fn open(&self, url: &Url) -> Result<(), BrowserError> {
        // The step's own words come when it is over; this one is needed now.
        if self.tells {
            let _ = writeln!(
                io::stderr(),
                "   your browser opens this page, press Allow in it:\n{url}"
            );
        }
        self.browser.open(url).or_else(|_| ScriptedPerson.open(url))
    }
}

/// The redirect URI of the demo: on the usual port, or on a free one where that is taken.
pub fn redirect_uri() -> io::Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", USUAL_PORT))
        .or_else(|_| TcpListener::bind("127.0.0.1:0"))?;
    Ok(format!("http://127.0.0.1:{}/callback/inkress", listener.local_addr()?.port()))
}

impl World {
    /// A fresh home, a client of the sandbox, and whoever can press Allow.
    pub fn new(
        context: &Context<'_>,
        sandbox: &Sandbox,
        redirect_uri: &str,
    ) -> Result<Self, Report> {
        let home = tempfile::tempdir().map_err(|error| failed(&error.to_string()))?;
        let client = sandbox.client();
        let secret = client.client_secret.as_ref().map(|it| it.expose().to_owned());
        let variables = [
            ("KEYFOB_CLIENT_ID", client.client_id),
            ("KEYFOB_CLIENT_SECRET", secret.unwrap_or_default()),
            ("KEYFOB_STORE", "memory".to_owned()),
            // A browser is always started here: a real one, or the scripted person.
            ("BROWSER", "demo".to_owned()),
        ];
        let said = Said::default();
        let system = System {
            clock: context.system.clock.clone(),
            random: context.system.random.clone(),
            browser: browser(context),
            stores: Box::new(OneStore(MemoryStore::new())),
            person: None,
            environment: Environment::new(variables.map(|(name, value)| (name.to_owned(), value))),
            home: Home::under(home.path()),
            stdin: RefCell::new(Box::new(io::empty())),
            stdout: RefCell::new(Box::new(said.clone())),
            stdout_file: None,
            stderr: RefCell::new(Box::new(said.clone())),
            terminals: Terminals::default(),
            critical_part: CriticalPart::ThisProcess,
            critical: Critical::default(),
            client_options: ClientOptions::default(),
            interruption: context.system.interruption.clone(),
            in_container: false,
        };
        let settings: String = sandbox
            .settings()
            .iter()
            .map(|(name, value)| format!(" --set {name}={value}"))
            .collect();
        let settings = format!("{settings} --redirect-uri {redirect_uri}");
        Ok(Self { system, said, settings, _home: home })
    }

    /// Runs one command line; `connect` is pointed at the sandbox.
    pub fn run(&mut self, command: &str) -> Done {
        let command = match command.starts_with("keyfob connect") {
            true => format!("{command}{}", self.settings),
            false => command.to_owned(),
        };
        let exit = super::super::run(arguments(&command), &mut self.system);
        let mut said = self.said.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Done { exit, text: String::from_utf8_lossy(&std::mem::take(&mut *said)).into_owned() }
    }
}

/// The person's own browser where one would be seen, else the scripted person.
fn browser(context: &Context<'_>) -> Arc<dyn Browser> {
    let environment = &context.system.environment;
    let variable = environment.get("BROWSER");
    let has_display = !cfg!(target_os = "linux")
        || environment.get("DISPLAY").is_some()
        || environment.get("WAYLAND_DISPLAY").is_some();
    let opening = should_open(BrowserChoice {
        browser_variable_set: variable.is_some(),
        no_browser_flag: false,
        terminal: context.system.terminals.stderr && has_display,
        over_ssh: over_ssh(environment.all()),
        in_container: in_container(environment.all(), context.system.in_container),
        in_ci: in_ci(environment.all()),
    });
    match opening {
        Opening::Start if variable != Some("none") => Arc::new(RealBrowser {
            browser: SystemBrowser { command: variable.map(str::to_owned) },
            tells: !context.output.json,
        }),
        _ => Arc::new(ScriptedPerson),
    }
}
