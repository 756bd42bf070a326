//! The sockets of the redirection endpoint: loopback only, bound and listening in one step.
//!
//! What is said on them is `redirection_endpoint`'s.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::redirect_uri::{Loopback, LoopbackHost};

/// Why the redirection endpoint could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The redirect URI leads to a page elsewhere: nothing is served, its address is pasted.
    #[error("the redirect URI does not lead to this machine")]
    External,
    /// Another program listens there, on one of the addresses at least.
    #[error("port {port} is in use")]
    PortBusy {
        /// The port.
        port: u16,
    },
    /// The system does not let this user have the port (below 1024, or reserved on Windows).
    #[error("port {port} is not allowed: {source}")]
    PortForbidden {
        /// The port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// This machine has no such address, for instance no IPv6.
    #[error("this machine has no address {host}")]
    NoSuchAddress {
        /// The host as the redirect URI writes it.
        host: &'static str,
    },
    /// Anything else.
    #[error("port {port} cannot be opened: {source}")]
    Other {
        /// The port; 0 where any would do.
        port: u16,
        /// Why.
        source: io::Error,
    },
}

/// One listener, or two on one port where the host is `localhost`.
#[derive(Debug)]
pub(super) struct Listeners {
    first: TcpListener,
    second: Option<TcpListener>,
}

/// As many callers may wait to be accepted: junk in front must not turn the browser away.
const BACKLOG: u32 = 1024;

/// How often another free port is tried where the second address has it taken.
const TRIES: usize = 16;

impl Listeners {
    /// Opens every address of the host; must be called within a Tokio runtime.
    pub fn open(loopback: &Loopback) -> Result<Self, BindError> {
        let Some(port) = loopback.port else { return Self::open_any(loopback.host) };
        Self::open_at(loopback.host, port)
    }

    fn open_any(host: LoopbackHost) -> Result<Self, BindError> {
        let mut outcome = Self::open_at(host, 0);
        for _ in 1..TRIES {
            if !matches!(outcome, Err(BindError::PortBusy { .. })) {
                break;
            }
            outcome = Self::open_at(host, 0);
        }
        outcome
    }

    /// An address that this machine lacks is left out; one whose port is taken by someone else is not,
    /// since the browser might choose it (RFC 8252 section 7.3).
    fn open_at(host: LoopbackHost, port: u16) -> Result<Self, BindError> {
        let reused = port != 0;
        let mut port = port;
        let mut open = Vec::with_capacity(2);
        for address in host.addresses() {
            match listener(SocketAddr::new(*address, port), reused) {
                Ok(listener) => {
                    port = port_of(&listener, port)?;
                    open.push(listener);
                }
                Err(error) if is_absent(&error) => {}
                Err(error) => return Err(bind_error(error, port)),
            }
        }
        let mut open = open.into_iter();
        let first = open.next().ok_or(BindError::NoSuchAddress { host: host.name() })?;
        Ok(Self { first, second: open.next() })
    }

    /// Whether a fixed port could be opened now; nothing is held, and nobody could come in meanwhile.
    pub fn check(host: LoopbackHost, port: u16) -> Result<(), BindError> {
        let mut is_there = false;
        for address in host.addresses() {
            match bound(SocketAddr::new(*address, port), true) {
                Ok(_) => is_there = true,
                Err(error) if is_absent(&error) => {}
                Err(error) => return Err(bind_error(error, port)),
            }
        }
        match is_there {
            true => Ok(()),
            false => Err(BindError::NoSuchAddress { host: host.name() }),
        }
    }

    /// The port that all of them hold.
    pub fn port(&self) -> Result<u16, BindError> {
        port_of(&self.first, 0)
    }

    /// Waits for the next caller.
    pub async fn accept(&self) -> io::Result<TcpStream> {
        let (stream, _) = match &self.second {
            None => self.first.accept().await?,
            Some(second) => tokio::select! {
                accepted = self.first.accept() => accepted?,
                accepted = second.accept() => accepted?,
            },
        };
        Ok(stream)
    }
}

/// Binds and listens; SO_REUSEADDR only on a fixed port, where an earlier connect may have left TIME_WAIT behind.
///
/// On Unix that option lets nobody share a port that is listened on. On Windows it would, and is
/// not needed there. SO_REUSEPORT is never set (RFC 8252 appendix B.5).
fn listener(address: SocketAddr, fixed: bool) -> io::Result<TcpListener> {
    bound(address, fixed)?.listen(BACKLOG)
}

fn bound(address: SocketAddr, fixed: bool) -> io::Result<TcpSocket> {
    let socket = match address.ip() {
        IpAddr::V4(_) => TcpSocket::new_v4()?,
        IpAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(fixed && cfg!(unix))?;
    socket.bind(address)?;
    Ok(socket)
}

fn port_of(listener: &TcpListener, asked: u16) -> Result<u16, BindError> {
    let address = listener.local_addr();
    address.map(|address| address.port()).map_err(|source| BindError::Other { port: asked, source })
}

/// The address family or the address does not exist here.
fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.kind() == io::ErrorKind::Unsupported
        || error.raw_os_error() == Some(FAMILY_NOT_SUPPORTED)
}

