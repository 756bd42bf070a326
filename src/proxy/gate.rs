//! Who may come in: programs on this machine that show the secret of this run, and no web page.
//!
//! A page in a browser reaches loopback too. It is told by Origin and Sec-Fetch-Site, which pages
//! cannot leave out, and by Host, which a rebound name keeps (DNS rebinding).

use hyper::header::{AUTHORIZATION, CONNECTION, HOST, HeaderMap, HeaderValue, ORIGIN, UPGRADE};
use hyper::{Method, Uri};
use subtle::ConstantTimeEq as _;

use super::refusal::Refusal;
use crate::secret::Secret;

/// The header in which a program shows the secret where Authorization is not free.
pub const HEADER: &str = "x-keyfob-proxy";

/// What a request must show.
pub struct Gate {
    port: u16,
    secret: Secret,
}

impl Gate {
    /// For the port that is listened on.
    pub fn new(port: u16, secret: Secret) -> Self {
        Self { port, secret }
    }

    /// Judges a request's head. The cheapest and least telling check comes first.
    pub fn judge(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        if method == Method::CONNECT {
            return Err(Refusal::Tunnel);
        }
        self.is_for_us(uri, headers)?;
        // `none` is an address that a person typed; a page's requests say where the page is from.
        let fetched = headers.get_all("sec-fetch-site").iter().any(|site| site != "none");
        let preflight = headers.contains_key("access-control-request-method");
        if fetched || preflight || headers.contains_key(ORIGIN) {
            return Err(Refusal::FromBrowser);
        }
        self.knows_secret(headers)?;
        if method == Method::TRACE {
            return Err(Refusal::Trace);
        }
        match asks_for_upgrade(headers) {
            true => Err(Refusal::Upgrade),
            false => Ok(()),
        }
    }

    /// The secret, to be taken out of whatever passes.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    fn is_for_us(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let mut hosts = headers.get_all(HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok());
        if hosts.next().is_some() || !host.is_some_and(|host| self.is_ours(host)) {
            return Err(Refusal::ForeignHost);
        }
        // An absolute request line is a program that takes us for a forward proxy (RFC 9112 section 3.2.2).
        let plain = uri.scheme_str().is_none_or(|scheme| scheme.eq_ignore_ascii_case("http"));
        let named = uri.authority().is_none_or(|authority| self.is_ours(authority.as_str()));
        match plain && named && uri.path().starts_with('/') {
            true => Ok(()),
            false => Err(Refusal::ForeignHost),
        }
    }

    fn is_ours(&self, host: &str) -> bool {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) => (name, port.parse().ok()),
            None => (host, Some(80)),
        };
        port == Some(self.port) && (name == "127.0.0.1" || name.eq_ignore_ascii_case("localhost"))
    }

    /// The secret stands in a header of its own, or where a program puts its token, after any scheme.
    fn knows_secret(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let own = headers.get_all(HEADER).iter().map(HeaderValue::as_bytes);
        let token = headers.get_all(AUTHORIZATION).iter().filter_map(credentials);
        let mut shown = own.chain(token).peekable();
        if shown.peek().is_none() {
            return Err(Refusal::NoSecret);
        }
        // Every one is looked at, so that the time tells nothing about which was right.
        let known = shown.fold(subtle::Choice::from(0), |known, it| known | self.is_secret(it));
        match bool::from(known) {
            true => Ok(()),
            false => Err(Refusal::WrongSecret),
        }
    }

    fn is_secret(&self, shown: &[u8]) -> subtle::Choice {
        self.secret.expose().as_bytes().ct_eq(shown)
    }
}

/// What follows the scheme (RFC 9110 section 11.4).
fn credentials(value: &HeaderValue) -> Option<&[u8]> {
    let value = value.as_bytes();
    let at = value.iter().position(|byte| *byte == b' ')?;
    Some(value[at..].trim_ascii())
}

