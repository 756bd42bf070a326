//! The one client: no redirect is followed, no request repeated in hiding, https but for loopback.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue, USER_AGENT};
use hyper::{Method, Response, Uri};
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use url::{Host, Position, Url};

use super::dial::{Destination, dial};
use super::error::{Circumstances, Failure, HttpError, of_request};
use super::pool::{Line, Origin, Pool};
use super::proxies::{Proxies, is_loopback, shown};
use super::received::{Received, received};
use super::request::{Request, header_map, host_of};
use super::trust::Trust;
use super::upload::{self, Upload};

/// How long a connection may take to be made, TLS handshake included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What a client needs to know.
#[derive(Debug, Clone)]
pub struct Options {
    /// Files and folders of certificates to trust beside the system's: `--cacert`, `SSL_CERT_FILE`, `SSL_CERT_DIR`.
    pub extra_roots: Vec<PathBuf>,
    /// The User-Agent of requests that carry none of their own.
    pub user_agent: String,
    /// Which proxies to use.
    pub proxies: Proxies,
}

/// Sends requests; cheap to make and to clone. Connections are kept and shared.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    proxies: Proxies,
    user_agent: HeaderValue,
    trust: Arc<Trust>,
    tls: OnceLock<Arc<ClientConfig>>,
    pool: Pool,
}

impl Client {
    /// Makes a client; no file is opened and no certificate parsed before the first https handshake.
    pub fn new(options: Options) -> Result<Self, HttpError> {
        let Options { extra_roots, user_agent, proxies } = options;
        proxies.check()?;
        let user_agent = HeaderValue::try_from(user_agent).map_err(cannot_be_written)?;
        let trust = Arc::new(Trust::new(extra_roots, Arc::new(ring::default_provider())));
        let (tls, pool) = (OnceLock::new(), Pool::default());
        Ok(Self(Arc::new(Inner { proxies, user_agent, trust, tls, pool })))
    }

    /// Sends one request and gives the head of its answer, a redirect as it is.
    pub(super) async fn execute(
        &self,
        request: Request,
        progress: &upload::Progress,
    ) -> Result<Response<Received>, HttpError> {
        permitted(&request.url)?;
        let headers = header_map(&request.headers)?;
        let body = upload::body(request.body, progress)?;
        self.send(request.method, &request.url, headers, body).await
    }

