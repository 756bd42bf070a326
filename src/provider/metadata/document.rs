//! The metadata document, judged member by member: nothing of it is used before all of it passes.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::endpoints::{Endpoints, OtherHost};
use super::members::{flag, parse, text};
use super::offered::{
    client_authentication, dpop_algorithms, id_token_algorithms, offers, offers_codes,
    offers_device_codes, scope_names, signing_algorithms,
};
use super::{MetadataError, issuer_url};
use crate::provider::schema::{
    ClientAuthentication, MutualTls, SignatureAlgorithm, SigningAlgorithm,
};

/// The members that keyfob uses; `null` counts as absent.
#[derive(Debug, Deserialize)]
pub(super) struct Document {
    pub issuer: Option<Value>,
    pub authorization_endpoint: Option<Value>,
    pub token_endpoint: Option<Value>,
    pub revocation_endpoint: Option<Value>,
    pub device_authorization_endpoint: Option<Value>,
    pub pushed_authorization_request_endpoint: Option<Value>,
    pub require_pushed_authorization_requests: Option<Value>,
    pub introspection_endpoint: Option<Value>,
    pub userinfo_endpoint: Option<Value>,
    pub jwks_uri: Option<Value>,
    pub id_token_signing_alg_values_supported: Option<Value>,
    pub registration_endpoint: Option<Value>,
    pub client_id_metadata_document_supported: Option<Value>,
    pub scopes_supported: Option<Value>,
    pub response_types_supported: Option<Value>,
    pub grant_types_supported: Option<Value>,
    pub token_endpoint_auth_methods_supported: Option<Value>,
    pub token_endpoint_auth_signing_alg_values_supported: Option<Value>,
    pub authorization_response_iss_parameter_supported: Option<Value>,
    pub mtls_endpoint_aliases: Option<Value>,
    pub tls_client_certificate_bound_access_tokens: Option<Value>,
    pub dpop_signing_alg_values_supported: Option<Value>,
}

/// What an authorization server says of itself, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Metadata {
    /// As it was asked for, which is as the document says.
    pub issuer: String,
    /// Where a browser is sent; absent where the server has no flow for people.
    pub authorization_endpoint: Option<String>,
    /// RFC 8628.
    pub device_authorization_endpoint: Option<String>,
    /// Where tokens come from.
    pub token_endpoint: String,
    /// Whether the server has the client credentials grant.
    pub client_credentials: bool,
    /// Whether it takes assertions as grants (RFC 7523 section 2.1).
    pub jwt_bearer: bool,
    /// Whether it exchanges tokens (RFC 8693).
    pub token_exchange: bool,
    /// RFC 7009.
    pub revocation_endpoint: Option<String>,
    /// RFC 9126: where authorization requests are pushed to.
    pub pushed_authorization_request_endpoint: Option<String>,
    /// RFC 7662.
    pub introspection_endpoint: Option<String>,
    /// OpenID Connect Core section 5.3.
    pub userinfo_endpoint: Option<String>,
    /// The keys that the server signs with (RFC 7517).
    pub jwks_uri: Option<String>,
    /// What ID tokens may be signed with; RS256 where the document does not say.
    pub id_token_algorithms: Vec<SignatureAlgorithm>,
    /// RFC 7591.
    pub registration_endpoint: Option<String>,
    /// Whether the URL of a client's own metadata is taken as its id (Client ID Metadata Document).
    pub client_documents: bool,
    /// Names that can be asked for; others may exist all the same (RFC 8414 section 2).
    pub scopes: Vec<String>,
    /// How a client proves who it is that chose no method.
    pub client_authentication: ClientAuthentication,
    /// The methods that the server names, of those that keyfob has; empty where it names none.
    pub methods: Vec<ClientAuthentication>,
    /// What a client may sign with; empty where the server does not say.
    pub signing_algorithms: Vec<SigningAlgorithm>,
    /// What a proof that tokens are bound to may be signed with (RFC 9449 section 5.1); empty where
    /// the server binds none, or does not say.
    pub dpop_algorithms: Vec<String>,
    /// Whether authorization responses carry `iss` (RFC 9207 section 3).
    pub iss_in_response: bool,
    /// What the server has for a client with a certificate; `None` where it has no use for one.
    pub mutual_tls: Option<MutualTls>,
    /// Hosts of endpoints that are not the issuer's: a person says yes to them first.
    pub other_hosts: Vec<OtherHost>,
}