/// EAFNOSUPPORT, which has no kind in the standard library.
#[cfg(target_os = "linux")]
const FAMILY_NOT_SUPPORTED: i32 = 97;
#[cfg(windows)]
const FAMILY_NOT_SUPPORTED: i32 = 10047;
#[cfg(not(any(target_os = "linux", windows)))]
const FAMILY_NOT_SUPPORTED: i32 = 47;

fn bind_error(source: io::Error, port: u16) -> BindError {
    match source.kind() {
        io::ErrorKind::AddrInUse => BindError::PortBusy { port },
        io::ErrorKind::PermissionDenied => BindError::PortForbidden { port, source },
        _ => BindError::Other { port, source },
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::net::{TcpListener as StdListener, TcpStream as StdStream};
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::user_agent::redirect_uri::{Place, RedirectUri};

    fn open(uri: &str) -> Result<Listeners, BindError> {
        let uri: RedirectUri = uri.parse().unwrap();
        let Place::Loopback(loopback) = uri.place() else { panic!("{uri} is not served") };
        Listeners::open(loopback)
    }

    /// A free port outside the range that the system gives away, so that no other test gets it meanwhile.
    pub fn spare_port() -> u16 {
        static TAKEN: AtomicU32 = AtomicU32::new(0);
        loop {
            let first = std::process::id().wrapping_mul(64);
            let number = first.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
            let port = 10_000 + u16::try_from(number % 20_000).unwrap();
            let is_free = StdListener::bind(("127.0.0.1", port)).is_ok();
            if is_free && (!has_ipv6() || StdListener::bind(("::1", port)).is_ok()) {
                return port;
            }
        }
    }

    fn has_ipv6() -> bool {
        StdListener::bind("[::1]:0").is_ok()
    }

    // RL1, AR20
    #[tokio::test]
    async fn only_the_literal_address_is_held_and_a_caller_gets_in_at_once() {
        let listeners = open("http://127.0.0.1/cb").unwrap();
        let port = listeners.port().unwrap();
        assert_ne!(port, 0);
        assert_eq!(listeners.first.local_addr().unwrap().ip().to_string(), "127.0.0.1");
        assert!(listeners.second.is_none());
        // The kernel completes the handshake before anybody accepts.
        StdStream::connect(("127.0.0.1", port)).unwrap();
        assert!(StdStream::connect(("127.0.0.2", port)).is_err());
    }

    // AR10, RL3
    #[tokio::test]
    async fn a_busy_fixed_port_is_said_and_never_moved() {
        let holder = StdListener::bind("127.0.0.1:0").unwrap();
        let port = holder.local_addr().unwrap().port();
        let outcome = open(&format!("http://127.0.0.1:{port}/cb"));
        assert!(matches!(outcome, Err(BindError::PortBusy { port: named }) if named == port));
    }

    // AR10, RL3
    #[test]
    fn a_check_says_what_opening_would_and_holds_nothing() {
        let port = spare_port();
        assert!(Listeners::check(LoopbackHost::Localhost, port).is_ok());
        let _holder = StdListener::bind(("127.0.0.1", port)).unwrap();
        for host in [LoopbackHost::Ipv4, LoopbackHost::Localhost] {
            let outcome = Listeners::check(host, port);
            assert!(matches!(outcome, Err(BindError::PortBusy { port: named }) if named == port));
        }
    }

    // RL3, A5
    #[tokio::test]
    async fn nobody_can_share_the_port() {
        let listeners = open("http://127.0.0.1/cb").unwrap();
        let port = listeners.port().unwrap();
        // The standard library's listener sets SO_REUSEADDR, as an intruder would.
        assert!(StdListener::bind(("127.0.0.1", port)).is_err());
        assert!(StdListener::bind(("0.0.0.0", port)).is_err());
        #[cfg(unix)]
        {
            let sharing = TcpSocket::new_v4().unwrap();
            sharing.set_reuseport(true).unwrap();
            assert!(sharing.bind(([127, 0, 0, 1], port).into()).is_err());
        }
        let again = open(&format!("http://127.0.0.1:{port}/cb"));
        assert!(matches!(again, Err(BindError::PortBusy { .. })));
    }

    // RL5, A5
    #[tokio::test]
    async fn localhost_holds_both_addresses_or_none() {
        if !has_ipv6() {
            return;
        }
        let listeners = open("http://localhost/cb").unwrap();
        let port = listeners.port().unwrap();
        assert!(StdListener::bind(("::1", port)).is_err());
        assert!(StdListener::bind(("127.0.0.1", port)).is_err());
        drop(listeners);

        let port = spare_port();
        let _squatter = StdListener::bind(("::1", port)).unwrap();
        let outcome = open(&format!("http://localhost:{port}/cb"));
        assert!(matches!(outcome, Err(BindError::PortBusy { port: named }) if named == port));
        assert!(StdListener::bind(("127.0.0.1", port)).is_ok(), "nothing is held after a refusal");
    }

    // RL25
    #[tokio::test]
    async fn a_connection_that_was_just_closed_does_not_block_a_fixed_port() {
        let port = spare_port();
        for _ in 0..2 {
            let listeners = open(&format!("http://127.0.0.1:{port}/cb")).unwrap();
            let client = StdStream::connect(("127.0.0.1", port)).unwrap();
            // The server closes first, which leaves TIME_WAIT on its side.
            drop(listeners.accept().await.unwrap());
            drop(client);
        }
    }
}
