//! Which requests go through a proxy. Loopback never does, whatever the variables say.

use std::fmt;
use std::sync::{Arc, OnceLock};

use hyper::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use url::Url;

use super::error::HttpError;
use crate::secret::Secret;

/// The proxies to use.
#[derive(Clone, Default)]
pub struct Proxies {
    /// For https: `HTTPS_PROXY`, else `ALL_PROXY`; may hold a password.
    https: Option<Secret>,
    /// The variable that it is from.
    variable: &'static str,
    /// Names, suffixes and networks that are reached directly: `NO_PROXY`.
    except: String,
    /// Whether the operating system's settings count where no variable is set.
    system: bool,
    /// Made once, at the first address that is not on loopback.
    matcher: Arc<OnceLock<Result<Option<Matcher>, HttpError>>>,
}

impl Proxies {
    /// No proxy at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads the variables curl reads, in the same order; where there is none, the system's settings count.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| Some((name, variable(name).filter(|value| !value.trim().is_empty())?));
        let named =
            ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].into_iter().find_map(set);
        let except = variable("NO_PROXY").or_else(|| variable("no_proxy")).unwrap_or_default();
        let system = named.is_none();
        let (variable, https) = named.unzip();
        let (variable, https) = (variable.unwrap_or_default(), https.map(Secret::new));
        Self { system, https, variable, except, matcher: Arc::default() }
    }

    /// The proxy for a URL; `None` where it is reached directly.
    ///
    /// # Errors
    /// `ProxyNotUnderstood` where the variable names none: the library would send directly, in silence.
    pub(super) fn on_the_way_to(&self, url: &Url) -> Result<Option<Intercept>, HttpError> {
        if is_loopback(url) {
            return Ok(None);
        }
        let matcher = self.matcher.get_or_init(|| self.matcher()).as_ref().map_err(Clone::clone)?;
        let target = url.as_str().parse().ok();
        Ok(matcher.as_ref().zip(target).and_then(|(matcher, target)| matcher.intercept(&target)))
    }

    fn matcher(&self) -> Result<Option<Matcher>, HttpError> {
        match &self.https {
            Some(https) if is_usable(https) => {
                let proxies = Matcher::builder().all(https.expose().to_owned());
                Ok(Some(proxies.no(self.except.clone()).build()))
            }
            Some(_) => Err(HttpError::ProxyNotUnderstood { variable: self.variable.into() }),
            None if self.system => Ok(of_the_system()),
            None => Ok(None),
        }
    }
}

/// What is set for the whole machine; elsewhere there are variables alone, and those were read.
fn of_the_system() -> Option<Matcher> {
    cfg!(any(target_os = "macos", windows)).then(Matcher::from_system)
}

fn is_usable(proxy: &Secret) -> bool {
    let known = Matcher::builder().all(proxy.expose().to_owned()).build();
    let found = known.intercept(&Uri::from_static("https://example.com/"));
    found.is_some_and(|proxy| proxy.uri().host().is_some_and(|host| !host.is_empty()))
}

/// The proxy's name and port, without credentials.
pub(super) fn shown(proxy: &Intercept) -> String {
    proxy.uri().authority().map(ToString::to_string).unwrap_or_default()
}

/// Tells whether a URL leads to this machine: a loopback address or `localhost`.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Proxies")
            .field("https", &self.https)
            .field("except", &self.except)
            .field("system", &self.system)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        Proxies::from_variables(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test] // TQ19
    fn proxies_are_chosen_as_curl_does_but_never_for_loopback() {
        let one = ("HTTPS_PROXY", "http://user:mark@proxy.example:3128");
        type Variables<'a> = &'a [(&'a str, &'a str)];
        let cases: [(Variables<'_>, &str, Option<&str>); 8] = [
            (&[one], "https://api.example/x", Some("proxy.example:3128")),
            (&[one], "https://127.0.0.1/x", None),
            (&[one], "http://localhost:8080/x", None),
            (&[one], "https://[::1]:8443/x", None),
            (&[one, ("NO_PROXY", "other.example, .example")], "https://api.example/x", None),
            (&[("all_proxy", "socks5h://s:1080")], "https://api.example/x", Some("s:1080")),
            (&[("HTTPS_PROXY", ""), ("ALL_PROXY", "p:1")], "https://a.example/", Some("p:1")),
            (&[one, ("no_proxy", "10.0.0.0/8")], "https://10.1.2.3/", None),
        ];
        for (variables, url, expected) in cases {
            let found = proxies(variables).on_the_way_to(&url.parse().unwrap()).unwrap();
            assert_eq!(found.as_ref().map(shown).as_deref(), expected, "{variables:?} {url}");
        }
    }

    #[test] // TQ19
    fn a_proxy_nobody_understands_is_refused_and_not_passed_over() {
        for text in ["ftp://proxy.example", "http://", "::"] {
            let proxies = proxies(&[("all_proxy", text)]);
            let way =
                |url: &str| proxies.on_the_way_to(&url.parse().unwrap()).map(|it| it.is_some());
            let refused = HttpError::ProxyNotUnderstood { variable: "all_proxy".into() };
            assert_eq!(way("https://api.example/"), Err(refused), "{text}");
            assert_eq!(way("http://127.0.0.1:9/"), Ok(false), "loopback does not ask it");
        }
    }

    #[test] // LG1
    fn a_proxy_password_is_not_printed() {
        let printed = format!("{:?}", proxies(&[("HTTPS_PROXY", "http://u:mark@p:1")]));
        assert!(!printed.contains("mark"), "{printed}");
    }
}
