//! keyfob's own registration at an authorization server: made once a profile, kept before it is
//! used, renewed when its secret has ended, and ended on request (RFC 7591, RFC 7592).
//!
//! All of it happens under the profile's lock: who comes second finds what the first one stored.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::entry::Entry;
use super::keeping::{self, KeepingError};
use super::server::TOKEN_REQUEST_TIME;
use super::{Drawer, Ears, Notice};
use crate::authorization_server::dynamic_registration::{
    Given, Management, Said, delete_request, judge, read_request, registration_request,
    update_request,
};
use crate::http::error_response::ErrorResponse;
use crate::http::trace::{answer_lines, request_lines};
use crate::http::{Answer, Client, HttpError, Limits, Request, exchange};
use crate::profile::Registered;
use crate::provider::schema::ClientAuthentication;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::store::lock::Lock;
use crate::system::System;

/// The names of the secrets that come with a registration.
const CLIENT_SECRET: &str = "client_secret";
const TOKEN: &str = "registration_access_token";
const URI: &str = "registration_client_uri";

/// A client that keyfob registered, as the server answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredClient {
    /// The client registration endpoint.
    pub endpoint: String,
    /// The issuer elsewhere that named the endpoint; `None` where a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named_by: Option<String>,
    /// Public.
    pub client_id: String,
    /// How it proves who it is.
    pub authentication: ClientAuthentication,
    /// When it was registered.
    pub at: Timestamp,
    /// When its secret ends; `None` for never.
    #[serde(default)]
    pub secret_expires_at: Option<Timestamp>,
    /// What it may ask for, where the server said.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// Where the browser may come back to, where the server said.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
}

impl RegisteredClient {
    /// What a profile's file may tell of it.
    pub fn public(&self) -> Registered {
        Registered {
            endpoint: self.endpoint.clone(),
            at: self.at,
            authentication: self.authentication,
            secret_expires_at: self.secret_expires_at,
        }
    }

    fn has_ended(&self, now: Timestamp) -> bool {
        self.secret_expires_at.is_some_and(|end| end <= now)
    }
}

/// Says that a client may have been registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// When.
    pub at: Timestamp,
    /// Where.
    pub endpoint: String,
}

/// Why there is no client.
#[derive(Debug)]
pub enum RegistrationError {
    /// Lock, store or profile.
    Keeping(KeepingError),
    /// The registration endpoint is no URL.
    Endpoint(String),
    /// No answer.
    Http(HttpError),
    /// The server said no.
    Refused(ErrorResponse),
    /// The server wants a token.
    Unauthorized(ErrorResponse),
    /// It cannot be told whether there is a client.
    NoVerdict {
        /// The status.
        status: u16,
        /// What it was.
        what: &'static str,
    },
    /// There was a client that keyfob can make no use of.
    Unfit {
        /// Why not.
        why: String,
        /// Whether it was ended again.
        ended: bool,
    },
    /// The profile is connected with another client.
    Connected,
    /// There is no registration, or none that the server lets keyfob manage.
    NotManaged,
    /// The server knows the registration no more.
    Gone,
    /// The server gives no new secret.
    StillEnded,
}

impl From<KeepingError> for RegistrationError {
    fn from(error: KeepingError) -> Self {
        Self::Keeping(error)
    }
}

impl From<StoreError> for RegistrationError {
    fn from(error: StoreError) -> Self {
        Self::Keeping(error.into())
    }
}

/// A client, and whether it was registered just now.
pub struct Obtained {
    /// The client.
    pub client: RegisteredClient,
    /// False where an earlier or a parallel command registered it.
    pub is_new: bool,
}

/// What a registration is made of.
pub struct Asked<'a> {
    /// The client registration endpoint.
    pub endpoint: &'a str,
    /// The issuer that named the endpoint; `None` where a person did.
    pub named_by: Option<&'a str>,
    /// The token endpoint that the client's secret belongs to.
    pub token_endpoint: &'a str,
    /// The client metadata.
    pub metadata: &'a Map<String, Value>,
    /// What lets a client in (RFC 7591 section 3).
    pub initial_access_token: Option<&'a Secret>,
    /// Whether it takes the place of the client that the stored tokens were given to.
    pub replaces: bool,
}

/// Registers, renews and ends the client of one profile.
pub struct Registrar<'a> {
    /// The outside.
    pub system: &'a System,
    /// Where everything is kept.
    pub drawer: &'a Drawer,
    /// The one client of this command.
    pub http: &'a Client,
    /// Who hears what happens.
    pub ears: Ears<'a>,
}

