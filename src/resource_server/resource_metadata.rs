//! Where a refusal points for the API's metadata (RFC 9728 section 5.1). It is read so that it can be
//! told and ignored: what an API says never moves a connection to another authorization server.

use url::Url;

use super::www_authenticate::parse;
use crate::http::HeaderMap;
use crate::http::request::host_of;

/// The host that a challenge names for metadata, where that is not the API's own.
pub fn named_elsewhere(own: &Url, status: u16, headers: &HeaderMap) -> Option<String> {
    if status != 401 {
        return None;
    }
    let texts = headers.get_all("www-authenticate").iter().filter_map(|it| it.to_str().ok());
    let challenges = parse(texts);
    let named = challenges.iter().find_map(|it| it.parameter("resource_metadata"))?;
    match Url::parse(named) {
        Ok(url) if url.origin() == own.origin() => None,
        Ok(url) => Some(host_of(&url)),
        Err(_) => Some(named.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // DS17, DS18, A12
    fn only_metadata_of_another_host_is_worth_a_word() {
        let own = Url::parse("https://api.example/v1/orders").unwrap();
        let named = |status: u16, header: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("www-authenticate", header.parse().unwrap());
            named_elsewhere(&own, status, &headers)
        };
        let at = |url: &str| format!("Bearer resource_metadata=\"{url}\"");
        assert_eq!(named(401, &at("https://api.example/.well-known/x")), None);
        assert_eq!(named(401, "Bearer error=\"invalid_token\""), None);
        assert_eq!(named(403, &at("https://evil.example/x")), None);
        assert_eq!(named(401, &at("https://evil.example/x")), Some("evil.example".into()));
        assert_eq!(named(401, &at("https://api.example:8/x")), Some("api.example:8".into()));
        assert_eq!(named(401, &at("http://api.example/x")), Some("api.example".into()));
        assert_eq!(named(401, &at("nonsense")), Some("nonsense".into()));
        let dpop = "DPoP algs=\"ES256\", Bearer resource_metadata=\"https://evil.example\"";
        assert_eq!(named(401, dpop), Some("evil.example".into()));
    }
}
