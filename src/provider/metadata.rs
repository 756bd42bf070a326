//! An authorization server's own description of itself (RFC 8414, OpenID Connect Discovery): where
//! it is asked for, how it is judged, and the provider that follows from it.
//!
//! Values only: who fetches the document is not known here. The fetch follows no redirect and
//! takes 200 alone (RFC 8414 section 3.2).

mod document;
mod endpoints;
mod members;
mod offered;
mod protected_resource;
mod provider;
mod toml_text;

use url::{Host, Url};

pub use document::{Metadata, read};
pub use endpoints::{OtherHost, check_endpoint};
pub use protected_resource::{
    ProtectedResource, challenged_url, read_resource, resource_well_known_url,
};
pub use toml_text::to_toml;

/// The largest document that is read, in bytes.
pub const LARGEST: usize = 1 << 20;

/// Why metadata is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// The issuer cannot be read as a URL with a host.
    #[error("`{0}` is not a URL")]
    NotAUrl(String),
    /// Neither https nor plain http to this machine (RFC 8414 section 2).
    #[error("`{0}` is neither https nor plain http to a loopback address")]
    Insecure(String),
    /// An issuer has neither query nor fragment (RFC 8414 section 2), and no user name.
    #[error("`{0}` has a user name, a query or a fragment, which no issuer has")]
    NotAnIssuer(String),
    /// More bytes than [`LARGEST`].
    #[error("the metadata holds {0} bytes")]
    TooLarge(usize),
    /// Not a JSON object, or one that says something twice.
    #[error("the metadata is no JSON object with each member once")]
    NotAnObject,
    /// A member that must be there is not.
    #[error("the metadata has no `{0}`")]
    Missing(&'static str),
    /// A member of another type than the standard gives it.
    #[error("`{0}` of the metadata has the wrong type")]
    WrongType(&'static str),
    /// The document is about somebody else (RFC 8414 section 3.3: identical code points).
    #[error("the metadata is of the issuer `{found}`, not of `{asked}`")]
    OtherIssuer {
        /// As it was asked for.
        asked: String,
        /// As the document says.
        found: String,
    },
    /// The two differ by the slash at the end alone, which is still another issuer.
    #[error("the issuer calls itself `{found}`; `{asked}` differs by the slash at its end")]
    TrailingSlash {
        /// As it was asked for.
        asked: String,
        /// As the document says.
        found: String,
    },
    /// The document is about another API (RFC 9728 section 3.3).
    #[error("the metadata is of the resource `{found}`, not of `{asked}`")]
    OtherResource {
        /// As it was asked for.
        asked: String,
        /// As the document says.
        found: String,
    },
    /// The API takes no token in a header.
    #[error("the API takes no access token in the Authorization header")]
    NoHeader,
    /// An endpoint that no secret may be sent to.
    #[error("`{member}` of the metadata is `{url}`: {why}")]
    Endpoint {
        /// The member.
        member: &'static str,
        /// As the document says.
        url: String,
        /// The rule it breaks.
        why: EndpointError,
    },
    /// The server offers no flow that keyfob has.
    #[error("the server offers no flow that keyfob has")]
    NoFlow,
    /// The server takes none of the ways of client authentication that keyfob has.
    #[error("the server takes only {} as client authentication", .0.join(", "))]
    NoClientAuthentication(Vec<String>),
}

/// The rule that an endpoint breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// No URL with a host.
    #[error("it is not a URL")]
    NotAUrl,
    /// Neither https nor plain http to this machine.
    #[error("it is neither https nor plain http to a loopback address")]
    Insecure,
    /// A user name or password before the host.
    #[error("it has a user name or a password")]
    Userinfo,
    /// A fragment, which never reaches a server.
    #[error("it has a fragment")]
    Fragment,
    /// An address of this machine or network, named by a server that is somewhere else.
    #[error("it leads into this machine or its network, where the issuer is not")]
    Inward,
}

