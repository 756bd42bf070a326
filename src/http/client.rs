//! The one client: no redirect is followed, no request repeated in hiding, https but for loopback.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::crypto::ring;
use url::Url;

use super::error::{self, Circumstances, HttpError};
use super::inward::{self, OutwardOnly, Reach};
use super::proxies::{Proxies, is_loopback};
use super::request::{Request, header_map, host_of};
use super::trust::Trust;
use super::upload;

/// How long a connection may take to be made, TLS handshake included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What HTTP/2 lets a server send ahead, so that a large body is not held up by round trips.
const WINDOW: u32 = 4 << 20;

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
    options: Options,
    trust: Arc<Trust>,
    direct: OnceLock<Result<reqwest::Client, HttpError>>,
    proxied: OnceLock<Result<reqwest::Client, HttpError>>,
    outward: OnceLock<Result<reqwest::Client, HttpError>>,
}

impl Client {
    /// Makes a client; no file is opened and no certificate parsed before the first https handshake.
    pub fn new(options: Options) -> Result<Self, HttpError> {
        options.proxies.check()?;
        let provider = Arc::new(ring::default_provider());
        let trust = Arc::new(Trust::new(options.extra_roots.clone(), provider));
        let (direct, proxied, outward) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Ok(Self(Arc::new(Inner { options, trust, direct, proxied, outward })))
    }

    /// Sends one request and gives the head of its answer, a redirect as it is.
    pub(super) async fn execute(
        &self,
        request: Request,
        progress: &upload::Progress,
    ) -> Result<reqwest::Response, HttpError> {
        permitted(&request.url)?;
        let reach = match &request.named_by {
            Some(issuer) => inward::check(&request.url, issuer).await?,
            None => Reach::Anywhere,
        };
        self.execute_within(reach, written(request, progress)?).await
    }

    /// The same for a request that is in the library's form already.
    pub(super) async fn execute_written(
        &self,
        request: reqwest::Request,
    ) -> Result<reqwest::Response, HttpError> {
        self.execute_within(Reach::Anywhere, request).await
    }

    async fn execute_within(
        &self,
        reach: Reach,
        request: reqwest::Request,
    ) -> Result<reqwest::Response, HttpError> {
        permitted(request.url())?;
        let proxy = self.0.options.proxies.on_the_way_to(request.url());
        let library = match (&proxy, reach) {
            (None, Reach::Outward) => self.outward()?,
            _ => self.library(proxy.is_some())?,
        };
        let url = request.url().clone();
        let sent = library.execute(request).await;
        sent.map_err(|failure| self.facts(&failure, &host_of(&url), proxy.as_deref()))
    }

    fn facts(&self, failure: &reqwest::Error, host: &str, proxy: Option<&str>) -> HttpError {
        let connect_timeout = CONNECT_TIMEOUT;
        let about = Circumstances { host, proxy, connect_timeout, answered: false };
        match error::from_library(failure, &about) {
            // The handshake failed because there was nothing to check the certificate with.
            HttpError::Tls { host, detail } => {
                self.0.trust.failure().unwrap_or(HttpError::Tls { host, detail })
            }
            fact => fact,
        }
    }

    fn library(&self, proxied: bool) -> Result<&reqwest::Client, HttpError> {
        let kept = if proxied { &self.0.proxied } else { &self.0.direct };
        kept.get_or_init(|| self.build(proxied)).as_ref().map_err(Clone::clone)
    }

    /// The one whose names lead to outward addresses only.
    fn outward(&self) -> Result<&reqwest::Client, HttpError> {
        let build = || {
            let builder = self.builder()?.no_proxy().dns_resolver(Arc::new(OutwardOnly));
            builder.build().map_err(|failure| not_built(&failure))
        };
        self.0.outward.get_or_init(build).as_ref().map_err(Clone::clone)
    }

    fn build(&self, proxied: bool) -> Result<reqwest::Client, HttpError> {
        let builder = self.builder()?;
        let builder = match proxied {
            true => self.0.options.proxies.applied_to(builder)?,
            false => builder.no_proxy(),
        };
        builder.build().map_err(|failure| not_built(&failure))
    }

    fn builder(&self) -> Result<reqwest::ClientBuilder, HttpError> {
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls()?)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_initial_stream_window_size(WINDOW)
            .http2_initial_connection_window_size(2 * WINDOW)
            .user_agent(&self.0.options.user_agent);
        Ok(builder)
    }

    fn tls(&self) -> Result<rustls::ClientConfig, HttpError> {
        let provider = Arc::new(ring::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| HttpError::InvalidRequest { detail: error.to_string() })?
            .dangerous()
            .with_custom_certificate_verifier(self.0.trust.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
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

fn written(request: Request, progress: &upload::Progress) -> Result<reqwest::Request, HttpError> {
    let mut written = reqwest::Request::new(request.method, request.url);
    *written.headers_mut() = header_map(&request.headers)?;
    *written.body_mut() = upload::body(request.body, progress)?;
    Ok(written)
}

fn not_built(failure: &reqwest::Error) -> HttpError {
    let cause = std::error::Error::source(failure).map(ToString::to_string);
    HttpError::InvalidRequest { detail: cause.unwrap_or_else(|| "no HTTP client".into()) }
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