/// Judges the document that was retrieved for an issuer.
pub fn read(issuer: &str, body: &[u8]) -> Result<Metadata, MetadataError> {
    let home = issuer_url(issuer)?;
    let document: Document = parse(body)?;
    check_issuer(issuer, &document)?;
    let mut endpoints = Endpoints { home: &home, other_hosts: Vec::new() };
    let authorization = offers_codes(&document)?
        .then(|| endpoints.check("authorization_endpoint", &document.authorization_endpoint))
        .transpose()?
        .flatten();
    let client_credentials = offers(&document, "client_credentials")?;
    let device = offers_device_codes(&document)?
        .then(|| {
            let given = &document.device_authorization_endpoint;
            endpoints.check("device_authorization_endpoint", given)
        })
        .transpose()?
        .flatten();
    let jwt_bearer = offers(&document, "urn:ietf:params:oauth:grant-type:jwt-bearer")?;
    let token_exchange = offers(&document, "urn:ietf:params:oauth:grant-type:token-exchange")?;
    if authorization.is_none()
        && device.is_none()
        && !client_credentials
        && !jwt_bearer
        && !token_exchange
    {
        return Err(MetadataError::NoFlow);
    }
    let token = endpoints.check("token_endpoint", &document.token_endpoint)?;
    let revocation = endpoints.check("revocation_endpoint", &document.revocation_endpoint)?;
    let pushed = pushed_requests(&mut endpoints, &document)?;
    let introspection =
        endpoints.check("introspection_endpoint", &document.introspection_endpoint)?;
    let userinfo = endpoints.check("userinfo_endpoint", &document.userinfo_endpoint)?;
    let algorithms = id_token_algorithms(&document)?;
    // A server that signs nothing which keyfob can check has no keys for it either.
    let jwks = match algorithms.is_empty() {
        true => None,
        false => endpoints.check("jwks_uri", &document.jwks_uri)?,
    };
    let registration = endpoints.check("registration_endpoint", &document.registration_endpoint)?;
    let (client_authentication, methods) = client_authentication(&document)?;
    let mutual_tls = mutual_tls(&document, &methods, &home)?;
    Ok(Metadata {
        issuer: issuer.to_owned(),
        authorization_endpoint: authorization,
        device_authorization_endpoint: device,
        client_credentials,
        jwt_bearer,
        token_exchange,
        token_endpoint: token.ok_or(MetadataError::Missing("token_endpoint"))?,
        revocation_endpoint: revocation,
        pushed_authorization_request_endpoint: pushed,
        introspection_endpoint: introspection,
        userinfo_endpoint: userinfo,
        jwks_uri: jwks,
        id_token_algorithms: algorithms,
        registration_endpoint: registration,
        client_documents: flag(
            "client_id_metadata_document_supported",
            &document.client_id_metadata_document_supported,
        )?,
        scopes: scope_names(&document.scopes_supported)?,
        client_authentication,
        methods,
        signing_algorithms: signing_algorithms(&document)?,
        dpop_algorithms: dpop_algorithms(&document)?,
        iss_in_response: flag(
            "authorization_response_iss_parameter_supported",
            &document.authorization_response_iss_parameter_supported,
        )?,
        mutual_tls,
        other_hosts: endpoints.other_hosts,
    })
}

/// What is there for a client with a certificate (RFC 8705 sections 3.3 and 5).
fn mutual_tls(
    document: &Document,
    methods: &[ClientAuthentication],
    home: &Url,
) -> Result<Option<MutualTls>, MetadataError> {
    let binds_tokens = flag(
        "tls_client_certificate_bound_access_tokens",
        &document.tls_client_certificate_bound_access_tokens,
    )?;
    let none = serde_json::Map::new();
    let given = match &document.mtls_endpoint_aliases {
        None | Some(Value::Null) => &none,
        Some(Value::Object(given)) => given,
        Some(_) => return Err(MetadataError::WrongType("mtls_endpoint_aliases")),
    };
    // A person is asked about their hosts once a client shows a certificate there.
    let mut endpoints = Endpoints { home, other_hosts: Vec::new() };
    let mut alias = |name: &str, member| endpoints.check(member, &given.get(name).cloned());
    let table = MutualTls {
        binds_tokens,
        token_url: alias("token_endpoint", "mtls_endpoint_aliases.token_endpoint")?,
        revoke_url: alias("revocation_endpoint", "mtls_endpoint_aliases.revocation_endpoint")?,
        introspect_url: alias(
            "introspection_endpoint",
            "mtls_endpoint_aliases.introspection_endpoint",
        )?,
        device_url: alias(
            "device_authorization_endpoint",
            "mtls_endpoint_aliases.device_authorization_endpoint",
        )?,
        pushed_url: alias(
            "pushed_authorization_request_endpoint",
            "mtls_endpoint_aliases.pushed_authorization_request_endpoint",
        )?,
        userinfo_url: alias("userinfo_endpoint", "mtls_endpoint_aliases.userinfo_endpoint")?,
    };
    let is_shown = binds_tokens || methods.iter().any(|method| method.shows_certificate());
    Ok(Some(table).filter(|_| is_shown))
}

/// Where requests are pushed; a server that demands it and does not say where cannot be asked (RFC 9126 section 5).
fn pushed_requests(
    endpoints: &mut Endpoints<'_>,
    document: &Document,
) -> Result<Option<String>, MetadataError> {
    let member = "pushed_authorization_request_endpoint";
    let pushed = endpoints.check(member, &document.pushed_authorization_request_endpoint)?;
    let required = flag(
        "require_pushed_authorization_requests",
        &document.require_pushed_authorization_requests,
    )?;
    match pushed {
        None if required => Err(MetadataError::Missing(member)),
        pushed => Ok(pushed),
    }
}

/// Code point by code point: no case, port or slash is evened out (RFC 8414 section 3.3).
fn check_issuer(asked: &str, document: &Document) -> Result<(), MetadataError> {
    let found = text("issuer", &document.issuer)?.ok_or(MetadataError::Missing("issuer"))?;
    let (asked, found) = (asked.to_owned(), found.to_owned());
    if asked == found {
        Ok(())
    } else if asked.trim_end_matches('/') == found.trim_end_matches('/') {
        Err(MetadataError::TrailingSlash { asked, found })
    } else {
        Err(MetadataError::OtherIssuer { asked, found })
    }
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
