//! A vendor as the sandbox knows it: its provider file, its table, and where its endpoints lie on loopback.

use url::Url;

use super::facts::Facts;
use crate::provider::schema::{Flow, Format, Needed, Rotation};
use crate::provider::{MissingValue, Provider, Values, template};

/// The paths of the endpoints below the sandbox's own origin.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// The authorization endpoint, where there is one.
    pub authorize: Option<String>,
    /// The device authorization endpoint, where there is one.
    pub device: Option<String>,
    /// The token endpoint.
    pub token: String,
    /// The revocation endpoint, where there is one.
    pub revoke: Option<String>,
    /// The metadata document, where there is one.
    pub discovery: Option<String>,
    /// The introspection endpoint, where there is one.
    pub introspect: Option<String>,
    /// The userinfo endpoint, where there is one.
    pub userinfo: Option<String>,
    /// The set of keys, where there is one.
    pub keys: Option<String>,
    /// Where clients register themselves, where they may.
    pub registration: Option<String>,
    /// What API paths are relative to; without a slash at its end.
    pub api: String,
}

/// Where a person types a code.
pub const DEVICE_PAGE: &str = "/device";

/// Names an endpoint, for counts and scripted faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// The authorization endpoint: pages and decisions.
    Authorization,
    /// The device authorization endpoint.
    DeviceAuthorization,
    /// The page where a person types a code: pages and decisions.
    DevicePage,
    /// The token endpoint.
    Token,
    /// The revocation endpoint.
    Revocation,
    /// The metadata documents, of the server and of the API.
    Discovery,
    /// The introspection endpoint.
    Introspection,
    /// The userinfo endpoint.
    Userinfo,
    /// The set of keys.
    Keys,
    /// Where clients register themselves.
    Registration,
    /// The resource server.
    Api,
    /// What a browser asks for besides: `/` and `/favicon.ico`.
    Other,
}

/// A vendor that is stood in for.
pub struct Vendor {
    /// The vendor as keyfob knows it.
    pub provider: Provider,
    /// The vendor's table.
    pub facts: Facts,
    /// Scheme, host and port of the sandbox.
    pub origin: String,
    /// Where the endpoints lie.
    pub endpoints: Endpoints,
    /// What the provider's templates name.
    pub values: Values,
}

impl Vendor {
    /// Places a vendor on an origin.
    pub fn new(provider: Provider, facts: Facts, origin: String) -> Result<Self, MissingValue> {
        let values = values(&provider, &facts, &origin);
        let place = |template: &str| values.render_url(template).map(|url| path_of(&url));
        let endpoints = Endpoints {
            authorize: provider.authorize.as_ref().map(|it| place(&it.url)).transpose()?,
            device: provider.device.as_ref().map(|it| place(&it.url)).transpose()?,
            token: place(&provider.token.url)?,
            revoke: provider.revoke.as_ref().map(|it| place(&it.url)).transpose()?,
            discovery: provider.discovery.as_ref().map(|it| place(&it.url)).transpose()?,
            introspect: provider.introspect.as_ref().map(|it| place(&it.url)).transpose()?,
            userinfo: provider.userinfo.as_ref().map(|it| place(&it.url)).transpose()?,
            keys: provider.id_token.as_ref().map(|it| place(&it.jwks_url)).transpose()?,
            registration: provider
                .registration
                .as_ref()
                .and_then(|it| it.url.as_deref())
                .map(place)
                .transpose()?,
            api: place(&provider.api.base_url)?.trim_end_matches('/').to_owned(),
        };
        Ok(Self { provider, facts, origin, endpoints, values })
    }

    /// The endpoint a path belongs to; what is nothing else is the resource server's.
    pub fn endpoint(&self, path: &str) -> Endpoint {
        let is = |known: &Option<String>| known.as_deref() == Some(path);
        let endpoints = &self.endpoints;
        match path {
            _ if path == endpoints.token => Endpoint::Token,
            _ if is(&endpoints.authorize) => Endpoint::Authorization,
            _ if is(&endpoints.device) => Endpoint::DeviceAuthorization,
            DEVICE_PAGE if endpoints.device.is_some() => Endpoint::DevicePage,
            _ if is(&endpoints.revoke) => Endpoint::Revocation,
            _ if is(&endpoints.discovery) => Endpoint::Discovery,
            _ if is(&endpoints.introspect) => Endpoint::Introspection,
            _ if is(&endpoints.userinfo) => Endpoint::Userinfo,
            _ if is(&endpoints.keys) => Endpoint::Keys,
            _ if self.is_resource_metadata(path) => Endpoint::Discovery,
            _ if is(&endpoints.registration) || self.is_a_client(path) => Endpoint::Registration,
            "/" | "/favicon.ico" => Endpoint::Other,
            _ => Endpoint::Api,
        }
    }

