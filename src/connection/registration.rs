//! keyfob's own registration at an authorization server: made once a profile, kept before it is
//! used, renewed when its secret has ended, and ended on request (RFC 7591, RFC 7592).
//!
//! All of it happens under the profile's lock: who comes second finds what the first one stored.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::entry::{CERTIFICATE, Credentials, Entry, PRIVATE_KEY, ShownAt};
use super::keeping::{self, KeepingError};
pub use super::registered_client::RegisteredClient;
use super::registered_client::{NextClient, held_by_a_new_one, keep_given};
use super::server::TOKEN_REQUEST_TIME;
use super::unfit_update::Beside;
use super::{Drawer, Ears, Notice};
use crate::authorization_server::client_terms::{Terms, texts, widened};
use crate::authorization_server::dynamic_registration::{
    Given, Management, Said, delete_request, judge, read_request, registration_request,
    update_request,
};
use crate::http::error_response::ErrorResponse;
use crate::http::trace::{answer_lines, request_lines};
use crate::http::{Answer, Client, HttpError, Limits, Request, exchange};
use crate::provider::schema::ClientAuthentication;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::store::lock::Lock;
use crate::system::System;

/// Says that a client may have been registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// When.
    pub at: Timestamp,
    /// Where.
    pub endpoint: String,
}

/// Says that what a server gave for the client in force may have been lost: a new token, perhaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Updating {
    /// When it was asked.
    pub at: Timestamp,
    /// The registration token that was shown; with another one in its place this is over.
    pub token_fingerprint: String,
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
    /// keyfob can make no use of what was said about the client in force, which stays so.
    UnfitUpdate {
        /// Why not.
        why: String,
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
    /// Whether another client stays in force until this one has tokens.
    pub waits: bool,
}

/// What a registration is made of.
pub struct Asked<'a> {
    /// The client registration endpoint.
    pub endpoint: &'a str,
    /// The issuer that named the endpoint; `None` where a person did.
    pub named_by: Option<&'a str>,
    /// The provider's name.
    pub provider: &'a str,
    /// The token endpoint that the client's secret belongs to.
    pub token_endpoint: &'a str,
    /// Where else it may be shown: the endpoints that are named beside that one now.
    pub shown_at: &'a ShownAt,
    /// How the client would prove who it is.
    pub authentication: ClientAuthentication,
    /// What it proves that with, where it brings it.
    pub brought: &'a Credentials,
    /// The client metadata.
    pub metadata: &'a Map<String, Value>,
    /// What lets a client in (RFC 7591 section 3).
    pub initial_access_token: Option<&'a Secret>,
    /// The client whose place it takes; that one stays in force while it has tokens and the new one has none.
    pub replaces: Option<&'a str>,
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

