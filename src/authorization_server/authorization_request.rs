//! The authorization request as a value (RFC 6749 section 4.1.1), and what must be remembered of it.

use url::Url;

use super::pkce;
use crate::provider::schema::{Authorize, Pkce, State};
use crate::provider::{MissingValue, Provider, Values};
use crate::random::{Random, token_256};
use crate::secret::Secret;

/// What is remembered between the request and its response (RFC 9700 section 4.4.2).
#[derive(Debug, Clone)]
pub struct Transaction {
    /// At least 128 bits nobody can guess, used once.
    pub state: Secret,
    /// Whether a response without `state` is accepted.
    pub state_may_be_dropped: bool,
    /// Only in memory, never in a URL.
    pub code_verifier: Option<Secret>,
    /// Sent again with the code, byte for byte.
    pub redirect_uri: String,
    /// What was asked for.
    pub scopes: Vec<String>,
    /// The issuer that `iss` must name, where it is known (RFC 9207 section 2.4).
    pub issuer: Option<String>,
    /// Whether a response without `iss` is refused.
    pub iss_required: bool,
}

/// Why no authorization request can be made.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The endpoint's template names a value that is not known.
    #[error(transparent)]
    Missing(#[from] MissingValue),
    /// The endpoint is no URL a browser may be sent to.
    #[error("the authorization endpoint `{0}` is no usable URL")]
    Endpoint(String),
    /// A parameter of the user's would replace one of the protocol's.
    #[error("the parameter `{0}` is the protocol's own")]
    ReservedParameter(String),
}

/// Parameters that nobody but the protocol sets (AR14).
const RESERVED: [&str; 14] = [
    "client_id",
    "redirect_uri",
    "state",
    "response_type",
    "response_mode",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "scope",
    "request",
    "request_uri",
    "resource",
    "client_secret",
    "code_verifier",
];

/// Makes a fresh transaction: new `state` and verifier each time.
pub fn transaction(
    provider: &Provider,
    authorize: &Authorize,
    redirect_uri: &str,
    scopes: Vec<String>,
    random: &dyn Random,
) -> Transaction {
    let discovery = provider.discovery.as_ref();
    Transaction {
        state: Secret::new(token_256(random)),
        state_may_be_dropped: authorize.state == State::MayBeDropped,
        code_verifier: (authorize.pkce == Pkce::S256).then(|| pkce::code_verifier(random)),
        redirect_uri: redirect_uri.to_owned(),
        scopes,
        issuer: discovery.and_then(|it| it.issuer.clone()),
        iss_required: discovery.is_some_and(|it| it.iss_in_response),
    }
}

/// Makes the URL that the person's browser is sent to.
pub fn authorization_url(
    authorize: &Authorize,
    values: &Values,
    client_id: &str,
    transaction: &Transaction,
    extra: &[(String, String)],
) -> Result<Url, RequestError> {
    let endpoint = values.render_url(&authorize.url)?;
    let mut url = Url::parse(&endpoint).map_err(|_| RequestError::Endpoint(endpoint))?;
    url.set_fragment(None);
    let mut parameters = protocol_parameters(authorize, client_id, transaction);
    for (name, value) in &authorize.params {
        replace(&mut parameters, name, values.render(value)?);
    }
    for (name, value) in extra {
        if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(RequestError::ReservedParameter(name.clone()));
        }
        replace(&mut parameters, name, value.clone());
    }
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| !parameters.iter().any(|(it, _)| it == name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    url.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(parameters);
    Ok(url)
}

/// No parameter is sent twice (RFC 6749 section 3.1): the later one counts.
fn replace(parameters: &mut Vec<(String, String)>, name: &str, value: String) {
    parameters.retain(|(it, _)| it != name);
    parameters.push((name.to_owned(), value));
}

