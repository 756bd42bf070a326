//! What a metadata document may and may not say.

use super::*;
use crate::provider::metadata::offered::DEVICE_CODE_GRANT;
use crate::provider::metadata::{EndpointError, LARGEST};
use serde_json::json;

const ISSUER: &str = "https://as.example/t";
const ENDPOINTS: [&str; 6] = [
    "token_endpoint",
    "authorization_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
];

fn document() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://as.example/t/authorize",
        "token_endpoint": "https://as.example/t/token",
        "response_types_supported": ["code"],
    })
}

fn with(member: &str, value: Value) -> Result<Metadata, MetadataError> {
    let mut document = document();
    document[member] = value;
    read(ISSUER, document.to_string().as_bytes())
}

#[test] // EX2
fn a_server_that_demands_pushed_requests_says_where_or_is_not_used() {
    let endpoint = "pushed_authorization_request_endpoint";
    let required = "require_pushed_authorization_requests";
    assert_eq!(with(required, json!(true)), Err(MetadataError::Missing(endpoint)));
    assert_eq!(with(required, json!("yes")), Err(MetadataError::WrongType(required)));
    let metadata = with(endpoint, json!("https://as.example/par")).unwrap();
    let authorize = metadata.provider("x").authorize.unwrap();
    assert_eq!(authorize.pushed_url.as_deref(), Some("https://as.example/par"));
    let inward = with(endpoint, json!("http://127.0.0.1/par"));
    assert!(matches!(inward, Err(MetadataError::Endpoint { .. })), "{inward:?}");
}

#[test] // DS10
fn what_is_absent_has_the_defaults_of_the_standard() {
    let metadata = read(ISSUER, document().to_string().as_bytes()).unwrap();
    assert_eq!(metadata.client_authentication, ClientAuthentication::Basic);
    assert!(metadata.methods.is_empty() && !metadata.iss_in_response);
    assert_eq!((metadata.revocation_endpoint, metadata.other_hosts), (None, Vec::new()));
}

#[test] // DS4, DS5, A18
fn another_issuer_is_never_taken_for_this_one() {
    let others = [
        "https://as.example/T",
        "https://as.example:443/t",
        "https://as.example/t1",
        "https://AS.example/t",
        "http://as.example/t",
        "https://as.example/%74",
    ];
    for other in others {
        let error = with("issuer", json!(other)).unwrap_err();
        assert!(matches!(error, MetadataError::OtherIssuer { .. }), "{other}: {error}");
    }
    let error = with("issuer", json!("https://as.example/t/")).unwrap_err();
    assert!(matches!(error, MetadataError::TrailingSlash { .. }), "{error}");
    assert!(error.to_string().contains("`https://as.example/t/`"), "{error}");
    assert_eq!(with("issuer", Value::Null), Err(MetadataError::Missing("issuer")));
}

#[test] // DS7, DS8, A15
fn an_endpoint_is_protected_and_bare_and_never_leads_inward() {
    let cases = [
        ("http://as.example/token", EndpointError::Insecure),
        ("ftp://as.example/token", EndpointError::Insecure),
        ("https://u:p@as.example/token", EndpointError::Userinfo),
        ("https://as.example/token#x", EndpointError::Fragment),
        ("/token", EndpointError::NotAUrl),
        ("https://169.254.169.254/token", EndpointError::Inward),
        ("https://127.1/token", EndpointError::Inward),
        ("https://0x7f.1/token", EndpointError::Inward),
        ("http://localhost/token", EndpointError::Inward),
        ("https://10.0.0.1/token", EndpointError::Inward),
        ("https://[::ffff:127.0.0.1]/token", EndpointError::Inward),
        ("https://[::ffff:169.254.169.254]/token", EndpointError::Inward),
        ("https://2130706433/token", EndpointError::Inward),
        ("https://0177.0.0.1/token", EndpointError::Inward),
        ("https://127.0.0.1./token", EndpointError::Inward),
        ("https://[fd00::1]/token", EndpointError::Inward),
        ("https://0.0.0.0/token", EndpointError::Inward),
        ("https://localhost./token", EndpointError::Inward),
    ];
    for (url, expected) in cases {
        for member in ENDPOINTS {
            match with(member, json!(url)) {
                Err(MetadataError::Endpoint { why, .. }) => assert_eq!(why, expected, "{url}"),
                other => panic!("{url}: {other:?}"),
            }
        }
    }
}

#[test] // DS7, DS18
fn another_host_is_named_so_that_a_person_can_be_asked() {
    let metadata = with("token_endpoint", json!("https://tökens.example:8443/t")).unwrap();
    let host = "xn--tkens-jua.example:8443".to_owned();
    assert_eq!(metadata.other_hosts, [OtherHost { member: "token_endpoint", host }]);
}

