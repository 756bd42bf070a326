//! The metadata document, judged member by member: nothing of it is used before all of it passes.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::{EndpointError, LARGEST, MetadataError, is_protected, issuer_url, leads_inward};
use crate::provider::schema::ClientAuthentication;

/// The members that keyfob uses; `null` counts as absent.
#[derive(Debug, Deserialize)]
struct Document {
    issuer: Option<Value>,
    authorization_endpoint: Option<Value>,
    token_endpoint: Option<Value>,
    revocation_endpoint: Option<Value>,
    registration_endpoint: Option<Value>,
    client_id_metadata_document_supported: Option<Value>,
    scopes_supported: Option<Value>,
    response_types_supported: Option<Value>,
    grant_types_supported: Option<Value>,
    token_endpoint_auth_methods_supported: Option<Value>,
    authorization_response_iss_parameter_supported: Option<Value>,
}

/// What an authorization server says of itself, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Metadata {
    /// As it was asked for, which is as the document says.
    pub issuer: String,
    /// Where a browser is sent; absent where the server has no flow for people.
    pub authorization_endpoint: Option<String>,
    /// Where tokens come from.
    pub token_endpoint: String,
    /// Whether the server has the client credentials grant.
    pub client_credentials: bool,
    /// RFC 7009.
    pub revocation_endpoint: Option<String>,
    /// RFC 7591.
    pub registration_endpoint: Option<String>,
    /// Whether the URL of a client's own metadata is taken as its id (Client ID Metadata Document).
    pub client_documents: bool,
    /// Names that can be asked for; others may exist all the same (RFC 8414 section 2).
    pub scopes: Vec<String>,
    /// How the client proves who it is.
    pub client_authentication: ClientAuthentication,
    /// Whether a client without a secret is let in.
    pub public_clients: bool,
    /// Whether authorization responses carry `iss` (RFC 9207 section 3).
    pub iss_in_response: bool,
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
    if authorization.is_none() && !client_credentials {
        return Err(MetadataError::NoFlow);
    }
    let token = endpoints.check("token_endpoint", &document.token_endpoint)?;
    let revocation = endpoints.check("revocation_endpoint", &document.revocation_endpoint)?;
    let registration = endpoints.check("registration_endpoint", &document.registration_endpoint)?;
    let (client_authentication, public_clients) = client_authentication(&document)?;
    Ok(Metadata {
        issuer: issuer.to_owned(),
        authorization_endpoint: authorization,
        client_credentials,
        token_endpoint: token.ok_or(MetadataError::Missing("token_endpoint"))?,
        revocation_endpoint: revocation,
        registration_endpoint: registration,
        client_documents: flag(
            "client_id_metadata_document_supported",
            &document.client_id_metadata_document_supported,
        )?,
        scopes: scope_names(&document.scopes_supported)?,
        client_authentication,
        public_clients,
        iss_in_response: flag(
            "authorization_response_iss_parameter_supported",
            &document.authorization_response_iss_parameter_supported,
        )?,
        other_hosts: endpoints.other_hosts,
    })
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

fn offers(document: &Document, grant: &str) -> Result<bool, MetadataError> {
    let grants = texts("grant_types_supported", &document.grant_types_supported)?;
    Ok(grants.unwrap_or_else(|| vec!["authorization_code", "implicit"]).contains(&grant))
}

/// Basic where the server takes it or does not say (RFC 8414 section 2), else the body, else no secret.
fn client_authentication(
    document: &Document,
) -> Result<(ClientAuthentication, bool), MetadataError> {
    let member = "token_endpoint_auth_methods_supported";
    let methods = texts(member, &document.token_endpoint_auth_methods_supported)?;
    let methods = methods.unwrap_or_else(|| vec!["client_secret_basic"]);
    let known = [
        ("client_secret_basic", ClientAuthentication::Basic),
        ("client_secret_post", ClientAuthentication::Post),
        ("none", ClientAuthentication::Id),
    ];
    match known.into_iter().find(|(name, _)| methods.contains(name)) {
        Some((_, method)) => Ok((method, methods.contains(&"none"))),
        None => Err(MetadataError::NoClientAuthentication(
            methods.into_iter().map(str::to_owned).collect(),
        )),
    }
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

    #[test] // DS10
    fn what_is_absent_has_the_defaults_of_the_standard() {
        let metadata = read(ISSUER, document().to_string().as_bytes()).unwrap();
        assert_eq!(metadata.client_authentication, ClientAuthentication::Basic);
        assert!(!metadata.public_clients && !metadata.iss_in_response);
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
            let members = [
                "token_endpoint",
                "authorization_endpoint",
                "revocation_endpoint",
                "registration_endpoint",
            ];
            for member in members {
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
            "registration_endpoint",
            "client_id_metadata_document_supported",
            "scopes_supported",
            "response_types_supported",
            "grant_types_supported",
            "token_endpoint_auth_methods_supported",
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

    #[test]
    fn empty_lists_offer_nothing() {
        assert_eq!(with("response_types_supported", json!([])), Err(MetadataError::NoFlow));
        assert_eq!(with("grant_types_supported", json!(["urn:x"])), Err(MetadataError::NoFlow));
        let methods = with("token_endpoint_auth_methods_supported", json!(["private_key_jwt"]));
        assert_eq!(
            methods,
            Err(MetadataError::NoClientAuthentication(vec!["private_key_jwt".into()]))
        );
        assert_eq!(with("scopes_supported", json!([])).unwrap().scopes, [""; 0]);
    }

    #[test]
    fn only_what_can_be_asked_for_is_a_scope() {
        let given = json!(["openid", "a b", "", "x\ny", "openid", "orders:read"]);
        assert_eq!(with("scopes_supported", given).unwrap().scopes, ["openid", "orders:read"]);
    }
}