impl Registrar<'_> {
    /// Registers a client, unless one is registered at that endpoint already.
    pub async fn register(&self, asked: &Asked<'_>) -> Result<Obtained, RegistrationError> {
        let endpoint = Url::parse(asked.endpoint)
            .map_err(|_| RegistrationError::Endpoint(asked.endpoint.to_owned()))?;
        // From the request on there may be a client: a signal waits for the answer and the store.
        let _seen_through = self.system.critical.enter();
        let lock = self.lock().await?;
        let before = self.drawer.read()?;
        if let Some(client) = known(before.as_ref(), asked.endpoint) {
            return Ok(Obtained { client, is_new: false });
        }
        let connected = before.as_ref().is_some_and(|entry| entry.tokens.is_some());
        if connected && !asked.replaces {
            return Err(RegistrationError::Connected);
        }
        if let Some(begun) = before.as_ref().and_then(|entry| entry.registering.as_ref()) {
            (self.ears.notify)(Notice::RegistrationCutShort { at: begun.at });
        }
        let mut entry = before.clone().unwrap_or_else(|| Entry::empty(&*self.system.random));
        entry.registering =
            Some(Begun { at: self.system.clock.now(), endpoint: asked.endpoint.to_owned() });
        // This proves that the store can be written, before a client is there that nobody keeps.
        self.drawer.keep(&lock, &entry)?;
        let request = registration_request(&endpoint, asked.metadata, asked.initial_access_token);
        let said = match self.send(request, None, asked.named_by).await {
            Ok(answer) => judge(&answer, &endpoint, self.system.clock.now())
                .without(asked.initial_access_token.map(std::slice::from_ref).unwrap_or_default()),
            Err(error) => {
                if error.never_reached() {
                    self.put_back(&lock, before.as_ref())?;
                }
                return Err(RegistrationError::Http(error));
            }
        };
        match said {
            Said::Given(given) => self.keep_new(&lock, entry, *given, asked).await,
            Said::Unfit { why, management } => {
                let ended = self.end_at_once(management.as_ref(), asked.named_by).await;
                self.put_back(&lock, before.as_ref())?;
                Err(RegistrationError::Unfit { why, ended })
            }
            Said::Refused(error) => {
                self.put_back(&lock, before.as_ref())?;
                Err(RegistrationError::Refused(error))
            }
            Said::Unauthorized(error) => {
                self.put_back(&lock, before.as_ref())?;
                Err(RegistrationError::Unauthorized(error))
            }
            // The mark stays: the next command tells that there may be a client nobody uses.
            Said::NoVerdict { status, what } => Err(RegistrationError::NoVerdict { status, what }),
        }
    }

    /// Stores a new client before anything else happens; one that cannot be stored is ended.
    async fn keep_new(
        &self,
        lock: &Lock,
        mut entry: Entry,
        given: Given,
        asked: &Asked<'_>,
    ) -> Result<Obtained, RegistrationError> {
        let management = given.management.clone();
        let at = self.system.clock.now();
        let given = with_redirects(given, asked.metadata);
        let place = (asked.endpoint, asked.named_by);
        let client = take(&mut entry, given, place, at);
        entry.secrets_for = Some(asked.token_endpoint.to_owned());
        if let Err(error) = self.drawer.keep(lock, &entry) {
            self.end_at_once(management.as_ref(), asked.named_by).await;
            return Err(error.into());
        }
        Ok(Obtained { client, is_new: true })
    }

    /// Registers the same client with other metadata (RFC 7592 section 2.2).
    pub async fn update(
        &self,
        metadata: &Map<String, Value>,
    ) -> Result<RegisteredClient, RegistrationError> {
        let _seen_through = self.system.critical.enter();
        let lock = self.lock().await?;
        let mut entry = self.drawer.read()?.ok_or(RegistrationError::NotManaged)?;
        let client = entry.registration.clone().ok_or(RegistrationError::NotManaged)?;
        let update = |url, token: &Secret| update_request(url, token, &client.client_id, metadata);
        self.ask_and_keep(&lock, &mut entry, &client, update).await
    }

    /// Asks for a new secret where the old one has ended: reads what is registered, then registers the same again.
    pub async fn renew(
        &self,
        metadata: &Map<String, Value>,
    ) -> Result<RegisteredClient, RegistrationError> {
        let _seen_through = self.system.critical.enter();
        let lock = self.lock().await?;
        let mut entry = self.drawer.read()?.ok_or(RegistrationError::NotManaged)?;
        let client = entry.registration.clone().ok_or(RegistrationError::NotManaged)?;
        let now = self.system.clock.now();
        if !client.has_ended(now) {
            return Ok(client);
        }
        let read = self.ask_and_keep(&lock, &mut entry, &client, read_request).await?;
        if !read.has_ended(now) {
            return Ok(read);
        }
        let update = |url, token: &Secret| update_request(url, token, &client.client_id, metadata);
        let updated = self.ask_and_keep(&lock, &mut entry, &client, update).await?;
        match updated.has_ended(now) {
            true => Err(RegistrationError::StillEnded),
            false => Ok(updated),
        }
    }

    /// One exchange with the client configuration endpoint; what it gives is stored before it is used.
    async fn ask_and_keep(
        &self,
        lock: &Lock,
        entry: &mut Entry,
        client: &RegisteredClient,
        request: impl FnOnce(Url, &Secret) -> Request,
    ) -> Result<RegisteredClient, RegistrationError> {
        let Management { url, token } = management(entry).ok_or(RegistrationError::NotManaged)?;
        let url = Url::parse(url.expose()).map_err(|_| RegistrationError::NotManaged)?;
        let endpoint = Url::parse(&client.endpoint)
            .map_err(|_| RegistrationError::Endpoint(client.endpoint.clone()))?;
        let named_by = client.named_by.as_deref();
        let answer = self.send(request(url.clone(), &token), Some(&url), named_by).await;
        let answer = answer.map_err(RegistrationError::Http)?;
        let said = judge(&answer, &endpoint, self.system.clock.now());
        match said.without(&secrets_of(entry)) {
            Said::Given(given) if given.client_id != client.client_id => {
                let why = "it answered about another client".to_owned();
                Err(RegistrationError::Unfit { why, ended: false })
            }
            Said::Given(given) => {
                let given = match given.redirect_uris.is_empty() {
                    true => Given { redirect_uris: client.redirect_uris.clone(), ..*given },
                    false => *given,
                };
                let renewed = take(entry, given, (&client.endpoint, named_by), client.at);
                self.drawer.keep(lock, entry)?;
                Ok(renewed)
            }
            Said::Unfit { why, .. } => Err(RegistrationError::Unfit { why, ended: false }),
            // RFC 7592 section 2.2.2: the client is there, and this is not allowed.
            Said::Unauthorized(error) if error.status == 403 => {
                Err(RegistrationError::Refused(error))
            }
            // RFC 7592 section 2.1: a client that is no more has a token that is no more.
            Said::Unauthorized(_) => Err(RegistrationError::Gone),
            Said::Refused(error) if matches!(error.status, 404 | 410) => {
                Err(RegistrationError::Gone)
            }
            Said::Refused(error) => Err(RegistrationError::Refused(error)),
            Said::NoVerdict { status, what } => Err(RegistrationError::NoVerdict { status, what }),
        }
    }

    /// Ends the client at the server; what is kept here is somebody else's to forget.
    pub async fn unregister(&self) -> Result<(), RegistrationError> {
        let _seen_through = self.system.critical.enter();
        let _lock = self.lock().await?;
        let entry = self.drawer.read()?.ok_or(RegistrationError::NotManaged)?;
        let client = entry.registration.as_ref().ok_or(RegistrationError::NotManaged)?;
        let management = management(&entry).ok_or(RegistrationError::NotManaged)?;
        let answer = self.delete(&management, client.named_by.as_deref()).await;
        let answer = answer.map_err(RegistrationError::Http)?;
        let now = self.system.clock.now();
        let error = || {
            let places = crate::http::ErrorPlaces::default();
            ErrorResponse::read(answer.status, &answer.headers, &answer.body, places, now)
                .without(&secrets_of(&entry))
        };
        match answer.status {
            200..=299 => Ok(()),
            401 | 404 | 410 => Err(RegistrationError::Gone),
            400..=428 | 430..=499 => Err(RegistrationError::Refused(error())),
            status => Err(RegistrationError::NoVerdict { status, what: "no verdict" }),
        }
    }

    /// Forgets a registration that the server knows no more, so that a new one can be made.
    pub async fn forget(&self) -> Result<(), RegistrationError> {
        let lock = self.lock().await?;
        let Some(mut entry) = self.drawer.read()? else { return Ok(()) };
        entry.registration = None;
        for name in [CLIENT_SECRET, TOKEN, URI] {
            entry.secrets.remove(name);
        }
        Ok(self.drawer.keep(&lock, &entry)?)
    }

    /// Ends a client that nobody will use; whether it worked is all that can be said about it.
    async fn end_at_once(&self, management: Option<&Management>, named_by: Option<&str>) -> bool {
        let Some(management) = management else { return false };
        let answer = self.delete(management, named_by).await;
        answer.is_ok_and(|answer| (200..300).contains(&answer.status))
    }

    async fn delete(
        &self,
        management: &Management,
        named_by: Option<&str>,
    ) -> Result<Answer, HttpError> {
        let url = Url::parse(management.url.expose())
            .map_err(|_| HttpError::InvalidRequest { detail: "the client's address".into() })?;
        self.send(delete_request(url.clone(), &management.token), Some(&url), named_by).await
    }

    async fn lock(&self) -> Result<Lock, KeepingError> {
        keeping::lock(self.system, self.drawer, self.ears.notify).await
    }

    fn put_back(&self, lock: &Lock, before: Option<&Entry>) -> Result<(), StoreError> {
        match before {
            Some(before) => {
                let mut entry = before.clone();
                entry.registering = None;
                self.drawer.keep(lock, &entry)
            }
            None => self.drawer.remove(lock),
        }
    }

    /// Sends a request, once, and follows nowhere; the path of a `secret` address is not told.
    async fn send(
        &self,
        request: Request,
        secret: Option<&Url>,
        named_by: Option<&str>,
    ) -> Result<Answer, HttpError> {
        let request = request.named_by(named_by.map(str::to_owned));
        let level = self.ears.verbose;
        let told = match secret {
            None => request_lines(&request, level),
            Some(url) if level > 0 => {
                let origin = url.origin().ascii_serialization();
                vec![format!("> {} {origin}/[hidden]", request.method)]
            }
            Some(_) => Vec::new(),
        };
        told.into_iter().for_each(self.ears.trace);
        let limits = Limits { total: TOKEN_REQUEST_TIME, ..Limits::default() };
        let answer = exchange(self.http, request, limits).await?;
        answer_lines(answer.status, &answer.headers, level).into_iter().for_each(self.ears.trace);
        Ok(answer)
    }
}

