//! keyfob's own registration as a client: requests made and answers judged (RFC 7591, RFC 7592).
//!
//! Where a registration is kept, and that none is made twice, is not known here.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use url::Url;

use crate::http::quoting::without_secrets;
use crate::http::strict_json::parse_object;
use crate::http::{Answer, Body, ErrorPlaces, ErrorResponse, Method, Request};
use crate::provider::metadata::check_endpoint;
use crate::provider::schema::{ClientAuthentication, Flow, Registration};
use crate::secret::Secret;

/// The longest value that is kept of an answer, in bytes.
const LONGEST: usize = 8 * 1024;

/// What a client is registered for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// How it gets its first tokens.
    pub flow: Flow,
    /// Where its browser comes back to, where it has one.
    pub redirect_uri: Option<String>,
    /// What it may ask for; the server's own choice where this is empty.
    pub scopes: Vec<String>,
    /// How it would prove who it is.
    pub authentication: ClientAuthentication,
    /// Whether its tokens are bound to a key (RFC 9449 section 5.2).
    pub dpop: bool,
    /// What the server is to know it by, where it proves itself with a key of its own.
    pub known_by: KnownBy,
}

/// What a server learns of a client that proves itself with a key of its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnownBy {
    /// Its public keys (RFC 7591 section 2, `jwks`).
    pub keys: Option<Value>,
    /// The subject of its certificate (RFC 8705 section 2.1.2).
    pub certificate_subject: Option<String>,
}

/// What the client has already, so that an answer need not say it again.
#[derive(Debug, Clone, Default)]
pub struct Held {
    /// How it proves who it is: as it was registered, or with a key of its own that was registered just now.
    pub authentication: Option<ClientAuthentication>,
    /// Its client secret and that one's end.
    pub secret: Option<(Secret, Option<Timestamp>)>,
}

/// A client as the server registered it, which may be another than was asked for (RFC 7591 section 3.2.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// Its name at this server.
    pub client_id: String,
    /// Absent for a public client.
    pub client_secret: Option<Secret>,
    /// When the secret ends; `None` for never.
    pub secret_expires_at: Option<Timestamp>,
    /// How it proves who it is.
    pub authentication: ClientAuthentication,
    /// What it may ask for, where the server says.
    pub scopes: Option<Vec<String>>,
    /// How it may get tokens, where the server says.
    pub grant_types: Option<Vec<String>>,
    /// Where the browser may come back to, where the server says.
    pub redirect_uris: Vec<String>,
    /// What the registration is changed and ended with.
    pub management: Option<Management>,
}

/// The right to read, change and end a registration (RFC 7592).
#[derive(Debug, Clone, PartialEq)]
pub struct Management {
    /// The client configuration endpoint, which carries no secret by the standard and does by custom.
    pub url: Secret,
    /// The registration access token.
    pub token: Secret,
}

/// What a server says to a registration.
#[derive(Debug)]
pub enum Said {
    /// There is a client.
    Given(Box<Given>),
    /// There is one, of which keyfob can make no use.
    Unfit {
        /// Why not.
        why: String,
        /// Its name, where that can be read.
        client_id: Option<String>,
        /// A client secret that the answer names, and its end.
        secret: Option<(Secret, Option<Timestamp>)>,
        /// What it could be changed and ended with.
        management: Option<Management>,
    },
    /// No, and nothing was registered.
    Refused(ErrorResponse),
    /// No, for want of a token (RFC 7591 section 3, RFC 6750).
    Unauthorized(ErrorResponse),
    /// It cannot be told whether there is a client.
    NoVerdict {
        /// The status.
        status: u16,
        /// What it was.
        what: &'static str,
    },
}

impl Said {
    /// Puts a fingerprint in place of every secret that the server quotes back.
    pub fn without(self, secrets: &[Secret]) -> Self {
        match self {
            Self::Refused(error) => Self::Refused(error.without(secrets)),
            Self::Unauthorized(error) => Self::Unauthorized(error.without(secrets)),
            Self::Unfit { why, client_id, secret, management } => {
                Self::Unfit { why: without_secrets(&why, secrets), client_id, secret, management }
            }
            said => said,
        }
    }
}

