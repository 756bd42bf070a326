//! The redirect URI as it was registered, and what it asks of us: a port of this machine, or a paste.
//!
//! The bytes that were given are the bytes that are sent (RFC 6749 section 3.1.2.3): nothing is
//! normalised, and only a port that was left open is filled in.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::str::FromStr;

use url::Url;

/// A redirect URI that can be served or pasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUri {
    given: String,
    url: Url,
    place: Place,
}

/// Where a redirect URI leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// To this machine, over plain http (RFC 8252 section 7.3).
    Loopback(Loopback),
    /// To a page of the user's own, whose address is pasted back.
    External(Url),
}

/// A place on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loopback {
    /// How the host is written.
    pub host: LoopbackHost,
    /// The port; any free one where it is absent.
    pub port: Option<u16>,
    /// The path that a browser asks for; begins with `/`.
    pub path: String,
    /// The registered query, without its question mark.
    pub query: Option<String>,
    port_in_text: Range<usize>,
}

/// The three ways to write this machine's own address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoopbackHost {
    /// `127.0.0.1`.
    Ipv4,
    /// `[::1]`.
    Ipv6,
    /// `localhost`: either address, so both are held (RFC 8252 section 8.3 advises against it).
    Localhost,
}

impl LoopbackHost {
    const ALL: [Self; 3] = [Self::Ipv4, Self::Ipv6, Self::Localhost];

    /// As it stands in a URI and in a Host header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "127.0.0.1",
            Self::Ipv6 => "[::1]",
            Self::Localhost => "localhost",
        }
    }

    /// The addresses that a browser may choose for it.
    pub fn addresses(self) -> &'static [IpAddr] {
        const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
        const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
        match self {
            Self::Ipv4 => &[V4],
            Self::Ipv6 => &[V6],
            Self::Localhost => &[V4, V6],
        }
    }
}

/// Why a text is no redirect URI for us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    /// It cannot be read as a URL, or holds a space, a backslash or a character outside ASCII.
    #[error("`{0}` is not a URL")]
    NotAUrl(String),
    /// Another scheme than http or https.
    #[error("the scheme `{0}` is neither http nor https")]
    Scheme(String),
    /// Plain http to another machine, or this machine written in another way.
    #[error("plain http leads to `{0}`, which is none of 127.0.0.1, [::1] and localhost")]
    NotLoopback(String),
    /// A fragment never reaches a server (RFC 6749 section 3.1.2).
    #[error("it has a fragment")]
    Fragment,
    /// A user name or password before the host.
    #[error("it has a user name or a password")]
    Userinfo,
}

impl FromStr for RedirectUri {
    type Err = RedirectUriError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let not_a_url = || RedirectUriError::NotAUrl(given.to_owned());
        let authority = authority(given).ok_or_else(not_a_url)?;
        let url = Url::parse(given).map_err(|_| not_a_url())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(RedirectUriError::Scheme(url.scheme().to_owned()));
        }
        if given[authority.clone()].contains('@') {
            return Err(RedirectUriError::Userinfo);
        }
        if url.fragment().is_some() {
            return Err(RedirectUriError::Fragment);
        }
        let place = match url.scheme() {
            "https" => Place::External(url.clone()),
            _ => Place::Loopback(loopback(given, authority, &url)?),
        };
        Ok(Self { given: given.to_owned(), url, place })
    }
}

/// Finds the authority, and refuses what a URL parser would silently repair.
fn authority(given: &str) -> Option<Range<usize>> {
    if !given.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return None;
    }
    let (scheme, _) = given.split_once("://")?;
    if !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
        return None;
    }
    let start = scheme.len() + "://".len();
    let length = given[start..].find(['/', '?', '#']).unwrap_or(given.len() - start);
    (length > 0).then_some(start..start + length)
}

/// Reads host and port as they are written, since a browser's Host header is compared with them.
fn loopback(given: &str, authority: Range<usize>, url: &Url) -> Result<Loopback, RedirectUriError> {
    let text = &given[authority.clone()];
    let (host, port) = LoopbackHost::ALL
        .into_iter()
        .find_map(|host| Some((host, port_after(text.strip_prefix(host.name())?)?)))
        .ok_or_else(|| RedirectUriError::NotLoopback(text.to_owned()))?;
    Ok(Loopback {
        host,
        port,
        path: url.path().to_owned(),
        query: url.query().map(str::to_owned),
        port_in_text: authority.start + host.name().len()..authority.end,
    })
}

/// Reads what follows the host: nothing or `:0` leaves the port open; `None` if it is no port.
fn port_after(rest: &str) -> Option<Option<u16>> {
    if rest.is_empty() {
        return Some(None);
    }
    let digits = rest.strip_prefix(':')?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let port: u16 = digits.parse().ok()?;
    Some((port != 0).then_some(port))
}

impl RedirectUri {
    /// Where it leads.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The text to register and to send, byte for byte as it was given.
    pub fn as_str(&self) -> &str {
        &self.given
    }

    /// The same in parts, as a browser understands it.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Tells whether any port will do.
    pub fn is_any_port(&self) -> bool {
        matches!(&self.place, Place::Loopback(Loopback { port: None, .. }))
    }

