//! An access token that is good now: the only place that refreshes.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::cooldown::Cooldown;
use super::drawer::is_renewable;
use super::entry::{Ended, Entry};
use super::identity::{Likeness, compare};
use super::pace::Lane;
use super::roll::{self, NoVerdict, Order, Reason, Rolled, Tools};
use super::saving::{self, NotSaved};
#[cfg(unix)]
use super::worker;
use super::{Connection, Notice};
use crate::authorization_server::AssertionError;
use crate::clock::seconds_until;
use crate::http::HttpError;
use crate::http::error_response::ErrorResponse;
use crate::provider::schema::Rotation;
use crate::secret::Secret;
use crate::store::durable::Folder;
use crate::store::lock::{Holder, Lock, LockError, Taken};
use crate::store::{StoreError, StoreKind};
use crate::system::CriticalPart;
use crate::token_set::TokenSet;

/// How long a command waits for the lock; more than a token request may take.
pub const LOCK_WAIT: Duration = Duration::from_secs(30);
/// The margin before its end at which an access token counts as ended, in seconds.
const MARGIN: u64 = 60;

/// Which access token will do.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// One that lives beyond the margin, and at least that long where a number is given.
    Good(Option<Duration>),
    /// Any but this one, which the resource server has just refused.
    NotThis(Secret),
    /// A new one.
    New,
}

/// Why there is no access token.
#[derive(Debug)]
pub enum FreshError {
    /// Nobody has authorised the profile.
    NotConnected,
    /// The access token has ended and nothing can renew it.
    CannotRenew,
    /// The provider ended the connection.
    Ended(Ended),
    /// The profile now names other endpoints than the tokens were given for.
    Rebound {
        /// What it was.
        was: String,
        /// What it is.
        is: String,
    },
    /// The tokens are bound to no key where one is wanted, or to one where none is.
    Unbound {
        /// Whether the profile wants bound tokens.
        is_wanted: bool,
    },
    /// The key that tokens are bound to could not be made or read.
    NoKey,
    /// The client secret is needed and nowhere to be found.
    ClientSecretMissing,
    /// The private key is needed and nowhere to be found.
    ClientKeyMissing,
    /// The client certificate is needed and nowhere to be found.
    ClientCertificateMissing,
    /// What the client signs cannot be signed.
    Unsigned(String),
    /// No client id.
    ClientIdMissing,
    /// A template of the provider names a value that is not known.
    MissingValue(String),
    /// The lock was not had.
    Lock(LockError),
    /// The store refused, before anything was sent.
    Store(StoreError),
    /// The store refused the new tokens.
    Unstored {
        /// Why.
        error: StoreError,
        /// Whether they are in the journal.
        in_journal: bool,
    },
    /// A verdict that is not about the tokens.
    Refused(ErrorResponse),
    /// Too many requests.
    TooMany {
        /// When to come back.
        until: Timestamp,
        /// How long that is from now, in seconds.
        seconds: u64,
        /// Whether an earlier answer was lost, so that the refresh token may be spent.
        may_be_spent: bool,
    },
    /// The limit of the token endpoint is used up until then; nothing was sent.
    UsedUp {
        /// When to come back.
        until: Timestamp,
    },
    /// Nobody judged.
    NoVerdict(NoVerdict),
    /// The process that refreshes could not be started or ended without a word.
    Worker(String),
    /// No client could be made.
    Http(HttpError),
    /// In a CI job, a copy of a connection whose home is elsewhere would be lost by a refresh.
    Borrowed,
    /// Only an access token was handed over.
    AccessTokenOnly,
    /// An access token alone would be of no use: it is bound to the client's certificate, which
    /// would go with it and make new ones.
    NeedsCertificate,
    /// The key is wanting under which a refreshed connection is saved.
    SaveKey(StoreError),
    /// The save command did not pass its proof; nothing was sent.
    NotProved(NotSaved),
    /// The new tokens are stored, and the save command did not take them.
    Unsaved {
        /// Why not.
        error: NotSaved,
        /// Where a sealed copy is.
        copy: Option<PathBuf>,
    },
}

