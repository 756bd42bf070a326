//! The provider that follows from an authorization server's metadata.

use std::collections::BTreeMap;

use url::Url;

use super::document::Metadata;
use crate::provider::schema::{
    Api, ApiAuthorization, Authorize, BodyFormat, Client, ClientAuthentication, Device,
    DeviceFields, Discovery, Errors, Flow, Format, IdToken, Introspect, Needed, Pkce, Presence,
    Provider, Redirect, Refresh, Registration, RegistrationKind, ResponseFields, ResponseMode,
    Retry, RevocationReach, Revoke, Rotation, Scope, Setting, Setup, State, Token, Userinfo,
};

impl Metadata {
    /// Writes the provider of that name; its API is at the issuer's origin until `api_host` is set.
    pub fn provider(&self, name: &str) -> Provider {
        let origin = Url::parse(&self.issuer)
            .map(|url| url.origin().ascii_serialization())
            .unwrap_or_default();
        let provider = Provider {
            schema: 1,
            name: name.to_owned(),
            title: String::new(),
            summary: format!("discovered at {}", self.issuer),
            docs: Vec::new(),
            flows: self.flows(),
            scope: self.scopes.iter().map(|name| scope(name)).collect(),
            more_scopes: true,
            settings: BTreeMap::from([("api_host".to_owned(), api_host(origin))]),
            setup: Setup::default(),
            discovery: Some(self.discovery()),
            client: self.client(),
            mutual_tls: self.mutual_tls.clone(),
            device: self.device_authorization_endpoint.as_deref().map(device),
            authorize: self.authorization_endpoint.as_deref().map(|url| Authorize {
                pushed_url: self.pushed_authorization_request_endpoint.clone(),
                ..authorize(url)
            }),
            jwt_bearer: None,
            token_exchange: None,
            registration: self.registration(),
            token: token(&self.token_endpoint),
            response: ResponseFields::default(),
            refresh: Refresh { rotation: self.rotation(), ..Refresh::default() },
            revoke: self.revocation_endpoint.as_deref().map(revoke),
            id_token: self.id_token(),
            userinfo: self.userinfo(),
            introspect: self.introspection_endpoint.as_deref().map(introspect),
            end_by_hand: None,
            import: None,
            legacy: None,
            context: Vec::new(),
            api: api(),
            errors: Errors::default(),
            webhook: None,
            recipes: Vec::new(),
        };
        // An alias makes no endpoint.
        provider.without_idle_mutual_tls()
    }

    /// A person's flows first where the server has them, then the client's own.
    fn flows(&self) -> Vec<Flow> {
        let browser = self.authorization_endpoint.is_some().then_some(Flow::AuthorizationCode);
        let device = self.device_authorization_endpoint.is_some().then_some(Flow::DeviceCode);
        let client = self.client_credentials.then_some(Flow::ClientCredentials);
        let signed = self.jwt_bearer.then_some(Flow::JwtBearer);
        let exchanged = self.token_exchange.then_some(Flow::TokenExchange);
        browser.into_iter().chain(device).chain(client).chain(signed).chain(exchanged).collect()
    }

    fn has_people(&self) -> bool {
        self.authorization_endpoint.is_some() || self.device_authorization_endpoint.is_some()
    }

    fn rotation(&self) -> Rotation {
        match self.flows().as_slice() {
            [Flow::ClientCredentials] => Rotation::Reissue,
            _ => Rotation::Rotating,
        }
    }

    /// Whether one client is a public one, nobody but its owner knows.
    fn client(&self) -> Client {
        let secret = match (self.client_authentication, self.has_people()) {
            (ClientAuthentication::Id, _) => Presence::None,
            (ClientAuthentication::Basic | ClientAuthentication::Post, true) => Presence::Optional,
            _ => Presence::Required,
        };
        let signs = self.methods.contains(&ClientAuthentication::PrivateKeyJwt);
        Client {
            auth: self.client_authentication,
            methods: self.methods.clone(),
            secret,
            assertion_algorithms: match signs {
                true => self.signing_algorithms.clone(),
                false => Vec::new(),
            },
            dpop_algorithms: self.dpop_algorithms.clone(),
            ..Client::default()
        }
    }

