//! Whether the client is who it says: exactly one method a request, the one its vendor names (RFC 6749 section 2.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::message::{Answer, Request};
use super::parameters::{Parameters, invalid};
use super::refusal::{Refusal, Refused, Side};
use super::stand_in::Turn;
use crate::provider::schema::{BasicEncoding, ClientAuthentication};
use crate::secret::Secret;

/// The parameters that a method puts into the body.
pub fn parameters(method: ClientAuthentication) -> &'static [&'static str] {
    match method {
        ClientAuthentication::Post => &["client_id", "client_secret"],
        ClientAuthentication::Basic => &[],
        ClientAuthentication::Id
        | ClientAuthentication::TlsClientAuth
        | ClientAuthentication::SelfSignedTlsClientAuth => &["client_id"],
        ClientAuthentication::PrivateKeyJwt | ClientAuthentication::ClientSecretJwt => {
            &["client_id", "client_assertion_type", "client_assertion"]
        }
    }
}

/// Checks the client's proof, and says which client it is.
pub fn check(
    turn: &Turn<'_>,
    request: &Request,
    parameters: &Parameters,
) -> Result<String, Refused> {
    let method = turn.vendor.provider.client.auth;
    if method != ClientAuthentication::Basic && request.header("authorization").is_some() {
        return Err(invalid("this vendor takes no Authorization header here"));
    }
    let (id, secret) = match method {
        ClientAuthentication::Basic => {
            if parameters.get("client_secret").is_some() {
                return Err(invalid("the client secret is shown in two places"));
            }
            let (id, secret) = basic(request, turn.vendor.provider.client.basic_encoding)?;
            (id, Some(secret))
        }
        ClientAuthentication::Post => {
            let secret = parameters.get("client_secret").map(Secret::new);
            (parameters.required("client_id")?.to_owned(), secret)
        }
        ClientAuthentication::Id => {
            if parameters.get("client_secret").is_some() {
                return Err(invalid("a public client has no secret"));
            }
            (parameters.required("client_id")?.to_owned(), None)
        }
        ClientAuthentication::PrivateKeyJwt | ClientAuthentication::ClientSecretJwt => {
            return Err(unproven("the sandbox verifies no signatures"));
        }
        ClientAuthentication::TlsClientAuth | ClientAuthentication::SelfSignedTlsClientAuth => {
            return Err(unproven("the sandbox sees no certificates"));
        }
    };
    let known = turn.state.client_named(&id);
    if known.is_none_or(|(client, _)| secret != client.client_secret) {
        return Err(unproven("client id or client secret is wrong"));
    }
    match turn.state.is_approved(&id) {
        true => Ok(id),
        false => {
            Err(Refused::new(Refusal::UnauthorizedClient, "the application is pending review"))
        }
    }
}

/// Refuses at the token side; a client that tried HTTP Basic is answered in kind (RFC 6749 section 5.2).
pub fn refuse(turn: &mut Turn<'_>, refused: &Refused) -> Answer {
    let answer = turn.refuse(Side::Token, refused);
    let basic = turn.vendor.provider.client.auth == ClientAuthentication::Basic;
    match (refused.what, basic) {
        (Refusal::InvalidClient, true) => {
            answer.with("www-authenticate", "Basic realm=\"sandbox\"")
        }
        (Refusal::MethodNotAllowed, _) => answer.with("allow", "POST"),
        _ => answer,
    }
}

fn basic(request: &Request, encoding: BasicEncoding) -> Result<(String, Secret), Refused> {
    let mut headers = request.headers_named("authorization");
    let (Some(header), None) = (headers.next(), headers.next()) else {
        return Err(unproven("one Authorization header with HTTP Basic is needed"));
    };
    let malformed = || unproven("this is no HTTP Basic");
    let encoded = header.strip_prefix("Basic ").ok_or_else(malformed)?;
    let bytes = STANDARD.decode(encoded).map_err(|_| malformed())?;
    let text = String::from_utf8(bytes).map_err(|_| malformed())?;
    let (id, secret) = text.split_once(':').ok_or_else(malformed)?;
    Ok(match encoding {
        BasicEncoding::Raw => (id.to_owned(), Secret::new(secret)),
        BasicEncoding::Form => (form_decoded(id), Secret::new(form_decoded(secret))),
    })
}

fn form_decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn unproven(because: &str) -> Refused {
    Refused::new(Refusal::InvalidClient, because)
}