impl From<StoreError> for FreshError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<AssertionError> for FreshError {
    fn from(error: AssertionError) -> Self {
        match error {
            AssertionError::NoKey => Self::ClientKeyMissing,
            AssertionError::NoSecret => Self::ClientSecretMissing,
            other => Self::Unsigned(other.to_string()),
        }
    }
}

impl Connection<'_> {
    /// The stored entry if its access token will do as it is: no lock, no network, one read.
    pub fn stored(&self, wanted: &Wanted) -> Result<Option<Entry>, FreshError> {
        let entry = self.entry()?;
        let will_do = self.satisfies(&entry, wanted) && !self.is_unsaved(&entry)?;
        Ok(will_do.then_some(entry))
    }

    /// An entry whose access token will do, refreshed where it must be.
    pub async fn fresh(&self, wanted: &Wanted) -> Result<Entry, FreshError> {
        self.fresh_from(self.entry()?, wanted).await
    }

    /// The same for an entry that was read a moment ago.
    pub async fn fresh_from(&self, seen: Entry, wanted: &Wanted) -> Result<Entry, FreshError> {
        if self.satisfies(&seen, wanted) {
            return match self.is_unsaved(&seen)? {
                true => self.saved().await,
                false => Ok(seen),
            };
        }
        if let Err(failure) = self.can_renew(&seen) {
            return self.serve_copy_or(&seen, wanted, failure);
        }
        if let Some(failure) = self.cooling_down(&seen)? {
            return self.serve_or(&seen, wanted, failure);
        }
        let lock = match self.lock_unless(|| self.renewed(&seen, wanted)).await {
            Ok(Taken::Lock(lock)) => lock,
            Ok(Taken::Settled(entry)) => return self.adopted(entry, wanted).await,
            Err(error) => return self.adopt_or(&seen, wanted, FreshError::Lock(error)),
        };
        let entry = self.entry()?;
        if self.was_renewed(&seen, &entry, wanted) {
            drop(lock);
            return self.adopted(entry, wanted).await;
        }
        self.can_renew(&entry)?;
        // Those who waited for a holder that was told to wait are told the same.
        if let Some(failure) = self.cooling_down(&entry)? {
            return self.serve_or(&entry, wanted, failure);
        }
        let order = self.order(&entry, wanted)?;
        let rolled = self.roll(order, lock).await?;
        self.settle(&entry, wanted, rolled)
    }

    /// The entry, with tokens, bound to the endpoints that the profile names.
    pub fn entry(&self) -> Result<Entry, FreshError> {
        let entry = self.drawer.read()?.ok_or(FreshError::NotConnected)?;
        if entry.tokens.is_none() {
            return Err(FreshError::NotConnected);
        }
        self.check_bound(&entry)?;
        self.check_hosts(&entry)?;
        if self.provider.client.dpop_bound_access_tokens != entry.dpop_key.is_some() {
            let is_wanted = self.provider.client.dpop_bound_access_tokens;
            return Err(FreshError::Unbound { is_wanted });
        }
        self.hear(&entry);
        Ok(entry)
    }

    /// Tokens go only where they were given for, whatever the profile says today.
    pub(super) fn check_bound(&self, entry: &Entry) -> Result<(), FreshError> {
        let Some(was) = &entry.bound else {
            return Ok(());
        };
        // What cannot be filled in cannot be sent to either.
        let pairs = [
            (Some(&was.token_endpoint), self.token_endpoint().ok()),
            (Some(&was.api_origin), self.api_origin().ok()),
            (was.revocation_endpoint.as_ref(), self.revocation_endpoint()),
            (was.introspection_endpoint.as_ref(), self.introspection_endpoint()),
        ];
        for (known, is) in pairs {
            let Some(is) = is else { continue };
            let agrees = match known {
                Some(known) => *known == is,
                // One that the provider file has gained since is the token endpoint's own server.
                None => have_one_origin(&was.token_endpoint, &is),
            };
            if !agrees {
                let was = known.unwrap_or(&was.token_endpoint).clone();
                return Err(FreshError::Rebound { was, is });
            }
        }
        Ok(())
    }

    /// A host that the provider file has gained since is not given the access token; ending it is another matter.
    fn check_hosts(&self, entry: &Entry) -> Result<(), FreshError> {
        let Some(was) = &entry.bound else {
            return Ok(());
        };
        let known = was.other_hosts.as_ref();
        let added = |host: &&String| known.is_some_and(|known| !known.contains(host));
        match self.provider.api.hosts.iter().find(added) {
            Some(is) => Err(FreshError::Rebound { was: was.api_origin.clone(), is: is.clone() }),
            None => Ok(()),
        }
    }

    /// Whether the access token of an entry will do as it is.
    pub fn satisfies(&self, entry: &Entry, wanted: &Wanted) -> bool {
        let Some(tokens) = &entry.tokens else {
            return false;
        };
        let now = self.system.clock.now();
        let margin = Duration::from_secs(self.provider.refresh.margin.unwrap_or(MARGIN));
        match wanted {
            Wanted::Good(least) => {
                entry.ended.is_none()
                    && tokens.access_is_fresh(now, margin)
                    && least
                        .is_none_or(|least| tokens.access_lives_for(now, possible(tokens, least)))
            }
            Wanted::NotThis(refused) => entry.ended.is_none() && tokens.access_token != *refused,
            Wanted::New => false,
        }
    }

    /// Until when the access token of an entry is good beyond the margin; `None` where no end is known.
    pub fn fresh_until(&self, entry: &Entry) -> Option<Timestamp> {
        let margin = Duration::from_secs(self.provider.refresh.margin.unwrap_or(MARGIN));
        entry.tokens.as_ref().and_then(|tokens| tokens.fresh_until(margin))
    }

    /// Whether another process has done what was wanted while this one waited for the lock.
    fn was_renewed(&self, seen: &Entry, entry: &Entry, wanted: &Wanted) -> bool {
        let moved = entry.generation != seen.generation && entry.ended.is_none();
        match wanted {
            Wanted::New => moved,
            _ => self.satisfies(entry, wanted),
        }
    }

    /// What another process has stored meanwhile; an entry that cannot be read says so under the lock.
    fn renewed(&self, seen: &Entry, wanted: &Wanted) -> Option<Entry> {
        self.entry().ok().filter(|entry| self.was_renewed(seen, entry, wanted))
    }

    fn can_renew(&self, entry: &Entry) -> Result<(), FreshError> {
        if let Some(ended) = &entry.ended {
            return Err(FreshError::Ended(ended.clone()));
        }
        let rotation = self.provider.refresh.rotation;
        let with_secret = self.client_secret_override().is_some();
        let reissues = with_secret && rotation == Rotation::Reissue;
        match is_renewable(entry, rotation) || reissues {
            true => self.may_spend(entry),
            false if entry.access_only => Err(FreshError::AccessTokenOnly),
            false => Err(FreshError::CannotRenew),
        }
    }

    /// The cooldown that the token endpoint has imposed on the client of this entry.
    fn cooling_down(&self, entry: &Entry) -> Result<Option<FreshError>, FreshError> {
        let client_id = entry.client_id.as_deref().or(self.client_id.as_deref());
        let cooldown = self.cooldown(client_id.unwrap_or_default())?;
        let now = self.system.clock.now();
        Ok(cooldown.until(now).map(|until| FreshError::TooMany {
            until,
            seconds: seconds_until(now, until),
            may_be_spent: entry.mark_of_this_token().is_some(),
        }))
    }

    pub(super) fn cooldown(&self, client_id: &str) -> Result<Cooldown, FreshError> {
        let endpoint = self
            .values
            .render_url(&self.provider.token.url)
            .map_err(|missing| FreshError::MissingValue(missing.0))?;
        Ok(Cooldown::of(self.system.home.cooldowns(), &endpoint, client_id))
    }

    /// Takes this connection's lock, naming the holder to the person who waits.
    pub async fn lock(&self) -> Result<Lock, LockError> {
        match self.lock_unless(|| None::<Infallible>).await? {
            Taken::Lock(lock) => Ok(lock),
            Taken::Settled(never) => match never {},
        }
    }

    async fn lock_unless<T>(
        &self,
        settled: impl FnMut() -> Option<T>,
    ) -> Result<Taken<T>, LockError> {
        let path = self.lock_path();
        if let Some(folder) = path.parent() {
            Folder::make(folder).map_err(|error| match error {
                StoreError::Unwritable { path, source, .. } => LockError::Unusable { path, source },
                other => LockError::Unusable {
                    path: folder.to_owned(),
                    source: std::io::Error::other(other),
                },
            })?;
        }
        let name = |holder: Option<&Holder>| {
            (self.notify)(Notice::WaitingForLock(holder.cloned()));
        };
        Lock::take_unless(&path, LOCK_WAIT, &*self.system.clock, name, settled).await
    }

    pub(super) fn order(&self, entry: &Entry, wanted: &Wanted) -> Result<Order, FreshError> {
        let client_id = entry
            .client_id
            .clone()
            .or_else(|| self.client_id.clone())
            .ok_or(FreshError::ClientIdMissing)?;
        let client_secret = self.client_secret_override();
        if self.provider.client.shows_certificate() && entry.client_certificate().is_none() {
            return Err(FreshError::ClientCertificateMissing);
        }
        let endpoint = self.token_endpoint().ok();
        let (to, name) = (endpoint.as_deref(), self.provider.name.as_str());
        if self.provider.client.needs_key() && entry.private_key_for(to, name).is_none() {
            return Err(FreshError::ClientKeyMissing);
        }
        let secret_needed = self.provider.client.needs_secret();
        let kept = entry.client_secret_for(to, name);
        if secret_needed && client_secret.is_none() && kept.is_none() {
            return Err(FreshError::ClientSecretMissing);
        }
        Ok(Order {
            provider: self.provider.clone(),
            settings: self.profile.settings.clone(),
            client_id,
            client_secret,
            generation: entry.generation,
            reason: self.reason(entry, wanted),
            host: self.system.host_name(),
            saving: self.saving_for(entry)?.cloned(),
        })
    }

    fn reason(&self, entry: &Entry, wanted: &Wanted) -> Reason {
        match wanted {
            Wanted::New => Reason::Asked,
            Wanted::NotThis(_) => Reason::Refused,
            Wanted::Good(_) if self.still_serves(entry, &Wanted::Good(None)) => Reason::Due,
            Wanted::Good(_) => Reason::Expired,
        }
    }

    /// Runs the critical part to its end, whatever signal comes.
    pub(super) async fn roll(&self, order: Order, lock: Lock) -> Result<Rolled, FreshError> {
        let _seen_through = self.system.critical.enter();
        let own_process = self.system.critical_part == CriticalPart::OwnProcess
            && self.drawer.store.kind() != StoreKind::Memory;
        #[cfg(unix)]
        if own_process {
            return worker::roll(self, order, lock).await;
        }
        let _ = own_process;
        let tools = self.tools(&order)?;
        let rolled = roll::roll(&self.drawer, &lock, &order, &tools).await;
        self.tell_counts_alone(tools.counts_alone());
        Ok(rolled?)
    }

    /// Tells why a limit of token requests is not shared, where it is not.
    pub(super) fn tell_counts_alone(&self, why: Option<String>) {
        if let Some(why) = why {
            (self.notify)(Notice::CountsAlone(why));
        }
    }

    /// What a refresh in this process needs from outside.
    pub(super) fn tools(&self, order: &Order) -> Result<Tools<'_>, FreshError> {
        Ok(Tools {
            http: self.http()?,
            clock: &*self.system.clock,
            random: &*self.system.random,
            cooldown: self.cooldown(&order.client_id)?,
            pace: self.token_lane(&order.client_id)?,
            tracing: self.tracing(),
            copies: saving::copies(&self.system.home),
            nonces: self.system.home.nonces(),
        })
    }

    /// The limit of the token endpoint for a client; none where the vendor declares none.
    pub(super) fn token_lane(&self, client_id: &str) -> Result<Option<Lane>, FreshError> {
        let endpoint =
            self.token_endpoint().map_err(|missing| FreshError::MissingValue(missing.0))?;
        Ok(Lane::of_endpoint(&self.provider, &self.system.home, &endpoint, client_id))
    }

    pub(super) fn settle(
        &self,
        seen: &Entry,
        wanted: &Wanted,
        rolled: Rolled,
    ) -> Result<Entry, FreshError> {
        let failure = match rolled {
            Rolled::Renewed { recovered } => {
                if recovered {
                    (self.notify)(Notice::Recovered);
                }
                let entry = self.entry()?;
                self.tell_true_account(seen, &entry);
                // The tokens are stored, and must not be used.
                return match &entry.ended {
                    Some(ended) => Err(FreshError::Ended(ended.clone())),
                    None => Ok(entry),
                };
            }
            Rolled::Moved => return self.entry(),
            Rolled::Ended(ended) => return Err(FreshError::Ended(ended)),
            Rolled::Unstored { error, in_journal } => {
                return Err(FreshError::Unstored { error, in_journal });
            }
            Rolled::Unsaved { error, copy } => return Err(FreshError::Unsaved { error, copy }),
            Rolled::NotProved(error) => FreshError::NotProved(error),
            Rolled::Unmakable(name) => return Err(FreshError::MissingValue(name)),
            Rolled::NoKey => FreshError::NoKey,
            Rolled::Unsigned(why) => FreshError::Unsigned(why),
            Rolled::Refused(error) => FreshError::Refused(error),
            Rolled::TooMany { until, may_be_spent } => {
                let seconds = seconds_until(self.system.clock.now(), until);
                FreshError::TooMany { until, seconds, may_be_spent }
            }
            Rolled::UsedUp { until } => FreshError::UsedUp { until },
            Rolled::NoVerdict(lost) => FreshError::NoVerdict(lost),
        };
        self.serve_or(seen, wanted, failure)
    }

    /// Tells that the provider names another account than whoever imported the tokens did.
    fn tell_true_account(&self, seen: &Entry, entry: &Entry) {
        let (Some(was), Some(is)) = (&seen.tokens, &entry.tokens) else { return };
        let (was, is) = (self.identity(was), self.identity(is));
        if seen.account_is_claimed && compare(&was, &is) == Likeness::Different {
            (self.notify)(Notice::AccountCorrected { was, is });
        }
    }

    /// A token that still serves is given rather than a failure to renew it early.
    pub(super) fn serve_or(
        &self,
        entry: &Entry,
        wanted: &Wanted,
        failure: FreshError,
    ) -> Result<Entry, FreshError> {
        if !self.still_serves(entry, wanted) {
            return Err(failure);
        }
        (self.notify)(Notice::ServedOld);
        Ok(entry.clone())
    }

    pub(super) fn still_serves(&self, entry: &Entry, wanted: &Wanted) -> bool {
        let Wanted::Good(least) = wanted else {
            return false;
        };
        let now = self.system.clock.now();
        let least = least.unwrap_or(Duration::from_secs(1));
        entry.ended.is_none()
            && entry.tokens.as_ref().is_some_and(|tokens| {
                tokens.issued_at <= now && tokens.access_lives_for(now, least)
            })
    }

    /// After a wait for the lock that was in vain: what another process stored meanwhile, or the failure.
    fn adopt_or(
        &self,
        seen: &Entry,
        wanted: &Wanted,
        failure: FreshError,
    ) -> Result<Entry, FreshError> {
        let entry = self.entry()?;
        match self.was_renewed(seen, &entry, wanted) {
            true => Ok(entry),
            false => self.serve_or(&entry, wanted, failure),
        }
    }
}

/// Whether two addresses are of one scheme, host and port.
fn have_one_origin(one: &str, other: &str) -> bool {
    let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
    origin(one).is_some_and(|it| origin(other) == Some(it))
}

/// What can be asked of a token's life: one that was given for an hour never lives for two, and
/// rolling it again and again would not make it.
fn possible(tokens: &TokenSet, least: Duration) -> Duration {
    let life = tokens.access_expires_at.map(|end| end.duration_since(tokens.issued_at));
    let longest = life.and_then(|life| Duration::try_from(life).ok()).map(|life| life * 9 / 10);
    longest.map_or(least, |longest| least.min(longest))
}