/// The registration in force, under its lock.
struct Managed {
    lock: Lock,
    entry: Entry,
    client: RegisteredClient,
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
        if let Some(found) = before.as_ref().and_then(|entry| self.found(entry, asked)) {
            return Ok(found);
        }
        let connected = before.as_ref().is_some_and(|entry| entry.tokens.is_some());
        if connected && asked.replaces.is_none() {
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
        let held = held_by_a_new_one(asked.authentication);
        let said = match self.send(request, None, asked.named_by).await {
            Ok(answer) => judge(&answer, &endpoint, &held, self.system.clock.now())
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
            Said::Unfit { why, management, .. } => {
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

    /// What an earlier or a parallel command registered.
    fn found(&self, entry: &Entry, asked: &Asked<'_>) -> Option<Obtained> {
        let here = |client: &&RegisteredClient| client.endpoint == asked.endpoint;
        let now = self.system.clock.now();
        let serves = |client: &&RegisteredClient| {
            !client.has_ended(now) && client.lacks(asked.metadata).is_empty()
        };
        let in_force = entry.registration.as_deref().filter(here);
        if let Some(client) = in_force.filter(|it| asked.replaces != Some(it.client_id.as_str())) {
            return Some(Obtained { client: client.clone(), is_new: false, waits: false });
        }
        let next = entry.next_client.as_ref().map(|it| &it.client);
        let next = next.filter(here).filter(serves).filter(|_| entry.tokens.is_some())?;
        Some(Obtained { client: next.clone(), is_new: false, waits: true })
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
        let client = self.described(&given, asked);
        let left = entry.next_client.take();
        entry.registering = None;
        let waits = entry.tokens.is_some();
        match waits {
            true => entry.next_client = Some(Box::new(waiting(client.clone(), &given, asked))),
            false => put_in_force(&mut entry, client.clone(), &given, asked),
        }
        if let Err(error) = self.drawer.keep(lock, &entry) {
            self.end_at_once(management.as_ref(), asked.named_by).await;
            return Err(error.into());
        }
        // One that waited before and serves no more is of no use to anyone.
        if let Some(left) = left {
            self.end_waiting(&left).await;
        }
        Ok(Obtained { client, is_new: true, waits })
    }

    /// A new client without its secrets.
    fn described(&self, given: &Given, asked: &Asked<'_>) -> RegisteredClient {
        RegisteredClient {
            endpoint: asked.endpoint.to_owned(),
            named_by: asked.named_by.map(str::to_owned),
            client_id: given.client_id.clone(),
            authentication: given.authentication,
            at: self.system.clock.now(),
            secret_expires_at: given.secret_expires_at,
            scopes: given.scopes.clone(),
            grant_types: given.grant_types.clone(),
            redirect_uris: redirect_uris(given, asked.metadata),
            terms: Some(Terms::agreed(asked.metadata, given)),
        }
    }

    /// Registers the same client for these metadata too, where it does not cover them, and with what
    /// it proves itself with from now on (RFC 7592 section 2.2).
    pub async fn update(
        &self,
        metadata: &Map<String, Value>,
        brought: &Credentials,
    ) -> Result<RegisteredClient, RegistrationError> {
        let _seen_through = self.system.critical.enter();
        let mut managed = self.managed().await?;
        let metadata = managed.entry.registrable_now(metadata);
        // A parallel command may have done it.
        if !managed.client.lacks(&metadata).is_empty() || !keeps(&managed.entry, brought) {
            self.replace(&mut managed, &metadata, brought).await?;
        }
        Ok(managed.client)
    }

    /// Asks what is registered now, and keeps what the server says of it (RFC 7592 section 2.1).
    pub async fn read(&self) -> Result<RegisteredClient, RegistrationError> {
        let _seen_through = self.system.critical.enter();
        let mut managed = self.managed().await?;
        self.ask_and_keep(&mut managed, None, read_request).await?;
        Ok(managed.client)
    }

    /// Asks for a new secret where the old one has ended: reads what is registered, then registers the same again.
    pub async fn renew(
        &self,
        metadata: &Map<String, Value>,
    ) -> Result<RegisteredClient, RegistrationError> {
        let _seen_through = self.system.critical.enter();
        let mut managed = self.managed().await?;
        let now = self.system.clock.now();
        if managed.client.has_ended(now) {
            self.ask_and_keep(&mut managed, None, read_request).await?;
        }
        if managed.client.has_ended(now) {
            let metadata = managed.entry.registrable_now(metadata);
            self.replace(&mut managed, &metadata, &Credentials::default()).await?;
        }
        match managed.client.has_ended(now) {
            true => Err(RegistrationError::StillEnded),
            false => Ok(managed.client),
        }
    }

    /// The registration in force, for as long as the lock is held.
    async fn managed(&self) -> Result<Managed, RegistrationError> {
        let lock = self.lock().await?;
        let entry = self.drawer.read()?.ok_or(RegistrationError::NotManaged)?;
        let client = entry.registration.clone().ok_or(RegistrationError::NotManaged)?;
        Ok(Managed { lock, entry, client: *client })
    }

    /// Registers the same client with these metadata beside those of before.
    async fn replace(
        &self,
        managed: &mut Managed,
        metadata: &Map<String, Value>,
        brought: &Credentials,
    ) -> Result<(), RegistrationError> {
        let client = managed.client.clone();
        let terms = client.terms.clone().unwrap_or_default();
        let members = widened(metadata, &terms, client.scopes.as_deref(), &client.redirect_uris);
        let update = |url, token: &Secret| update_request(url, token, &client.client_id, &members);
        self.ask_and_keep(managed, Some((&members, brought)), update).await
    }

    /// One exchange with the client configuration endpoint; what it gives is stored before it is used.
    async fn ask_and_keep(
        &self,
        managed: &mut Managed,
        told: Option<Told<'_>>,
        request: impl FnOnce(Url, &Secret) -> Request,
    ) -> Result<(), RegistrationError> {
        let Managed { lock, entry, client } = managed;
        let Management { url, token } = entry.management().ok_or(RegistrationError::NotManaged)?;
        let url = Url::parse(url.expose()).map_err(|_| RegistrationError::NotManaged)?;
        let endpoint = Url::parse(&client.endpoint)
            .map_err(|_| RegistrationError::Endpoint(client.endpoint.clone()))?;
        let lost = entry.lost_update().cloned();
        entry.updating =
            Some(Updating { at: self.system.clock.now(), token_fingerprint: token.fingerprint() });
        // The answer may take token and secret out of force: nothing is asked that cannot be kept.
        self.drawer.keep(lock, entry)?;
        let named_by = client.named_by.as_deref();
        let answer = match self.send(request(url.clone(), &token), Some(&url), named_by).await {
            Ok(answer) => answer,
            Err(error) => {
                if error.never_reached() {
                    entry.updating = lost;
                    self.drawer.keep(lock, entry)?;
                }
                return Err(RegistrationError::Http(error));
            }
        };
        let said = judge(&answer, &endpoint, &entry.held(client), self.system.clock.now());
        let said = said.without(&entry.registration_secrets());
        match &said {
            // Whether anything was changed is not known: the mark stays.
            Said::NoVerdict { .. } => {}
            // The token is in force no more, and it stays known why that may be.
            Said::Unauthorized(error) if error.status == 401 => {
                self.tell_lost(lost.as_ref());
                entry.updating = lost;
            }
            _ => entry.updating = None,
        }
        let changed = take_in(said, entry, client, told, &url);
        self.drawer.keep(lock, entry)?;
        changed
    }

    /// Tells, where the token is refused, that a later one may have been lost.
    fn tell_lost(&self, lost: Option<&Updating>) {
        if let Some(Updating { at, .. }) = lost {
            (self.ears.notify)(Notice::RegistrationUpdateLost { at: *at });
        }
    }

    /// Ends the client at the server; what is kept here is somebody else's to forget.
    pub async fn unregister(&self) -> Result<(), RegistrationError> {
        let _seen_through = self.system.critical.enter();
        let Managed { lock: _lock, entry, client } = self.managed().await?;
        let management = entry.management().ok_or(RegistrationError::NotManaged)?;
        let answer = self.delete(&management, client.named_by.as_deref()).await;
        let answer = answer.map_err(RegistrationError::Http)?;
        let now = self.system.clock.now();
        let error = || {
            let places = crate::http::ErrorPlaces::default();
            ErrorResponse::read(answer.status, &answer.headers, &answer.body, places, now)
                .without(&entry.registration_secrets())
        };
        if answer.status == 401 {
            self.tell_lost(entry.lost_update());
        }
        let done = match answer.status {
            200..=299 => Ok(()),
            401 | 404 | 410 => Err(RegistrationError::Gone),
            400..=428 | 430..=499 => return Err(RegistrationError::Refused(error())),
            status => return Err(RegistrationError::NoVerdict { status, what: "no verdict" }),
        };
        if let Some(next) = &entry.next_client {
            self.end_waiting(next).await;
        }
        done
    }

    /// Ends a client that waited, under the issuer that named its own endpoint.
    async fn end_waiting(&self, next: &NextClient) -> bool {
        self.end_at_once(next.management().as_ref(), next.client.named_by.as_deref()).await
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
                match entry.is_bare() {
                    true => self.drawer.remove(lock),
                    false => self.drawer.keep(lock, &entry),
                }
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

/// A server that does not say which redirect URIs it registered took those it was asked for.
fn redirect_uris(given: &Given, metadata: &Map<String, Value>) -> Vec<String> {
    match given.redirect_uris.is_empty() {
        true => texts(metadata, "redirect_uris"),
        false => given.redirect_uris.clone(),
    }
}

/// A new client beside the one that the tokens were given to.
fn waiting(client: RegisteredClient, given: &Given, asked: &Asked<'_>) -> NextClient {
    let mut secrets = BTreeMap::new();
    keep_given(&mut secrets, given);
    keep_brought(&mut secrets, asked.brought);
    let secrets_for = asked.token_endpoint.to_owned();
    NextClient { client, secrets, secrets_for, shown_at: asked.shown_at.clone() }
}

/// A new client where no tokens are.
fn put_in_force(entry: &mut Entry, client: RegisteredClient, given: &Given, asked: &Asked<'_>) {
    match entry.registration.is_some() {
        true => entry.leave_client(),
        false => entry.keep_for_alone(Some(asked.token_endpoint), asked.provider),
    }
    keep_given(&mut entry.secrets, given);
    keep_brought(&mut entry.secrets, asked.brought);
    entry.secrets_for = Some(asked.token_endpoint.to_owned());
    entry.show_at(asked.shown_at.clone());
    entry.registration = Some(Box::new(client));
}

/// Whether all that a client brings is kept already.
fn keeps(entry: &Entry, brought: &Credentials) -> bool {
    let is_kept = |brought: &Option<Secret>, kept: Option<&Secret>| {
        brought.as_ref().is_none_or(|brought| kept == Some(brought))
    };
    is_kept(&brought.private_key, entry.private_key())
        && is_kept(&brought.certificate, entry.client_certificate())
}

/// Keeps what a client is known by, before it is used.
fn keep_brought(secrets: &mut BTreeMap<String, Secret>, brought: &Credentials) {
    let named = [(PRIVATE_KEY, &brought.private_key), (CERTIFICATE, &brought.certificate)];
    for (name, secret) in named {
        if let Some(secret) = secret {
            secrets.insert(name.into(), secret.clone());
        }
    }
}

/// What a client was asked to be, and what it proves itself by from then on.
type Told<'a> = (&'a Map<String, Value>, &'a Credentials);

/// Puts what the server said about the client in force into the entry.
fn take_in(
    said: Said,
    entry: &mut Entry,
    client: &mut RegisteredClient,
    told: Option<Told<'_>>,
    asked: &Url,
) -> Result<(), RegistrationError> {
    match said {
        Said::Given(given) if given.client_id != client.client_id => {
            let Given { client_id, management, .. } = *given;
            let beside = Beside { client_id: Some(client_id), secret: None, management };
            beside.keep_in(entry, client, asked);
            let why = "it answered about another client".to_owned();
            Err(RegistrationError::UnfitUpdate { why })
        }
        Said::Given(given) => {
            *client = changed(client, &given, told.map(|(metadata, _)| metadata));
            keep_given(&mut entry.secrets, &given);
            // The server knows the client by these from here on, and by those of before no more.
            if let Some((_, brought)) = told {
                keep_brought(&mut entry.secrets, brought);
            }
            entry.registration = Some(Box::new(client.clone()));
            Ok(())
        }
        Said::Unfit { why, client_id, secret, management } => {
            Beside { client_id, secret, management }.keep_in(entry, client, asked);
            Err(RegistrationError::UnfitUpdate { why })
        }
        // RFC 7592 section 2.2.2: the client is there, and this is not allowed.
        Said::Unauthorized(error) if error.status == 403 => Err(RegistrationError::Refused(error)),
        // RFC 7592 section 2.1: a client that is no more has a token that is no more.
        Said::Unauthorized(_) => Err(RegistrationError::Gone),
        Said::Refused(error) if matches!(error.status, 404 | 410) => Err(RegistrationError::Gone),
        Said::Refused(error) => Err(RegistrationError::Refused(error)),
        Said::NoVerdict { status, what } => Err(RegistrationError::NoVerdict { status, what }),
    }
}

/// The same client after a read, or after an update with these metadata.
fn changed(
    before: &RegisteredClient,
    given: &Given,
    metadata: Option<&Map<String, Value>>,
) -> RegisteredClient {
    let after = RegisteredClient {
        authentication: given.authentication,
        secret_expires_at: given.secret_expires_at,
        ..before.clone()
    };
    match metadata {
        Some(metadata) => RegisteredClient {
            scopes: given.scopes.clone(),
            grant_types: given.grant_types.clone(),
            redirect_uris: redirect_uris(given, metadata),
            terms: Some(Terms::agreed(metadata, given)),
            ..after
        },
        None => RegisteredClient {
            scopes: given.scopes.clone().or(after.scopes),
            grant_types: given.grant_types.clone().or(after.grant_types),
            redirect_uris: match given.redirect_uris.is_empty() {
                true => after.redirect_uris,
                false => given.redirect_uris.clone(),
            },
            ..after
        },
    }
}
