//! The addresses in an answer's headers, told as the proxy's own: where to go, what comes next.
//!
//! Which address is the proxy's own is told by `location`; addresses within a body stay as they are.

use hyper::header::{CONTENT_LOCATION, HeaderMap, HeaderName, HeaderValue, LINK, LOCATION};

use crate::resource_server::link_header;

/// Whether there are any.
pub fn are_in(headers: &HeaderMap) -> bool {
    [LOCATION, CONTENT_LOCATION, LINK].iter().any(|name| headers.contains_key(name))
}

/// Puts `own` in place of each; those that lead elsewhere are left out, and where a redirect does,
/// the host that it leads to is the error.
pub fn tell(
    headers: &mut HeaderMap,
    is_redirect: bool,
    own: impl Fn(&str) -> Result<String, String>,
) -> Result<(), String> {
    let location = single(headers, LOCATION, &own);
    if let (true, Some(Err(host))) = (is_redirect, &location) {
        return Err(host.clone());
    }
    let content_location = single(headers, CONTENT_LOCATION, &own);
    for (name, value) in [(LOCATION, location), (CONTENT_LOCATION, content_location)] {
        match value {
            Some(Ok(value)) => drop(headers.insert(name, value)),
            _ => drop(headers.remove(name)),
        }
    }
    links(headers, &own);
    Ok(())
}

/// The address of a header that is there once.
fn single(
    headers: &HeaderMap,
    name: HeaderName,
    own: impl Fn(&str) -> Result<String, String>,
) -> Option<Result<HeaderValue, String>> {
    let unreadable = || "an address that cannot be read".to_owned();
    let mut all = headers.get_all(name).iter();
    let first = all.next()?;
    Some(match (first.to_str(), all.next()) {
        (Ok(address), None) => own(address)
            .and_then(|address| HeaderValue::from_str(&address).map_err(|_| unreadable())),
        _ => Err(unreadable()),
    })
}

fn links(headers: &mut HeaderMap, own: impl Fn(&str) -> Result<String, String>) {
    let told = |value: &HeaderValue| {
        let header = link_header::with_targets(value.to_str().ok()?, |target| own(target).ok())?;
        HeaderValue::from_str(&header).ok()
    };
    let values: Vec<HeaderValue> = headers.get_all(LINK).iter().filter_map(told).collect();
    headers.remove(LINK);
    for value in values {
        headers.append(LINK, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(headers: &[(&'static str, &'static str)], redirect: bool) -> Result<HeaderMap, String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let own = |address: &str| match address.starts_with('/') {
            true => Ok(format!("http://proxy{address}")),
            false => Err(address.to_owned()),
        };
        tell(&mut map, redirect, own).map(|()| map)
    }

    #[test] // AT-25
    fn what_leads_elsewhere_is_left_out_and_a_redirect_is_refused() {
        let headers = told(
            &[
                ("location", "/a"),
                ("content-location", "/b"),
                ("link", "</c>; rel=next, <https://evil.example/>; rel=last"),
                ("link", "<https://evil.example/>; rel=next"),
                ("link", "</d>; rel=first"),
            ],
            true,
        );
        let headers = headers.unwrap();
        assert_eq!(headers["location"], "http://proxy/a");
        assert_eq!(headers["content-location"], "http://proxy/b");
        let links: Vec<_> = headers.get_all("link").iter().collect();
        assert_eq!(links, ["<http://proxy/c>; rel=next", "<http://proxy/d>; rel=first"]);

        let elsewhere = [("location", "https://evil.example/"), ("content-location", "x")];
        assert_eq!(told(&elsewhere, true), Err("https://evil.example/".to_owned()));
        assert_eq!(told(&elsewhere, false), Ok(HeaderMap::new()));
        let twice = [("content-location", "/a"), ("content-location", "/b")];
        assert_eq!(told(&twice, false), Ok(HeaderMap::new()));
        assert!(told(&[("location", "/a"), ("location", "/b")], true).is_err());
    }
}
