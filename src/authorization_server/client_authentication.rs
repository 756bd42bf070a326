//! How the client proves who it is: one function a method, one method a request (RFC 6749 section 2.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded::byte_serialize;

use crate::provider::schema::{BasicEncoding, Client, ClientAuthentication};
use crate::secret::Secret;

/// What the vendor gave at registration.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientRegistration {
    /// Public.
    pub client_id: String,
    /// Absent for a public client.
    pub client_secret: Option<Secret>,
}

/// What client authentication adds to a request.
#[derive(Debug, Default, PartialEq)]
pub struct Credentials {
    /// Body parameters.
    pub parameters: Vec<(String, Secret)>,
    /// The Authorization header.
    pub authorization: Option<Secret>,
}

/// The client's credentials in the provider's method.
pub fn credentials(client: &Client, registration: &ClientRegistration) -> Credentials {
    match (client.auth, &registration.client_secret) {
        (ClientAuthentication::Basic, Some(secret)) => {
            basic(client.basic_encoding, &registration.client_id, secret)
        }
        (ClientAuthentication::Post, Some(secret)) => post(&registration.client_id, secret),
        (_, None) | (ClientAuthentication::Id, Some(_)) => id_only(&registration.client_id),
    }
}

/// HTTP Basic (RFC 6749 section 2.3.1, or as it is where the vendor shows `curl -u`).
fn basic(encoding: BasicEncoding, client_id: &str, secret: &Secret) -> Credentials {
    let pair = match encoding {
        BasicEncoding::Raw => Secret::new(format!("{client_id}:{}", secret.expose())),
        BasicEncoding::Form => Secret::new(format!(
            "{}:{}",
            byte_serialize(client_id.as_bytes()).collect::<String>(),
            byte_serialize(secret.expose().as_bytes()).collect::<String>()
        )),
    };
    Credentials {
        parameters: Vec::new(),
        authorization: Some(Secret::new(format!("Basic {}", STANDARD.encode(pair.expose())))),
    }
}

/// `client_id` and `client_secret` in the body.
fn post(client_id: &str, secret: &Secret) -> Credentials {
    Credentials {
        parameters: vec![
            ("client_id".into(), Secret::new(client_id)),
            ("client_secret".into(), secret.clone()),
        ],
        authorization: None,
    }
}

/// Only `client_id` in the body: a public client (RFC 6749 section 4.1.3).
fn id_only(client_id: &str) -> Credentials {
    Credentials {
        parameters: vec![("client_id".into(), Secret::new(client_id))],
        authorization: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(encoding: BasicEncoding) -> String {
        let credentials = basic(encoding, "s6B", &Secret::new("p:ä+ %/&"));
        assert!(credentials.parameters.is_empty()); // TQ7
        let header = credentials.authorization.unwrap();
        let encoded = header.expose().strip_prefix("Basic ").unwrap().to_owned();
        String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
    }

    #[test] // CA1
    fn basic_is_form_encoded_first_unless_the_vendor_shows_it_raw() {
        assert_eq!(header(BasicEncoding::Form), "s6B:p%3A%C3%A4%2B+%25%2F%26");
        assert_eq!(header(BasicEncoding::Raw), "s6B:p:ä+ %/&");
    }

    #[test] // TQ6, TQ7
    fn a_body_holds_the_secret_or_no_secret_at_all() {
        let registration =
            ClientRegistration { client_id: "id".into(), client_secret: Some(Secret::new("s")) };
        let both = credentials(&Client::default(), &registration);
        assert_eq!(both.parameters.len(), 2);
        assert_eq!(both.authorization, None);
        let public = ClientRegistration { client_secret: None, ..registration };
        assert_eq!(credentials(&Client::default(), &public).parameters.len(), 1);
    }
}
