//! An API's own description of itself (RFC 9728): where it is asked for, how it is judged, and the
//! provider that follows from it and from the authorization server that it names.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::document::Metadata;
use super::endpoints::check_endpoint;
use super::members::{parse, text, texts};
use super::offered::scope_names;
use super::{EndpointError, MetadataError, issuer_url};
use crate::provider::Provider;

/// The members that keyfob uses; `null` counts as absent.
#[derive(Debug, Deserialize)]
struct Document {
    resource: Option<Value>,
    authorization_servers: Option<Value>,
    bearer_methods_supported: Option<Value>,
    scopes_supported: Option<Value>,
}

/// What a protected resource says of itself, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectedResource {
    /// As it was asked for, which is as the document says.
    pub resource: String,
    /// The issuers whose tokens it takes, in its own order; at least one.
    pub authorization_servers: Vec<String>,
    /// Names that can be asked for.
    pub scopes: Vec<String>,
}

/// Where the metadata of a resource lies (RFC 9728 section 3.1).
pub fn resource_well_known_url(resource: &str) -> Result<Url, MetadataError> {
    let mut url = issuer_url(resource)?;
    // A path keeps the slash at its end; the one after the host alone goes.
    let path = if url.path() == "/" { String::new() } else { url.path().to_owned() };
    url.set_path(&format!("/.well-known/oauth-protected-resource{path}"));
    Ok(url)
}

/// Judges the address of metadata that a challenge names (RFC 9728 section 5.1).
pub fn challenged_url(resource: &str, given: &str) -> Result<Url, MetadataError> {
    let home = issuer_url(resource)?;
    check_endpoint(given, &home).map_err(|why| wrong("resource_metadata", given, why))
}

/// Judges the document that was retrieved for a resource; nothing of it is used before all of it passes.
pub fn read_resource(resource: &str, body: &[u8]) -> Result<ProtectedResource, MetadataError> {
    let home = issuer_url(resource)?;
    let document: Document = parse(body)?;
    check_resource(resource, &document.resource)?;
    let methods = texts("bearer_methods_supported", &document.bearer_methods_supported)?;
    if methods.is_some_and(|methods| !methods.contains(&"header")) {
        return Err(MetadataError::NoHeader);
    }
    Ok(ProtectedResource {
        resource: resource.to_owned(),
        authorization_servers: servers(&home, &document.authorization_servers)?,
        scopes: scope_names(&document.scopes_supported)?,
    })
}

/// Code point by code point (RFC 9728 section 3.3).
fn check_resource(asked: &str, found: &Option<Value>) -> Result<(), MetadataError> {
    let found = text("resource", found)?.ok_or(MetadataError::Missing("resource"))?;
    match found == asked {
        true => Ok(()),
        false => {
            Err(MetadataError::OtherResource { asked: asked.to_owned(), found: found.to_owned() })
        }
    }
}

/// Every one is an issuer, and none leads into a network that the resource is not in.
fn servers(home: &Url, named: &Option<Value>) -> Result<Vec<String>, MetadataError> {
    let mut servers: Vec<String> = Vec::new();
    for issuer in texts("authorization_servers", named)?.unwrap_or_default() {
        issuer_url(issuer)?;
        check_endpoint(issuer, home).map_err(|why| wrong("authorization_servers", issuer, why))?;
        if !servers.iter().any(|known| known == issuer) {
            servers.push(issuer.to_owned());
        }
    }
    match servers.is_empty() {
        true => Err(MetadataError::Missing("authorization_servers")),
        false => Ok(servers),
    }
}

fn wrong(member: &'static str, url: &str, why: EndpointError) -> MetadataError {
    MetadataError::Endpoint { member, url: url.to_owned(), why }
}

impl ProtectedResource {
    /// Writes the provider of that name: the API is this one, the rest is its authorization server's.
    pub fn provider(&self, name: &str, server: &Metadata) -> Provider {
        let mut provider = server.provider(name);
        provider.summary =
            format!("discovered at {}, which trusts {}", self.resource, server.issuer);
        if let Ok(url) = Url::parse(&self.resource) {
            if let Some(host) = provider.settings.get_mut("api_host") {
                host.default = Some(url.origin().ascii_serialization());
            }
            let path = url.path().trim_end_matches('/').replace('{', "%7B").replace('}', "%7D");
            provider.api.base_url.push_str(&path);
        }
        for scope in &self.scopes {
            if !provider.scope.iter().any(|known| known.name == *scope) {
                provider.scope.push(super::provider::scope(scope));
            }
        }
        provider.token.resource = vec![self.resource.clone()];
        provider
    }
}

#[cfg(test)]
mod tests {
    use super::super::LARGEST;
    use super::*;
    use serde_json::json;

    const API: &str = "https://api.example/mcp";

