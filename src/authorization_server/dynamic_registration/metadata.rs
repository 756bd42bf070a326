//! What a client is registered for, in the words of a request (RFC 7591 section 2).

use serde_json::{Map, Value, json};

use super::method::method_name;
use crate::provider::schema::{ClientAuthentication, Flow, Registration};

/// What a client is registered for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// How it gets its first tokens.
    pub flow: Flow,
    /// Where its browser comes back to, where it has one.
    pub redirect_uri: Option<String>,
    /// What it may ask for; the server's own choice where this is empty.
    pub scopes: Vec<String>,
    /// How it would prove who it is.
    pub authentication: ClientAuthentication,
    /// Whether its tokens are bound to a key (RFC 9449 section 5.2).
    pub dpop: bool,
    /// What the server is to know it by, where it proves itself with a key of its own.
    pub known_by: KnownBy,
}

/// What a server learns of a client that proves itself with a key of its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnownBy {
    /// Its public keys (RFC 7591 section 2, `jwks`).
    pub keys: Option<Value>,
    /// The subject of its certificate (RFC 8705 section 2.1.2).
    pub certificate_subject: Option<String>,
}

/// The client metadata that keyfob sends (RFC 7591 section 2).
pub fn client_metadata(wish: &Wish, registration: &Registration) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, value) in &registration.params {
        members.insert(name.clone(), json!(value));
    }
    members.extend(own_metadata(wish));
    // Keys that the vendor's file says are fetched are not sent (RFC 7591 section 2: one of the two).
    let fetched = registration.params.contains_key("jwks_uri");
    if let Some(keys) = wish.known_by.keys.as_ref().filter(|_| !fetched) {
        members.insert("jwks".into(), keys.clone());
    }
    if let Some(subject) = &wish.known_by.certificate_subject {
        members.insert("tls_client_auth_subject_dn".into(), json!(subject));
    }
    members
}

/// The part of it that every registration and every published document shares.
pub fn own_metadata(wish: &Wish) -> Map<String, Value> {
    let (grants, responses) = grant_and_response_types(wish.flow);
    let mut members = Map::new();
    members.insert("client_name".into(), json!("keyfob"));
    members.insert("application_type".into(), json!("native"));
    // A client without a browser has none; an empty list is refused by some servers.
    if let Some(uri) = &wish.redirect_uri {
        members.insert("redirect_uris".into(), json!([uri]));
    }
    members.insert("grant_types".into(), json!(grants));
    // An empty list stays: what is left out means `code` (RFC 7591 section 2).
    members.insert("response_types".into(), json!(responses));
    members.insert("token_endpoint_auth_method".into(), json!(method_name(wish.authentication)));
    if wish.dpop {
        members.insert("dpop_bound_access_tokens".into(), json!(true));
    }
    if !wish.scopes.is_empty() {
        members.insert("scope".into(), json!(wish.scopes.join(" ")));
    }
    members
}

/// The grant that a flow gets its first tokens by.
pub fn grant_type(flow: Flow) -> &'static str {
    grant_and_response_types(flow).0.first().copied().unwrap_or_default()
}

fn grant_and_response_types(flow: Flow) -> (&'static [&'static str], &'static [&'static str]) {
    match flow {
        Flow::AuthorizationCode => (&["authorization_code", "refresh_token"], &["code"]),
        Flow::ClientCredentials => (&["client_credentials"], &[]),
        Flow::Password => (&["password", "refresh_token"], &[]),
        Flow::DeviceCode => {
            (&["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"], &[])
        }
        Flow::JwtBearer => (&["urn:ietf:params:oauth:grant-type:jwt-bearer"], &[]),
        Flow::TokenExchange => (&["urn:ietf:params:oauth:grant-type:token-exchange"], &[]),
        Flow::Import => (&["refresh_token"], &[]),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test] // EX7
    fn the_metadata_says_what_keyfob_will_do_and_the_provider_s_words_come_along() {
        let wish = Wish {
            flow: Flow::AuthorizationCode,
            redirect_uri: Some("http://127.0.0.1:9/cb".into()),
            scopes: vec!["a".into(), "b".into()],
            authentication: ClientAuthentication::Id,
            dpop: false,
            known_by: KnownBy {
                keys: Some(json!({"keys": []})),
                certificate_subject: Some("CN=c".into()),
            },
        };
        let registration = Registration {
            kind: crate::provider::schema::RegistrationKind::Dynamic,
            url: None,
            params: BTreeMap::from([("software_id".to_owned(), "x".to_owned())]),
        };
        let expected = json!({
            "software_id": "x",
            "client_name": "keyfob",
            "application_type": "native",
            "redirect_uris": ["http://127.0.0.1:9/cb"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "scope": "a b",
            "jwks": {"keys": []},
            "tls_client_auth_subject_dn": "CN=c",
        });
        assert_eq!(Value::Object(client_metadata(&wish, &registration)), expected);
        let uri = BTreeMap::from([("jwks_uri".to_owned(), "https://me.example/keys".to_owned())]);
        let fetched = client_metadata(&wish, &Registration { params: uri, ..registration });
        assert!(fetched.contains_key("jwks_uri") && !fetched.contains_key("jwks"));
        let machine = Wish {
            flow: Flow::ClientCredentials,
            redirect_uri: None,
            scopes: Vec::new(),
            authentication: ClientAuthentication::Basic,
            dpop: true,
            known_by: KnownBy::default(),
        };
        let metadata = Value::Object(own_metadata(&machine));
        assert_eq!(metadata["grant_types"], json!(["client_credentials"]));
        assert!(metadata.get("redirect_uris").is_none());
        assert_eq!(metadata["response_types"], json!([]), "left out, it would mean `code`");
        assert!(metadata.get("scope").is_none());
        assert_eq!(metadata["dpop_bound_access_tokens"], json!(true));
    }
}