#[test] // DS6, DS9
fn what_is_no_document_is_refused_without_a_crash() {
    let twice = format!("{{\"issuer\":\"{ISSUER}\",\"issuer\":\"{ISSUER}\"}}");
    let deep = format!("{{\"issuer\":{}", "[".repeat(100_000));
    for body in ["", "[]", "null", "<html>", "{", "[\"https://as.example/t\"]", &twice, &deep] {
        assert_eq!(read(ISSUER, body.as_bytes()), Err(MetadataError::NotAnObject));
    }
    let large = vec![b' '; LARGEST + 1];
    assert_eq!(read(ISSUER, &large), Err(MetadataError::TooLarge(LARGEST + 1)));
}

#[test] // DS9
fn a_wrong_type_is_named_and_null_counts_as_absent() {
    let members = [
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "revocation_endpoint",
        "device_authorization_endpoint",
        "introspection_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "id_token_signing_alg_values_supported",
        "registration_endpoint",
        "client_id_metadata_document_supported",
        "scopes_supported",
        "response_types_supported",
        "grant_types_supported",
        "token_endpoint_auth_methods_supported",
        "token_endpoint_auth_signing_alg_values_supported",
        "authorization_response_iss_parameter_supported",
    ];
    for member in members {
        for wrong in [json!(7), json!({"a": 1}), json!([1])] {
            assert_eq!(with(member, wrong), Err(MetadataError::WrongType(member)));
        }
    }
    assert!(with("scopes_supported", Value::Null).is_ok());
    assert_eq!(with("token_endpoint", Value::Null), Err(MetadataError::Missing("token_endpoint")));
}

#[test] // OI4
fn a_server_that_can_sign_with_rs256_signs_with_that_alone() {
    use SignatureAlgorithm::{ES256, PS256, RS256};
    let cases = [
        (Value::Null, vec![RS256]),
        (json!(["ES256", "RS256", "HS256", "none"]), vec![RS256]),
        (json!(["ES256", "PS256", "HS256", "none"]), vec![PS256, ES256]),
        (json!(["HS256", "none"]), vec![]),
    ];
    for (names, expected) in cases {
        let mut document = document();
        document["jwks_uri"] = json!("https://as.example/t/keys");
        document["id_token_signing_alg_values_supported"] = names;
        let metadata = read(ISSUER, document.to_string().as_bytes()).unwrap();
        assert_eq!(metadata.jwks_uri.is_some(), !expected.is_empty(), "{expected:?}");
        assert_eq!(metadata.id_token_algorithms, expected);
    }
}

#[test]
fn empty_lists_offer_nothing() {
    assert_eq!(with("response_types_supported", json!([])), Err(MetadataError::NoFlow));
    assert_eq!(with("grant_types_supported", json!(["urn:x"])), Err(MetadataError::NoFlow));
    let methods = with("token_endpoint_auth_methods_supported", json!(["urn:x"]));
    assert_eq!(methods, Err(MetadataError::NoClientAuthentication(vec!["urn:x".into()])));
    assert_eq!(with("scopes_supported", json!([])).unwrap().scopes, [""; 0]);
}

#[test] // CA3
fn a_client_that_brings_nothing_shows_a_secret_and_signs_only_where_nothing_else_is_taken() {
    use ClientAuthentication::{Basic, ClientSecretJwt, Post, PrivateKeyJwt, TlsClientAuth};
    let methods =
        |names: &[&str]| with("token_endpoint_auth_methods_supported", json!(names)).unwrap();
    let both = methods(&["private_key_jwt", "client_secret_post", "client_secret_basic"]);
    assert_eq!(both.client_authentication, Basic);
    assert_eq!(both.methods, [Basic, Post, PrivateKeyJwt]);
    let without = methods(&["client_secret_post", "client_secret_jwt", "urn:x"]);
    assert_eq!(without.client_authentication, Post);
    assert_eq!(without.methods, [Post, ClientSecretJwt]);
    let alone = methods(&["client_secret_jwt", "private_key_jwt", "tls_client_auth"]);
    assert_eq!(alone.client_authentication, PrivateKeyJwt);
    assert_eq!(methods(&["client_secret_jwt"]).client_authentication, ClientSecretJwt);
    assert_eq!(methods(&["tls_client_auth"]).client_authentication, TlsClientAuth);
    let silent = read(ISSUER, document().to_string().as_bytes()).unwrap();
    assert_eq!((silent.client_authentication, silent.methods), (Basic, Vec::new()));
}

