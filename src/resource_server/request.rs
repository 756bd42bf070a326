//! A call as a value: built once, shown without a secret, made into a request for each sending.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use super::authorization::{self, AuthorizationError, Placement};
use super::idempotency::{self, Key};
use super::items::{Field, Items};
use super::target::{Base, Target, TargetError};
use crate::http::{Body, Method, Request};
use crate::provider::schema::{Api, Setting};
use crate::provider::template::Values;
use crate::random::Random;
use crate::secret::Secret;

/// What a person asks for.
pub struct Call<'a> {
    /// The provider's API.
    pub api: &'a Api,
    /// The provider's settings, for their lists.
    pub settings: &'a BTreeMap<String, Setting>,
    /// The profile's settings and the connection's contexts.
    pub values: &'a Values,
    /// GET, or POST with a body, where nobody said.
    pub method: Option<&'a str>,
    /// A path or a whole URL.
    pub path: &'a str,
    /// Items and `-H` headers.
    pub items: Items,
    /// A raw body.
    pub body: Body,
    /// Whether fields become a form and not JSON.
    pub form: bool,
    /// A key the person gives.
    pub idempotency_key: Option<&'a str>,
}

/// A call, ready; holds no token.
#[derive(Debug)]
pub struct ApiRequest {
    /// As it is sent.
    pub method: Method,
    /// Where it goes; without the token, wherever that goes.
    pub target: Target,
    /// All but the Authorization.
    pub headers: Vec<(String, String)>,
    /// How many of `headers` are the call's own; the rest are what the provider asks for on every call.
    pub(super) own: usize,
    /// What it carries.
    pub body: Body,
    /// Where the token goes.
    pub placement: Placement,
    /// The key of a write.
    pub key: Option<Key>,
    /// Whether the vendor says that it changes nothing, whatever its method.
    pub is_read: bool,
    /// The scopes that whoever makes the call says it needs, where the provider's table may not list it.
    pub needs: Vec<String>,
    /// Whether the body was a stream and has been sent.
    spent: bool,
}

/// Why a call cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// There is no address.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// There are no headers.
    #[error(transparent)]
    Authorization(#[from] AuthorizationError),
    /// A method is a word of letters.
    #[error("`{0}` is no method")]
    Method(String),
    /// Fields and a raw body were given.
    #[error("the call has fields and a raw body")]
    TwoBodies,
    /// A field is given twice in JSON.
    #[error("the field `{0}` is given twice")]
    Repeated(String),
}

impl ApiRequest {
    /// The method by whose rules it may be repeated (RFC 9110 section 9.2.2).
    pub fn repeats_like(&self) -> &str {
        if self.is_read { "GET" } else { self.method.as_str() }
    }

    /// Builds a call.
    pub fn new(call: Call<'_>, random: &dyn Random) -> Result<Self, RequestError> {
        let base = Base::of(call.api, call.values)?;
        Self::on(&base, call, random)
    }

    /// Builds one of many calls on a base that was taken apart once.
    pub fn on(base: &Base, call: Call<'_>, random: &dyn Random) -> Result<Self, RequestError> {
        let Call { api, settings, values, items, .. } = call;
        let (body, kind) = body_of(call.body, &items, call.form)?;
        let method = method_of(call.method, &body)?;
        let target = base.resolve(settings, values, call.path, &items.query)?;
        let mut own = items.headers;
        add_unless_set(&mut own, "Content-Type", kind.unwrap_or_default());
        let given = call.idempotency_key.map(str::to_owned).or_else(|| take_key(api, &mut own));
        let idempotency = api.idempotency.as_ref();
        let below = target.below.as_deref();
        let is_read = idempotency::is_read(idempotency, below);
        let key = idempotency::key(idempotency, method.as_str(), below, given.as_deref(), random);
        own.extend(key.iter().map(|key| (key.header.clone(), key.value.clone())));
        let headers = authorization::headers(api, values, target.lists.as_deref(), &own)?;
        let placement = base.placement.clone()?;
        Ok(Self {
            method,
            target,
            headers,
            own: own.len(),
            body,
            placement,
            key,
            is_read,
            needs: Vec::new(),
            spent: false,
        })
    }

    /// Makes the request for one more sending; `None` where the body is a stream.
    pub fn with_token(&self, token: &Secret) -> Option<Request> {
        Some(self.sent_with(self.body.again()?, token))
    }

    /// Makes the request and takes a body along that can be sent only once; `None` where that was done before.
    pub fn first_with_token(&mut self, token: &Secret) -> Option<Request> {
        if let Some(again) = self.body.again() {
            return Some(self.sent_with(again, token));
        }
        let stream = std::mem::replace(&mut self.body, Body::Stream(Box::new(std::io::empty())));
        let was_spent = std::mem::replace(&mut self.spent, true);
        (!was_spent).then(|| self.sent_with(stream, token))
    }

