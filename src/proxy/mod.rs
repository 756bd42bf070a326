//! A loopback reverse proxy: programs on this machine use the API without holding its token.
//!
//! The way of a request is `server` (sockets) → `gate` (who may come in) → `asked` (`path`, `allow`,
//! the scope table) → `forward`, which adds the token and passes the answer back through `headers`,
//! `addresses` and `scrub`. Tokens come from the `keeper`, on the thread that has the connection;
//! everything else runs on a thread of its own, so that a refresh holds nobody up.
//!
//! Words are made elsewhere: what is refused is a fact here, and is told by what is handed in.

mod addresses;
pub mod allow;
mod asked;
pub mod audit;
mod body;
mod forward;
mod gate;
pub mod grant;
mod headers;
mod keeper;
mod location;
mod method_override;
mod path;
pub mod refusal;
mod scrub;
mod server;
mod spelling;
mod stalls;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, watch};

pub use allow::{Allowed, Rule, RuleError};
pub use audit::Line;
pub use forward::Words;
pub use grant::GrantError;
pub use keeper::{Keeper, Tokens};
pub use path::PathError;
pub use refusal::{Failure, Refusal};
pub use server::listen;

use crate::clock::Clock;
use crate::http::Client;
use crate::provider::Provider;
use crate::random::Random;
use crate::secret::Secret;

/// The header in which a program shows the secret where Authorization is not free.
pub const SECRET_HEADER: &str = "X-Keyfob-Proxy";

/// What a proxy needs beside a connection.
pub struct Options {
    /// Where it listens, as [`listen`] gives it.
    pub listener: TcpListener,
    /// What a program must show.
    pub secret: Secret,
    /// The vendor.
    pub provider: Provider,
    /// Sends.
    pub client: Client,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes idempotency keys.
    pub random: Arc<dyn Random>,
    /// Where tokens come from.
    pub tokens: Tokens,
    /// Tells a refusal to a program.
    pub words: Words,
    /// Takes a line for every request; `None` where nobody wants them.
    pub audit: Option<mpsc::Sender<Line>>,
}

/// A proxy that runs on a thread of its own.
pub struct Proxy {
    address: String,
    stop: watch::Sender<bool>,
    thread: JoinHandle<io::Result<()>>,
}

impl Proxy {
    /// Starts to serve.
    pub fn start(options: Options) -> io::Result<Self> {
        let port = options.listener.local_addr()?.port();
        let address = format!("http://127.0.0.1:{port}");
        let forwarder = forward::Forwarder {
            gate: gate::Gate::new(port, options.secret),
            provider: options.provider,
            client: options.client,
            tokens: options.tokens,
            clock: options.clock,
            random: options.random,
            words: options.words,
            audit: options.audit,
            address: address.clone(),
        };
        let (stop, stopped) = watch::channel(false);
        let listener = options.listener;
        let thread = std::thread::Builder::new()
            .name("proxy".into())
            .spawn(move || server::serve(listener, Arc::new(forwarder), stopped))?;
        Ok(Self { address, stop, thread })
    }

    /// Where it is, without a slash at the end.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Lets nobody in any more; requests that are under way may still end.
    pub fn stop(&self) {
        // Where it has ended already there is nobody to tell.
        let _ = self.stop.send(true);
    }

    /// What ended it; `None` while it runs.
    pub fn ended(self) -> Option<io::Result<()>> {
        self.thread.is_finished().then(|| match self.thread.join() {
            Ok(ended) => ended,
            Err(_) => Err(io::Error::other("the proxy's thread broke off")),
        })
    }
}
