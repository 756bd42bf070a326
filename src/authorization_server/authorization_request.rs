//! The authorization request as a value (RFC 6749 section 4.1.1), and what must be remembered of it.

use url::Url;

use super::{Wanted, pkce};
use crate::provider::reserved::is_reserved;
use crate::provider::schema::{Authorize, Pkce, ResponseMode, State};
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
    /// What else was asked for.
    pub wanted: Wanted,
    /// The issuer that `iss` must name, where it is known (RFC 9207 section 2.4).
    pub issuer: Option<String>,
    /// Whether a response without `iss` is refused.
    pub iss_required: bool,
    /// The thumbprint of the key that code and tokens are bound to (RFC 9449 section 10).
    pub dpop_jkt: Option<String>,
    /// What the ID token must repeat, where one is asked for (OpenID Connect Core section 3.1.2.1).
    pub nonce: Option<Secret>,
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
    /// More than a browser is handed, in bytes.
    #[error("the authorization request is longer than 8 KiB")]
    TooLong,
    /// A parameter of the user's would replace one of the protocol's.
    #[error("the parameter `{0}` is the protocol's own")]
    ReservedParameter(String),
}

/// The scope that asks for an ID token (OpenID Connect Core section 3.1.2.1).
pub const OPENID: &str = "openid";

/// Makes a fresh transaction: new `state` and verifier each time.
pub fn transaction(
    provider: &Provider,
    authorize: &Authorize,
    redirect_uri: &str,
    scopes: Vec<String>,
    wanted: Wanted,
    random: &dyn Random,
) -> Transaction {
    let discovery = provider.discovery.as_ref();
    // Sent only where the answer to it will be checked.
    let has_id_token = provider.id_token.is_some() && scopes.iter().any(|it| it == OPENID);
    Transaction {
        state: Secret::new(token_256(random)),
        state_may_be_dropped: authorize.state == State::MayBeDropped,
        code_verifier: (authorize.pkce == Pkce::S256).then(|| pkce::code_verifier(random)),
        redirect_uri: redirect_uri.to_owned(),
        scopes,
        wanted,
        issuer: discovery.and_then(|it| it.issuer.clone()),
        iss_required: discovery.is_some_and(|it| it.iss_in_response),
        dpop_jkt: None,
        nonce: has_id_token.then(|| Secret::new(token_256(random))),
    }
}

/// The parameters of the request, each once but `resource`; the user's own and then the provider's count last.
pub fn authorization_parameters(
    authorize: &Authorize,
    values: &Values,
    client_id: &str,
    transaction: &Transaction,
    extra: &[(String, String)],
) -> Result<Vec<(String, String)>, RequestError> {
    let mut parameters = protocol_parameters(authorize, client_id, transaction);
    for (name, value) in &authorize.params {
        replace(&mut parameters, name, values.render(value)?);
    }
    for (name, value) in extra {
        refuse_reserved(name)?;
        replace(&mut parameters, name, value.clone());
    }
    // RFC 6749 section 3.1: an empty parameter is none, and so a person leaves one out.
    parameters.retain(|(_, value)| !value.is_empty());
    Ok(parameters)
}