/// The client metadata that keyfob sends (RFC 7591 section 2).
pub fn client_metadata(wish: &Wish, registration: &Registration) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, value) in &registration.params {
        members.insert(name.clone(), json!(value));
    }
    members.extend(own_metadata(wish));
    // Keys that the vendor's file says are fetched are not sent (RFC 7591 section 2: one of the two).
    let fetched = registration.params.contains_key("jwks_uri");
    if let Some(keys) = wish.known_by.keys.as_ref().filter(|_| !fetched) {
        members.insert("jwks".into(), keys.clone());
    }
    if let Some(subject) = &wish.known_by.certificate_subject {
        members.insert("tls_client_auth_subject_dn".into(), json!(subject));
    }
    members
}

/// The part of it that every registration and every published document shares.
pub fn own_metadata(wish: &Wish) -> Map<String, Value> {
    let (grants, responses) = grant_and_response_types(wish.flow);
    let mut members = Map::new();
    members.insert("client_name".into(), json!("keyfob"));
    members.insert("application_type".into(), json!("native"));
    // A client without a browser has none; an empty list is refused by some servers.
    if let Some(uri) = &wish.redirect_uri {
        members.insert("redirect_uris".into(), json!([uri]));
    }
    members.insert("grant_types".into(), json!(grants));
    // An empty list stays: what is left out means `code` (RFC 7591 section 2).
    members.insert("response_types".into(), json!(responses));
    members.insert("token_endpoint_auth_method".into(), json!(method_name(wish.authentication)));
    if wish.dpop {
        members.insert("dpop_bound_access_tokens".into(), json!(true));
    }
    if !wish.scopes.is_empty() {
        members.insert("scope".into(), json!(wish.scopes.join(" ")));
    }
    members
}

/// The grant that a flow gets its first tokens by.
pub fn grant_type(flow: Flow) -> &'static str {
    grant_and_response_types(flow).0.first().copied().unwrap_or_default()
}

fn grant_and_response_types(flow: Flow) -> (&'static [&'static str], &'static [&'static str]) {
    match flow {
        Flow::AuthorizationCode => (&["authorization_code", "refresh_token"], &["code"]),
        Flow::ClientCredentials => (&["client_credentials"], &[]),
        Flow::Password => (&["password", "refresh_token"], &[]),
        Flow::DeviceCode => {
            (&["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"], &[])
        }
        Flow::JwtBearer => (&["urn:ietf:params:oauth:grant-type:jwt-bearer"], &[]),
        Flow::TokenExchange => (&["urn:ietf:params:oauth:grant-type:token-exchange"], &[]),
        Flow::Import => (&["refresh_token"], &[]),
    }
}

/// The methods of client authentication that a registration can name.
const METHODS: [(&str, ClientAuthentication); 7] = [
    ("client_secret_basic", ClientAuthentication::Basic),
    ("client_secret_post", ClientAuthentication::Post),
    ("client_secret_jwt", ClientAuthentication::ClientSecretJwt),
    ("private_key_jwt", ClientAuthentication::PrivateKeyJwt),
    ("tls_client_auth", ClientAuthentication::TlsClientAuth),
    ("self_signed_tls_client_auth", ClientAuthentication::SelfSignedTlsClientAuth),
    ("none", ClientAuthentication::Id),
];

/// Whether a client proves itself with a key of its own and is given no secret.
pub fn has_own_key(method: ClientAuthentication) -> bool {
    matches!(
        method,
        ClientAuthentication::PrivateKeyJwt
            | ClientAuthentication::TlsClientAuth
            | ClientAuthentication::SelfSignedTlsClientAuth
    )
}

fn method_name(method: ClientAuthentication) -> &'static str {
    METHODS.into_iter().find(|(_, known)| *known == method).map_or("none", |(name, _)| name)
}

/// Asks for a client (RFC 7591 section 3.1).
pub fn registration_request(
    endpoint: &Url,
    metadata: &Map<String, Value>,
    initial_access_token: Option<&Secret>,
) -> Request {
    let request = json_request(Method::POST, endpoint.clone(), &Value::Object(metadata.clone()));
    match initial_access_token {
        Some(token) => with_token(request, token),
        None => request,
    }
}

/// Asks what is registered now (RFC 7592 section 2.1).
pub fn read_request(url: Url, token: &Secret) -> Request {
    with_token(Request::new(Method::GET, url).header("Accept", "application/json"), token)
}

/// Registers the same client with these metadata in the place of all of before (RFC 7592 section 2.2).
pub fn update_request(
    url: Url,
    token: &Secret,
    client_id: &str,
    metadata: &Map<String, Value>,
) -> Request {
    let mut members = metadata.clone();
    members.insert("client_id".into(), json!(client_id));
    with_token(json_request(Method::PUT, url, &Value::Object(members)), token)
}