/// The client that was registered at an endpoint.
fn known(entry: Option<&Entry>, endpoint: &str) -> Option<RegisteredClient> {
    entry?.registration.clone().filter(|client| client.endpoint == endpoint)
}

/// A server that does not say which redirect URIs it registered took those it was asked for.
fn with_redirects(given: Given, metadata: &Map<String, Value>) -> Given {
    if !given.redirect_uris.is_empty() {
        return given;
    }
    let asked = metadata.get("redirect_uris").and_then(Value::as_array).into_iter().flatten();
    let redirect_uris = asked.filter_map(Value::as_str).map(str::to_owned).collect();
    Given { redirect_uris, ..given }
}

/// What the stored registration is managed with.
fn management(entry: &Entry) -> Option<Management> {
    let secret = |name: &str| entry.secrets.get(name).cloned();
    Some(Management { url: secret(URI)?, token: secret(TOKEN)? })
}

/// Everything of an entry that an answer about its registration may quote.
fn secrets_of(entry: &Entry) -> Vec<Secret> {
    [CLIENT_SECRET, TOKEN, URI]
        .iter()
        .filter_map(|name| entry.secrets.get(*name).cloned())
        .collect()
}

/// Puts what the server gave in the place of what it gave before: a new registration token counts at once.
fn take(
    entry: &mut Entry,
    given: Given,
    (endpoint, named_by): (&str, Option<&str>),
    at: Timestamp,
) -> RegisteredClient {
    entry.registering = None;
    match given.client_secret {
        Some(secret) => entry.secrets.insert(CLIENT_SECRET.into(), secret),
        None => entry.secrets.remove(CLIENT_SECRET),
    };
    if let Some(Management { url, token }) = given.management {
        entry.secrets.insert(URI.into(), url);
        entry.secrets.insert(TOKEN.into(), token);
    }
    let client = RegisteredClient {
        endpoint: endpoint.to_owned(),
        named_by: named_by.map(str::to_owned),
        client_id: given.client_id,
        authentication: given.authentication,
        at,
        secret_expires_at: given.secret_expires_at,
        scopes: given.scopes,
        redirect_uris: given.redirect_uris,
    };
    entry.registration = Some(client.clone());
    client
}
