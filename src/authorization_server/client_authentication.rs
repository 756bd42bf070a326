//! How the client proves who it is: one function a method, one method a request (RFC 6749 section 2.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded::byte_serialize;

use super::assertion::{Assertion, AssertionError, Signer};
use super::jose::Members;
use crate::provider::schema::{AssertionAudience, BasicEncoding, Client, ClientAuthentication};
use crate::provider::{MissingValue, Provider, Values};
use crate::secret::Secret;

/// The only type of client assertion that is made here (RFC 7523 section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long a client assertion is good for, in seconds; it is made just before it is sent.
const ASSERTION_LIFETIME: u32 = 120;

/// What the vendor gave at registration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClientRegistration {
    /// Public.
    pub client_id: String,
    /// Absent for a public client.
    pub client_secret: Option<Secret>,
    /// The private key whose public half the vendor knows: PEM or a JSON Web Key.
    pub private_key: Option<Secret>,
}

/// What client authentication adds to a request.
#[derive(Debug, Default, PartialEq)]
pub struct Credentials {
    /// Body parameters.
    pub parameters: Vec<(String, Secret)>,
    /// The Authorization header.
    pub authorization: Option<Secret>,
    /// What is signed when the request is sent.
    pub assertion: Option<Assertion>,
}

/// The client's credentials in the provider's method.
///
/// # Errors
/// Where the audience of an assertion names a value that is not known.
pub fn credentials(
    provider: &Provider,
    values: &Values,
    registration: &ClientRegistration,
) -> Result<Credentials, MissingValue> {
    let client = &provider.client;
    match client_assertion(provider, values, registration)? {
        Some(assertion) => Ok(asserted(&registration.client_id, assertion)),
        None => Ok(shown(client, registration)),
    }
}

/// Whether the provider's method can be used with what there is, before anything is sent.
pub fn check(
    provider: &Provider,
    values: &Values,
    registration: &ClientRegistration,
) -> Result<Result<(), AssertionError>, MissingValue> {
    let assertion = client_assertion(provider, values, registration)?;
    Ok(assertion.map_or(Ok(()), |assertion| assertion.check()))
}

/// The assertion of the two methods that show no secret (RFC 7523 section 3, OpenID Connect Core section 9).
fn client_assertion(
    provider: &Provider,
    values: &Values,
    registration: &ClientRegistration,
) -> Result<Option<Assertion>, MissingValue> {
    let client = &provider.client;
    let signer = match client.auth {
        ClientAuthentication::PrivateKeyJwt => Signer::PrivateKey {
            key: registration.private_key.clone(),
            algorithms: client.assertion_algorithms.clone(),
            key_id: client.key_id.as_deref().map(|it| values.render(it)).transpose()?,
        },
        ClientAuthentication::ClientSecretJwt => {
            Signer::ClientSecret(registration.client_secret.clone())
        }
        _ => return Ok(None),
    };
    let id = &registration.client_id;
    let members = [("iss", id.clone()), ("sub", id.clone()), ("aud", audience(provider, values)?)];
    let claims: Members =
        members.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let kind = "client-authentication+jwt";
    let lifetime = ASSERTION_LIFETIME;
    Ok(Some(Assertion { parameter: "client_assertion", signer, kind, claims, lifetime }))
}

/// One string: a server that is named beside another could use the assertion there (RFC 7523bis section 3).
fn audience(provider: &Provider, values: &Values) -> Result<String, MissingValue> {
    match provider.client.assertion_audience {
        AssertionAudience::TokenEndpoint => values.render_url(&provider.token.url),
        AssertionAudience::Issuer => {
            let issuer = provider.discovery.as_ref().and_then(|it| it.issuer.as_ref());
            values.render_url(issuer.ok_or_else(|| MissingValue("issuer".into()))?)
        }
    }
}

/// The identifier, and the kind of proof that is added when the request is sent.
fn asserted(client_id: &str, assertion: Assertion) -> Credentials {
    Credentials {
        parameters: vec![
            ("client_id".into(), Secret::new(client_id)),
            ("client_assertion_type".into(), Secret::new(ASSERTION_TYPE)),
        ],
        assertion: Some(assertion),
        ..Credentials::default()
    }
}

/// The methods that show the client secret, or none.
fn shown(client: &Client, registration: &ClientRegistration) -> Credentials {
    match (client.auth, &registration.client_secret) {
        (ClientAuthentication::Basic, Some(secret)) => {
            basic(client.basic_encoding, &registration.client_id, secret)
        }
        (ClientAuthentication::Post, Some(secret)) => post(&registration.client_id, secret),
        _ => id_only(&registration.client_id),
    }
}

