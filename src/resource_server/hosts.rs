//! Which hosts may be given the token: the API's own, and those that the provider file adds to it.
//!
//! Scheme, host and port are compared; whatever else an address holds is for others to judge.

use url::Url;

use super::target::TargetError;
use crate::provider::schema::Api;
use crate::provider::template::Values;

/// The origins that tokens of one provider belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnHosts {
    api: Url,
    others: Vec<Url>,
}

impl OwnHosts {
    /// Reads the API's own origin, with the profile's settings, and what `[api] hosts` adds.
    pub fn of(api: &Api, values: &Values) -> Result<Self, TargetError> {
        let (host, _) = split_base(&api.base_url);
        Self::beside(&values.render(host)?, api)
    }

    /// The same where the host of the base was filled in already.
    pub(super) fn beside(host: &str, api: &Api) -> Result<Self, TargetError> {
        let read = |text: &str| {
            let url = Url::parse(text).ok().filter(|url| url.has_host());
            url.ok_or_else(|| TargetError::BadBase(text.to_owned()))
        };
        let others = api.hosts.iter().map(|text| read(text)).collect::<Result<_, _>>()?;
        Ok(Self { api: read(host)?, others })
    }

    /// Scheme, host and port of the API itself.
    pub fn api(&self) -> &Url {
        &self.api
    }

    /// All of them, the API's own first.
    pub fn origins(&self) -> impl Iterator<Item = &Url> {
        std::iter::once(&self.api).chain(&self.others)
    }

    /// Whether an address is on one of them; never one with a user name or a password in it.
    pub fn include(&self, url: &Url) -> bool {
        url.username().is_empty()
            && url.password().is_none()
            && self.origins().any(|own| same_origin(own, url))
    }

    /// Whether `host` or `host:port` is one of them, spoken to with that scheme where one is known.
    ///
    /// A port that is left out is the scheme's own. What a careless reader might take for more
    /// than a name is none of them.
    pub fn include_server(&self, scheme: Option<&str>, authority: &str) -> bool {
        let is_plain = !authority.is_empty()
            && !authority.contains(['/', '\\', '@', '?', '#', '%'])
            && !authority.contains(|it: char| it.is_whitespace() || it.is_control());
        is_plain
            && self.origins().any(|own| {
                let named = Url::parse(&format!("{}://{authority}", own.scheme()));
                scheme.is_none_or(|scheme| scheme.eq_ignore_ascii_case(own.scheme()))
                    && named.is_ok_and(|named| same_origin(own, &named))
            })
    }
}

/// Whether two addresses have scheme, host and port in common (RFC 6454 section 5).
pub(super) fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Splits `{host}/api/v1` and `https://api.example/v1` before the path.
pub(super) fn split_base(base: &str) -> (&str, &str) {
    let start = base.find("://").map_or(0, |at| at + 3);
    base.split_at(base[start..].find('/').map_or(base.len(), |at| start + at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue::shipped;

    fn hosts() -> OwnHosts {
        let mut api = shipped("inkress").unwrap().unwrap().api;
        api.hosts = vec!["https://git.example:8443".into(), "http://127.0.0.1:3000".into()];
        let mut values = Values::default();
        values.set("api_host", "https://own.example");
        OwnHosts::of(&api, &values).unwrap()
    }

    #[test] // A11
    fn an_address_is_own_by_scheme_host_and_port() {
        let own = [
            "https://own.example",
            "https://OWN.example:443/any/path?x#y",
            "https://git.example:8443/repo.git",
            "http://127.0.0.1:3000/",
        ];
        let strange = [
            "http://own.example",
            "https://own.example:8443",
            "https://git.example",
            "https://own.example.evil.example",
            "https://own.example@evil.example",
            "https://user@own.example",
            "https://:pass@own.example",
            "https://127.0.0.1:3000",
            "http://localhost:3000",
            "wss://own.example",
        ];
        for text in own {
            assert!(hosts().include(&text.parse().unwrap()), "{text}");
        }
        for text in strange {
            assert!(!hosts().include(&text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn a_server_is_own_by_host_and_port_and_by_its_scheme_where_one_is_known() {
        let own = ["own.example", "OWN.example:443", "git.example:8443", "127.0.0.1:3000"];
        let strange = [
            "",
            "git.example",
            "127.0.0.1",
            "own.example:80",
            "own.example/path",
            "own.example@evil.example",
            "evil.example#own.example",
            "own.example\\.evil.example",
            "own.exam\nple",
            " own.example",
            "https://own.example",
            "own%2eexample",
        ];
        for text in own {
            assert!(hosts().include_server(None, text), "{text}");
        }
        for text in strange {
            assert!(!hosts().include_server(None, text), "{text:?}");
            assert!(!hosts().include_server(Some("https"), text), "{text:?}");
        }
        let with = |scheme, text| hosts().include_server(Some(scheme), text);
        assert!(with("https", "own.example") && with("http", "127.0.0.1:3000"));
        assert!(!with("http", "own.example") && !with("https", "127.0.0.1:3000"));
        assert!(!with("", "own.example") && !with("ssh", "own.example"));
        assert!(!with("https://own.example/", "x"));
    }
}
