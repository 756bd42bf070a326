//! The token request as a value: grant, client authentication and dialect put together.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::assertion::{Assertion, AssertionError};
use super::client_authentication::{ClientRegistration, credentials};
use super::dialect;
use super::grant::Grant;
use super::grant_assertion;
use crate::provider::schema::{BodyFormat, ScopePlace};
use crate::provider::{MissingValue, Provider, Values};
use crate::random::Random;
use crate::secret::Secret;

/// A POST to an endpoint of the authorization server; everything in it may be secret.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerRequest {
    /// Where it goes.
    pub url: String,
    /// In the order they are sent.
    pub headers: Vec<(String, Secret)>,
    /// Form or JSON.
    pub body: Secret,
    /// The single secrets in it, so that an answer that quotes one is not passed on.
    pub secrets: Vec<Secret>,
    /// What is signed anew each time it is sent.
    pub assertions: Vec<Assertion>,
    format: BodyFormat,
    /// The issuer whose metadata named the endpoint, where it was not a person.
    pub named_by: Option<String>,
}

/// A request that may be sent once: its assertions have their signatures.
#[derive(Debug, Clone, PartialEq)]
pub struct Signed(ServerRequest);

impl Signed {
    /// The request itself.
    pub fn request(&self) -> &ServerRequest {
        &self.0
    }

    /// The same with one more header, made for this sending.
    pub fn with_header(mut self, name: &str, value: Secret) -> Self {
        self.0.headers.push((name.to_owned(), value));
        self
    }
}

impl ServerRequest {
    /// Signs it for one sending; a repetition is signed again (RFC 7523 section 3: a `jti` serves once).
    pub fn signed(&self, now: Timestamp, random: &dyn Random) -> Result<Signed, AssertionError> {
        let mut whole = self.clone();
        for assertion in &self.assertions {
            let token = assertion.sign(now, random)?;
            whole.body =
                dialect::with_parameter(self.format, &whole.body, assertion.parameter, &token);
            whole.secrets.push(token);
        }
        Ok(Signed(whole))
    }

    /// Whether it can be signed, before anything is sent.
    pub fn check(&self) -> Result<(), AssertionError> {
        self.assertions.iter().try_for_each(Assertion::check)
    }
}

/// The parameters that are secret, by their standard names.
const SECRET_PARAMETERS: [&str; 11] = [
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "refresh_token",
    "access_token",
    "token",
    "password",
    "assertion",
    "subject_token",
    "actor_token",
];

/// Makes the request that exchanges a grant at the provider's token endpoint (RFC 6749 section 3.2).
pub fn token_request(
    provider: &Provider,
    values: &Values,
    registration: &ClientRegistration,
    grant: &Grant,
) -> Result<ServerRequest, MissingValue> {
    let token = &provider.token;
    let mut parameters = grant.parameters();
    let own = match grant.itself() {
        Grant::OwnAssertion { scopes } => {
            let words = provider.jwt_bearer.as_ref();
            if words.is_some_and(|it| it.scope == ScopePlace::Claim) {
                parameters.retain(|(name, _)| name != "scope");
            }
            Some(grant_assertion::own(provider, values, registration, scopes)?)
        }
        _ => None,
    };
    // No parameter is sent twice (RFC 6749 section 3.2): the person's counts, then the exchange's.
    let mut words: BTreeMap<_, _> = token.params.iter().collect();
    if let (Grant::TokenExchange { .. }, Some(own)) = (grant.itself(), &provider.token_exchange) {
        words.extend(&own.params);
    }
    for (name, template) in words.into_iter().filter(|(name, _)| !grant.names(name)) {
        parameters.push((name.clone(), Secret::new(values.render(template)?)));
    }
    let translate = |all| dialect::translate(all, &token.omit, &token.rename);
    let mut request =
        server_request(provider, values, registration, token.body, parameters, translate)?;
    request.assertions.extend(own);
    request.url = values.render_url(&token.url)?;
    for (name, template) in &token.headers {
        request.headers.push((name.clone(), Secret::new(values.render(template)?)));
    }
    Ok(request)
}