    /// The same for a request that is in the library's form already.
    pub(super) async fn send(
        &self,
        method: Method,
        url: &Url,
        mut headers: HeaderMap,
        body: Upload,
    ) -> Result<Response<Received>, HttpError> {
        permitted(url)?;
        let origin = self.0.pool.origin(url, || self.reached(url))?;
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        headers.entry(USER_AGENT).or_insert_with(|| self.0.user_agent.clone());
        headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("gzip"));
        let mut request = hyper::Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = path(url)?;
        *request.headers_mut() = headers;
        let sent = self.sent(request, url, origin.clone()).await;
        sent.map_err(|failure| self.facts(failure, url, &origin))
    }

    /// Sends over a connection that is there, else over a new one.
    async fn sent(
        &self,
        mut request: hyper::Request<Upload>,
        url: &Url,
        origin: Arc<Origin>,
    ) -> Result<Response<Received>, Failure> {
        loop {
            let kept = origin.kept();
            let is_new = kept.is_none();
            let mut line = match kept {
                Some(line) => line,
                None => self.connected(&origin).await?,
            };
            let mut failure = match line.send(request, &origin, url).await {
                Ok(answer) => return Ok(received(answer, line, origin).await),
                Err(failure) => failure,
            };
            match failure.take_message() {
                // The server closed what was kept, and nothing of the request was sent.
                Some(unsent) if !is_new => request = unsent,
                _ => return Err(Failure::Sending(failure.into_error())),
            }
        }
    }

    async fn connected(&self, origin: &Arc<Origin>) -> Result<Line, Failure> {
        let dialled = dial(&origin.to, || self.tls(), || self.proxy_tls());
        match tokio::time::timeout(CONNECT_TIMEOUT, dialled).await {
            Ok(dialled) => origin.begun(dialled?).await,
            Err(_) => Err(Failure::ConnectingTooLong),
        }
    }

    /// How an origin is reached that was not spoken to before.
    fn reached(&self, url: &Url) -> Result<(HeaderValue, Destination), HttpError> {
        let named = HeaderValue::try_from(host_of(url)).map_err(cannot_be_written)?;
        let uri = Uri::try_from(url.origin().ascii_serialization()).map_err(cannot_be_written)?;
        let server_name = match (url.scheme(), url.host()) {
            ("https", Some(Host::Domain(name))) => {
                Some(ServerName::try_from(name.to_owned()).map_err(cannot_be_written)?)
            }
            ("https", Some(Host::Ipv4(address))) => Some(IpAddr::from(address).into()),
            ("https", Some(Host::Ipv6(address))) => Some(IpAddr::from(address).into()),
            _ => None,
        };
        let proxy = self.0.proxies.on_the_way_to(url);
        Ok((named, Destination { uri, server_name, proxy }))
    }

    fn facts(&self, failure: Failure, url: &Url, origin: &Origin) -> HttpError {
        let (host, proxy) = (host_of(url), origin.to.proxy.as_ref().map(shown));
        let connect_timeout = CONNECT_TIMEOUT;
        let about = Circumstances { host: &host, proxy: proxy.as_deref(), connect_timeout };
        match of_request(failure, &about) {
            // The handshake failed because there was nothing to check the certificate with.
            HttpError::Tls { host, detail } => {
                self.0.trust.failure().unwrap_or(HttpError::Tls { host, detail })
            }
            fact => fact,
        }
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, Failure> {
        if let Some(made) = self.0.tls.get() {
            return Ok(made.clone());
        }
        let made = self.made_tls(&[b"h2", b"http/1.1"])?;
        Ok(self.0.tls.get_or_init(|| made).clone())
    }

    /// A proxy is asked for a tunnel in HTTP/1.1, whatever else it could speak.
    fn proxy_tls(&self) -> Result<Arc<ClientConfig>, Failure> {
        self.made_tls(&[])
    }

    fn made_tls(&self, protocols: &[&[u8]]) -> Result<Arc<ClientConfig>, Failure> {
        let provider = Arc::new(ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::Known(cannot_be_written(error)))?
            .dangerous()
            .with_custom_certificate_verifier(self.0.trust.clone())
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Ok(Arc::new(config))
    }
}

/// Refuses a URL that is neither https nor plain http to loopback.
///
/// Asked for every request and not only when a provider file is read (TQ14).
pub fn permitted(url: &Url) -> Result<(), HttpError> {
    let secure = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
    if !secure || url.host().is_none() {
        let host = format!("{}://{}", url.scheme(), host_of(url));
        return Err(HttpError::InsecureUrl { host });
    }
    if !url.username().is_empty() || url.password().is_some() {
        let detail = "the URL carries a user name or a password".into();
        return Err(HttpError::InvalidRequest { detail });
    }
    Ok(())
}

/// The part of a URL that stands in a request's first line.
fn path(url: &Url) -> Result<Uri, HttpError> {
    Uri::try_from(&url[Position::BeforePath..Position::AfterQuery]).map_err(cannot_be_written)
}

fn cannot_be_written(error: impl std::fmt::Display) -> HttpError {
    HttpError::InvalidRequest { detail: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // TQ14, RR4
    fn plain_http_leads_to_loopback_only() {
        let cases = [
            ("https://api.example/x", true),
            ("http://127.0.0.1:8080/x", true),
            ("http://127.9.9.9/x", true),
            ("http://[::1]:1/x", true),
            ("http://localhost/x", true),
            ("http://api.example/x", false),
            ("http://localhost.evil.example/x", false),
            ("http://127.0.0.1.evil.example/x", false),
            ("http://10.0.0.1/x", false),
            ("http://0.0.0.0/x", false),
            ("ftp://127.0.0.1/x", false),
            ("file:///etc/passwd", false),
            ("https://user:mark@api.example/x", false),
        ];
        for (url, expected) in cases {
            let judged = permitted(&url.parse().unwrap());
            assert_eq!(judged.is_ok(), expected, "{url}");
            assert!(!format!("{judged:?}").contains("mark"));
        }
    }
}
