//! All that comes from outside, in one value: clock, randomness, browser, stores, environment, streams.
//!
//! Production makes one with [`real::system`]; a test makes one of its own. No other room reads
//! the environment, the clock or a terminal by itself.

pub mod critical;
pub mod environment;
pub mod hardening;
pub mod home;
pub mod person;
pub mod real;
pub mod shell;
pub mod signals;
pub mod stores;
pub mod successor;

use std::cell::RefCell;
use std::io::{Read, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

pub use critical::Critical;
pub use environment::Environment;
pub use home::Home;
pub use person::Person;
pub use signals::Interruption;
pub use stores::Stores;

use crate::clock::Clock;
use crate::random::Random;
use crate::user_agent::browser::Browser;

/// The outside, as the program meets it.
pub struct System {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// What opens a page for the person.
    pub browser: Arc<dyn Browser>,
    /// Opens stores.
    pub stores: Box<dyn Stores>,
    /// The person at the terminal; `None` where nobody can be asked.
    pub person: Option<Arc<dyn Person>>,
    /// Environment variables.
    pub environment: Environment,
    /// Where files are.
    pub home: Home,
    /// Standard input.
    pub stdin: RefCell<Box<dyn Read + Send>>,
    /// The product.
    pub stdout: RefCell<Box<dyn Write + Send>>,
    /// The file that the product goes to, where it goes to one: it can be made to last.
    pub stdout_file: Option<std::fs::File>,
    /// For people.
    pub stderr: RefCell<Box<dyn Write + Send>>,
    /// Which of the streams are terminals.
    pub terminals: Terminals,
    /// Where a refresh runs.
    pub critical_part: CriticalPart,
    /// What is seen through although a signal has come.
    pub critical: Critical,
    /// What makes the HTTP client.
    pub client_options: real::ClientOptions,
    /// What ends a command early.
    pub interruption: Arc<dyn Interruption>,
    /// Whether files say that this is a container.
    pub in_container: bool,
}

/// Which streams a person sits at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terminals {
    /// Standard input.
    pub stdin: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
    /// How large standard error's is, else standard output's, where that is known.
    pub window: Option<Window>,
}

/// A terminal's window, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Across.
    pub columns: u16,
    /// Down.
    pub rows: u16,
}

/// Where the part of a refresh runs that must not be cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CriticalPart {
    /// In a process of its own, which outlives the command.
    OwnProcess,
    /// Here: for `demo`, the memory store and tests.
    ThisProcess,
}

impl System {
    /// Runs a future to its end on a runtime that is made for it; `None` where a signal came first.
    ///
    /// A critical part that is under way when the signal comes is seen through; the signal ends the
    /// command all the same, else a Ctrl-C in the middle of `refresh --all` would go unheard.
    ///
    /// # Panics
    /// Where the operating system gives no event queue, without which nothing can be waited for.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.run_hearing(async {
            self.unless(self.interruption.came(), std::pin::pin!(future)).await
        })
    }

    /// Waits for the future, and gives it up at the signal; a critical part that is under way is seen through.
    pub async fn unless<T>(
        &self,
        signal: impl Future<Output = ()>,
        mut future: Pin<&mut impl Future<Output = T>>,
    ) -> Option<T> {
        tokio::select! {
            biased;
            done = &mut future => return Some(done),
            () = signal => {}
        }
        std::future::poll_fn(|context| match self.critical.is_under_way() {
            false => Poll::Ready(None),
            true => match future.as_mut().poll(context) {
                Poll::Ready(_) => Poll::Ready(None),
                Poll::Pending if self.critical.is_under_way() => Poll::Pending,
                Poll::Pending => Poll::Ready(None),
            },
        })
        .await
    }

    /// The same for a future that listens for signals itself, and ends by them in its own way.
    ///
    /// # Panics
    /// Where the operating system gives no event queue, without which nothing can be waited for.
    pub fn run_hearing<T>(&self, future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("the operating system gives an event queue");
        let done = runtime.block_on(future);
        runtime.shutdown_background();
        done
    }

    /// Nobody is asked anything from now on.
    pub fn ask_nobody(&mut self) {
        self.person = None;
        self.stores.ask_nobody();
    }

    /// Signals keep the meaning that they had when this program was started, for one that takes its place.
    pub fn leave_signals_alone(&mut self) {
        self.interruption = Arc::new(signals::Never);
    }

    /// This machine's name, for the mark of a refresh.
    pub fn host_name(&self) -> String {
        #[cfg(unix)]
        return rustix::system::uname().nodename().to_string_lossy().into_owned();
        #[cfg(not(unix))]
        return self.environment.get("COMPUTERNAME").unwrap_or_default().to_owned();
    }
}
