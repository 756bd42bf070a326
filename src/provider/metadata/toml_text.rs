//! A provider written as the file that reads back as the same provider.

use serde::Deserialize as _;
use toml::Value;

use crate::provider::schema::Provider;

/// Writes a provider as TOML; what every provider has anyway is left out.
pub fn to_toml(provider: &Provider) -> String {
    let Ok(mut whole) = Value::try_from(provider) else {
        return String::new();
    };
    for path in paths(&whole, &[]) {
        leave_out(&mut whole, &path, provider);
    }
    toml::to_string(&whole).unwrap_or_default()
}

/// The way to every key, the deepest first, so that a table that ends up empty can go too.
fn paths(value: &Value, above: &[String]) -> Vec<Vec<String>> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Table(table) => table.iter().map(|(key, inner)| (key.clone(), inner)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(at, inner)| (at.to_string(), inner)).collect()
        }
        _ => Vec::new(),
    };
    let mut all = Vec::new();
    for (key, inner) in inner {
        let path: Vec<String> = above.iter().cloned().chain([key]).collect();
        all.extend(paths(inner, &path));
        all.push(path);
    }
    all
}

/// Removes a key where the text without it means the same.
fn leave_out(whole: &mut Value, path: &[String], provider: &Provider) {
    let mut shorter = whole.clone();
    remove(&mut shorter, path);
    if Provider::deserialize(shorter.clone()).as_ref() == Ok(provider) {
        *whole = shorter;
    }
}