fn protocol_parameters(
    authorize: &Authorize,
    client_id: &str,
    transaction: &Transaction,
) -> Vec<(String, String)> {
    let mut parameters = vec![
        ("response_type".to_owned(), "code".to_owned()),
        ("client_id".to_owned(), client_id.to_owned()),
    ];
    if authorize.redirect.send {
        parameters.push(("redirect_uri".into(), transaction.redirect_uri.clone()));
    }
    if !transaction.scopes.is_empty() {
        parameters.push(("scope".into(), transaction.scopes.join(&authorize.scope_separator)));
    }
    parameters.push(("state".into(), transaction.state.expose().to_owned()));
    if let Some(verifier) = &transaction.code_verifier {
        parameters.push(("code_challenge".into(), pkce::code_challenge(verifier)));
        parameters.push(("code_challenge_method".into(), "S256".into()));
    }
    // OpenID Connect Core section 11: a server ignores offline_access without it.
    let asks = |scope: &str| transaction.scopes.iter().any(|it| it == scope);
    if asks("openid") && asks("offline_access") {
        parameters.push(("prompt".into(), "consent".into()));
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue;
    use crate::random::SystemRandom;

    fn url(vendor: &str, scopes: &[&str], extra: &[(&str, &str)]) -> Result<Url, RequestError> {
        let provider = catalogue::shipped(vendor).unwrap().unwrap();
        let authorize = provider.authorize.as_ref().unwrap();
        let scopes = scopes.iter().map(|it| (*it).to_owned()).collect();
        let transaction =
            transaction(&provider, authorize, &authorize.redirect.uri, scopes, &SystemRandom);
        let mut values = Values::default();
        values.set("auth_host", "https://inkress.com");
        let extra: Vec<_> = extra.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        authorization_url(authorize, &values, "inkid_1", &transaction, &extra)
    }

    fn query(url: &Url) -> Vec<String> {
        url.query_pairs().map(|(name, _)| name.into_owned()).collect()
    }

    #[test] // AR2, AR3, AR6, AR7, AR12, AR21, A17
    fn inkress_is_asked_with_a_challenge_and_no_secret() {
        let url = url("inkress", &["orders:read", "offline_access"], &[]).unwrap();
        assert_eq!(url.host_str(), Some("inkress.com"));
        assert_eq!(
            query(&url),
            [
                "response_type",
                "client_id",
                "redirect_uri",
                "scope",
                "state",
                "code_challenge",
                "code_challenge_method"
            ]
        );
        assert!(url.as_str().contains("scope=orders%3Aread+offline_access"));
    }

    #[test]
    fn merchantos_is_asked_without_redirect_uri_and_challenge_but_with_state() {
        let url = url("merchantos", &["employee:register"], &[]).unwrap();
        assert_eq!(query(&url), ["response_type", "client_id", "scope", "state"]);
    }

    #[test] // AR14
    fn an_extra_parameter_never_replaces_one_of_the_protocol() {
        assert!(url("inkress", &[], &[("login_hint", "a@b")]).is_ok());
        for name in ["state", "STATE", "redirect_uri", "code_challenge"] {
            let refused = url("inkress", &[], &[(name, "x")]);
            assert!(matches!(refused, Err(RequestError::ReservedParameter(_))), "{name}");
        }
    }

    #[test] // AR11
    fn a_query_of_the_endpoint_is_kept_and_no_parameter_comes_twice() {
        let mut provider = catalogue::shipped("inkress").unwrap().unwrap();
        let mut authorize = provider.authorize.take().unwrap();
        authorize.url = "https://as.test/auth?tenant=x&state=old#top".into();
        let transaction =
            transaction(&provider, &authorize, "http://127.0.0.1:1/cb", vec![], &SystemRandom);
        let url =
            authorization_url(&authorize, &Values::default(), "id", &transaction, &[]).unwrap();
        let names = query(&url);
        assert_eq!(names.iter().filter(|name| *name == "state").count(), 1);
        assert!(names.contains(&"tenant".to_owned()));
        assert_eq!(url.fragment(), None);
        authorize.params.insert("prompt".into(), "login".into());
        let scopes = vec!["openid".into(), "offline_access".into()];
        let transaction = Transaction { scopes, ..transaction };
        let url =
            authorization_url(&authorize, &Values::default(), "id", &transaction, &[]).unwrap();
        let prompts: Vec<String> = url
            .query_pairs()
            .filter(|(name, _)| name == "prompt")
            .map(|(_, value)| value.into_owned())
            .collect();
        assert_eq!(prompts, ["login"]);
    }
}