/// Where the metadata of an issuer may lie: RFC 8414 section 3.1 first, then OpenID Connect
/// Discovery section 4, which is tried only when the first cannot be retrieved.
pub fn well_known_urls(issuer: &str) -> Result<[Url; 2], MetadataError> {
    let url = issuer_url(issuer)?;
    // One slash at the end goes, for building alone.
    let path = url.path().strip_suffix('/').unwrap_or(url.path()).to_owned();
    let at = |path: String| {
        let mut place = url.clone();
        place.set_path(&path);
        place
    };
    Ok([
        at(format!("/.well-known/oauth-authorization-server{path}")),
        at(format!("{path}/.well-known/openid-configuration")),
    ])
}

/// Reads an issuer: https, or plain http to this machine, and nothing but host and path.
fn issuer_url(issuer: &str) -> Result<Url, MetadataError> {
    let url = Url::parse(issuer).map_err(|_| MetadataError::NotAUrl(issuer.to_owned()))?;
    if url.host().is_none() {
        return Err(MetadataError::NotAUrl(issuer.to_owned()));
    }
    if !is_protected(&url) {
        return Err(MetadataError::Insecure(issuer.to_owned()));
    }
    let bare = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    match bare {
        true => Ok(url),
        false => Err(MetadataError::NotAnIssuer(issuer.to_owned())),
    }
}

/// Whether nobody on the way can read along.
pub fn is_protected(url: &Url) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => is_loopback(url),
        _ => false,
    }
}

/// Whether a URL leads to this machine alone.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|it| it.is_loopback())
        }
        None => false,
    }
}

/// Whether a URL names an address of this machine or its network; names are judged when dialled.
fn leads_inward(url: &Url) -> bool {
    let inward = |it: std::net::Ipv4Addr| {
        it.is_loopback() || it.is_private() || it.is_link_local() || it.is_unspecified()
    };
    match url.host() {
        Some(Host::Ipv4(address)) => inward(address),
        Some(Host::Ipv6(address)) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.to_ipv4_mapped().is_some_and(inward)
        }
        // A dot at its end changes nothing about where a name leads.
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // DS2, DS3
    fn the_well_known_segment_goes_between_host_and_path() {
        let rfc = "https://as.example/.well-known/oauth-authorization-server";
        let cases = [
            ("https://as.example", "", ""),
            ("https://as.example/", "", ""),
            ("https://as.example/t", "/t", "/t"),
            ("https://as.example/t/", "/t", "/t"),
            ("https://as.example/t//", "/t/", "/t/"),
        ];
        for (issuer, inserted, appended) in cases {
            let [first, second] = well_known_urls(issuer).unwrap();
            assert_eq!(first.as_str(), format!("{rfc}{inserted}"), "{issuer}");
            let oidc = format!("https://as.example{appended}/.well-known/openid-configuration");
            assert_eq!(second.as_str(), oidc, "{issuer}");
        }
        let [first, _] = well_known_urls("http://127.0.0.1:8080/x").unwrap();
        let at_port = "http://127.0.0.1:8080/.well-known/oauth-authorization-server/x";
        assert_eq!(first.as_str(), at_port);
    }

    #[test] // DS1
    fn an_issuer_is_https_without_query_and_fragment() {
        let insecure = ["http://as.example", "http://127.0.0.1.evil.test", "ftp://as.example"];
        for issuer in insecure {
            assert_eq!(well_known_urls(issuer), Err(MetadataError::Insecure(issuer.into())));
        }
        for issuer in ["https://as.example?", "https://as.example/#x", "https://u@as.example"] {
            assert_eq!(well_known_urls(issuer), Err(MetadataError::NotAnIssuer(issuer.into())));
        }
        for issuer in ["", "as.example", "mailto:a@as.example"] {
            assert_eq!(well_known_urls(issuer), Err(MetadataError::NotAUrl(issuer.into())));
        }
        assert!(well_known_urls("http://localhost:9/").is_ok());
    }
}
