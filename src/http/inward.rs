//! Whether an address is of this machine or its network, which a server elsewhere must not send us to.
//!
//! The decision is made on the address that is dialled and not on the name, which may lead
//! elsewhere a moment later (DS8, A15). Behind a proxy it is the proxy that dials: there only an
//! address written in the URL is judged.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Host, Url};

use super::error::HttpError;
use super::request::host_of;

/// Refuses an inward address of a URL that an issuer elsewhere has named; names are judged by [`outward`].
pub(super) async fn check(url: &Url, named_by: &str) -> Result<Reach, HttpError> {
    let written = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        _ => None,
    };
    match written {
        Some(address) if !is_inward(address) => Ok(Reach::Anywhere),
        _ if issuer_is_inward(named_by).await => Ok(Reach::Anywhere),
        Some(_) => Err(HttpError::Inward { host: host_of(url) }),
        None => Ok(Reach::Outward),
    }
}

/// Where a connection may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// To whatever the name resolves to.
    Anywhere,
    /// To addresses beyond this machine and its network.
    Outward,
}

/// A name led to nothing but this machine or its network; travels through the HTTP library.
#[derive(Debug, thiserror::Error)]
#[error("the name leads into this machine or its network")]
pub(super) struct LeadsInward;

/// The addresses that may be dialled; none where one of them is inward, since a name that has both
/// is made to get past a check.
pub(super) fn outward(addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, LeadsInward> {
    match addresses.iter().any(|address| is_inward(address.ip())) {
        true => Err(LeadsInward),
        false => Ok(addresses),
    }
}

/// Whether an issuer is on this machine or its network, so that its endpoints may be too.
async fn issuer_is_inward(issuer: &str) -> bool {
    let Ok(url) = Url::parse(issuer) else { return false };
    match url.host() {
        Some(Host::Ipv4(address)) => is_inward(address.into()),
        Some(Host::Ipv6(address)) => is_inward(address.into()),
        Some(Host::Domain(name)) => {
            let addresses = tokio::net::lookup_host((name, url.port().unwrap_or(443))).await;
            addresses.is_ok_and(|all| is_all_inward(all.map(|address| address.ip())))
        }
        None => false,
    }
}

/// Whether there are addresses and none leads outward: a name that has both kinds is anybody's.
fn is_all_inward(addresses: impl Iterator<Item = IpAddr>) -> bool {
    let mut addresses = addresses.peekable();
    addresses.peek().is_some() && addresses.all(is_inward)
}

/// Loopback, private, link-local (the clouds' metadata among them), shared, unspecified, multicast.
pub(super) fn is_inward(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => v4_is_inward(address),
        IpAddr::V6(address) => v6_is_inward(address),
    }
}

fn v4_is_inward(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_multicast()
        || first == 0
        // RFC 6598: between a customer and its provider; some clouds keep their metadata there.
        || first == 100 && (64..128).contains(&second)
        // RFC 6890: protocol assignments, of which none is anybody's server.
        || (first, second, third) == (192, 0, 0)
        // RFC 2544: for tests inside one network.
        || first == 198 && (18..20).contains(&second)
        || first >= 240
}

fn v6_is_inward(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let carried = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        v4_is_inward(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // Mapped, compatible, translated (RFC 6052): an IPv4 address is at the end.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => {
            address.is_loopback() || address.is_unspecified() || carried(high, low)
        }
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => carried(high, low),
        // Translated inside one network (RFC 8215), the IPv4 address wherever that network has it.
        [0x64, 0xff9b, 1, ..] => true,
        // 6to4 (RFC 3056): it is in the middle.
        [0x2002, high, low, ..] => carried(high, low),
        _ => {
            address.is_unique_local()
                || address.is_unicast_link_local()
                || address.is_multicast()
                // Site-local, which some networks still have.
                || segments[0] & 0xffc0 == 0xfec0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // DS8, A15
    fn every_spelling_of_an_inward_address_is_known() {
        let inward = [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.100.100.200",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1.1.1.1",
            "64:ff9b:1:abcd::1",
            "192.0.0.8",
            "192.0.0.192",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        let outward = [
            "1.1.1.1",
            "172.32.0.1",
            "172.15.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "192.167.0.1",
            "192.0.1.1",
            "64:ff9b:2::1",
            "198.20.0.1",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2002:101:101::",
        ];
        for address in inward {
            assert!(is_inward(address.parse().unwrap()), "{address}");
        }
        for address in outward {
            assert!(!is_inward(address.parse().unwrap()), "{address}");
        }
    }

    #[test] // DS8, A15
    fn a_name_with_one_inward_address_is_not_dialled_at_all() {
        let at = |address: &str| SocketAddr::new(address.parse().unwrap(), 443);
        assert_eq!(outward(vec![at("1.1.1.1"), at("::1")]).ok(), None);
        assert_eq!(outward(vec![at("1.1.1.1")]).unwrap(), [at("1.1.1.1")]);
    }

    #[test] // DS8, A15
    fn an_issuer_with_one_outward_address_is_not_inward() {
        let all = |addresses: &[&str]| {
            is_all_inward(addresses.iter().map(|address| address.parse().unwrap()))
        };
        assert!(all(&["127.0.0.1", "::1"]));
        assert!(!all(&["127.0.0.1", "1.1.1.1"]));
        assert!(!all(&["1.1.1.1", "127.0.0.1"]));
        assert!(!all(&[]));
    }

    fn checked(url: &str, named_by: &str) -> Result<Reach, HttpError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(&url.parse().unwrap(), named_by))
    }

    #[test] // DS8, A15
    fn an_issuer_that_is_inward_itself_may_name_inward_endpoints() {
        let far = "https://1.1.1.1";
        for url in
            ["https://169.254.169.254/", "https://127.1/", "https://0x7f.1/", "https://[::1]/"]
        {
            assert!(matches!(checked(url, far), Err(HttpError::Inward { .. })), "{url}");
            assert_eq!(checked(url, "http://127.0.0.1:9"), Ok(Reach::Anywhere), "{url}");
            assert_eq!(checked(url, "http://localhost:9"), Ok(Reach::Anywhere), "{url}");
        }
        assert_eq!(checked("https://2.2.2.2/", far), Ok(Reach::Anywhere));
        assert_eq!(checked("https://keys.example/", far), Ok(Reach::Outward));
    }
}