/// HTTP Basic (RFC 6749 section 2.3.1, or as it is where the vendor shows `curl -u`).
fn basic(encoding: BasicEncoding, client_id: &str, secret: &Secret) -> Credentials {
    let pair = match encoding {
        BasicEncoding::Raw => Secret::new(format!("{client_id}:{}", secret.expose())),
        BasicEncoding::Form => Secret::new(format!(
            "{}:{}",
            byte_serialize(client_id.as_bytes()).collect::<String>(),
            byte_serialize(secret.expose().as_bytes()).collect::<String>()
        )),
    };
    Credentials {
        authorization: Some(Secret::new(format!("Basic {}", STANDARD.encode(pair.expose())))),
        ..Credentials::default()
    }
}

/// `client_id` and `client_secret` in the body.
fn post(client_id: &str, secret: &Secret) -> Credentials {
    Credentials {
        parameters: vec![
            ("client_id".into(), Secret::new(client_id)),
            ("client_secret".into(), secret.clone()),
        ],
        ..Credentials::default()
    }
}

/// Only `client_id` in the body: a public client (RFC 6749 section 4.1.3).
fn id_only(client_id: &str) -> Credentials {
    Credentials {
        parameters: vec![("client_id".into(), Secret::new(client_id))],
        ..Credentials::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue;

    fn header(encoding: BasicEncoding) -> String {
        let credentials = basic(encoding, "s6B", &Secret::new("p:ä+ %/&"));
        assert!(credentials.parameters.is_empty()); // TQ7
        let header = credentials.authorization.unwrap();
        let encoded = header.expose().strip_prefix("Basic ").unwrap().to_owned();
        String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
    }

    #[test] // CA1
    fn basic_is_form_encoded_first_unless_the_vendor_shows_it_raw() {
        assert_eq!(header(BasicEncoding::Form), "s6B:p%3A%C3%A4%2B+%25%2F%26");
        assert_eq!(header(BasicEncoding::Raw), "s6B:p:ä+ %/&");
    }

    #[test] // TQ6, TQ7
    fn a_body_holds_the_secret_or_no_secret_at_all() {
        let registration = ClientRegistration {
            client_id: "id".into(),
            client_secret: Some(Secret::new("s")),
            // A private key is never shown, whatever the method.
            private_key: Some(Secret::new("k")),
        };
        let both = shown(&Client::default(), &registration);
        assert_eq!(both.parameters.len(), 2);
        assert_eq!(both.authorization, None);
        let public = ClientRegistration { client_secret: None, ..registration };
        let public = shown(&Client::default(), &public);
        assert_eq!(public.parameters, [("client_id".to_owned(), Secret::new("id"))]);
    }

    fn asserting(auth: ClientAuthentication, audience: AssertionAudience) -> Credentials {
        let mut provider = catalogue::shipped("inkress").unwrap().unwrap();
        provider.client.auth = auth;
        provider.client.assertion_audience = audience;
        provider.discovery.as_mut().unwrap().issuer = Some("https://as.test/{tenant}".into());
        let mut values = Values::default();
        values.set("tenant", "t");
        values.set("api_host", "https://api.test");
        let registration = ClientRegistration {
            client_id: "id".into(),
            client_secret: Some(Secret::new("s".repeat(32))),
            private_key: Some(Secret::new("k")),
        };
        credentials(&provider, &values, &registration).unwrap()
    }

    #[test] // CA6
    fn an_assertion_is_about_the_client_and_for_one_server_alone() {
        use AssertionAudience::{Issuer, TokenEndpoint};
        use ClientAuthentication::{ClientSecretJwt, PrivateKeyJwt};
        let token_endpoint = "https://api.test/api/v1/hooks/oauth/token";
        for method in [PrivateKeyJwt, ClientSecretJwt] {
            for (audience, expected) in
                [(Issuer, "https://as.test/t"), (TokenEndpoint, token_endpoint)]
            {
                let credentials = asserting(method, audience);
                let names: Vec<_> = credentials.parameters.iter().map(|(name, _)| name).collect();
                assert_eq!(names, ["client_id", "client_assertion_type"]);
                assert_eq!(credentials.authorization, None);
                let assertion = credentials.assertion.unwrap();
                let claims = serde_json::json!({"iss": "id", "sub": "id", "aud": expected});
                assert_eq!(serde_json::Value::Object(assertion.claims), claims);
                assert_eq!(assertion.kind, "client-authentication+jwt");
                assert!(assertion.lifetime <= 300);
            }
        }
    }

    #[test] // CA11
    fn each_method_signs_with_its_own_secret_and_never_with_the_other() {
        let signer =
            |method| asserting(method, AssertionAudience::Issuer).assertion.unwrap().signer;
        let private_key = signer(ClientAuthentication::PrivateKeyJwt);
        let key = Some(Secret::new("k"));
        assert_eq!(private_key, Signer::PrivateKey { key, algorithms: Vec::new(), key_id: None });
        let secret = Some(Secret::new("s".repeat(32)));
        assert_eq!(signer(ClientAuthentication::ClientSecretJwt), Signer::ClientSecret(secret));
    }
}