    fn sent_with(&self, body: Body, token: &Secret) -> Request {
        let mut request = Request::new(self.method.clone(), self.target.url.clone()).body(body);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        match &self.placement {
            Placement::Header { scheme } => {
                let header = authorization::authorization_header(scheme, token);
                request.headers.push(("Authorization".into(), header));
            }
            Placement::Query { name } => {
                request.url.query_pairs_mut().append_pair(name, token.expose());
            }
        }
        request
    }
}

fn method_of(given: Option<&str>, body: &Body) -> Result<Method, RequestError> {
    match given {
        None if body.is_empty() => Ok(Method::GET),
        None => Ok(Method::POST),
        Some(word) => {
            let word = word.to_ascii_uppercase();
            let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase());
            let method = Method::from_bytes(word.as_bytes()).ok().filter(|_| is_word);
            method.ok_or(RequestError::Method(word))
        }
    }
}

/// The body and its kind.
fn body_of(
    raw: Body,
    items: &Items,
    form: bool,
) -> Result<(Body, Option<&'static str>), RequestError> {
    const FORM: &str = "application/x-www-form-urlencoded";
    const JSON: &str = "application/json";
    match (raw, items.fields.is_empty()) {
        (Body::Empty, true) => Ok((Body::Empty, None)),
        (Body::Empty, false) if form => Ok((form_body(&items.fields), Some(FORM))),
        (Body::Empty, false) => Ok((json_body(&items.fields)?, Some(JSON))),
        (raw, true) => Ok((raw, Some(if form { FORM } else { JSON }))),
        (_, false) => Err(RequestError::TwoBodies),
    }
}

fn json_body(fields: &[(String, Field)]) -> Result<Body, RequestError> {
    let mut object = String::from("{");
    for (place, (name, value)) in fields.iter().enumerate() {
        if fields[..place].iter().any(|(earlier, _)| earlier == name) {
            return Err(RequestError::Repeated(name.clone()));
        }
        if place > 0 {
            object.push(',');
        }
        object.push_str(&Value::from(name.as_str()).to_string());
        object.push(':');
        match value {
            Field::Text(text) => object.push_str(&Value::from(text.as_str()).to_string()),
            Field::Json(json) => object.push_str(json),
        }
    }
    object.push('}');
    Ok(Body::Bytes(Bytes::from(object)))
}

fn form_body(fields: &[(String, Field)]) -> Body {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields {
        let (Field::Text(text) | Field::Json(text)) = value;
        form.append_pair(name, text);
    }
    Body::Bytes(Bytes::from(form.finish()))
}

fn add_unless_set(headers: &mut Vec<(String, String)>, name: &str, value: &str) {
    let is_set = headers.iter().any(|(set, _)| set.eq_ignore_ascii_case(name));
    if !is_set && !value.is_empty() {
        headers.push((name.to_owned(), value.to_owned()));
    }
}

