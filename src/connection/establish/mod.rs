//! How a connection comes to be: a flow gives tokens, and only then anything is written.

pub mod asserted;
pub mod authorization_code;
pub mod carried;
pub mod device;
pub mod direct;
mod holders;
pub mod identified;
pub mod imported;
pub mod pushed;
mod turn;

use super::entry::{Credentials, Entry, ShownAt};
use super::identity::{Identity, Likeness, compare, words};
use super::leftover::Origin;
use super::server::Unanswered;
use super::{Connection, FreshError, Notice, server};
use crate::authorization_server::authorization_request::RequestError;
use crate::authorization_server::client_authentication::check;
use crate::authorization_server::grant_assertion::BroughtError;
use crate::authorization_server::token_request::ServerRequest;
use crate::authorization_server::token_response::{Asked, TokenAnswer, id_token, judge};
use crate::authorization_server::{ClientRegistration, Wanted};
use crate::clock::seconds_until;
use crate::http::HttpError;
use crate::http::error_response::ErrorResponse;
use crate::http::printable::printable;
use crate::profile::file::ProfileError;
use crate::provider::MissingValue;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::store::lock::{Lock, LockError};
use crate::token_set::TokenSet;
use crate::user_agent::redirection_endpoint::BindError;

/// What the person or the script brings to a first authorization.
#[derive(Default)]
pub struct Brought {
    /// Scopes to ask for.
    pub scopes: Vec<String>,
    /// What else to ask for.
    pub wanted: Wanted,
    /// A client secret from prompt, file or environment; else the stored one is used.
    pub client_secret: Option<Secret>,
    /// A private key from a file or standard input; else the stored one is used.
    pub private_key: Option<Secret>,
    /// A certificate chain from a file; else the stored one is used.
    pub client_certificate: Option<Secret>,
    /// Whether another account than before is fine.
    pub account_may_change: bool,
    /// Whether this is a CI job's copy of what lives elsewhere.
    pub borrowed: bool,
}

/// Finds a secret that is kept for a token endpoint, or for a provider.
pub type KeptSecret = for<'e> fn(&'e Entry, Option<&str>, &str) -> Option<&'e Secret>;

/// Why no connection came to be; nothing was written.
#[derive(Debug)]
pub enum EstablishError {
    /// A step that calls share with connecting failed.
    Fresh(FreshError),
    /// The authorization server said no, in the browser.
    Denied {
        /// `access_denied` and its like.
        error: String,
        /// The vendor's words.
        description: Option<String>,
    },
    /// The token endpoint said no.
    Refused(ErrorResponse),
    /// Too many requests.
    TooMany {
        /// Seconds to wait, where the answer says.
        retry_after: Option<u64>,
    },
    /// No answer to the token request.
    Http(HttpError),
    /// An answer that judges nothing.
    NoVerdict {
        /// Its status.
        status: u16,
        /// What it was.
        what: String,
    },
    /// The tokens were not bound to the key, and were not kept.
    Unbound,
    /// `iss` named another server.
    WrongIssuer,
    /// Nobody came back in time.
    TimedOut {
        /// In seconds.
        after: u64,
        /// The redirect URI that was waited at.
        redirect_uri: String,
        /// Requests that were no answer.
        strays: usize,
    },
    /// The listener could not be made.
    Bind(BindError),
    /// The authorization request could not be made.
    Request(RequestError),
    /// The redirect needs a paste and nobody is there to paste.
    NobodyToPaste {
        /// The page that the browser is sent to.
        redirect_uri: String,
    },
    /// The authorization request could not be pushed; no browser was opened.
    Push(pushed::PushError),
    /// Another account than before.
    AccountChanged {
        /// What it was.
        was: Identity,
        /// What it would be.
        is: Identity,
        /// Whether that is known.
        likeness: Likeness,
    },
    /// The device flow did not come to its end.
    Device(device::DeviceError),
    /// A ready assertion that no server would take.
    Assertion(BroughtError),
    /// A token exchange issued what no call can be made with.
    NotForCalls {
        /// Its type.
        issued: String,
    },
    /// An import that makes no sense.
    Import(imported::ImportError),
    /// The profile could not be written.
    Profile(ProfileError),
    /// It is not known who connected.
    Identity(identified::IdentityError),
}

