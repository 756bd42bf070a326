//! Answers about a client, and what becomes of them.

use serde_json::json;

use super::*;
use crate::http::HeaderMap;

fn endpoint() -> Url {
    Url::parse("https://as.example/register").unwrap()
}

fn said_to(held: &Held, status: u16, body: &Value) -> Said {
    let answer = Answer {
        status,
        headers: HeaderMap::new(),
        body: body.to_string().into_bytes().into(),
        date: None,
    };
    judge(&answer, &endpoint(), held, Timestamp::UNIX_EPOCH)
}

fn said(status: u16, body: &Value) -> Said {
    said_to(&Held::default(), status, body)
}

fn given(body: Value) -> Given {
    match said(201, &body) {
        Said::Given(given) => *given,
        other => panic!("{other:?}"),
    }
}

fn whole() -> Value {
    json!({
        "client_id": "c1",
        "client_secret": "s1",
        "client_secret_expires_at": 1000,
        "token_endpoint_auth_method": "client_secret_post",
        "scope": "a b",
        "redirect_uris": ["http://127.0.0.1:8/cb"],
        "registration_access_token": "r1",
        "registration_client_uri": "https://as.example/register/c1",
    })
}

fn with(member: &str, value: Value) -> Value {
    let mut body = whole();
    body[member] = value;
    body
}

#[test] // EX7
fn what_the_server_returned_counts_and_not_what_was_asked() {
    let client = given(whole());
    assert_eq!(client.authentication, ClientAuthentication::Post);
    assert_eq!(client.secret_expires_at, Timestamp::from_second(1000).ok());
    assert_eq!(client.scopes, Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(client.redirect_uris, ["http://127.0.0.1:8/cb"]);
    assert_eq!(client.management.unwrap().url.expose(), "https://as.example/register/c1");
    let method = |value: Value| given(with("token_endpoint_auth_method", value));
    assert_eq!(method(Value::Null).authentication, ClientAuthentication::Basic);
    let public = method(json!("none"));
    assert_eq!((public.client_secret, public.secret_expires_at), (None, None));
    let bare = given(json!({"client_id": "c1"}));
    assert_eq!(bare.authentication, ClientAuthentication::Id);
    assert_eq!((bare.scopes, bare.management), (None, None));
    assert_eq!(given(with("client_secret_expires_at", json!(0))).secret_expires_at, None);
}

#[test] // EX7
fn what_an_answer_about_a_known_client_leaves_out_is_as_before() {
    let end = Timestamp::from_second(7).ok();
    let held = Held {
        authentication: Some(ClientAuthentication::Post),
        secret: Some((Secret::new("s0"), end)),
    };
    let said = |body: Value| match said_to(&held, 200, &body) {
        Said::Given(given) => *given,
        other => panic!("{other:?}"),
    };
    let client = said(json!({"client_id": "c1", "grant_types": ["password"]}));
    assert_eq!(client.client_secret.unwrap().expose(), "s0");
    assert_eq!(
        (client.authentication, client.secret_expires_at),
        (ClientAuthentication::Post, end)
    );
    assert_eq!(client.grant_types, Some(vec!["password".to_owned()]));
    let lives_on = said(json!({"client_id": "c1", "client_secret_expires_at": 0}));
    assert_eq!(lives_on.secret_expires_at, None);
    let renewed = said(json!({"client_id": "c1", "client_secret": "s2"}));
    assert_eq!(renewed.client_secret.unwrap().expose(), "s2");
    assert_eq!(renewed.secret_expires_at, None);
}

#[test] // EX7
fn a_client_with_a_key_of_its_own_is_one_only_where_that_was_registered() {
    for name in ["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"] {
        let (_, method) = METHODS.into_iter().find(|(known, _)| *known == name).unwrap();
        let body = json!({"client_id": "c1", "token_endpoint_auth_method": name});
        assert!(matches!(said(201, &body), Said::Unfit { .. }), "{name}");
        let held = Held { authentication: Some(method), secret: None };
        for body in [body, json!({"client_id": "c1"})] {
            match said_to(&held, 201, &body) {
                Said::Given(given) => assert_eq!(given.authentication, method),
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}

#[test] // EX7
fn an_answer_that_cannot_be_used_is_none() {
    let unfit = [
        ("client_id", json!("")),
        ("client_id", Value::Null),
        ("client_id", json!(7)),
        ("client_id", json!("a\nb")),
        ("client_id", json!("x".repeat(LONGEST + 1))),
        ("client_secret", Value::Null),
        ("client_secret", json!("s\r\nX-Evil: 1")),
        ("client_secret_expires_at", json!("soon")),
        ("client_secret_expires_at", json!(-1)),
        ("token_endpoint_auth_method", json!("tls_client_auth")),
        ("redirect_uris", json!("http://127.0.0.1/")),
        ("redirect_uris", json!([1])),
    ];
    for (member, value) in unfit {
        match said(201, &with(member, value.clone())) {
            // The client is there all the same, and can be ended again.
            Said::Unfit { management: Some(_), .. } => {}
            other => panic!("{member} {value}: {other:?}"),
        }
    }
    for body in [json!([]), json!("x"), Value::Null] {
        assert!(matches!(said(201, &body), Said::NoVerdict { .. }), "{body}");
    }
}

#[test] // EX7, A1, A15
fn the_registration_token_goes_to_no_other_server() {
    for url in [
        "https://evil.example/register/c1",
        "https://as.example:8443/register/c1",
        "http://as.example/register/c1",
        "https://as.example@evil.example/",
        "https://127.1/",
        "/register/c1",
        "",
    ] {
        let client = given(with("registration_client_uri", json!(url)));
        assert_eq!(client.management, None, "{url}");
    }
}

#[test] // EX7, ER1
fn refusals_and_what_is_no_verdict_are_told_apart() {
    let refused = json!({"error": "invalid_redirect_uri"});
    match said(400, &refused) {
        Said::Refused(error) => assert_eq!(error.code.as_deref(), Some("invalid_redirect_uri")),
        other => panic!("{other:?}"),
    }
    assert!(matches!(said(401, &refused), Said::Unauthorized(_)));
    for status in [204, 302, 307, 429, 500, 503] {
        let said = said(status, &whole());
        assert!(matches!(said, Said::NoVerdict { .. }), "{status}: {said:?}");
    }
}

#[test] // EX7, T17
fn a_token_that_a_refusal_quotes_is_not_told() {
    let secrets = [Secret::new("let-me-in-0123456789")];
    let quoting = json!({"error": "x", "error_description": "bad let-me-in-0123456789"});
    let cases = [(400, quoting.clone()), (403, quoting)];
    let method = with("token_endpoint_auth_method", json!("let-me-in-0123456789"));
    for (status, body) in cases.into_iter().chain([(201, method)]) {
        let said = said(status, &body).without(&secrets);
        let told = match said {
            Said::Refused(error) | Said::Unauthorized(error) => format!("{error:?}"),
            Said::Unfit { why, .. } => why,
            other => panic!("{other:?}"),
        };
        assert!(!told.contains("let-me-in") && told.contains("sha256:"), "{told}");
    }
}
