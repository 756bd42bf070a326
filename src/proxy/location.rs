//! Redirects and links: nobody follows them here; one that stays on the API is told as the proxy's own.

use std::collections::BTreeMap;

use url::Url;

use crate::provider::schema::{Api, Setting};
use crate::provider::template::Values;
use crate::resource_server::target;

/// The proxy's path and query for the address that a redirect or link leads to; else the host it leads to.
///
/// A path of the proxy's is taken only where it leads back to exactly that address.
pub fn rewritten(
    api: &Api,
    settings: &BTreeMap<String, Setting>,
    values: &Values,
    asked: &Url,
    location: &str,
) -> Result<String, String> {
    let leads_to = asked.join(location).map_err(|_| "an address that cannot be read".to_owned())?;
    let elsewhere = || leads_to.origin().ascii_serialization();
    let found = target::follow(api, settings, values, asked, location).map_err(|_| elsewhere())?;
    let written_out = found.url.path().to_owned();
    let candidates = [Some(written_out), found.below].into_iter().flatten();
    let leads_back = |path: &String| {
        let path = if path.is_empty() { "/" } else { path };
        let back = target::resolve(api, settings, values, path, &[]);
        back.is_ok_and(|back| back.url.path() == found.url.path())
    };
    let path = candidates.into_iter().find(leads_back).ok_or_else(elsewhere)?;
    let query = found.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let fragment = leads_to.fragment().map(|it| format!("#{it}")).unwrap_or_default();
    Ok(format!("/{}{query}{fragment}", path.trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue::shipped;

    #[test] // AT-25, RR5
    fn a_redirect_stays_on_the_api_or_is_told_apart() {
        let provider = shipped("inkress").unwrap().unwrap();
        let mut values = Values::default();
        values.set("api_host", "https://api.inkress.com");
        let asked = Url::parse("https://api.inkress.com/api/v1/orders/5").unwrap();
        let own = |path: &str| Ok(path.to_owned());
        let other = |host: &str| Err(host.to_owned());
        let cases = [
            ("/api/v1/users?x=1#y", own("/api/v1/users?x=1#y")),
            ("6", own("/api/v1/orders/6")),
            ("https://api.inkress.com/api/v1/orders", own("/api/v1/orders")),
            ("HTTPS://API.inkress.com:443/api/v1/a", own("/api/v1/a")),
            ("/login", other("https://api.inkress.com")),
            ("https://evil.example/api/v1/orders", other("https://evil.example")),
            ("//evil.example/x", other("https://evil.example")),
            ("http://api.inkress.com/api/v1/a", other("http://api.inkress.com")),
            ("https://api.inkress.com:8443/api/v1/a", other("https://api.inkress.com:8443")),
            ("https://x@api.inkress.com/api/v1/a", other("https://api.inkress.com")),
            ("javascript:alert(1)", other("null")),
        ];
        for (location, expected) in cases {
            let found = rewritten(&provider.api, &provider.settings, &values, &asked, location);
            assert_eq!(found, expected, "{location}");
        }
    }
}