    /// Fills in a port that was left open; every other URI stays as it is.
    pub fn at_port(&self, port: u16) -> Self {
        let mut filled = self.clone();
        let Place::Loopback(loopback) = &mut filled.place else { return filled };
        if loopback.port.is_some() {
            return filled;
        }
        let text = format!(":{port}");
        filled.given.replace_range(loopback.port_in_text.clone(), &text);
        loopback.port_in_text.end = loopback.port_in_text.start + text.len();
        loopback.port = Some(port);
        // An http URL with a host takes any port.
        let _ = filled.url.set_port(Some(port));
        filled
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> RedirectUri {
        text.parse().unwrap()
    }

    fn served(text: &str) -> Loopback {
        match parsed(text).place {
            Place::Loopback(loopback) => loopback,
            Place::External(_) => panic!("{text} is not served"),
        }
    }

    // AR7
    #[test]
    fn the_text_is_kept_byte_for_byte() {
        let table = [
            "http://127.0.0.1:8976/callback/inkress",
            "http://127.0.0.1:8976/callback/",
            "http://127.0.0.1:8976",
            "http://127.0.0.1:8976/",
            "http://127.0.0.1:80/cb",
            "http://127.0.0.1:8976/cb?x=1&y=%7e",
            "http://127.0.0.1:8976?x",
            "http://127.0.0.1:8976/a/../b",
            "http://[::1]:8976/cb",
            "http://localhost:8976/cb",
            "https://tools.example/keyfob/",
            "https://Tools.Example:443/Cb?a=b",
        ];
        for text in table {
            assert_eq!(parsed(text).as_str(), text);
            assert_eq!(parsed(text).at_port(1).as_str(), text, "a given port is never moved");
        }
    }

    // AR8, AR10
    #[test]
    fn a_port_that_is_left_open_is_filled_in_and_nothing_else_changes() {
        let table = [
            ("http://127.0.0.1/cb/", "http://127.0.0.1:4711/cb/"),
            ("http://127.0.0.1:0/cb?x=1", "http://127.0.0.1:4711/cb?x=1"),
            ("http://[::1]", "http://[::1]:4711"),
            ("http://localhost:0", "http://localhost:4711"),
        ];
        for (given, expected) in table {
            assert!(parsed(given).is_any_port());
            let filled = parsed(given).at_port(4711);
            assert_eq!(filled, parsed(expected));
            assert_eq!(filled.at_port(4712).as_str(), expected);
        }
    }

    #[test]
    fn path_and_query_are_what_a_browser_will_ask_for() {
        let place = served("http://localhost:8976/a/../cb?x=1");
        assert_eq!((place.host, place.port), (LoopbackHost::Localhost, Some(8976)));
        assert_eq!((place.path.as_str(), place.query.as_deref()), ("/cb", Some("x=1")));
        assert_eq!(served("http://127.0.0.1:8976").path, "/");
    }

    #[test]
    fn an_https_page_is_for_pasting() {
        assert!(matches!(parsed("https://tools.example/cb").place(), Place::External(_)));
    }

    #[test]
    fn what_cannot_be_served_safely_is_refused() {
        use RedirectUriError as E;
        let not_loopback = [
            "192.168.0.2",
            "example.com",
            "127.0.0.2",
            "127.1",
            "0.0.0.0",
            "127.0.0.1.",
            "[::]",
            "127.0.0.1.evil.test",
            "localhost.evil.test",
            "LOCALHOST",
            "127.0.0.1:",
        ];
        for host in not_loopback {
            let outcome = format!("http://{host}/cb").parse::<RedirectUri>();
            assert_eq!(outcome, Err(E::NotLoopback(host.into())));
        }
        let table = [
            ("http://127.0.0.1/cb#", E::Fragment),
            ("https://tools.example/cb#a", E::Fragment),
            ("http://a@127.0.0.1/cb", E::Userinfo),
            ("https://@tools.example/cb", E::Userinfo),
            ("com.example.app://cb", E::Scheme("com.example.app".into())),
            ("file:///cb", E::NotAUrl("file:///cb".into())),
            ("urn:ietf:wg:oauth:2.0:oob", E::NotAUrl("urn:ietf:wg:oauth:2.0:oob".into())),
            ("http:/127.0.0.1/cb", E::NotAUrl("http:/127.0.0.1/cb".into())),
            ("http:/a/?b://localhost/", E::NotAUrl("http:/a/?b://localhost/".into())),
            ("http:\\\\127.0.0.1/cb", E::NotAUrl("http:\\\\127.0.0.1/cb".into())),
            (" http://127.0.0.1/cb", E::NotAUrl(" http://127.0.0.1/cb".into())),
            ("http://127.0.0.1:+80/", E::NotAUrl("http://127.0.0.1:+80/".into())),
            ("http://127.0.0.1:70000/", E::NotAUrl("http://127.0.0.1:70000/".into())),
            ("http://127.0.0.1/ü", E::NotAUrl("http://127.0.0.1/ü".into())),
            ("", E::NotAUrl(String::new())),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse::<RedirectUri>(), Err(expected), "{text}");
        }
    }
}