/// Makes the URL that the person's browser is sent to.
pub fn authorization_url(
    authorize: &Authorize,
    values: &Values,
    parameters: &[(String, String)],
) -> Result<Url, RequestError> {
    let endpoint = values.render_url(&authorize.url)?;
    let mut url = Url::parse(&endpoint).map_err(|_| RequestError::Endpoint(endpoint))?;
    url.set_fragment(None);
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| !parameters.iter().any(|(it, _)| it == name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    url.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(parameters);
    Ok(url)
}

/// Refuses a parameter of the user's that would replace one of the protocol's.
pub(super) fn refuse_reserved(name: &str) -> Result<(), RequestError> {
    match is_reserved(name) {
        true => Err(RequestError::ReservedParameter(name.to_owned())),
        false => Ok(()),
    }
}

/// How many seconds ago the person may have signed in, where the request says so; what was typed
/// counts before the provider's own.
pub fn max_age(authorize: &Authorize, extra: &[(String, String)]) -> Option<u64> {
    let typed = extra.iter().rev().find(|(name, _)| name == "max_age").map(|(_, value)| value);
    typed.or_else(|| authorize.params.get("max_age"))?.parse().ok()
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
    parameters.extend(transaction.dpop_jkt.iter().map(|it| ("dpop_jkt".to_owned(), it.clone())));
    if let Some(nonce) = &transaction.nonce {
        parameters.push(("nonce".into(), nonce.expose().to_owned()));
    }
    // OpenID Connect Core section 11: a server ignores offline_access without it.
    let asks = |scope: &str| transaction.scopes.iter().any(|it| it == scope);
    if asks(OPENID) && asks("offline_access") {
        parameters.push(("prompt".into(), "consent".into()));
    }
    if authorize.response_mode == ResponseMode::FormPost {
        parameters.push(("response_mode".into(), "form_post".into()));
    }
    parameters.extend(transaction.wanted.parameters());
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
        let uri = &authorize.redirect.uri;
        let transaction =
            transaction(&provider, authorize, uri, scopes, Wanted::default(), &SystemRandom);
        let mut values = Values::default();
        values.set("auth_host", "https://inkress.com");
        let extra: Vec<_> = extra.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        asked(authorize, &values, &transaction, &extra)
    }

    fn asked(
        authorize: &Authorize,
        values: &Values,
        transaction: &Transaction,
        extra: &[(String, String)],
    ) -> Result<Url, RequestError> {
        let parameters =
            authorization_parameters(authorize, values, "inkid_1", transaction, extra)?;
        authorization_url(authorize, values, &parameters)
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
        let (uri, wanted) = ("http://127.0.0.1:1/cb", Wanted::default());
        let transaction = transaction(&provider, &authorize, uri, vec![], wanted, &SystemRandom);
        let url = asked(&authorize, &Values::default(), &transaction, &[]).unwrap();
        let names = query(&url);
        assert_eq!(names.iter().filter(|name| *name == "state").count(), 1);
        assert!(names.contains(&"tenant".to_owned()));
        assert_eq!(url.fragment(), None);
        authorize.params.insert("prompt".into(), "login".into());
        let scopes = vec!["openid".into(), "offline_access".into()];
        let transaction = Transaction { scopes, ..transaction };
        let url = asked(&authorize, &Values::default(), &transaction, &[]).unwrap();
        let prompts: Vec<String> = url
            .query_pairs()
            .filter(|(name, _)| name == "prompt")
            .map(|(_, value)| value.into_owned())
            .collect();
        assert_eq!(prompts, ["login"]);
    }

    #[test] // AR16
    fn offline_access_of_openid_comes_with_consent_unless_the_person_turns_it_off() {
        let prompt = |scopes: &[&str], extra: &[(&str, &str)]| {
            let url = url("inkress", scopes, extra).unwrap();
            let found = url.query_pairs().find(|(name, _)| name == "prompt");
            found.map(|(_, value)| value.into_owned())
        };
        let both = ["openid", "offline_access"];
        assert_eq!(prompt(&both, &[]).as_deref(), Some("consent"));
        assert_eq!(prompt(&both, &[("prompt", "login")]).as_deref(), Some("login"));
        assert_eq!(prompt(&both, &[("prompt", "")]), None);
        assert_eq!(prompt(&["orders:read", "offline_access"], &[]), None);
    }

    #[test] // AR24
    fn an_attempt_carries_what_the_person_asks_for() {
        let extra = [
            ("acr_values", "urn:a urn:b"),
            ("max_age", "0"),
            ("login_hint", "me@example.com"),
            ("prompt", "login"),
            ("ui_locales", "de"),
        ];
        let url = url("inkress", &["orders:read"], &extra).unwrap();
        let pairs: Vec<_> = url.query_pairs().collect();
        for (name, value) in extra {
            let found: Vec<_> = pairs.iter().filter(|(it, _)| it == name).collect();
            assert!(matches!(found.as_slice(), [(_, it)] if it == value), "{name}: {url}");
        }
        assert!(url.as_str().contains("acr_values=urn%3Aa+urn%3Ab"), "{url}");
    }

    #[test] // AR17
    fn openid_brings_a_nonce_that_differs_each_time_and_nothing_else_does() {
        let mut provider = catalogue::shipped("inkress").unwrap().unwrap();
        let made = |provider: &Provider, scopes: &[&str]| {
            let authorize = provider.authorize.as_ref().unwrap();
            let scopes = scopes.iter().map(|it| (*it).to_owned()).collect();
            let (uri, wanted) = (&authorize.redirect.uri, Wanted::default());
            transaction(provider, authorize, uri, scopes, wanted, &SystemRandom)
        };
        assert!(made(&provider, &["openid"]).nonce.is_none(), "it could not be checked");
        provider.id_token = Some(crate::provider::schema::IdToken {
            jwks_url: "https://as.example/keys".into(),
            algorithms: Vec::new(),
            required: true,
            audiences: Vec::new(),
            leeway: 60,
        });
        assert!(made(&provider, &["orders:read"]).nonce.is_none());
        let [first, second] = [(); 2].map(|()| made(&provider, &["orders:read", "openid"]));
        let nonce = first.nonce.clone().unwrap();
        assert_eq!(nonce.expose().len(), 43);
        assert!(Some(&nonce) != second.nonce.as_ref() && nonce != first.state);
        let mut values = Values::default();
        values.set("auth_host", "https://inkress.com");
        let authorize = provider.authorize.as_ref().unwrap();
        let parameters = authorization_parameters(authorize, &values, "id", &first, &[]).unwrap();
        let url = authorization_url(authorize, &values, &parameters).unwrap();
        let sent: Vec<_> = url.query_pairs().filter(|(name, _)| name == "nonce").collect();
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].1, nonce.expose());
    }

    #[test] // OI10
    fn what_was_typed_says_how_old_a_sign_in_may_be() {
        let provider = catalogue::shipped("inkress").unwrap().unwrap();
        let mut authorize = provider.authorize.unwrap();
        let typed = [("max_age".to_owned(), "0".to_owned())];
        assert_eq!(max_age(&authorize, &[]), None);
        assert_eq!(max_age(&authorize, &typed), Some(0));
        authorize.params.insert("max_age".into(), "60".into());
        assert_eq!(max_age(&authorize, &[]), Some(60));
        assert_eq!(max_age(&authorize, &typed), Some(0));
    }
}