/// Ends the client (RFC 7592 section 2.3).
pub fn delete_request(url: Url, token: &Secret) -> Request {
    with_token(Request::new(Method::DELETE, url).header("Accept", "application/json"), token)
}

fn json_request(method: Method, url: Url, body: &Value) -> Request {
    Request::new(method, url)
        .header("Accept", "application/json")
        .header("Content-Type", "application/json")
        .body(Body::Bytes(body.to_string().into()))
}

fn with_token(request: Request, token: &Secret) -> Request {
    request.secret_header("Authorization", Secret::new(format!("Bearer {}", token.expose())))
}

/// Judges the answer of a registration, a read or an update; `endpoint` is where keyfob registers.
pub fn judge(answer: &Answer, endpoint: &Url, held: &Held, now: Timestamp) -> Said {
    let refusal = || {
        let places = ErrorPlaces::default();
        ErrorResponse::read(answer.status, &answer.headers, &answer.body, places, now)
    };
    match answer.status {
        200 | 201 => given(&answer.body, endpoint, held),
        401 | 403 => Said::Unauthorized(refusal()),
        300..=399 => Said::NoVerdict { status: answer.status, what: "a redirect" },
        400..=428 | 430..=499 => Said::Refused(refusal()),
        status => Said::NoVerdict { status, what: "no verdict" },
    }
}

fn given(body: &[u8], endpoint: &Url, held: &Held) -> Said {
    let Ok(document) = parse_object(body) else {
        return Said::NoVerdict { status: 200, what: "something that is no JSON object" };
    };
    let document = Document(document);
    let management = document.management(endpoint);
    match document.given(management.clone(), held) {
        Ok(given) => Said::Given(Box::new(given)),
        Err(why) => Said::Unfit {
            why,
            client_id: document.readable("client_id").map(str::to_owned),
            secret: document.new_secret(),
            management,
        },
    }
}

/// The client information of an answer; `null` counts as absent.
struct Document(Map<String, Value>);

impl Document {
    fn given(&self, management: Option<Management>, held: &Held) -> Result<Given, String> {
        let client_id = self.text("client_id")?.ok_or("it names no `client_id`")?.to_owned();
        let secret = self.secret(held)?;
        let authentication = self.authentication(secret.is_some(), held)?;
        let secret = match authentication {
            // A secret beside `none`, or beside a key of the client's own, proves nothing to anyone.
            ClientAuthentication::Id => None,
            method if has_own_key(method) => None,
            _ => Some(secret.ok_or("it wants a client secret and gives none")?),
        };
        let (client_secret, secret_expires_at) = secret.unzip();
        Ok(Given {
            secret_expires_at: secret_expires_at.flatten(),
            client_id,
            client_secret,
            authentication,
            scopes: self.text("scope")?.map(|it| it.split(' ').map(str::to_owned).collect()),
            grant_types: self
                .value("grant_types")
                .map(|_| self.texts("grant_types"))
                .transpose()?,
            redirect_uris: self.texts("redirect_uris")?,
            management,
        })
    }

    /// The client secret and its end; one that an answer does not name is the one of before (RFC 7592 section 3).
    fn secret(&self, held: &Held) -> Result<Option<(Secret, Option<Timestamp>)>, String> {
        let says_end = self.value("client_secret_expires_at").is_some();
        Ok(match (self.text("client_secret")?, &held.secret) {
            (Some(secret), _) => Some((Secret::new(secret), self.secret_end()?)),
            (None, Some((secret, _))) if says_end => Some((secret.clone(), self.secret_end()?)),
            (None, held) => held.clone(),
        })
    }

    /// The client secret of an answer that is of no other use; an end that cannot be read is not kept.
    fn new_secret(&self) -> Option<(Secret, Option<Timestamp>)> {
        let secret = self.readable("client_secret")?;
        Some((Secret::new(secret), self.secret_end().ok().flatten()))
    }

    /// What is not said is as before, else HTTP Basic (RFC 7591 section 2), if there is a secret to use with it.
    fn authentication(
        &self,
        has_secret: bool,
        held: &Held,
    ) -> Result<ClientAuthentication, String> {
        let Some(name) = self.text("token_endpoint_auth_method")? else {
            return Ok(held.authentication.unwrap_or(match has_secret {
                true => ClientAuthentication::Basic,
                false => ClientAuthentication::Id,
            }));
        };
        let known = METHODS.into_iter().find(|(known, method)| {
            *known == name && (!has_own_key(*method) || held.authentication == Some(*method))
        });
        let (_, method) =
            known.ok_or_else(|| format!("it wants `{name}` as client authentication"))?;
        Ok(method)
    }

