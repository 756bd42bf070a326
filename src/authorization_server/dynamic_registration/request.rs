//! The requests about a client: it is registered, read, changed and ended.

use serde_json::{Map, Value, json};
use url::Url;

use crate::http::{Body, Method, Request};
use crate::secret::Secret;

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
