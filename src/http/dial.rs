//! Making a connection: name, address, the way through a proxy, TLS. What is sent over it is not known here.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::rt::{Read, Write};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::client::legacy::connect::proxy::{SocksV4, SocksV5, Tunnel};
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::error::{Cause, Failure, NoAddress};
use super::inward::{Reach, outward};

/// Whether a connection still lives is asked when nothing came for so long, and again after as long.
const ALIVE: Duration = Duration::from_secs(15);
/// How often it is asked in vain.
const ALIVE_TRIES: u32 = 3;
/// How long what was sent may stay unconfirmed by the other machine.
#[cfg(target_os = "linux")]
const UNCONFIRMED: Duration = Duration::from_secs(30);

/// Two directions of bytes, whatever lies beneath.
pub(super) trait Wire: Read + Write + Send + Unpin {}
impl<T: Read + Write + Send + Unpin> Wire for T {}
pub(super) type BoxedWire = Box<dyn Wire>;
type Boxed<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// A connection that was just made.
pub(super) struct Dialled {
    pub wire: BoxedWire,
    /// Whether the two agreed on HTTP/2.
    pub is_http2: bool,
}

/// Where a connection leads.
#[derive(Debug)]
pub(super) struct Destination {
    /// Scheme, name and port.
    pub uri: Uri,
    /// Whom the certificate must name; none without TLS.
    pub server_name: Option<ServerName<'static>>,
    /// Whether it may see this client's certificate.
    pub is_shown_identity: bool,
    /// The proxy on the way.
    pub proxy: Option<Intercept>,
    /// Which addresses may be dialled; a proxy dials for itself.
    pub reach: Reach,
}

/// Makes a connection; `tls` is how the destination is spoken to, `tls_proxy` how a proxy is.
pub(super) async fn dial(
    to: &Destination,
    tls: impl FnOnce() -> Result<Arc<ClientConfig>, Failure>,
    tls_proxy: impl FnOnce() -> Result<Arc<ClientConfig>, Failure>,
) -> Result<Dialled, Failure> {
    let wire = match &to.proxy {
        Some(proxy) => through(proxy, &to.uri, tls_proxy).await?,
        None => {
            let tcp = tcp(to.reach).call(to.uri.clone()).await.map_err(|error| error.into());
            Box::new(tcp.map_err(Failure::Connecting)?)
        }
    };
    let Some(name) = to.server_name.clone() else { return Ok(Dialled { wire, is_http2: false }) };
    let connector = TlsConnector::from(tls()?);
    let stream = connector.connect(name, TokioIo::new(wire)).await;
    let stream = stream.map_err(|error| Failure::Connecting(error.into()))?;
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    Ok(Dialled { wire: Box::new(TokioIo::new(stream)), is_http2 })
}

/// Several addresses are tried beside each other (RFC 8305).
fn tcp(reach: Reach) -> HttpConnector<Names> {
    let names = Names { system: GaiResolver::new(), reach };
    let mut connector = HttpConnector::new_with_resolver(names);
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_keepalive(Some(ALIVE));
    connector.set_keepalive_interval(Some(ALIVE));
    connector.set_keepalive_retries(Some(ALIVE_TRIES));
    #[cfg(target_os = "linux")]
    connector.set_tcp_user_timeout(Some(UNCONFIRMED));
    connector
}

async fn through(
    proxy: &Intercept,
    to: &Uri,
    tls: impl FnOnce() -> Result<Arc<ClientConfig>, Failure>,
) -> Result<BoxedWire, Failure> {
    let failed = |error: Cause| Failure::Connecting(error);
    let way = proxy.uri().clone();
    match way.scheme_str().unwrap_or_default() {
        scheme @ ("socks4" | "socks4a") => {
            let to = target(scheme == "socks4", to).await?;
            let wire = SocksV4::new(way, tcp(Reach::Anywhere)).call(to).await;
            Ok(Box::new(wire.map_err(|error| failed(error.into()))?))
        }
        scheme @ ("socks5" | "socks5h") => {
            let to = target(scheme == "socks5", to).await?;
            let mut socks = SocksV5::new(way, tcp(Reach::Anywhere));
            if let Some((user, password)) = proxy.raw_auth() {
                socks = socks.with_auth(user.to_owned(), password.to_owned());
            }
            Ok(Box::new(socks.call(to).await.map_err(|error| failed(error.into()))?))
        }
        scheme => {
            let tls = if scheme == "https" { Some(tls()?) } else { None };
            let mut tunnel = Tunnel::new(way, ToProxy(tls));
            if let Some(authorization) = proxy.basic_auth() {
                tunnel = tunnel.with_auth(authorization.clone());
            }
            tunnel.call(to.clone()).await.map_err(|error| failed(error.into()))
        }
    }
}

/// Name and port for a SOCKS proxy, which some want resolved already.
async fn target(resolved: bool, to: &Uri) -> Result<Uri, Failure> {
    let host = to.host().unwrap_or_default();
    let port = to.port_u16().unwrap_or(443);
    let mut place = format!("https://{host}:{port}");
    if resolved {
        let plain = host.trim_start_matches('[').trim_end_matches(']');
        let found = tokio::net::lookup_host((plain, port)).await;
        let mut found = found.map_err(|error| Failure::Connecting(NoAddress(error).into()))?;
        if let Some(address) = found.next() {
            place = format!("https://{address}");
        }
    }
    place.parse().map_err(|error: hyper::http::uri::InvalidUri| Failure::Connecting(error.into()))
}

/// The system's names; a name without an address is told apart from an address without an answer.
#[derive(Debug, Clone)]
struct Names {
    system: GaiResolver,
    reach: Reach,
}

impl Service<Name> for Names {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Cause;
    type Future = Boxed<Self::Response, Cause>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Cause>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (found, reach) = (self.system.call(name), self.reach);
        Box::pin(async move {
            let found: Vec<SocketAddr> = found.await.map_err(NoAddress)?.collect();
            let allowed = match reach {
                Reach::Anywhere => found,
                Reach::Outward => outward(found)?,
            };
            Ok(allowed.into_iter())
        })
    }
}

/// The connection to a proxy that is asked for a tunnel, over TLS where it has a configuration.
#[derive(Clone)]
struct ToProxy(Option<Arc<ClientConfig>>);

impl Service<Uri> for ToProxy {
    type Response = BoxedWire;
    type Error = Cause;
    type Future = Boxed<BoxedWire, Cause>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, proxy: Uri) -> Self::Future {
        let tls = self.0.clone();
        Box::pin(async move {
            let host = proxy.host().unwrap_or_default();
            let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
            let wire = tcp(Reach::Anywhere).call(proxy).await?;
            let Some(tls) = tls else { return Ok(Box::new(wire) as BoxedWire) };
            let name = ServerName::try_from(name)?;
            let stream = TlsConnector::from(tls).connect(name, TokioIo::new(wire)).await?;
            Ok(Box::new(TokioIo::new(stream)) as BoxedWire)
        })
    }
}