/// Adds the client's credentials to parameters and writes them; the URL is the caller's.
pub(super) fn server_request(
    provider: &Provider,
    values: &Values,
    registration: &ClientRegistration,
    format: BodyFormat,
    mut parameters: Vec<(String, Secret)>,
    translate: impl FnOnce(Vec<(String, Secret)>) -> Vec<(String, Secret)>,
) -> Result<ServerRequest, MissingValue> {
    let credentials = credentials(provider, values, registration)?;
    parameters.extend(credentials.parameters);
    let named = parameters.iter().filter(|(name, _)| SECRET_PARAMETERS.contains(&name.as_str()));
    let mut secrets: Vec<Secret> = named.map(|(_, secret)| secret.clone()).collect();
    secrets.extend(registration.client_secret.clone());
    let body = dialect::body(format, &translate(parameters));
    let mut headers = vec![
        ("Accept".to_owned(), Secret::new("application/json")),
        ("Content-Type".to_owned(), Secret::new(body.content_type)),
    ];
    headers.extend(credentials.authorization.map(|it| ("Authorization".to_owned(), it)));
    Ok(ServerRequest {
        url: String::new(),
        headers,
        body: body.text,
        secrets,
        assertions: credentials.assertion.into_iter().collect(),
        format,
        named_by: provider.named_by(values)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue;

    fn request(vendor: &str, grant: &Grant) -> ServerRequest {
        let provider = catalogue::shipped(vendor).unwrap().unwrap();
        let mut values = Values::default();
        for name in ["auth_host", "api_host", "host"] {
            values.set(name, format!("https://{}.test", name.replace('_', "-")));
        }
        let registration = ClientRegistration {
            client_id: "id".into(),
            client_secret: Some(Secret::new("s+crét")),
            ..ClientRegistration::default()
        };
        token_request(&provider, &values, &registration, grant).unwrap()
    }

    fn header<'a>(request: &'a ServerRequest, name: &str) -> Option<&'a str> {
        request.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.expose())
    }

    fn refresh() -> Grant {
        Grant::RefreshToken { refresh_token: Secret::new("r1"), scopes: Vec::new() }
    }

    #[test] // TQ2
    fn inkress_wants_json_with_the_secret_inside() {
        let request = request("inkress", &refresh());
        assert_eq!(request.url, "https://api-host.test/api/v1/hooks/oauth/token");
        assert_eq!(header(&request, "Content-Type"), Some("application/json"));
        assert_eq!(
            request.body.expose(),
            r#"{"grant_type":"refresh_token","refresh_token":"r1","client_id":"id","client_secret":"s+crét"}"#
        );
    }

    #[test] // TQ2
    fn inyo_wants_two_members_and_no_grant_type() {
        let grant = Grant::ClientCredentials { scopes: vec!["x".into()] };
        let request = request("inyo", &grant);
        assert_eq!(request.url, "https://host.test/oauth/token");
        assert_eq!(request.body.expose(), r#"{"clientId":"id","secretId":"s+crét"}"#);
    }

    #[test] // TQ1, CA1, TQ7
    fn inventorum_wants_basic_and_exactly_two_form_fields_and_keeps_its_slash() {
        let request = request("inventorum", &refresh());
        assert_eq!(request.url, "https://host.test/api/auth/token/");
        assert_eq!(request.body.expose(), "grant_type=refresh_token&refresh_token=r1");
        assert_eq!(header(&request, "Authorization"), Some("Basic aWQ6cytjcsOpdA=="));
    }

    #[test] // TQ1, TQ5
    fn merchantos_gets_all_five_fields_as_a_form() {
        let grant = Grant::AuthorizationCode {
            code: Secret::new("c/+"),
            redirect_uri: "http://127.0.0.1:8976/callback/merchantos".into(),
            code_verifier: None,
        };
        assert_eq!(
            request("merchantos", &grant).body.expose(),
            "grant_type=authorization_code&code=c%2F%2B&redirect_uri=http%3A%2F%2F127.0.0.1%3A8976%2Fcallback%2Fmerchantos&client_id=id&client_secret=s%2Bcr%C3%A9t"
        );
    }
}