impl From<FreshError> for EstablishError {
    fn from(error: FreshError) -> Self {
        Self::Fresh(error)
    }
}

impl From<Unanswered> for EstablishError {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Unsigned(error) => Self::Fresh(error.into()),
            Unanswered::Http(error) => Self::Http(error),
        }
    }
}

impl From<StoreError> for EstablishError {
    fn from(error: StoreError) -> Self {
        Self::Fresh(FreshError::Store(error))
    }
}

impl From<LockError> for EstablishError {
    fn from(error: LockError) -> Self {
        Self::Fresh(FreshError::Lock(error))
    }
}

impl From<MissingValue> for EstablishError {
    fn from(error: MissingValue) -> Self {
        Self::Fresh(FreshError::MissingValue(error.0))
    }
}

impl From<ProfileError> for EstablishError {
    fn from(error: ProfileError) -> Self {
        Self::Profile(error)
    }
}

impl Connection<'_> {
    /// Client id and secret for a first token request.
    pub(super) fn registration(
        &self,
        brought: &Brought,
    ) -> Result<ClientRegistration, EstablishError> {
        let client_id = self.client_id.clone().ok_or(FreshError::ClientIdMissing)?;
        let client_secret = match (&brought.client_secret, self.client_secret_override()) {
            (Some(secret), _) => Some(secret.clone()),
            (None, Some(secret)) => Some(secret),
            (None, None) => self.stored_secret(Entry::client_secret_for)?,
        };
        if client_secret.is_none() && self.provider.client.needs_secret() {
            return Err(FreshError::ClientSecretMissing.into());
        }
        let private_key = match &brought.private_key {
            Some(key) => Some(key.clone()),
            None if self.provider.takes_key() => self.stored_secret(Entry::private_key_for)?,
            None => None,
        };
        self.hold_certificate(brought, private_key.as_ref())?;
        let registration = ClientRegistration { client_id, client_secret, private_key };
        // Nobody consents in vain: what cannot sign is known before a person is sent anywhere.
        check(&self.provider, &self.values, &registration)?.map_err(FreshError::from)?;
        Ok(registration)
    }

    /// A secret of the client that is kept for this very token endpoint.
    pub(super) fn stored_secret(&self, which: KeptSecret) -> Result<Option<Secret>, StoreError> {
        let endpoint = self.token_endpoint().ok();
        let entry = self.entry_of_client()?;
        let secret =
            entry.as_ref().and_then(|it| which(it, endpoint.as_deref(), &self.provider.name));
        Ok(secret.cloned())
    }

    /// What is kept, as it is for the client that asks for tokens now.
    pub(super) fn entry_of_client(&self) -> Result<Option<Entry>, StoreError> {
        Ok(self.drawer.read()?.map(|entry| entry.for_client(self.client_id.as_deref())))
    }

    /// Whether a token request may be sent at all: asked before a person is sent anywhere, so
    /// that nobody consents in vain. Nothing is counted yet.
    pub(super) async fn token_prospect(&self, client_id: &str) -> Result<(), EstablishError> {
        self.check_cooldown(client_id)?;
        let Some(lane) = self.token_lane(client_id)? else { return Ok(()) };
        let prospect = lane.token_prospect(&*self.system.clock).await;
        Ok(prospect.map_err(|until| FreshError::UsedUp { until })?)
    }

    fn check_cooldown(&self, client_id: &str) -> Result<(), EstablishError> {
        let now = self.system.clock.now();
        match self.cooldown(client_id)?.until(now) {
            Some(until) => {
                Err(EstablishError::TooMany { retry_after: Some(seconds_until(now, until)) })
            }
            None => Ok(()),
        }
    }

    /// Fetches first tokens when the token endpoint's limit has room.
    pub(super) async fn first_tokens(
        &self,
        registration: &ClientRegistration,
        request: &ServerRequest,
        scopes: &[String],
    ) -> Result<TokenSet, EstablishError> {
        self.tokens_in_turn(registration, request, asked(scopes)).await
    }

    /// The same for a token exchange, whose answer says what it issued.
    pub(super) async fn exchanged_tokens(
        &self,
        registration: &ClientRegistration,
        request: &ServerRequest,
        scopes: &[String],
    ) -> Result<TokenSet, EstablishError> {
        let asked = Asked { exchange: true, ..asked(scopes) };
        self.tokens_in_turn(registration, request, asked).await
    }

    async fn tokens_in_turn(
        &self,
        registration: &ClientRegistration,
        request: &ServerRequest,
        asked: Asked,
    ) -> Result<TokenSet, EstablishError> {
        self.check_cooldown(&registration.client_id)?;
        if let Some(lane) = self.token_lane(&registration.client_id)? {
            let turn = lane.token_turn(&*self.system.clock).await;
            self.tell_counts_alone(lane.counts_alone());
            turn.map_err(|until| FreshError::UsedUp { until })?;
        }
        let (tokens, _) = self.exchange_once(registration, request, asked).await?;
        Ok(tokens)
    }

    /// Exchanges a code, counted but never held back: it would be lost, and the person's consent
    /// with it. Gives the ID token too, as it came.
    pub(super) async fn tokens_of_code(
        &self,
        registration: &ClientRegistration,
        request: &ServerRequest,
        scopes: &[String],
    ) -> Result<(TokenSet, Option<Secret>), EstablishError> {
        if let Some(lane) = self.token_lane(&registration.client_id)? {
            lane.count(&*self.system.clock).await;
            self.tell_counts_alone(lane.counts_alone());
        }
        self.exchange_once(registration, request, asked(scopes)).await
    }

    /// Sends a first token request, once: a code is never sent again (RFC 6749 section 4.1.2).
    async fn exchange_once(
        &self,
        registration: &ClientRegistration,
        request: &ServerRequest,
        asked: Asked,
    ) -> Result<(TokenSet, Option<Secret>), EstablishError> {
        let cooldown = self.cooldown(&registration.client_id)?;
        // A code may be spent from here on: a signal waits for the answer, and then for the store.
        let _seen_through = self.system.critical.enter();
        let asked_at = self.system.clock.now();
        let prover = self.new_prover()?;
        let stamp = self.stamp(&prover);
        let (answer, secrets) =
            server::send_stamped(self.http()?, request, stamp, &self.tracing()).await?;
        let judged = judge(&self.provider, &asked, &answer, asked_at);
        match judged.without(&secrets) {
            TokenAnswer::Granted(tokens) => Ok((tokens, id_token(&answer))),
            TokenAnswer::Refused(error) => Err(EstablishError::Refused(error)),
            TokenAnswer::TooMany { retry_after } => {
                let now = self.system.clock.now();
                // Where the wait cannot be noted, other processes hear it from the server.
                let _ = cooldown.begin(now, retry_after);
                Err(EstablishError::TooMany { retry_after })
            }
            TokenAnswer::Unbound(tokens) => Err(self.end_unbound(tokens, registration).await),
            TokenAnswer::Unfit { status, what } => Err(EstablishError::NoVerdict { status, what }),
            TokenAnswer::NoVerdict { status, what, .. } => {
                Err(EstablishError::NoVerdict { status, what })
            }
        }
    }

    /// Ends tokens that a server gave without the binding that was asked for: nobody may be left
    /// with what anyone could use.
    pub(super) async fn end_unbound(
        &self,
        tokens: TokenSet,
        registration: &ClientRegistration,
    ) -> EstablishError {
        self.end_unidentified(tokens, registration).await;
        EstablishError::Unbound
    }

    /// Stores the first tokens of an authorization.
    pub(super) async fn store_first(
        &self,
        tokens: TokenSet,
        registration: &ClientRegistration,
        brought: &Brought,
        reissues: bool,
    ) -> Result<Entry, EstablishError> {
        let client = (registration, ShownAt::default());
        self.store_shown(tokens, client, brought, reissues).await
    }

    /// The same where the client was proved elsewhere than at the token endpoint too.
    async fn store_shown(
        &self,
        tokens: TokenSet,
        (registration, shown_at): (&ClientRegistration, ShownAt),
        brought: &Brought,
        reissues: bool,
    ) -> Result<Entry, EstablishError> {
        let fill = |entry: &mut Entry| {
            if let Some(tokens) = &entry.tokens {
                self.tell_shortfall(tokens, &brought.scopes, reissues);
            }
            self.fill_first(entry, (registration, shown_at), brought, reissues)
        };
        self.put(tokens, brought, Origin::Granted, &|_, _| Ok(()), fill).await
    }

    /// The same for tokens that a person has just allowed: those of an account that was not wanted are ended.
    pub(super) async fn store_granted(
        &self,
        tokens: TokenSet,
        registration: &ClientRegistration,
        brought: &Brought,
        shown_at: ShownAt,
    ) -> Result<Entry, EstablishError> {
        let client = (registration, shown_at);
        let stored = self.store_shown(tokens.clone(), client, brought, false).await;
        if let Err(EstablishError::AccountChanged { was, is, .. }) = &stored {
            self.end_discarded(tokens, registration, (was, is)).await;
        }
        stored
    }

    /// What is said of tokens that are kept for the first time.
    fn fill_first(
        &self,
        entry: &mut Entry,
        (registration, shown_at): (&ClientRegistration, ShownAt),
        brought: &Brought,
        reissues: bool,
    ) -> Result<(), EstablishError> {
        entry.reissues = reissues;
        entry.asserts = false;
        entry.client_id =
            Some(registration.client_id.clone()).filter(|client_id| !client_id.is_empty());
        entry.take_up(&registration.client_id);
        // One that came from the store may have been changed there meanwhile.
        let credentials = Credentials {
            client_secret: brought.client_secret.clone().or(self.client_secret_override()),
            private_key: brought.private_key.clone(),
            certificate: brought.client_certificate.clone(),
        };
        let (endpoint, provider) = (self.token_endpoint().ok(), &self.provider.name);
        entry.bring_credentials(credentials, endpoint, provider, shown_at);
        entry.requested = brought.scopes.clone();
        entry.wanted = brought.wanted.clone();
        entry.bound = Some(self.bound()?);
        entry.last_refreshed_at = None;
        entry.saved = None;
        entry.access_only = false;
        entry.account_is_claimed = false;
        entry.dpop_key = self.new_key()?;
        Ok(())
    }

    /// Puts tokens in the place of what is here, then writes the profile: from here on the connection exists.
    ///
    /// `replaces` says whether they may replace an entry, before a person is asked and again under
    /// the lock; `fill` adds what is known beside the tokens.
    async fn put(
        &self,
        tokens: TokenSet,
        brought: &Brought,
        origin: Origin,
        replaces: &dyn Fn(&Entry, &TokenSet) -> Result<(), imported::ImportError>,
        fill: impl FnOnce(&mut Entry) -> Result<(), EstablishError>,
    ) -> Result<Entry, EstablishError> {
        let may_replace = |before: Option<&Entry>| match before {
            Some(before) => replaces(before, &tokens).map_err(EstablishError::Import),
            None => Ok(()),
        };
        let seen = self.drawer.read()?;
        may_replace(seen.as_ref())?;
        // The question comes before the lock, which is never held while a person is waited for.
        check_account(self, seen.as_ref(), &tokens, brought).await?;
        if origin != Origin::Granted {
            self.drawer.store.prove()?;
        }
        let _seen_through = self.system.critical.enter();
        let lock = self.lock().await?;
        let before = self.drawer.read()?;
        may_replace(before.as_ref())?;
        let mut entry = before.clone().unwrap_or_else(|| Entry::empty(&*self.system.random));
        entry.imported = tokens.refresh_token.as_ref().map(Secret::fingerprint);
        entry.adopt(tokens);
        entry.authorizations += 1;
        fill(&mut entry)?;
        entry.borrowed = brought.borrowed;
        self.write(&lock, &entry)?;
        self.hear(&entry);
        drop(lock);
        if let Some(before) = before {
            self.end_replaced(&before, &entry, origin).await;
        }
        Ok(entry)
    }

    /// Entry, record and profile, in the order in which a crash between them does no harm.
    fn write(&self, lock: &Lock, entry: &Entry) -> Result<(), EstablishError> {
        self.drawer.keep(lock, entry)?;
        self.has_stored.set(true);
        self.drawer.profiles.write(self.name(), &self.profile)?;
        self.drawer.tell(entry, self.provider.refresh.rotation)?;
        Ok(())
    }

    fn tell_shortfall(&self, tokens: &TokenSet, asked: &[String], reissues: bool) {
        if let Some(granted) = &tokens.granted {
            let less: Vec<String> = asked
                .iter()
                .filter(|scope| !granted.contains(scope) && !self.implies_refresh(scope))
                .cloned()
                .collect();
            if !less.is_empty() {
                (self.notify)(Notice::GrantedLess(less));
            }
        }
        if !reissues && self.misses_refresh_token(tokens) {
            (self.notify)(Notice::NoRefreshToken);
        }
    }

    /// Whether tokens come without the refresh token that the provider has for them.
    fn misses_refresh_token(&self, tokens: &TokenSet) -> bool {
        use crate::provider::schema::Rotation;
        let is_expected =
            matches!(self.provider.refresh.rotation, Rotation::Rotating | Rotation::SingleUse);
        is_expected && tokens.refresh_token.is_none()
    }

    fn implies_refresh(&self, scope: &str) -> bool {
        self.provider.scope.iter().any(|it| it.name == scope && it.implies_refresh)
    }
}

