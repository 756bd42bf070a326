//! Where a call goes: a PATH or a whole URL becomes an address on the provider's own API host.
//!
//! The address is put together as text, always with a slash between host and path, and what
//! comes out is compared with the provider's own hosts: joining URLs the usual way
//! lets `//evil` and `\\evil` change the host (RR3).

use std::collections::BTreeMap;

use url::Url;

use super::authorization::{AuthorizationError, Placement, placement};
use super::hosts::{OwnHosts, same_origin, split_base};
use crate::provider::schema::{Api, Setting};
use crate::provider::template::{MissingValue, Values, names};

/// An address that may be given the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// On one of the provider's own hosts; no fragment, no user name.
    pub url: Url,
    /// The path below the API base, as scope table and limits name it; `None` for one outside the base.
    pub below: Option<String>,
    /// The setting whose choices this path lists: a call to it does not need that setting.
    pub lists: Option<String>,
}

/// Why there is no such address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The path or the base names a value that is not known.
    #[error(transparent)]
    Missing(#[from] MissingValue),
    /// The address leads elsewhere.
    #[error("`{given}` is not on the API's own host `{own}`")]
    OtherHost {
        /// Scheme, host and port of what was given.
        given: String,
        /// Scheme, host and port of the API.
        own: String,
    },
    /// The path holds what never belongs into one.
    #[error("the path holds {0}")]
    Refused(&'static str),
    /// The provider's base with its settings is no URL.
    #[error("the API base `{0}` is not a URL")]
    BadBase(String),
    /// What was given is no URL.
    #[error("the path cannot be read as a URL: {0}")]
    BadUrl(String),
}

/// Finds the address of a PATH or a whole URL, and appends the query items.
pub fn resolve(
    api: &Api,
    settings: &BTreeMap<String, Setting>,
    values: &Values,
    path: &str,
    query: &[(String, String)],
) -> Result<Target, TargetError> {
    refuse_trickery(path)?;
    Base::of(api, values)?.resolve(settings, values, path, query)
}

/// Finds the address a page's link leads to, relative to the page; nothing in it is filled in.
pub fn follow(
    api: &Api,
    settings: &BTreeMap<String, Setting>,
    values: &Values,
    page: &Url,
    link: &str,
) -> Result<Target, TargetError> {
    refuse_control_characters(link)?;
    let base = Base::of(api, values)?;
    let address = page.join(link).map_err(|error| TargetError::BadUrl(error.to_string()))?;
    Ok(base.target(base.own(address.as_str())?, settings))
}

/// Refuses what a URL parser would bend into another host.
fn refuse_trickery(path: &str) -> Result<(), TargetError> {
    refuse_control_characters(path)?;
    if path.is_empty() {
        return Err(TargetError::Refused("nothing"));
    }
    if path.split(['?', '#']).next().is_some_and(|path| path.contains('\\')) {
        return Err(TargetError::Refused("a backslash"));
    }
    if path.trim_start().starts_with("//") {
        return Err(TargetError::Refused("two slashes at its beginning"));
    }
    Ok(())
}

fn refuse_control_characters(path: &str) -> Result<(), TargetError> {
    match path.chars().any(char::is_control) {
        true => Err(TargetError::Refused("a control character")),
        false => Ok(()),
    }
}

/// Splits a whole URL before its path; a path such as `users:search` is none.
fn whole_url(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if !is_scheme || !(is_web || rest.starts_with("//")) {
        return None;
    }
    let start = text.len() - rest.trim_start_matches('/').len();
    let end = text[start..].find(['/', '?', '#']).map_or(text.len(), |at| start + at);
    Some(text.split_at(end))
}

/// Fills names in braces: in the path every one must be known, in the query only known ones count,
/// since JSON and GraphQL have braces of their own.
fn filled(path: &str, values: &Values) -> Result<String, MissingValue> {
    if !path.contains('{') {
        return Ok(path.to_owned());
    }
    let (path, query) = path.split_at(path.find(['?', '#']).unwrap_or(path.len()));
    let mut query = query.to_owned();
    for name in names(&query.clone()) {
        if let Some(value) = values.get(name) {
            let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            query = query.replace(&format!("{{{name}}}"), &value);
        }
    }
    Ok(values.render_path(path)? + &query)
}

/// The API base, taken apart once for all calls with the same values.
#[derive(Debug)]
pub struct Base {
    /// Scheme, host, port, and a path where the host setting has one; no slash at its end.
    host: String,
    /// The base's own path up to the first name in braces, no slash at its end.
    fixed: String,
    /// The whole base without a slash at its end, or the value it lacks.
    whole: Result<String, MissingValue>,
    /// Whether a name in braces follows `fixed`.
    goes_on: bool,
    own: OwnHosts,
    /// The path of `whole`, no slash at its end.
    path: Option<String>,
    /// Where the token goes.
    pub(super) placement: Result<Placement, AuthorizationError>,
}

impl Base {
    /// Takes it apart.
    pub fn of(api: &Api, values: &Values) -> Result<Self, TargetError> {
        let (host, path) = split_base(&api.base_url);
        let host = values.render(host)?.trim_end_matches('/').to_owned();
        let own = OwnHosts::beside(&host, api)?;
        let (fixed, goes_on) = match path.find('{') {
            Some(brace) => (&path[..brace], true),
            None => (path, false),
        };
        let whole = values.render_path(path.trim_end_matches('/')).map(|path| host.clone() + &path);
        let parsed = whole.as_ref().ok().and_then(|whole| Url::parse(whole).ok());
        Ok(Self {
            path: parsed.map(|url| url.path().trim_end_matches('/').to_owned()),
            whole,
            fixed: fixed.trim_end_matches('/').to_owned(),
            goes_on,
            host,
            own,
            placement: placement(api, values),
        })
    }

    /// Finds the address of a PATH or a whole URL, and appends the query items, as [`resolve`] does.
    pub fn resolve(
        &self,
        settings: &BTreeMap<String, Setting>,
        values: &Values,
        path: &str,
        query: &[(String, String)],
    ) -> Result<Target, TargetError> {
        refuse_trickery(path)?;
        let mut url = match whole_url(path) {
            Some((host, rest)) => self.own(&format!("{host}{}", filled(rest, values)?))?,
            None => self.at(&self.place(path, values)?)?,
        };
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(self.target(url, settings))
    }

    /// Puts a path below the base, or below the host where it begins with the base's own path;
    /// what is given follows `host`.
    fn place(&self, path: &str, values: &Values) -> Result<String, TargetError> {
        let path = path.trim_start_matches('/');
        let mut place = String::with_capacity(self.fixed.len() + path.len() + 32);
        place.push('/');
        place.push_str(path);
        let is_written_out = self.is_written_out(&place);
        if place.contains('{') {
            place = filled(&place, values)?;
        }
        if !is_written_out {
            let whole = self.whole.as_ref().map_err(Clone::clone)?;
            place.insert_str(0, &whole[self.host.len()..]);
        }
        Ok(place)
    }

    fn is_written_out(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix(&self.fixed).filter(|_| !self.fixed.is_empty()) else {
            return false;
        };
        match rest.chars().next() {
            None | Some('/' | '?' | '#') => true,
            // `/API/Account.json` beside `/API/Account/{account_id}`.
            Some('.') => self.goes_on,
            Some(_) => false,
        }
    }

    /// The address of what follows `host`, which stays as it is whatever that says.
    fn at(&self, rest: &str) -> Result<Url, TargetError> {
        let rest = rest.split('#').next().unwrap_or_default();
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        let mut url = self.own.api().clone();
        refuse_user_name(&url)?;
        match self.own.api().path() {
            "/" => url.set_path(path),
            own => url.set_path(&format!("{}{path}", own.trim_end_matches('/'))),
        }
        url.set_query(query);
        url.set_fragment(None);
        Ok(url)
    }

    /// Reads an address and holds it to the provider's own hosts.
    fn own(&self, address: &str) -> Result<Url, TargetError> {
        let mut url =
            Url::parse(address).map_err(|error| TargetError::BadUrl(error.to_string()))?;
        if !self.own.origins().any(|own| same_origin(own, &url)) {
            let own = origin(self.own.api());
            return Err(TargetError::OtherHost { given: origin(&url), own });
        }
        refuse_user_name(&url)?;
        url.set_fragment(None);
        Ok(url)
    }

    fn target(&self, url: Url, settings: &BTreeMap<String, Setting>) -> Target {
        let below = self.below(&url);
        let lists = settings.iter().find_map(|(name, setting)| {
            let list = setting.list.as_ref()?.get.trim_matches('/');
            (below.as_deref()?.trim_matches('/') == list).then(|| name.clone())
        });
        Target { url, below, lists }
    }

    fn below(&self, url: &Url) -> Option<String> {
        if !same_origin(self.own.api(), url) {
            return None;
        }
        let rest = url.path().strip_prefix(self.path.as_deref()?)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| rest.to_owned())
    }
}