    /// Seconds since 1970; 0 is never (RFC 7591 section 3.2.1).
    fn secret_end(&self) -> Result<Option<Timestamp>, String> {
        let wrong = || "`client_secret_expires_at` is no time".to_owned();
        let Some(value) = self.value("client_secret_expires_at") else { return Ok(None) };
        let seconds = value.as_f64().filter(|it| *it >= 0.0).ok_or_else(wrong)?;
        match seconds as i64 {
            0 => Ok(None),
            seconds => Ok(Some(Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX))),
        }
    }

    fn texts(&self, name: &str) -> Result<Vec<String>, String> {
        let wrong = || format!("`{name}` is no list of texts");
        let Some(value) = self.value(name) else { return Ok(Vec::new()) };
        let texts = value.as_array().ok_or_else(wrong)?.iter();
        texts.map(|text| text.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
    }

    /// The token goes to the server that gave it and nowhere else, so another origin is no use.
    fn management(&self, endpoint: &Url) -> Option<Management> {
        let url = self.readable("registration_client_uri")?;
        let token = self.readable("registration_access_token")?;
        let place = check_endpoint(url, endpoint).ok()?;
        (place.origin() == endpoint.origin())
            .then(|| Management { url: Secret::new(place.as_str()), token: Secret::new(token) })
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|it| !it.is_null())
    }

    /// The same of an answer that may be wrong there.
    fn readable(&self, name: &str) -> Option<&str> {
        self.text(name).ok().flatten()
    }

    /// A text that can stand in a header or a form; an empty one counts as absent.
    fn text(&self, name: &str) -> Result<Option<&str>, String> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| format!("`{name}` is no text"))?;
        match text.len() > LONGEST || text.chars().any(char::is_control) {
            true => {
                Err(format!("`{name}` is longer than {LONGEST} bytes or holds a control character"))
            }
            false => Ok(Some(text).filter(|text| !text.is_empty())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HeaderMap;
    use std::collections::BTreeMap;

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

    #[test] // EX7
    fn the_metadata_says_what_keyfob_will_do_and_the_provider_s_words_come_along() {
        let wish = Wish {
            flow: Flow::AuthorizationCode,
            redirect_uri: Some("http://127.0.0.1:9/cb".into()),
            scopes: vec!["a".into(), "b".into()],
            authentication: ClientAuthentication::Id,
            dpop: false,
            known_by: KnownBy {
                keys: Some(json!({"keys": []})),
                certificate_subject: Some("CN=c".into()),
            },
        };
        let registration = Registration {
            kind: crate::provider::schema::RegistrationKind::Dynamic,
            url: None,
            params: BTreeMap::from([("software_id".to_owned(), "x".to_owned())]),
        };
        let expected = json!({
            "software_id": "x",
            "client_name": "keyfob",
            "application_type": "native",
            "redirect_uris": ["http://127.0.0.1:9/cb"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "scope": "a b",
            "jwks": {"keys": []},
            "tls_client_auth_subject_dn": "CN=c",
        });
        assert_eq!(Value::Object(client_metadata(&wish, &registration)), expected);
        let uri = BTreeMap::from([("jwks_uri".to_owned(), "https://me.example/keys".to_owned())]);
        let fetched = client_metadata(&wish, &Registration { params: uri, ..registration });
        assert!(fetched.contains_key("jwks_uri") && !fetched.contains_key("jwks"));
        let machine = Wish {
            flow: Flow::ClientCredentials,
            redirect_uri: None,
            scopes: Vec::new(),
            authentication: ClientAuthentication::Basic,
            dpop: true,
            known_by: KnownBy::default(),
        };
        let metadata = Value::Object(own_metadata(&machine));
        assert_eq!(metadata["grant_types"], json!(["client_credentials"]));
        assert!(metadata.get("redirect_uris").is_none());
        assert_eq!(metadata["response_types"], json!([]), "left out, it would mean `code`");
        assert!(metadata.get("scope").is_none());
        assert_eq!(metadata["dpop_bound_access_tokens"], json!(true));
    }
}
