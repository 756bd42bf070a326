//! What a server says to a request about a client, judged.

use jiff::Timestamp;
use serde_json::{Map, Value};
use url::Url;

use super::method::{METHODS, has_own_key};
use super::said::{Given, Held, Management, Said};
use crate::http::strict_json::parse_object;
use crate::http::{Answer, ErrorPlaces, ErrorResponse};
use crate::provider::metadata::check_endpoint;
use crate::provider::schema::ClientAuthentication;
use crate::secret::Secret;

/// The longest value that is kept of an answer, in bytes.
const LONGEST: usize = 8 * 1024;

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
#[path = "answer_tests.rs"]
mod tests;