fn refuse_user_name(url: &Url) -> Result<(), TargetError> {
    match url.username().is_empty() && url.password().is_none() {
        true => Ok(()),
        false => Err(TargetError::Refused("a user name")),
    }
}

fn origin(url: &Url) -> String {
    match url.port() {
        Some(port) => format!("{}://{}:{port}", url.scheme(), url.host_str().unwrap_or_default()),
        None => format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Provider;
    use crate::provider::catalogue::shipped;

    fn provider(name: &str) -> Provider {
        shipped(name).unwrap().unwrap()
    }

    #[test] // RR3
    fn a_path_is_read_as_a_whole_address_would_be() {
        for (name, host) in
            [("inkress", "https://api.example"), ("inyo", "http://127.0.0.1:1/a/b/")]
        {
            let provider = provider(name);
            let values = values(&[("api_host", host), ("host", host)]);
            let base = Base::of(&provider.api, &values).unwrap();
            for path in [
                "/orders",
                "/orders/5?x=1&y='a b'#z",
                "/a/../b/%2e%2e/c",
                "/é/ü?é",
                "/a;b=c/@evil:1/",
                "/\u{3002}evil",
                "/?q",
                "/",
                "/a#?b",
                "/..//evil.example/x",
            ] {
                let address = format!("{}{path}", base.host);
                assert_eq!(base.at(path), base.own(&address), "{path}");
            }
        }
    }

    fn values(known: &[(&str, &str)]) -> Values {
        let mut values = Values::default();
        known.iter().for_each(|(name, value)| values.set(*name, *value));
        values
    }

    const KNOWN: [(&str, &str); 5] = [
        ("host", "https://own.example"),
        ("api_host", "https://own.example"),
        ("merchant_id", "183"),
        ("account_id", "12"),
        ("odd", "a/b?c#d"),
    ];

    fn at(name: &str, path: &str) -> Result<Target, TargetError> {
        let provider = provider(name);
        resolve(&provider.api, &provider.settings, &values(&KNOWN), path, &[])
    }

    #[test] // RR3
    fn a_path_is_relative_to_the_base_or_written_out() {
        let cases = [
            ("inkress", "/orders", "/api/v1/orders"),
            ("inkress", "orders", "/api/v1/orders"),
            ("inkress", "/api/v1/orders", "/api/v1/orders"),
            ("inkress", "/api/v1", "/api/v1"),
            ("inkress", "/api/v10/x", "/api/v1/api/v10/x"),
            ("inkress", "/api/v1.1/x", "/api/v1/api/v1.1/x"),
            ("inkress", "/merchants/{merchant_id}", "/api/v1/merchants/183"),
            ("inkress", "/x/{odd}", "/api/v1/x/a%2Fb%3Fc%23d"),
            ("inkress", "/orders?q={merchant_id}&r={id}", "/api/v1/orders?q=183&r={id}"),
            ("inkress", "/orders?a=b#part", "/api/v1/orders?a=b"),
            ("inkress", "/orders/../users", "/api/v1/users"),
            ("inkress", "/../../../../x", "/x"),
            ("inkress", "/%2e%2e/x", "/api/x"),
            ("inkress", "/a b", "/api/v1/a%20b"),
            ("inkress", "/users:search", "/api/v1/users:search"),
            ("inkress", "users:search", "/api/v1/users:search"),
            ("inyo", "/v2/payment", "/v2/payment"),
            ("merchantos", "/Item", "/API/Account/12/Item"),
            ("merchantos", "/API/Account/99/Item.json", "/API/Account/99/Item.json"),
            ("merchantos", "/API/Account.json", "/API/Account.json"),
            ("merchantos", "/API/Accounting", "/API/Account/12/API/Accounting"),
            ("imprest", "/me/organizations", "/api/v1/me/organizations"),
            ("inventorum", "/products/?page=1", "/api/products/?page=1"),
            ("inkress", "https://own.example/api/v1/orders", "/api/v1/orders"),
            ("inkress", "HTTPS://OWN.example:443/x?y", "/x?y"),
            ("inkress", "https://own.example/m/{merchant_id}", "/m/183"),
            ("inkress", "https://own.example", "/"),
        ];
        for (name, path, expected) in cases {
            let target = at(name, path).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert_eq!(target.url.as_str(), format!("https://own.example{expected}"), "{path}");
        }
    }

    #[test] // RR3, A11
    fn no_trick_leads_to_another_host() {
        let tricks = [
            "//evil.example/x",
            "///evil.example/x",
            "https://evil.example",
            "https:evil.example",
            "https:/evil.example",
            "HTTPS:\\\\evil.example",
            "http://own.example/",
            "https://own.example:8443/x",
            "https://own.example@evil.example/x",
            "https://evil.example#own.example",
            "https://own.example.evil.example/",
            "https://user:pass@own.example/",
            "\\\\evil.example\\x",
            "/\\evil.example",
            "/\t/evil.example",
            "\t//evil.example",
            "/\r\nHost: evil.example",
            " //evil.example",
            "@evil.example/x",
            ".evil.example/x",
            ":8443@evil.example/x",
            "/@evil.example",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "ftp://own.example/",
            "data:text/plain,x",
            "/.//evil.example",
            "/..//evil.example",
            "..//evil.example",
            "/{odd}//evil.example",
            "",
        ];
        for name in ["inkress", "inyo", "merchantos"] {
            for trick in tricks {
                if let Ok(target) = at(name, trick) {
                    assert_eq!(target.url.host_str(), Some("own.example"), "{trick:?}");
                    assert_eq!(target.url.port_or_known_default(), Some(443), "{trick:?}");
                    assert_eq!(target.url.scheme(), "https", "{trick:?}");
                    assert_eq!(target.url.username(), "", "{trick:?}");
                }
            }
        }
    }

    #[test] // RR3
    fn what_is_plainly_elsewhere_is_refused() {
        let elsewhere = |given: &str| TargetError::OtherHost {
            given: given.into(),
            own: "https://own.example".into(),
        };
        let cases = [
            ("https://evil.example/x", elsewhere("https://evil.example")),
            ("https:evil.example", elsewhere("https://evil.example")),
            ("http://own.example/", elsewhere("http://own.example")),
            ("https://own.example:8443/x", elsewhere("https://own.example:8443")),
            ("ftp://own.example/", elsewhere("ftp://own.example")),
            ("//evil.example", TargetError::Refused("two slashes at its beginning")),
            ("/\\evil.example", TargetError::Refused("a backslash")),
            ("/\t/evil.example", TargetError::Refused("a control character")),
            ("https://u@own.example/", TargetError::Refused("a user name")),
        ];
        for (path, expected) in cases {
            assert_eq!(at("inkress", path), Err(expected), "{path}");
        }
    }

    #[test] // RR3
    fn a_host_that_the_provider_file_adds_is_reached_by_whole_urls_alone() {
        let mut provider = provider("inkress");
        provider.api.hosts = vec!["https://files.example".into()];
        let find =
            |path: &str| resolve(&provider.api, &provider.settings, &values(&KNOWN), path, &[]);
        let target = find("https://files.example/api/v1/orders").unwrap();
        assert_eq!(target.url.as_str(), "https://files.example/api/v1/orders");
        assert_eq!((target.below, target.lists), (None, None), "no scope table is for it");
        assert_eq!(find("/orders").unwrap().url.host_str(), Some("own.example"));
        for elsewhere in ["http://files.example/", "https://files.example:8443/"] {
            assert!(matches!(find(elsewhere), Err(TargetError::OtherHost { .. })), "{elsewhere}");
        }
        let user = find("https://u@files.example/");
        assert_eq!(user, Err(TargetError::Refused("a user name")));
    }

    #[test] // RR7
    fn a_missing_value_is_named_only_where_it_is_needed() {
        let provider = provider("merchantos");
        let values = values(&[("api_host", "http://127.0.0.1:8080")]);
        let find = |path: &str| resolve(&provider.api, &provider.settings, &values, path, &[]);
        assert_eq!(find("/Item"), Err(MissingValue("account_id".into()).into()));
        assert_eq!(find("/API/{shop}"), Err(MissingValue("shop".into()).into()));
        for path in ["/API/Account", "/API/Account.json", "/API/Account/7/Item"] {
            assert_eq!(find(path).unwrap().url.as_str(), format!("http://127.0.0.1:8080{path}"),);
        }
    }

    #[test]
    fn query_items_follow_the_query_of_the_path() {
        let provider = provider("inkress");
        let query = [("app".to_owned(), "me".to_owned()), ("q".to_owned(), "a&b c".to_owned())];
        let find = |path: &str| {
            resolve(&provider.api, &provider.settings, &values(&KNOWN), path, &query).unwrap().url
        };
        assert_eq!(find("/orders").query(), Some("app=me&q=a%26b+c"));
        assert_eq!(find("/orders?x=1%20").query(), Some("x=1%20&app=me&q=a%26b+c"));
    }

    #[test]
    fn the_path_below_the_base_is_known_and_so_is_a_list() {
        let below = |name: &str, path: &str| at(name, path).unwrap().below;
        assert_eq!(below("inkress", "/api/v1/orders/5?x").as_deref(), Some("/orders/5"));
        assert_eq!(below("inkress", "/../x"), None);
        assert_eq!(below("inyo", "/v2/fx").as_deref(), Some("/v2/fx"));
        assert_eq!(at("imprest", "/me/organizations").unwrap().lists.unwrap(), "organization_id");
        let written_out = at("imprest", "/api/v1/me/organizations?x=y").unwrap();
        assert_eq!(written_out.lists.unwrap(), "organization_id");
        assert_eq!(at("imprest", "/me").unwrap().lists, None);
    }

    #[test] // RR19, A12
    fn a_link_to_the_next_page_stays_on_the_host() {
        let provider = provider("inkress");
        let page = "https://own.example/api/v1/orders?page=1".parse().unwrap();
        let next = |link: &str| {
            follow(&provider.api, &provider.settings, &values(&KNOWN), &page, link)
                .map(|target| target.url.to_string())
        };
        let orders = "https://own.example/api/v1/orders?page=2";
        assert_eq!(next("?page=2").unwrap(), orders);
        assert_eq!(next("/api/v1/orders?page=2").unwrap(), orders);
        assert_eq!(next(orders).unwrap(), orders);
        for evil in
            ["//evil.example/", "https://evil.example/", "\\\\evil.example", "http://own.example/"]
        {
            assert!(matches!(next(evil), Err(TargetError::OtherHost { .. })), "{evil}");
        }
    }
}
