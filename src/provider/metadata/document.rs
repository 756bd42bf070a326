//! The metadata document, judged member by member: nothing of it is used before all of it passes.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::{EndpointError, LARGEST, MetadataError, is_protected, issuer_url, leads_inward};
use crate::provider::schema::{
    ClientAuthentication, MutualTls, SignatureAlgorithm, SigningAlgorithm,
};

/// The members that keyfob uses; `null` counts as absent.
#[derive(Debug, Deserialize)]
struct Document {
    issuer: Option<Value>,
    authorization_endpoint: Option<Value>,
    token_endpoint: Option<Value>,
    revocation_endpoint: Option<Value>,
    device_authorization_endpoint: Option<Value>,
    pushed_authorization_request_endpoint: Option<Value>,
    require_pushed_authorization_requests: Option<Value>,
    introspection_endpoint: Option<Value>,
    userinfo_endpoint: Option<Value>,
    jwks_uri: Option<Value>,
    id_token_signing_alg_values_supported: Option<Value>,
    registration_endpoint: Option<Value>,
    client_id_metadata_document_supported: Option<Value>,
    scopes_supported: Option<Value>,
    response_types_supported: Option<Value>,
    grant_types_supported: Option<Value>,
    token_endpoint_auth_methods_supported: Option<Value>,
    token_endpoint_auth_signing_alg_values_supported: Option<Value>,
    authorization_response_iss_parameter_supported: Option<Value>,
    mtls_endpoint_aliases: Option<Value>,
    tls_client_certificate_bound_access_tokens: Option<Value>,
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
    /// Whether authorization responses carry `iss` (RFC 9207 section 3).
    pub iss_in_response: bool,
    /// What the server has for a client with a certificate; `None` where it has no use for one.
    pub mutual_tls: Option<MutualTls>,
    /// Hosts of endpoints that are not the issuer's: a person says yes to them first.
    pub other_hosts: Vec<OtherHost>,
}

/// An endpoint on another host than the issuer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherHost {
    /// The member that names it.
    pub member: &'static str,
    /// Host, and port where it is written; names beyond ASCII in their ASCII form.
    pub host: String,
}

/// RFC 8628 section 3.4.
const DEVICE_CODE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

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

/// Reads one object, in which each known member is there once at most.
pub(super) fn parse<D: DeserializeOwned>(body: &[u8]) -> Result<D, MetadataError> {
    if body.len() > LARGEST {
        return Err(MetadataError::TooLarge(body.len()));
    }
    // A list would be read as the members in their order.
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'{') {
        return Err(MetadataError::NotAnObject);
    }
    serde_json::from_slice(body).map_err(|_| MetadataError::NotAnObject)
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

/// Judges endpoints, and notes the hosts that are not the issuer's.
struct Endpoints<'a> {
    home: &'a Url,
    other_hosts: Vec<OtherHost>,
}

impl Endpoints<'_> {
    fn check(
        &mut self,
        member: &'static str,
        value: &Option<Value>,
    ) -> Result<Option<String>, MetadataError> {
        let Some(given) = text(member, value)? else {
            return Ok(None);
        };
        let url = check_endpoint(given, self.home).map_err(|why| MetadataError::Endpoint {
            member,
            url: given.to_owned(),
            why,
        })?;
        if url.origin() != self.home.origin() {
            self.other_hosts.push(OtherHost { member, host: host_and_port(&url) });
        }
        // A provider's URL is a template: braces in a query would be taken for names.
        Ok(Some(url.as_str().replace('{', "%7B").replace('}', "%7D")))
    }
}

/// Judges a URL that a server at `home` names for something that may see a secret.
pub fn check_endpoint(given: &str, home: &Url) -> Result<Url, EndpointError> {
    let url = Url::parse(given).map_err(|_| EndpointError::NotAUrl)?;
    let rules = [
        (url.host().is_none(), EndpointError::NotAUrl),
        (!is_protected(&url), EndpointError::Insecure),
        (!url.username().is_empty() || url.password().is_some(), EndpointError::Userinfo),
        (url.fragment().is_some(), EndpointError::Fragment),
        (leads_inward(&url) && !leads_inward(home), EndpointError::Inward),
    ];
    match rules.into_iter().find(|(broken, _)| *broken) {
        Some((_, why)) => Err(why),
        None => Ok(url),
    }
}

fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether the code flow is there; a server that does not say so has it (RFC 8414 section 2).
fn offers_codes(document: &Document) -> Result<bool, MetadataError> {
    let types = texts("response_types_supported", &document.response_types_supported)?;
    let codes = types.is_none_or(|types| types.contains(&"code"));
    Ok(codes && offers(document, "authorization_code")?)
}