    /// A server that gives client ids itself is preferred: nothing need be published for it.
    fn registration(&self) -> Option<Registration> {
        let kind = match (&self.registration_endpoint, self.client_documents) {
            (Some(_), _) => RegistrationKind::Dynamic,
            (None, true) => RegistrationKind::MetadataDocument,
            (None, false) => return None,
        };
        let url = self.registration_endpoint.clone();
        Some(Registration { kind, url, params: BTreeMap::new() })
    }

    fn discovery(&self) -> Discovery {
        let url = super::well_known_urls(&self.issuer).map(|[first, _]| first.to_string());
        Discovery {
            url: url.unwrap_or_default(),
            issuer: Some(self.issuer.clone()),
            iss_in_response: self.iss_in_response,
            names_endpoints: true,
        }
    }

    /// Only where a person can connect, and the server says with what key it signs.
    fn id_token(&self) -> Option<IdToken> {
        self.authorization_endpoint.as_ref()?;
        Some(IdToken {
            jwks_url: self.jwks_uri.clone()?,
            algorithms: self.id_token_algorithms.clone(),
            required: true,
            audiences: Vec::new(),
            leeway: 60,
        })
    }

    fn userinfo(&self) -> Option<Userinfo> {
        self.id_token()?;
        Some(Userinfo { url: self.userinfo_endpoint.clone()?, at_connect: false })
    }
}

/// A scope of which nothing but its name is known.
pub(super) fn scope(name: &str) -> Scope {
    Scope {
        name: name.to_owned(),
        grants: String::new(),
        methods: Vec::new(),
        endpoints: Vec::new(),
        reserved: false,
        sensitive: false,
        implies_refresh: name == "offline_access",
        note: String::new(),
    }
}

fn authorize(url: &str) -> Authorize {
    Authorize {
        url: url.to_owned(),
        pushed_url: None,
        response_mode: ResponseMode::Query,
        authorization_details: Vec::new(),
        scope_separator: " ".into(),
        default_scopes: Vec::new(),
        // A server that does not know it ignores it (RFC 7636 section 5).
        pkce: Pkce::S256,
        state: State::Required,
        code_lifetime: None,
        params: BTreeMap::new(),
        redirect: Redirect::default(),
    }
}

fn device(url: &str) -> Device {
    Device {
        url: url.to_owned(),
        body: BodyFormat::Form,
        scope_separator: " ".into(),
        params: BTreeMap::new(),
        headers: BTreeMap::new(),
        rename: BTreeMap::new(),
        omit: Vec::new(),
        response: DeviceFields::default(),
    }
}

fn token(url: &str) -> Token {
    Token {
        url: url.to_owned(),
        body: BodyFormat::Form,
        params: BTreeMap::new(),
        headers: BTreeMap::new(),
        rename: BTreeMap::new(),
        omit: Vec::new(),
        resource: Vec::new(),
        scope_on_refresh: false,
    }
}

fn revoke(url: &str) -> Revoke {
    Revoke {
        url: url.to_owned(),
        body: BodyFormat::Form,
        hint: true,
        reach: RevocationReach::default(),
    }
}

fn introspect(url: &str) -> Introspect {
    Introspect { url: url.to_owned(), body: BodyFormat::Form, hint: true }
}

/// Metadata does not say where the API is: the issuer's origin, until somebody sets another.
fn api_host(origin: String) -> Setting {
    Setting {
        warn: Default::default(),
        ask: "Host of the API".into(),
        default: Some(origin),
        choices: Vec::new(),
        format: Format::Host,
        needed: Needed::Connect,
        list: None,
    }
}

fn api() -> Api {
    Api {
        base_url: "{api_host}".into(),
        hosts: Vec::new(),
        authorization: ApiAuthorization::default(),
        headers: BTreeMap::new(),
        user_agent: None,
        reauth_on: vec![401],
        refusal_means_not_executed: true,
        trailing_slash: false,
        retry: Retry::default(),
        idempotency: None,
        limits: Vec::new(),
        pages: None,
        envelope: None,
        filters: Vec::new(),
        sync: None,
    }
}