/// An answer that names no scopes means these (RFC 6749 section 5.1).
fn asked(scopes: &[String]) -> Asked {
    Asked { scopes: (!scopes.is_empty()).then(|| scopes.to_vec()), ..Asked::default() }
}

/// Tokens of another account never replace the old ones in silence (attack A29).
async fn check_account(
    connection: &Connection<'_>,
    before: Option<&Entry>,
    tokens: &TokenSet,
    brought: &Brought,
) -> Result<(), EstablishError> {
    let Some(old) = before.and_then(|entry| entry.tokens.as_ref()) else {
        return Ok(());
    };
    let (was, is) = (connection.identity(old), connection.identity(tokens));
    let likeness = compare(&was, &is);
    let is_the_same = match likeness {
        Likeness::Same => true,
        Likeness::Different => false,
        Likeness::Unknown => was.is_empty() && is.is_empty(),
    };
    if is_the_same || brought.account_may_change {
        return Ok(());
    }
    if let Some(person) = connection.system.person.clone() {
        let shown = |tokens| match words(&connection.described(tokens)).as_str() {
            "" => "an account that is not known".to_owned(),
            words => printable(words),
        };
        let question = format!(
            "`{}` was connected to {}; this authorization is for {}. Replace it? [y/N]",
            connection.name(),
            shown(old),
            shown(tokens)
        );
        // In a thread of its own, so that a signal is heard while the person thinks.
        let asked = tokio::task::spawn_blocking(move || person.ask(&question)).await;
        let answer = asked.ok().and_then(Result::ok).unwrap_or_default();
        if matches!(answer.to_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
    }
    let (was, is) = (connection.described(old), connection.described(tokens));
    Err(EstablishError::AccountChanged { was, is, likeness })
}