/// A key that was given as a header counts like one that was given as a flag.
fn take_key(api: &Api, headers: &mut Vec<(String, String)>) -> Option<String> {
    let header = &api.idempotency.as_ref()?.header;
    let at = headers.iter().position(|(name, _)| name.eq_ignore_ascii_case(header))?;
    Some(headers.remove(at).1)
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::HeaderText;
    use crate::provider::Provider;
    use crate::provider::catalogue::shipped;
    use crate::random::SystemRandom;

    fn values() -> Values {
        let mut values = Values::default();
        for name in ["api_host", "host"] {
            values.set(name, "https://own.example");
        }
        values.set("account_id", "12");
        values.set("client_name", "shop/1");
        values
    }

    /// What a test changes of a plain `GET /orders`.
    #[derive(Default)]
    pub struct Asked {
        pub method: Option<&'static str>,
        pub items: Vec<&'static str>,
        pub body: Body,
        pub form: bool,
        pub key: Option<&'static str>,
        pub in_query: bool,
    }

    pub fn built(name: &str, asked: Asked) -> Result<ApiRequest, RequestError> {
        let provider: Provider = shipped(name).unwrap().unwrap();
        let mut values = values();
        values.set("token_in", if asked.in_query { "query" } else { "header" });
        let items = Items::parse(asked.items, &|_| Ok(Vec::new())).unwrap();
        let call = Call {
            api: &provider.api,
            settings: &provider.settings,
            values: &values,
            method: asked.method,
            path: "/orders",
            items,
            body: asked.body,
            form: asked.form,
            idempotency_key: asked.key,
        };
        ApiRequest::new(call, &SystemRandom)
    }

    fn text(body: &Body) -> &str {
        let Body::Bytes(bytes) = body else { panic!("{body:?}") };
        std::str::from_utf8(bytes).unwrap()
    }

    fn header<'a>(request: &'a ApiRequest, name: &str) -> Option<&'a str> {
        let found = request.headers.iter().find(|(set, _)| set.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_call_is_a_get_until_it_carries_something() {
        let get = built("inkress", Asked::default()).unwrap();
        assert_eq!((get.method.as_str(), get.key.as_ref()), ("GET", None));
        assert_eq!(header(&get, "content-type"), None);
        let items = vec!["a=1", "b:=[2]", "page==3", "X-Y:z"];
        let post = built("inkress", Asked { items: items.clone(), ..Asked::default() }).unwrap();
        assert_eq!(post.method, Method::POST);
        assert_eq!(text(&post.body), json!({ "a": "1", "b": [2] }).to_string());
        assert_eq!(header(&post, "content-type"), Some("application/json"));
        assert_eq!(header(&post, "x-y"), Some("z"));
        assert_eq!(post.target.url.as_str(), "https://own.example/api/v1/orders?page=3");
        let form = built("inkress", Asked { items, form: true, ..Asked::default() }).unwrap();
        assert_eq!(text(&form.body), "a=1&b=%5B2%5D");
        assert_eq!(header(&form, "content-type"), Some("application/x-www-form-urlencoded"));
        let patch = Asked { method: Some("patch"), ..Asked::default() };
        assert_eq!(built("inkress", patch).unwrap().method, Method::PATCH);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let raw = || Body::Bytes(Bytes::from_static(b"x"));
        let both = Asked { items: vec!["a=1"], body: raw(), ..Asked::default() };
        assert_eq!(built("inkress", both).unwrap_err(), RequestError::TwoBodies);
        let twice = Asked { items: vec!["a=1", "a=2"], ..Asked::default() };
        assert_eq!(built("inkress", twice).unwrap_err(), RequestError::Repeated("a".into()));
        for method in ["", "G T", "GET\r\n", "GÉT"] {
            let asked = Asked { method: Some(method), ..Asked::default() };
            assert!(matches!(built("inkress", asked), Err(RequestError::Method(_))), "{method:?}");
        }
        let second = Asked { items: vec!["authorization:Bearer x"], ..Asked::default() };
        let reserved = AuthorizationError::Reserved("authorization".into());
        assert_eq!(built("inkress", second).unwrap_err(), reserved.into());
    }

    #[test] // RR1, RR2, RR15
    fn every_sending_carries_the_same_key_and_the_token_of_its_own() {
        let call = built("inkress", Asked { items: vec!["a=1"], ..Asked::default() }).unwrap();
        let key = call.key.clone().unwrap();
        for token in ["one", "two"] {
            let request = call.with_token(&Secret::new(token)).unwrap();
            let authorization: Vec<_> =
                request.headers.iter().filter(|(name, _)| name == "Authorization").collect();
            let expected = HeaderText::Secret(Secret::new(format!("Bearer {token}")));
            assert_eq!(authorization, [&("Authorization".to_owned(), expected)]);
            let sent = (key.header.clone(), HeaderText::Plain(key.value.clone()));
            assert!(request.headers.contains(&sent));
        }
        for asked in [
            Asked { items: vec!["a=1"], key: Some("mine"), ..Asked::default() },
            Asked { items: vec!["a=1", "idempotency-key:mine"], ..Asked::default() },
        ] {
            let call = built("inkress", asked).unwrap();
            assert_eq!(call.key.as_ref().unwrap().value, "mine");
            let keys = call.headers.iter().filter(|(_, value)| value == "mine").count();
            assert_eq!(keys, 1);
        }
    }

    #[test] // RR1
    fn a_token_in_the_query_is_nowhere_else() {
        let call = built("merchantos", Asked { in_query: true, ..Asked::default() }).unwrap();
        let request = call.with_token(&Secret::new("to ken")).unwrap();
        assert_eq!(request.url.query(), Some("oauth_token=to+ken"));
        assert!(request.headers.iter().all(|(name, _)| name != "Authorization"));
        assert!(
            call.shown().starts_with(
                "GET https://own.example/API/Account/12/orders?oauth_token=[hidden]\n"
            )
        );
        assert_eq!(call.target.url.query(), None);
    }

    #[test] // RR21
    fn a_stream_is_sent_once() {
        let body = Body::Stream(Box::new(std::io::empty()));
        let mut call = built("inkress", Asked { body, ..Asked::default() }).unwrap();
        assert!(call.with_token(&Secret::new("t")).is_none());
        assert!(call.first_with_token(&Secret::new("t")).is_some());
        assert!(call.first_with_token(&Secret::new("t")).is_none());
    }
}
