//! A host setting: a bare name or a URL; https unless it is loopback.

use std::net::IpAddr;

use url::{Host, Url};

/// Why a host is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// No host name can be read.
    #[error("it is neither a host name nor a URL")]
    Unreadable,
    /// Plain http to another machine.
    #[error("plain http is only for loopback addresses")]
    Insecure,
    /// A path, a query, a user name or a fragment.
    #[error("only a host belongs here, without user, path, query or fragment")]
    NotOnlyAHost,
}

/// Reads a host setting as an origin without a slash at its end: `https://api.example.com`.
pub fn origin(text: &str) -> Result<String, HostError> {
    let text = text.trim();
    let with_scheme = match text.split_once("://") {
        Some(_) => text.to_owned(),
        None => format!("https://{text}"),
    };
    let url = Url::parse(&with_scheme).map_err(|_| HostError::Unreadable)?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err(HostError::Unreadable);
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(HostError::Insecure);
    }
    let only_a_host = matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !only_a_host {
        return Err(HostError::NotOnlyAHost);
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Tells whether a URL leads to this machine only.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // AR13, RR4
    fn a_bare_name_is_https_and_plain_http_is_for_loopback_alone() {
        let cases = [
            ("api.example.com", Ok("https://api.example.com")),
            ("https://api.example.com/", Ok("https://api.example.com")),
            ("API.example.com:8443", Ok("https://api.example.com:8443")),
            ("http://127.0.0.1:8080", Ok("http://127.0.0.1:8080")),
            ("http://localhost:1", Ok("http://localhost:1")),
            ("http://[::1]:1", Ok("http://[::1]:1")),
            ("http://api.example.com", Err(HostError::Insecure)),
            ("http://127.0.0.1.evil.test", Err(HostError::Insecure)),
            ("ftp://api.example.com", Err(HostError::Unreadable)),
            ("", Err(HostError::Unreadable)),
            ("https://user@api.example.com", Err(HostError::NotOnlyAHost)),
            ("api.example.com/v1", Err(HostError::NotOnlyAHost)),
            ("api.example.com?x", Err(HostError::NotOnlyAHost)),
        ];
        for (text, expected) in cases {
            assert_eq!(origin(text), expected.map(str::to_owned), "{text}");
        }
    }
}