fn with_mutual_tls(methods: &[&str]) -> Metadata {
    let mut document = document();
    document["revocation_endpoint"] = json!("https://as.example/t/revoke");
    document["introspection_endpoint"] = json!("https://other.example/t/introspect");
    document["token_endpoint_auth_methods_supported"] = json!(methods);
    document["tls_client_certificate_bound_access_tokens"] = json!(true);
    document["mtls_endpoint_aliases"] = json!({
        "token_endpoint": "https://mtls.as.example/t/token",
        "introspection_endpoint": "https://mtls.as.example/t/introspect",
        // There is no plain one: an alias makes no endpoint.
        "device_authorization_endpoint": "https://mtls.as.example/t/device",
        "authorization_endpoint": "http://ignored.example",
    });
    read(ISSUER, document.to_string().as_bytes()).unwrap()
}

#[test] // DS15
fn the_endpoints_for_certificates_stand_beside_the_plain_ones() {
    let plain = with_mutual_tls(&["client_secret_basic", "tls_client_auth"]);
    assert_eq!(plain.token_endpoint, "https://as.example/t/token");
    let members: Vec<&str> = plain.other_hosts.iter().map(|it| it.member).collect();
    assert_eq!(members, ["introspection_endpoint"], "who shows none is not asked about them");
    let provider = plain.provider("x");
    assert!(!provider.client.certificate_bound_access_tokens);
    let expected = MutualTls {
        binds_tokens: true,
        token_url: Some("https://mtls.as.example/t/token".into()),
        introspect_url: Some("https://mtls.as.example/t/introspect".into()),
        ..MutualTls::default()
    };
    assert_eq!(provider.mutual_tls, Some(expected));
    // Where no certificate is of any use, there is nothing to say of it.
    let mut document = document();
    document["mtls_endpoint_aliases"] = json!({"token_endpoint": "https://as.example/x"});
    let none = read(ISSUER, document.to_string().as_bytes()).unwrap();
    assert_eq!(none.mutual_tls, None);
}

#[test] // DS15
fn an_alias_is_judged_like_any_endpoint() {
    for alias in ["http://as.example/t/token", "https://u@as.example/", "https://10.0.0.1/"] {
        let found = with("mtls_endpoint_aliases", json!({"token_endpoint": alias}));
        assert!(matches!(found, Err(MetadataError::Endpoint { .. })), "{found:?}");
    }
    let wrong = Err(MetadataError::WrongType("mtls_endpoint_aliases"));
    assert_eq!(with("mtls_endpoint_aliases", json!(["x"])), wrong);
}

#[test] // CA6, CA11
fn only_algorithms_with_a_private_key_are_taken_from_the_list() {
    let given = json!(["HS256", "none", "PS256", "ES384", "ES256"]);
    let metadata = with("token_endpoint_auth_signing_alg_values_supported", given).unwrap();
    let known = [SigningAlgorithm::Ps256, SigningAlgorithm::Es256];
    assert_eq!(metadata.signing_algorithms, known);
}

#[test]
fn the_device_flow_is_there_where_endpoint_and_grants_say_so() {
    let endpoint = json!("https://as.example/t/device");
    let device = |grants: Option<Value>| {
        let mut document = document();
        document["device_authorization_endpoint"] = endpoint.clone();
        document["response_types_supported"] = json!([]);
        if let Some(grants) = grants {
            document["grant_types_supported"] = grants;
        }
        read(ISSUER, document.to_string().as_bytes())
    };
    let alone = device(Some(json!([DEVICE_CODE_GRANT]))).unwrap();
    assert_eq!(alone.device_authorization_endpoint.as_deref(), endpoint.as_str());
    assert_eq!(alone.authorization_endpoint, None);
    assert_eq!(device(None).unwrap(), alone, "no grants are named");
    assert_eq!(device(Some(json!(["authorization_code"]))), Err(MetadataError::NoFlow));
}

#[test]
fn only_what_can_be_asked_for_is_a_scope() {
    let given = json!(["openid", "a b", "", "x\ny", "openid", "orders:read"]);
    assert_eq!(with("scopes_supported", given).unwrap().scopes, ["openid", "orders:read"]);
}

#[test] // SC5
fn the_algorithms_of_proofs_are_kept_as_the_server_names_them() {
    let member = "dpop_signing_alg_values_supported";
    let given = with(member, json!(["ES256", "PS512"])).unwrap();
    assert_eq!(given.provider("x").client.dpop_algorithms, ["ES256", "PS512"]);
    let silent = read(ISSUER, document().to_string().as_bytes()).unwrap();
    assert!(silent.dpop_algorithms.is_empty());
    assert_eq!(with(member, json!("ES256")), Err(MetadataError::WrongType(member)));
}
