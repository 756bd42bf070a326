//! A client id that is the https URL of the client's own metadata: what is published there, and
//! whether what is there fits (draft Client ID Metadata Document, sections 2 to 4).
//!
//! keyfob cannot publish it: the person does, on a page of their own.

use serde_json::{Map, Value, json};
use url::{Host, Url};

use super::dynamic_registration::{Wish, own_metadata};
use crate::http::strict_json::parse_object;
use crate::provider::schema::ClientAuthentication;

/// The largest document that is read, in bytes; servers take less (draft section 6.6).
pub const LARGEST: usize = 64 * 1024;

/// What is wrong with a published document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// No JSON object with each member once.
    #[error("it is no JSON object with each member once")]
    NotAnObject,
    /// It is about another client.
    #[error("its `client_id` is `{0}`, and must be the URL itself, character by character")]
    OtherClient(String),
    /// The browser could not come back.
    #[error("its `redirect_uris` do not have `{0}`")]
    NoRedirect(String),
    /// Everybody could read it.
    #[error("it has a `{0}`, and everybody can read it")]
    HoldsASecret(&'static str),
    /// A way to prove who it is that needs a secret.
    #[error("its `token_endpoint_auth_method` is `{0}`, and a published client has no secret")]
    WantsASecret(String),
}

/// Reads a client id as the URL of a document: https with a path, and nothing that could be read
/// in two ways; plain http to this machine is for trying.
pub fn document_url(client_id: &str) -> Option<Url> {
    let url = Url::parse(client_id).ok()?;
    let on_loopback = match url.host()? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    let fits = (url.scheme() == "https" || url.scheme() == "http" && on_loopback)
        && url.path() != "/"
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        // What a parser evens out would be another text than the one that is compared.
        && url.as_str() == client_id;
    fits.then_some(url)
}

/// The document to publish at a client id.
pub fn document(client_id: &str, wish: &Wish) -> Map<String, Value> {
    let public = Wish { authentication: ClientAuthentication::Id, ..wish.clone() };
    let mut members = Map::new();
    members.insert("client_id".into(), json!(client_id));
    members.extend(own_metadata(&public));
    members
}

/// Judges what is published at a client id.
pub fn judge(client_id: &str, wish: &Wish, body: &[u8]) -> Result<(), DocumentError> {
    let document = parse_object(body).map_err(|_| DocumentError::NotAnObject)?;
    let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("client_id") != client_id {
        return Err(DocumentError::OtherClient(text("client_id").to_owned()));
    }
    for secret in ["client_secret", "client_secret_expires_at"] {
        if document.contains_key(secret) {
            return Err(DocumentError::HoldsASecret(secret));
        }
    }
    let method = text("token_endpoint_auth_method");
    if method.starts_with("client_secret") {
        return Err(DocumentError::WantsASecret(method.to_owned()));
    }
    let Some(own) = &wish.redirect_uri else { return Ok(()) };
    let published = document.get("redirect_uris").and_then(Value::as_array);
    let mut published = published.into_iter().flatten().filter_map(Value::as_str);
    match published.any(|uri| is_same_redirect(uri, own)) {
        true => Ok(()),
        false => Err(DocumentError::NoRedirect(own.clone())),
    }
}

/// Character by character, the port of a loopback address aside (RFC 8252 section 7.3).
fn is_same_redirect(published: &str, own: &str) -> bool {
    let portless = |text: &str| {
        let mut url = Url::parse(text).ok()?;
        let loopback = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
        (loopback && url.set_port(None).is_ok()).then_some(url)
    };
    published == own || (portless(own).is_some() && portless(published) == portless(own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization_server::dynamic_registration::KnownBy;
    use crate::provider::schema::Flow;

    const ID: &str = "https://me.example/keyfob.json";

    fn wish() -> Wish {
        Wish {
            flow: Flow::AuthorizationCode,
            redirect_uri: Some("http://127.0.0.1:8976/callback/x".into()),
            scopes: vec!["a".into()],
            authentication: ClientAuthentication::Basic,
            dpop: false,
            known_by: KnownBy::default(),
        }
    }

    #[test] // EX8
    fn a_client_id_is_a_document_s_url_only_where_nothing_about_it_is_in_doubt() {
        for id in [ID, "https://me.example:8443/a/b?v=1", "http://127.0.0.1:9/c.json"] {
            assert!(document_url(id).is_some(), "{id}");
        }
        for id in [
            "https://me.example",
            "https://me.example/",
            "http://me.example/c.json",
            "https://me.example/a/../c.json",
            "https://me.example/./c.json",
            "https://me.example/c.json#x",
            "https://u:p@me.example/c.json",
            "https://ME.example/c.json",
            "https://me.example:443/c.json",
            "https://me.example/a b",
            "inkid_1",
            "",
        ] {
            assert_eq!(document_url(id), None, "{id}");
        }
    }

    #[test] // EX8
    fn the_document_to_publish_passes_its_own_judgement() {
        let document = document(ID, &wish());
        assert_eq!(document["client_id"], ID);
        assert_eq!(document["token_endpoint_auth_method"], "none");
        let text = Value::Object(document).to_string();
        assert_eq!(judge(ID, &wish(), text.as_bytes()), Ok(()));
        let any_port = text.replace("127.0.0.1:8976", "127.0.0.1");
        assert_eq!(judge(ID, &wish(), any_port.as_bytes()), Ok(()));
    }

    #[test] // EX8
    fn a_document_that_does_not_fit_is_named() {
        let judged = |member: &str, value: Value| {
            let mut document = document(ID, &wish());
            document.insert(member.into(), value);
            judge(ID, &wish(), Value::Object(document).to_string().as_bytes())
        };
        let other = "https://me.example/KEYFOB.json";
        assert_eq!(
            judged("client_id", json!(other)),
            Err(DocumentError::OtherClient(other.into()))
        );
        assert_eq!(judged("client_id", json!(7)), Err(DocumentError::OtherClient(String::new())));
        let own = wish().redirect_uri.unwrap();
        for uris in [
            json!([]),
            json!(7),
            json!(["http://127.0.0.1:8976/other"]),
            json!(["https://evil.example/callback/x"]),
            json!(["http://127.0.0.1.evil.example/callback/x"]),
        ] {
            assert_eq!(judged("redirect_uris", uris), Err(DocumentError::NoRedirect(own.clone())));
        }
        let secret = judged("client_secret", json!("s"));
        assert_eq!(secret, Err(DocumentError::HoldsASecret("client_secret")));
        let method = judged("token_endpoint_auth_method", json!("client_secret_post"));
        assert_eq!(method, Err(DocumentError::WantsASecret("client_secret_post".into())));
        for body in ["", "[]", "<html>", "{\"client_id\":1,\"client_id\":2}"] {
            assert_eq!(judge(ID, &wish(), body.as_bytes()), Err(DocumentError::NotAnObject));
        }
    }
}
