//! The one client: no redirect is followed, no request repeated in hiding, https but for loopback.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::body::Body as _;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue, USER_AGENT};
use hyper::{Method, Response, Uri};
use rustls::client::WantsClientCert;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ConfigBuilder};
use url::{Host, Position, Url};

use super::dial::{Destination, dial};
use super::error::{Circumstances, Failure, HttpError, of_request};
use super::identity::Identity;
use super::inward::{self, Reach};
use super::pool::{Line, Origin, Pool};
use super::proxies::{Proxies, is_loopback, shown};
use super::received::{Received, received};
use super::request::{Body, HeaderText, header_map, host_of};
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
    identity: Option<Identity>,
    tls_with_identity: OnceLock<Result<Arc<ClientConfig>, HttpError>>,
    pool: Pool,
}

impl Client {
    /// Makes a client; no file is opened and no certificate parsed before the first https handshake.
    pub fn new(options: Options) -> Result<Self, HttpError> {
        let Options { extra_roots, user_agent, proxies } = options;
        let user_agent = HeaderValue::try_from(user_agent).map_err(cannot_be_written)?;
        let trust = Arc::new(Trust::new(extra_roots, Arc::new(ring::default_provider())));
        Ok(Self::of(proxies, user_agent, trust, None))
    }

    /// The same client with a certificate for a few hosts; every other host sees none (CA8).
    ///
    /// Its connections are its own: none that was made without the certificate is used.
    pub fn presenting(&self, identity: Identity) -> Self {
        let Inner { proxies, user_agent, trust, .. } = &*self.0;
        Self::of(proxies.clone(), user_agent.clone(), trust.clone(), Some(identity))
    }

    fn of(
        proxies: Proxies,
        user_agent: HeaderValue,
        trust: Arc<Trust>,
        identity: Option<Identity>,
    ) -> Self {
        Self(Arc::new(Inner {
            proxies,
            user_agent,
            trust,
            tls: OnceLock::new(),
            identity,
            tls_with_identity: OnceLock::new(),
            pool: Pool::default(),
        }))
    }

    /// Sends one request and gives the head of its answer, a redirect as it is.
    pub(super) async fn execute(
        &self,
        method: Method,
        url: &Url,
        headers: &[(String, HeaderText)],
        body: Body,
        progress: &upload::Progress,
        named_by: Option<&str>,
    ) -> Result<Response<Received>, HttpError> {
        permitted(url)?;
        let reach = match named_by {
            Some(issuer) => inward::check(url, issuer).await?,
            None => Reach::Anywhere,
        };
        let headers = header_map(headers)?;
        self.send_within(reach, method, url, headers, upload::body(body, progress)?).await
    }

    /// The same for a request that is in the library's form already.
    pub(super) async fn send(
        &self,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        body: Upload,
    ) -> Result<Response<Received>, HttpError> {
        permitted(url)?;
        self.send_within(Reach::Anywhere, method, url, headers, body).await
    }

    /// Sends to an address that is permitted.
    async fn send_within(
        &self,
        reach: Reach,
        method: Method,
        url: &Url,
        mut headers: HeaderMap,
        body: Upload,
    ) -> Result<Response<Received>, HttpError> {
        let origin = self.0.pool.origin(url, reach, || self.reached(url, reach))?;
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
        let is_bare = request.body().is_end_stream();
        loop {
            let kept = origin.kept();
            let is_new = kept.is_none();
            let mut line = match kept {
                Some(line) => line,
                None => self.connected(&origin).await?,
            };
            let trial = line.trial(&origin);
            match line.ready().await {
                Err(_) if !is_new => continue,
                ready => ready.map_err(Failure::Sending)?,
            }
            let mut failure = match line.send(request, &origin, url).await {
                Ok(answer) => {
                    trial.passed();
                    return Ok(received(answer, line, origin, is_bare).await);
                }
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
        let dialled = dial(&origin.to, || self.tls(&origin.to), || self.proxy_tls());
        match tokio::time::timeout(CONNECT_TIMEOUT, dialled).await {
            Ok(dialled) => origin.begun(dialled?).await,
            Err(_) => Err(Failure::ConnectingTooLong),
        }
    }

    /// How an origin is reached that was not spoken to before.
    fn reached(&self, url: &Url, reach: Reach) -> Result<(HeaderValue, Destination), HttpError> {
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
        let proxy = self.0.proxies.on_the_way_to(url)?;
        let is_shown_identity = self.0.identity.as_ref().is_some_and(|it| it.is_for(url));
        Ok((named, Destination { uri, server_name, is_shown_identity, proxy, reach }))
    }

    fn facts(&self, failure: Failure, url: &Url, origin: &Origin) -> HttpError {
        let (host, proxy) = (host_of(url), origin.to.proxy.as_ref().map(shown));
        let connect_timeout = CONNECT_TIMEOUT;
        let is_shown_identity = origin.to.is_shown_identity;
        let proxy = proxy.as_deref();
        let about = Circumstances { host: &host, proxy, connect_timeout, is_shown_identity };
        match of_request(failure, &about) {
            // The handshake failed because there was nothing to check the certificate with.
            HttpError::Tls { host, detail } => {
                self.0.trust.failure().unwrap_or(HttpError::Tls { host, detail })
            }
            fact => fact,
        }
    }

    fn tls(&self, to: &Destination) -> Result<Arc<ClientConfig>, Failure> {
        match self.0.identity.as_ref().filter(|_| to.is_shown_identity) {
            Some(identity) => {
                let made = || self.unnamed().and_then(|tls| Ok(finished(identity.offered(tls)?)));
                let kept = self.0.tls_with_identity.get_or_init(made);
                kept.clone().map_err(Failure::Known)
            }
            None => match self.0.tls.get() {
                Some(made) => Ok(made.clone()),
                None => {
                    let made = self.unnamed().map_err(Failure::Known)?.with_no_client_auth();
                    Ok(self.0.tls.get_or_init(|| finished(made)).clone())
                }
            },
        }
    }

    /// A proxy is asked for a tunnel in HTTP/1.1, whatever else it could speak.
    fn proxy_tls(&self) -> Result<Arc<ClientConfig>, Failure> {
        Ok(Arc::new(self.unnamed().map_err(Failure::Known)?.with_no_client_auth()))
    }

    /// Whom this client trusts; who it is comes next.
    fn unnamed(&self) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, HttpError> {
        let provider = Arc::new(ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(cannot_be_written)?;
        Ok(tls.dangerous().with_custom_certificate_verifier(self.0.trust.clone()))
    }
}

/// HTTP/2 where the server speaks it.
fn finished(mut tls: ClientConfig) -> Arc<ClientConfig> {
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(tls)
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