/// Whether the device flow is there; one that names no grants says so by its endpoint (RFC 8628 section 4).
fn offers_device_codes(document: &Document) -> Result<bool, MetadataError> {
    Ok(match document.grant_types_supported {
        None => true,
        Some(_) => offers(document, DEVICE_CODE_GRANT)?,
    })
}

fn offers(document: &Document, grant: &str) -> Result<bool, MetadataError> {
    let grants = texts("grant_types_supported", &document.grant_types_supported)?;
    Ok(grants.unwrap_or_else(|| vec!["authorization_code", "implicit"]).contains(&grant))
}

/// What the server says of client authentication: the method of a client that chooses none, and all that
/// it may choose of. One that says nothing takes Basic (RFC 8414 section 2).
///
/// For a client without a private key: Basic, else the body, else no secret; and where the server
/// takes nothing else, what needs a key or signs with the secret.
fn client_authentication(
    document: &Document,
) -> Result<(ClientAuthentication, Vec<ClientAuthentication>), MetadataError> {
    let member = "token_endpoint_auth_methods_supported";
    let Some(names) = texts(member, &document.token_endpoint_auth_methods_supported)? else {
        return Ok((ClientAuthentication::Basic, Vec::new()));
    };
    let all = ClientAuthentication::ALL.into_iter();
    let known: Vec<ClientAuthentication> =
        all.filter(|method| names.contains(&method.registered_name())).collect();
    match known.first() {
        Some(first) => Ok((*first, known)),
        None => Err(MetadataError::NoClientAuthentication(
            names.into_iter().map(str::to_owned).collect(),
        )),
    }
}

/// The algorithms with a private key; others, and HMACs, are passed over.
fn signing_algorithms(document: &Document) -> Result<Vec<SigningAlgorithm>, MetadataError> {
    let member = "token_endpoint_auth_signing_alg_values_supported";
    let names = texts(member, &document.token_endpoint_auth_signing_alg_values_supported)?;
    Ok(names.unwrap_or_default().into_iter().filter_map(SigningAlgorithm::named).collect())
}

/// What an ID token may be signed with, as far as keyfob can check it; RS256 where nothing is said.
fn id_token_algorithms(document: &Document) -> Result<Vec<SignatureAlgorithm>, MetadataError> {
    let member = "id_token_signing_alg_values_supported";
    let names = texts(member, &document.id_token_signing_alg_values_supported)?;
    let names = names.unwrap_or_else(|| vec!["RS256"]);
    // A client that registers nothing else gets RS256 (Dynamic Registration section 2): a server that
    // could sign otherwise as well is still to sign so.
    if names.contains(&SignatureAlgorithm::RS256.name()) {
        return Ok(vec![SignatureAlgorithm::RS256]);
    }
    let all = SignatureAlgorithm::ALL.into_iter();
    Ok(all.filter(|algorithm| names.contains(&algorithm.name())).collect())
}

/// The names that a request can carry; what is no scope token cannot be asked for.
pub(super) fn scope_names(named: &Option<Value>) -> Result<Vec<String>, MetadataError> {
    let names = texts("scopes_supported", named)?.unwrap_or_default();
    let mut scopes: Vec<String> = Vec::new();
    for name in names {
        if is_scope_token(name) && !scopes.iter().any(|scope| scope == name) {
            scopes.push(name.to_owned());
        }
    }
    Ok(scopes)
}

/// RFC 6749 section 3.3.
fn is_scope_token(name: &str) -> bool {
    let token = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    !name.is_empty() && name.bytes().all(token)
}

pub(super) fn text<'a>(
    member: &'static str,
    value: &'a Option<Value>,
) -> Result<Option<&'a str>, MetadataError> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(MetadataError::WrongType(member)),
    }
}

pub(super) fn texts<'a>(
    member: &'static str,
    value: &'a Option<Value>,
) -> Result<Option<Vec<&'a str>>, MetadataError> {
    let wrong = || MetadataError::WrongType(member);
    let Some(value) = value else {
        return Ok(None);
    };
    let items = value.as_array().ok_or_else(wrong)?;
    items.iter().map(|item| item.as_str().ok_or_else(wrong)).collect::<Result<_, _>>().map(Some)
}

fn flag(member: &'static str, value: &Option<Value>) -> Result<bool, MetadataError> {
    match value {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(MetadataError::WrongType(member)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert_eq!(
            with("token_endpoint", Value::Null),
            Err(MetadataError::Missing("token_endpoint"))
        );
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
}