    fn with(member: &str, value: Value) -> Result<ProtectedResource, MetadataError> {
        let mut document = json!({
            "resource": API,
            "authorization_servers": ["https://as.example/t"],
        });
        document[member] = value;
        read_resource(API, document.to_string().as_bytes())
    }

    #[test] // DS17
    fn the_well_known_segment_goes_between_the_resource_s_host_and_its_path() {
        let cases = [
            ("https://api.example", ""),
            ("https://api.example/", ""),
            ("https://api.example/mcp", "/mcp"),
            ("https://api.example/a/b/", "/a/b/"),
        ];
        for (resource, path) in cases {
            let place = resource_well_known_url(resource).unwrap();
            let expected =
                format!("https://api.example/.well-known/oauth-protected-resource{path}");
            assert_eq!(place.as_str(), expected, "{resource}");
        }
        assert!(resource_well_known_url("http://api.example/mcp").is_err());
        assert!(resource_well_known_url("https://api.example/mcp#x").is_err());
    }

    #[test] // DS17, A12
    fn the_metadata_of_another_resource_is_of_no_use() {
        assert_eq!(with("scopes_supported", Value::Null).unwrap().resource, API);
        let others = [
            "https://api.example/mcp/",
            "https://api.example/MCP",
            "https://api.example",
            "https://api.example:443/mcp",
            "https://api.example.evil.test/mcp",
        ];
        for other in others {
            let error = with("resource", json!(other)).unwrap_err();
            assert!(matches!(error, MetadataError::OtherResource { .. }), "{other}: {error}");
        }
        assert_eq!(with("resource", Value::Null), Err(MetadataError::Missing("resource")));
    }

    #[test] // DS8, DS17, A15
    fn the_servers_it_names_are_issuers_that_do_not_lead_inward() {
        let named = |issuer: &str| with("authorization_servers", json!([issuer]));
        for inward in [
            "https://169.254.169.254",
            "https://127.1/t",
            "https://0x7f.1",
            "https://[::ffff:127.0.0.1]",
            "https://10.0.0.1:8443/t",
            "https://localhost",
        ] {
            let why = EndpointError::Inward;
            assert_eq!(named(inward), Err(wrong("authorization_servers", inward, why)));
        }
        for no_issuer in ["http://as.example", "https://as.example?x", "as.example", ""] {
            assert!(named(no_issuer).is_err(), "{no_issuer}");
        }
        assert!(challenged_url(API, "https://127.1/meta").is_err());
        assert!(challenged_url(API, "http://api.example/meta").is_err());
        assert!(challenged_url(API, "https://api.example/meta").is_ok());
        let inside = challenged_url("http://127.0.0.1:8/mcp", "http://127.0.0.1:9/meta");
        assert!(inside.is_ok(), "an API on this machine may name one beside it");
    }

    #[test] // DS9
    fn wrong_types_nulls_and_nonsense_of_a_resource_end_in_an_error() {
        for member in ["resource", "authorization_servers", "scopes_supported"] {
            for value in [json!(7), json!({"a": 1}), json!([1])] {
                assert_eq!(with(member, value), Err(MetadataError::WrongType(member)));
            }
        }
        let nobody = Err(MetadataError::Missing("authorization_servers"));
        assert_eq!(with("authorization_servers", json!([])), nobody);
        assert_eq!(with("authorization_servers", Value::Null), nobody);
        assert_eq!(with("bearer_methods_supported", json!(["body"])), Err(MetadataError::NoHeader));
        let deep = format!("{{\"resource\":{}", "[".repeat(100_000));
        for body in ["", "[]", "null", "<html>", &deep, "{\"resource\":1,\"resource\":2}"] {
            assert_eq!(read_resource(API, body.as_bytes()), Err(MetadataError::NotAnObject));
        }
        let large = vec![b' '; LARGEST + 1];
        assert_eq!(read_resource(API, &large), Err(MetadataError::TooLarge(LARGEST + 1)));
    }

    #[test]
    fn the_provider_has_the_api_of_the_resource_and_the_endpoints_of_its_server() {
        let server = json!({
            "issuer": "https://as.example/t",
            "authorization_endpoint": "https://as.example/t/authorize",
            "token_endpoint": "https://as.example/t/token",
            "registration_endpoint": "https://as.example/t/register",
        });
        let server = super::super::read("https://as.example/t", server.to_string().as_bytes());
        let resource = with("scopes_supported", json!(["files:read"])).unwrap();
        let provider = resource.provider("api.example-mcp", &server.unwrap());
        assert_eq!(provider.api.base_url, "{api_host}/mcp");
        assert_eq!(provider.settings["api_host"].default.as_deref(), Some("https://api.example"));
        assert_eq!(provider.token.url, "https://as.example/t/token");
        assert_eq!(provider.scope[0].name, "files:read");
        assert_eq!(provider.token.resource, [API]);
        let text = super::super::to_toml(&provider);
        assert_eq!(crate::provider::file::read("x.toml", &text).unwrap(), provider, "{text}");
    }
}