/// Removes what is at the end of a path; an item of a list stays.
fn remove(value: &mut Value, path: &[String]) {
    match (value, path) {
        (Value::Table(table), [key]) => {
            table.remove(key);
        }
        (Value::Table(table), [key, below @ ..]) => {
            if let Some(inner) = table.get_mut(key) {
                remove(inner, below);
            }
        }
        (Value::Array(items), [at, below @ ..]) if !below.is_empty() => {
            let inner = at.parse::<usize>().ok().and_then(|at| items.get_mut(at));
            if let Some(inner) = inner {
                remove(inner, below);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::metadata::read;
    use crate::provider::schema::{
        ClientAuthentication, Flow, Presence, Rotation, SigningAlgorithm,
    };
    use crate::provider::{catalogue, file};
    use serde_json::json;

    fn discovered(methods: &[&str]) -> Provider {
        let document = json!({
            "issuer": "https://as.example/t/",
            "authorization_endpoint": "https://login.example/authorize?tenant={x}",
            "token_endpoint": "https://as.example/t/token",
            "revocation_endpoint": "https://as.example/t/revoke",
            "introspection_endpoint": "https://as.example/t/introspect",
            "userinfo_endpoint": "https://as.example/t/me",
            "jwks_uri": "https://as.example/t/keys",
            "scopes_supported": ["openid", "offline_access"],
            "token_endpoint_auth_methods_supported": methods,
            "authorization_response_iss_parameter_supported": true,
            "tls_client_certificate_bound_access_tokens": true,
            "mtls_endpoint_aliases": {
                "token_endpoint": "https://mtls.as.example/t/token",
                "device_authorization_endpoint": "https://mtls.as.example/t/device",
            },
        });
        let metadata = read("https://as.example/t/", document.to_string().as_bytes()).unwrap();
        metadata.provider("example")
    }

    #[test]
    fn a_discovered_provider_passes_the_check_of_provider_files_and_reads_back_equal() {
        for methods in [
            &["client_secret_basic", "none"][..],
            &["client_secret_basic", "private_key_jwt", "tls_client_auth", "none"],
            &["client_secret_post"],
            &["none"],
            &["private_key_jwt"],
            &["client_secret_jwt"],
            &["tls_client_auth"],
            &["self_signed_tls_client_auth"],
        ] {
            let provider = discovered(methods);
            let text = to_toml(&provider);
            assert_eq!(file::read("example.toml", &text).unwrap(), provider, "{text}");
            assert!(!text.contains("\"\""), "nothing is said without need: {text}");
        }
    }

    #[test] // DS10, DS13
    fn a_discovered_provider_has_the_person_s_flow_and_the_safest_client() {
        let provider = discovered(&["client_secret_basic", "none"]);
        assert_eq!(provider.flows, [Flow::AuthorizationCode]);
        assert_eq!(provider.client.auth, ClientAuthentication::Basic);
        assert_eq!(provider.client.secret, Presence::Optional);
        assert_eq!(discovered(&["none"]).client.secret, Presence::None);
        assert_eq!(provider.api.base_url, "{api_host}");
        assert_eq!(provider.settings["api_host"].default.as_deref(), Some("https://as.example"));
        let discovery = provider.discovery.unwrap();
        assert!(provider.more_scopes && discovery.iss_in_response && discovery.names_endpoints);
        assert_eq!(provider.id_token.unwrap().jwks_url, "https://as.example/t/keys");
        assert_eq!(provider.introspect.unwrap().url, "https://as.example/t/introspect");
        assert!(provider.authorize.unwrap().default_scopes.is_empty());
    }

    #[test]
    fn a_server_for_devices_alone_gives_a_provider_with_the_device_flow() {
        let document = json!({
            "issuer": "http://127.0.0.1:7",
            "token_endpoint": "http://127.0.0.1:7/token",
            "device_authorization_endpoint": "http://127.0.0.1:7/device",
            "grant_types_supported": ["urn:ietf:params:oauth:grant-type:device_code"],
        });
        let metadata = read("http://127.0.0.1:7", document.to_string().as_bytes()).unwrap();
        let provider = metadata.provider("tv");
        assert_eq!(provider.flows, [Flow::DeviceCode]);
        assert_eq!(provider.refresh.rotation, Rotation::Rotating);
        assert_eq!(provider.client.secret, Presence::Optional);
        assert_eq!(file::read("tv.toml", &to_toml(&provider)).unwrap(), provider);
    }

    #[test]
    fn a_server_without_people_gives_a_provider_for_machines() {
        let document = json!({
            "issuer": "http://127.0.0.1:7",
            "token_endpoint": "http://127.0.0.1:7/token",
            "grant_types_supported": ["client_credentials"],
        });
        let metadata = read("http://127.0.0.1:7", document.to_string().as_bytes()).unwrap();
        let provider = metadata.provider("machine");
        assert_eq!(provider.flows, [Flow::ClientCredentials]);
        assert_eq!(provider.refresh.rotation, Rotation::Reissue);
        assert_eq!(file::read("machine.toml", &to_toml(&provider)).unwrap(), provider);
    }

    #[test] // EX6
    fn a_server_that_takes_signed_tokens_gives_a_provider_for_them() {
        let grants = ["jwt-bearer", "token-exchange"];
        let grants = grants.map(|it| format!("urn:ietf:params:oauth:grant-type:{it}"));
        let document = json!({
            "issuer": "http://127.0.0.1:7",
            "token_endpoint": "http://127.0.0.1:7/token",
            "grant_types_supported": grants,
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["PS256", "HS256"],
        });
        let metadata = read("http://127.0.0.1:7", document.to_string().as_bytes()).unwrap();
        let provider = metadata.provider("machine");
        assert_eq!(provider.flows, [Flow::JwtBearer, Flow::TokenExchange]);
        assert_eq!(provider.refresh.rotation, Rotation::Rotating);
        assert_eq!(provider.client.assertion_algorithms, [SigningAlgorithm::Ps256]);
        assert_eq!(file::read("machine.toml", &to_toml(&provider)).unwrap(), provider);
    }

    #[test]
    fn every_shipped_provider_survives_being_written() {
        for name in catalogue::names() {
            let provider = catalogue::shipped(name).unwrap().unwrap();
            assert_eq!(file::read(name, &to_toml(&provider)).unwrap(), provider, "{name}");
        }
    }
}