    /// Where the API describes itself (RFC 9728 section 3.1), at a vendor that publishes metadata.
    pub fn is_resource_metadata(&self, path: &str) -> bool {
        let api = path.strip_prefix("/.well-known/oauth-protected-resource");
        self.endpoints.discovery.is_some() && api == Some(self.endpoints.api.as_str())
    }

    fn is_a_client(&self, path: &str) -> bool {
        let rest = self.endpoints.registration.as_deref().and_then(|it| path.strip_prefix(it));
        rest.is_some_and(|rest| rest.starts_with('/'))
    }

    /// Whether a grant without a refresh token in it is all there ever is.
    pub fn gives_refresh_tokens(&self) -> bool {
        matches!(self.provider.refresh.rotation, Rotation::Rotating | Rotation::SingleUse)
    }

    /// Whether the provider file names that flow.
    pub fn has(&self, flow: Flow) -> bool {
        self.provider.flows.contains(&flow)
    }

    /// The settings that point keyfob at the sandbox, and those a profile cannot do without.
    pub fn settings(&self) -> Vec<(String, String)> {
        let wanted = |(name, setting): (&String, &crate::provider::schema::Setting)| {
            let needed = setting.needed != Needed::AfterConnect && setting.default.is_none();
            let value = self.values.get(name)?.to_owned();
            (setting.format == Format::Host || needed).then(|| (name.clone(), value))
        };
        self.provider.settings.iter().filter_map(wanted).collect()
    }

    /// Fills in a path of the vendor's table.
    pub fn path(&self, template: &str) -> String {
        self.values.render_path(template).unwrap_or_else(|_| template.to_owned())
    }

    /// A path below the API base; the whole path where it is not below it.
    pub fn relative<'a>(&self, path: &'a str) -> &'a str {
        match path.strip_prefix(self.endpoints.api.as_str()) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
            _ => path,
        }
    }

    /// The prefix of a kind of secret.
    pub fn prefix(&self, kind: &str) -> &str {
        self.provider.response.prefix.get(kind).map_or("", String::as_str)
    }

    /// Whether a header's template names a setting that is chosen from a list, and which list.
    pub fn listed_setting(&self, header: &str) -> Option<&crate::provider::schema::SettingList> {
        template::names(header)
            .into_iter()
            .find_map(|name| self.provider.settings.get(name)?.list.as_ref())
    }
}

/// Every host is the sandbox itself; the rest comes from the vendor's table, then from the provider's defaults.
fn values(provider: &Provider, facts: &Facts, origin: &str) -> Values {
    let mut values = Values::default();
    values.set("client_id", &facts.client_id);
    values.set("keyfob_version", env!("CARGO_PKG_VERSION"));
    for (name, setting) in &provider.settings {
        match (setting.format, &setting.default) {
            (Format::Host, _) => values.set(name, origin),
            (_, Some(default)) => values.set(name, default),
            _ => {}
        }
    }
    for (name, value) in &facts.values {
        values.set(name, value);
    }
    values
}

/// The path of a URL; a provider file that names a real host keeps its path.
fn path_of(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) => url.path().to_owned(),
        Err(_) => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::vendors;
    use super::*;

    fn placed(name: &str) -> Vendor {
        let provider = vendors::provider(name).unwrap().unwrap();
        let facts = vendors::facts(name).unwrap();
        Vendor::new(provider, facts, "http://127.0.0.1:9".into()).unwrap()
    }

    #[test]
    fn the_endpoints_lie_where_the_provider_files_say() {
        let cases = [
            ("inkress", "/api/v1/hooks/oauth/token", "/api/v1"),
            ("inyo", "/oauth/token", ""),
            ("merchantos", "/oauth/access_token.php", "/API/Account/12345"),
            ("imprest", "/oauth/token", "/api/v1"),
            ("inventorum", "/api/auth/token/", "/api"),
        ];
        for (name, token, api) in cases {
            let vendor = placed(name);
            assert_eq!(
                (vendor.endpoints.token.as_str(), vendor.endpoints.api.as_str()),
                (token, api)
            );
            assert_eq!(vendor.endpoint(token), Endpoint::Token);
        }
    }

    #[test]
    fn the_settings_point_at_the_sandbox_and_hold_what_has_no_default() {
        let names = |name: &str| -> Vec<String> {
            placed(name).settings().into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names("merchantos"), ["account_id", "api_host", "auth_host"]);
        assert_eq!(names("imprest"), ["host"]);
        assert_eq!(placed("inyo").settings(), [("host".into(), "http://127.0.0.1:9".into())]);
    }
}
