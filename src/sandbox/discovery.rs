//! The metadata documents: the server's (RFC 8414) and the API's (RFC 9728).

use serde_json::{Map, Value, json};

use super::authorization::scope_names;
use super::message::{Answer, Request};
use super::stand_in::Turn;
use crate::provider::schema::{Flow, Pkce};

/// Answers with the vendor's metadata.
pub fn answer(turn: &mut Turn<'_>, request: &Request) -> Answer {
    match request.method.as_str() {
        "GET" if turn.vendor.is_resource_metadata(&request.path) => {
            Answer::json(200, &resource(turn))
        }
        "GET" => Answer::json(200, &Value::Object(metadata(turn))),
        _ => Answer::empty(405).with("allow", "GET"),
    }
}

/// What the API says of itself.
fn resource(turn: &Turn<'_>) -> Value {
    let vendor = turn.vendor;
    json!({
        "resource": format!("{}{}", vendor.origin, vendor.endpoints.api),
        "authorization_servers": [vendor.origin],
        "scopes_supported": scope_names(vendor),
    })
}

fn metadata(turn: &Turn<'_>) -> Map<String, Value> {
    let vendor = turn.vendor;
    let provider = &vendor.provider;
    let at =
        |path: &Option<String>| path.as_ref().map(|it| json!(format!("{}{it}", vendor.origin)));
    let pkce = provider.authorize.as_ref().is_some_and(|it| it.pkce == Pkce::S256);
    let iss = provider.discovery.as_ref().is_some_and(|it| it.iss_in_response);
    let algorithms = provider.id_token.as_ref().map(|it| &it.algorithms);
    let members = [
        ("issuer", Some(json!(vendor.origin))),
        ("authorization_endpoint", at(&vendor.endpoints.authorize)),
        ("token_endpoint", at(&Some(vendor.endpoints.token.clone()))),
        ("device_authorization_endpoint", at(&vendor.endpoints.device)),
        ("revocation_endpoint", at(&vendor.endpoints.revoke)),
        ("introspection_endpoint", at(&vendor.endpoints.introspect)),
        ("userinfo_endpoint", at(&vendor.endpoints.userinfo)),
        ("jwks_uri", at(&vendor.endpoints.keys)),
        ("id_token_signing_alg_values_supported", algorithms.map(|it| json!(it))),
        ("registration_endpoint", at(&vendor.endpoints.registration)),
        ("scopes_supported", Some(Value::Array(scope_names(vendor)))),
        ("response_types_supported", Some(json!(["code"]))),
        ("grant_types_supported", Some(json!(grant_types(turn)))),
        ("code_challenge_methods_supported", pkce.then(|| json!(["S256"]))),
        (
            "token_endpoint_auth_methods_supported",
            Some(json!([provider.client.auth.registered_name()])),
        ),
        ("authorization_response_iss_parameter_supported", iss.then(|| json!(true))),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn grant_types(turn: &Turn<'_>) -> Vec<&'static str> {
    let offered = [
        ("authorization_code", turn.vendor.has(Flow::AuthorizationCode)),
        (super::device::GRANT_TYPE, turn.vendor.has(Flow::DeviceCode)),
        ("client_credentials", turn.vendor.has(Flow::ClientCredentials)),
        ("password", turn.vendor.has(Flow::Password)),
        ("refresh_token", turn.vendor.gives_refresh_tokens()),
    ];
    offered.into_iter().filter(|(_, offered)| *offered).map(|(name, _)| name).collect()
}