/// Some programs offer HTTP/2 with every request, which nobody has to take up; a websocket is meant.
fn asks_for_upgrade(headers: &HeaderMap) -> bool {
    let is_named = |value: &HeaderValue| value.as_bytes().to_ascii_lowercase();
    let upgrades = headers
        .get_all(CONNECTION)
        .iter()
        .any(|value| is_named(value).windows(7).any(|word| word == b"upgrade"));
    upgrades
        && headers.get_all(UPGRADE).iter().any(|value| {
            let protocols = is_named(value);
            protocols.split(|byte| *byte == b',').any(|it| !it.trim_ascii().starts_with(b"h2c"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "the-secret-of-this-run-which-nobody-guesses";

    fn judged(method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<(), Refusal> {
        let gate = Gate::new(8080, Secret::new(SECRET));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                hyper::header::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        gate.judge(&method.parse().unwrap(), &uri.parse().unwrap(), &map)
    }

    fn with(extra: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
        [&[("host", "127.0.0.1:8080"), (HEADER, SECRET)], extra].concat()
    }

    #[test] // AT-25
    fn a_program_with_the_secret_comes_in() {
        let bearer = format!("Bearer {SECRET}");
        let scheme = format!("OAuth  {SECRET} ");
        for shown in [(HEADER, SECRET), ("authorization", &*bearer), ("authorization", &*scheme)] {
            for host in ["127.0.0.1:8080", "localhost:8080", "LocalHost:8080"] {
                assert!(judged("GET", "/orders", &[("host", host), shown]).is_ok(), "{shown:?}");
            }
        }
        let absolute = judged("GET", "http://127.0.0.1:8080/orders", &with(&[]));
        assert!(absolute.is_ok());
        assert!(judged("GET", "/", &with(&[("authorization", "Basic eDp5")])).is_ok());
        assert!(judged("GET", "/", &with(&[("sec-fetch-site", "none")])).is_ok());
        let offer = [("connection", "Upgrade, HTTP2-Settings"), ("upgrade", "h2c")];
        assert!(judged("GET", "/", &with(&offer)).is_ok());
    }

    #[test] // AT-25
    fn another_host_is_refused() {
        for host in [
            "evil.example:8080",
            "127.0.0.1:8081",
            "127.0.0.1",
            "127.0.0.1.evil.example:8080",
            "localhost.evil.example:8080",
            "127.0.0.2:8080",
            "0.0.0.0:8080",
            "[::1]:8080",
            "2130706433:8080",
            "127.1:8080",
            "127.0.0.1:08080x",
            "x@127.0.0.1:8080",
            "",
        ] {
            let refused = judged("GET", "/", &[("host", host), (HEADER, SECRET)]);
            assert!(matches!(refused, Err(Refusal::ForeignHost)), "{host}");
        }
        let twice = judged("GET", "/", &with(&[("host", "evil.example")]));
        assert!(matches!(twice, Err(Refusal::ForeignHost)));
        assert!(matches!(judged("GET", "/", &[(HEADER, SECRET)]), Err(Refusal::ForeignHost)));
        for uri in ["http://evil.example/", "https://127.0.0.1:8080/", "http://127.0.0.1:1/", "*"] {
            let refused = judged("GET", uri, &with(&[]));
            assert!(matches!(refused, Err(Refusal::ForeignHost)), "{uri}");
        }
        let tunnel = judged("CONNECT", "api.example:443", &with(&[]));
        assert!(matches!(tunnel, Err(Refusal::Tunnel)));
    }

    #[test] // AT-25
    fn a_page_is_refused_whatever_it_shows() {
        for header in [
            ("origin", "https://evil.example"),
            ("origin", "http://127.0.0.1:8080"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "same-origin"),
            ("access-control-request-method", "GET"),
        ] {
            let refused = judged("OPTIONS", "/", &with(&[header]));
            assert!(matches!(refused, Err(Refusal::FromBrowser)), "{header:?}");
        }
    }

    #[test] // AT-25
    fn without_the_secret_nothing_is_passed_on() {
        let host = ("host", "127.0.0.1:8080");
        let cases: [&[(&str, &str)]; 4] = [
            &[host, (HEADER, "x")],
            &[host, (HEADER, "")],
            &[host, ("authorization", "Bearer the-secret-of-this-run")],
            &[host, ("authorization", "Bearer x"), (HEADER, "y")],
        ];
        for headers in cases {
            let refused = judged("GET", "/", headers);
            assert!(matches!(refused, Err(Refusal::WrongSecret)), "{headers:?}");
        }
        for headers in [&[host][..], &[host, ("authorization", SECRET)][..]] {
            assert!(matches!(judged("GET", "/", headers), Err(Refusal::NoSecret)), "{headers:?}");
        }
    }

    #[test] // AT-25
    fn what_cannot_be_passed_on_is_told_apart() {
        assert!(matches!(judged("TRACE", "/", &with(&[])), Err(Refusal::Trace)));
        let socket = [("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")];
        assert!(matches!(judged("GET", "/", &with(&socket)), Err(Refusal::Upgrade)));
    }
}
