//! The critical part of a refresh, under the lock: mark, journal, send, store, read back.
//!
//! Whatever ends this process leaves either the old tokens untouched, or the new ones stored,
//! or the provider's answer in the journal for the next command to store.

pub mod put_aside;
mod save;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use put_aside::Judged;

use super::cooldown::Cooldown;
use super::drawer::Drawer;
use super::entry::{Ended, Entry, Mark};
use super::fresh::LOCK_WAIT;
use super::pace::Lane;
use super::prover::Prover;
use super::saving::{NotSaved, Saving};
use super::server::{self, Stamp, Unanswered};
use crate::authorization_server::token_request::{ServerRequest, token_request};
use crate::authorization_server::token_response::{Asked, TokenAnswer, judge};
use crate::authorization_server::{ClientRegistration, Grant};
use crate::clock::Clock;
use crate::http::error_response::ErrorResponse;
use crate::http::printable::printable;
use crate::http::{Answer, Client, HeaderMap, HttpError};
use crate::profile::settings;
use crate::provider::schema::{Action, Rotation};
use crate::provider::{MissingValue, Provider};
use crate::random::Random;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::store::journal::{Claimed, Journal, Recovered};
use crate::store::key::Key;
use crate::store::lock::Lock;
use crate::token_set::TokenSet;

/// How long is waited before the next look whether the journal is free.
const JOURNAL_PAUSE: Duration = Duration::from_millis(20);

/// What is to be done, complete: it travels to the worker as one message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    /// The vendor.
    pub provider: Provider,
    /// The profile's settings.
    pub settings: BTreeMap<String, String>,
    /// Public.
    pub client_id: String,
    /// Where it does not come from the entry.
    #[serde(with = "crate::secret::stored_option")]
    pub client_secret: Option<Secret>,
    /// The entry as the caller saw it.
    pub generation: u64,
    /// Why.
    pub reason: Reason,
    /// This machine, for the mark.
    pub host: String,
    /// Where the new connection is saved, if anywhere.
    pub saving: Option<Saving>,
}

/// Why a refresh is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// The access token ends soon but still serves.
    Due,
    /// The access token has ended.
    Expired,
    /// The resource server refused the access token.
    Refused,
    /// A person or a script asked for it.
    Asked,
    /// The tokens are good, and the save command has not taken them: only that is made up for.
    Unsaved,
}

impl Reason {
    /// Whether a refresh token whose answer was lost is worth one more try: it is, where nothing else is left.
    fn allows_resend(self) -> bool {
        self != Self::Due
    }
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
pub enum Rolled {
    /// New tokens are stored.
    Renewed {
        /// Whether they come from an answer that an earlier command had received but not stored.
        recovered: bool,
    },
    /// Another writer was first; its entry counts.
    Moved,
    /// The provider ended the connection.
    Ended(Ended),
    /// A verdict that is not about the tokens.
    Refused(ErrorResponse),
    /// Too many requests.
    TooMany {
        /// When to come back.
        until: Timestamp,
        /// Whether an earlier answer was lost.
        may_be_spent: bool,
    },
    /// The endpoint's limit is used up until then; nothing was sent.
    UsedUp {
        /// When to come back.
        until: Timestamp,
    },
    /// Nobody judged.
    NoVerdict(NoVerdict),
    /// The store did not take the new tokens.
    Unstored {
        /// Why.
        error: StoreError,
        /// Whether the answer is in the journal, from where the next command takes it.
        in_journal: bool,
    },
    /// The request cannot be made.
    Unmakable(String),
    /// The key that the tokens are bound to cannot be used; nothing was sent.
    NoKey,
    /// What the client signs cannot be signed; nothing was sent.
    Unsigned(String),
    /// The save command did not pass its proof; nothing was sent.
    NotProved(NotSaved),
    /// New tokens are stored, and the save command did not take them.
    Unsaved {
        /// Why not.
        error: NotSaved,
        /// Where a sealed copy is.
        copy: Option<PathBuf>,
    },
}

/// Why there is no verdict, and what that means for the refresh token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoVerdict {
    /// What happened.
    pub cause: NoAnswer,
    /// Whether the request may have arrived, so that the refresh token may be spent.
    pub may_be_spent: bool,
    /// Whether the token was sent a second time.
    pub resent: bool,
    /// The earlier refresh whose answer was lost already.
    pub earlier: Option<Mark>,
}

/// What came instead of a verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum NoAnswer {
    /// No answer.
    Http(HttpError),
    /// An answer that judges nothing.
    Unusable {
        /// Its status.
        status: u16,
        /// What it was.
        what: String,
        /// Seconds to wait, where it says.
        retry_after: Option<u64>,
    },
    /// Tokens came that cannot be used as the provider file stands; they are in the journal.
    Unfit {
        /// The status.
        status: u16,
        /// What is wrong.
        what: String,
    },
    /// A mark from an earlier command was found, and the access token still serves.
    NotTried,
}

/// What a refresh needs from outside.
pub struct Tools<'a> {
    /// Sends.
    pub http: &'a Client,
    /// Tells the time.
    pub clock: &'a dyn Clock,
    /// Seals.
    pub random: &'a dyn Random,
    /// Notes a 429.
    pub cooldown: Cooldown,
    /// Counts against the endpoint's limit, where there is one.
    pub pace: Option<Lane>,
    /// Hears the traffic.
    pub tracing: server::Tracing<'a>,
    /// Where copies are that no save command took.
    pub copies: PathBuf,
    /// Where the nonces of servers are.
    pub nonces: PathBuf,
}

impl Tools<'_> {
    /// Why the limit of the endpoint is not counted together with other processes, where it is not.
    pub fn counts_alone(&self) -> Option<String> {
        self.pace.as_ref().and_then(Lane::counts_alone)
    }
}

/// Rolls the tokens once; an error means that nothing was sent.
pub async fn roll(
    drawer: &Drawer,
    lock: &Lock,
    order: &Order,
    tools: &Tools<'_>,
) -> Result<Rolled, StoreError> {
    let Some(mut rolling) = Rolling::begin(drawer, lock, order, tools)? else {
        return Ok(Rolled::Moved);
    };
    match rolling.recover().await? {
        // What was lost has ended meanwhile: its refresh token is rolled like any other.
        Some(Rolled::Renewed { .. }) if rolling.is_usable() && rolling.access_has_ended() => {}
        Some(rolled) => return Ok(rolling.save_if_renewed(rolled).await),
        None => {}
    }
    if order.reason == Reason::Unsaved {
        return Ok(rolling.save_if_renewed(Rolled::Renewed { recovered: false }).await);
    }
    if rolling.lost && !order.reason.allows_resend() {
        return Ok(rolling.no_verdict(NoAnswer::NotTried, true, false));
    }
    if rolling.entry.dpop_key.is_some() && rolling.prover.is_none() {
        return Ok(Rolled::NoKey);
    }
    let request = match rolling.request() {
        Ok(request) => request,
        Err(MissingValue(name)) => return Ok(Rolled::Unmakable(name)),
    };
    if let Err(error) = request.check() {
        return Ok(Rolled::Unsigned(error.to_string()));
    }
    if let Err(error) = rolling.prove_saving().await {
        return Ok(Rolled::NotProved(error));
    }
    if let Err(until) = rolling.turn().await {
        return Ok(Rolled::UsedUp { until });
    }
    let mut journal = match rolling.prepare().await? {
        Ok(journal) => journal,
        Err(rolled) => return Ok(rolling.save_if_renewed(rolled).await),
    };
    let rolled = rolling.send(&request, &mut journal).await;
    Ok(rolling.save_if_renewed(rolled).await)
}

/// Stores what an earlier command received and could not store; `None` where there is no such answer.
pub async fn recover(
    drawer: &Drawer,
    lock: &Lock,
    order: &Order,
    tools: &Tools<'_>,
) -> Result<Option<Rolled>, StoreError> {
    match Rolling::begin(drawer, lock, order, tools)? {
        Some(mut rolling) => rolling.recover().await,
        None => Ok(None),
    }
}

/// One refresh on its way.
struct Rolling<'a> {
    drawer: &'a Drawer,
    lock: &'a Lock,
    order: &'a Order,
    tools: &'a Tools<'a>,
    entry: Entry,
    /// An answer about the stored refresh token was lost, before or by this refresh.
    lost: bool,
    /// The earlier refresh that lost it.
    earlier: Option<Mark>,
    /// The key that the tokens are bound to; `None` also where it cannot be read.
    prover: Option<Prover>,
}

impl<'a> Rolling<'a> {
    /// `None` where another writer was first.
    fn begin(
        drawer: &'a Drawer,
        lock: &'a Lock,
        order: &'a Order,
        tools: &'a Tools<'a>,
    ) -> Result<Option<Self>, StoreError> {
        let entry = match drawer.read()? {
            Some(entry) if entry.generation == order.generation => entry,
            _ => return Ok(None),
        };
        let earlier = entry.mark_of_this_token().cloned();
        let lost = earlier.is_some();
        // What an earlier command received can be stored without it.
        let prover = entry.dpop_key.as_ref().and_then(|key| Prover::new(key).ok());
        let remember = |it: Prover| it.remembering(tools.nonces.clone(), &drawer.name.profile);
        let prover = prover.map(remember);
        Ok(Some(Self { drawer, lock, order, tools, entry, lost, earlier, prover }))
    }

    /// Uses an answer that an earlier command received and could not store.
    ///
    /// Where the lock file was taken away, the command that received it may still be storing it:
    /// whoever stores the answer holds the journal.
    async fn recover(&mut self) -> Result<Option<Rolled>, StoreError> {
        if self.earlier.is_none() || !matches!(self.left_in_journal()?, Recovered::Answer(_)) {
            return Ok(None);
        }
        let mut claimed = self.journal().await?;
        if self.drawer.read()?.as_ref() != Some(&self.entry) {
            return Ok(Some(Rolled::Moved));
        }
        let held = claimed.held(&self.journal_key()?)?;
        Ok(self.take(&held))
    }

    fn left_in_journal(&self) -> Result<Recovered, StoreError> {
        let (folder, profile) = (&self.drawer.journal, &self.drawer.name.profile);
        Journal::recover(folder, profile, self.entry.generation, &self.journal_key()?)
    }

    /// The same of what a journal held; `None` where it settles nothing.
    fn take(&mut self, recovered: &Recovered) -> Option<Rolled> {
        let mark = self.earlier.clone()?;
        let Recovered::Answer(text) = recovered else {
            return None;
        };
        let answer = decode_answer(text)?;
        // Its lifetimes began when it was asked for.
        match self.judge(&answer, mark.started_at).without(&self.secrets()) {
            TokenAnswer::Granted(tokens) => {
                Some(self.keep(tokens, self.judged(&answer, true), true, true))
            }
            TokenAnswer::Refused(error) if self.is_final(&error) => Some(self.end(&error)),
            TokenAnswer::Unbound(tokens) => {
                Some(self.keep(tokens, self.judged(&answer, false), true, true))
            }
            TokenAnswer::Unfit { status, what } => {
                Some(self.no_verdict(NoAnswer::Unfit { status, what }, true, false))
            }
            _ => None,
        }
    }

    fn stamp(&self) -> Stamp<'_> {
        let (clock, random) = (self.tools.clock, self.tools.random);
        Stamp { clock, random, prover: self.prover.as_ref() }
    }

    /// What the server was sent then, and might quote.
    fn secrets(&self) -> Vec<Secret> {
        self.entry.all_secrets().chain(&self.order.client_secret).cloned().collect()
    }

    fn is_usable(&self) -> bool {
        self.entry.ended.is_none()
    }

    fn access_has_ended(&self) -> bool {
        let end = self.entry.tokens.as_ref().and_then(|tokens| tokens.access_expires_at);
        end.is_some_and(|end| end <= self.tools.clock.now())
    }

    fn request(&self) -> Result<ServerRequest, MissingValue> {
        let order = self.order;
        let provider = &order.provider;
        let reissues = self.entry.reissues || provider.refresh.rotation == Rotation::Reissue;
        let grant = match self.entry.refresh_token() {
            _ if self.entry.asserts => Grant::OwnAssertion { scopes: self.entry.requested.clone() },
            _ if reissues => Grant::ClientCredentials { scopes: self.entry.requested.clone() },
            None => Grant::ClientCredentials { scopes: self.entry.requested.clone() },
            Some(refresh_token) => Grant::RefreshToken {
                refresh_token: refresh_token.clone(),
                scopes: match provider.token.scope_on_refresh {
                    true => self.granted().unwrap_or_default(),
                    false => Vec::new(),
                },
            },
        };
        let mut wanted = match grant {
            Grant::ClientCredentials { .. } => self.entry.wanted.clone(),
            Grant::OwnAssertion { .. } => self.entry.wanted.without_details(),
            _ => self.entry.wanted.resources_alone(),
        };
        if wanted.resource.is_empty() {
            // Nobody asked here for tokens that were imported.
            wanted.resource.clone_from(&provider.token.resource);
        }
        let grant = grant.wanting(wanted);
        let values = settings::values(provider, &order.settings, Some(&order.client_id));
        let endpoint = values.render_url(&provider.token.url)?;
        let (to, name) = (Some(endpoint.as_str()), provider.name.as_str());
        let secret = order.client_secret.as_ref().or(self.entry.client_secret_for(to, name));
        let registration = ClientRegistration {
            client_id: order.client_id.clone(),
            client_secret: secret.cloned(),
            private_key: self.entry.private_key_for(to, name).cloned(),
        };
        token_request(provider, &values, &registration, &grant)
    }

    /// Proves that mark and journal can be written, before anything is spent; what became of it
    /// instead, where another writer was first.
    async fn prepare(&mut self) -> Result<Result<Journal, Rolled>, StoreError> {
        let mut claimed = self.journal().await?;
        // Where the lock file was taken away from under its holder, two come here: one after the other.
        // What the first one could not store is in this journal alone: it stays as it is.
        if self.drawer.read()?.as_ref() != Some(&self.entry) {
            return Ok(Err(Rolled::Moved));
        }
        // A mark that both found says nothing of an answer that came between.
        if self.earlier.is_some() {
            let held = claimed.held(&self.journal_key()?)?;
            if let Some(rolled) = self.take(&held) {
                return Ok(Err(rolled));
            }
        }
        let journal = claimed.fill()?;
        self.entry.mark = Some(Mark {
            started_at: self.tools.clock.now(),
            refresh_token_fingerprint: self
                .entry
                .refresh_token()
                .map(Secret::fingerprint)
                .unwrap_or_default(),
            host: self.order.host.clone(),
        });
        match self.drawer.note(self.lock, &self.entry) {
            Ok(()) => Ok(Ok(journal)),
            Err(error) => {
                // Empty, and of a generation that the next try takes again.
                let _ = journal.discard();
                Err(error)
            }
        }
    }

    /// The journal of this generation, once nobody else has it.
    async fn journal(&self) -> Result<Claimed, StoreError> {
        let (folder, profile) = (&self.drawer.journal, &self.drawer.name.profile);
        let mut waited = Duration::ZERO;
        loop {
            if let Some(claimed) = Journal::claim(folder, profile, self.entry.generation)? {
                return Ok(claimed);
            }
            if waited >= LOCK_WAIT {
                let held = std::io::Error::other("another process is writing it");
                return Err(StoreError::unwritable("write", folder)(held));
            }
            self.tools.clock.sleep(JOURNAL_PAUSE).await;
            waited += JOURNAL_PAUSE;
        }
    }

    /// Waits for the vendor's limit, while nothing is marked yet.
    async fn turn(&self) -> Result<(), Timestamp> {
        match &self.tools.pace {
            Some(lane) => lane.token_turn(self.tools.clock).await,
            None => Ok(()),
        }
    }

    /// Sends once, and once more where an answer was lost and the same token is worth it.
    async fn send(&mut self, request: &ServerRequest, journal: &mut Journal) -> Rolled {
        let lost_before = self.lost;
        let first = self.attempt(request, journal, false).await;
        match &first {
            Rolled::NoVerdict(lost) if !lost_before && self.is_worth_resending(lost) => {
                match self.turn().await {
                    Ok(()) => self.attempt(request, journal, true).await,
                    _ => first,
                }
            }
            _ => first,
        }
    }

    fn is_worth_resending(&self, lost: &NoVerdict) -> bool {
        let settled = matches!(
            lost.cause,
            // It asks for a wait, or it has given tokens: the one that was sent is certainly spent.
            NoAnswer::Unusable { retry_after: Some(_), .. }
                | NoAnswer::Unfit { .. }
                // It has answered as long as that, and would again.
                | NoAnswer::Http(HttpError::BodyTooLarge { .. })
        );
        lost.may_be_spent && !settled && self.order.reason.allows_resend()
    }

    async fn attempt(
        &mut self,
        request: &ServerRequest,
        journal: &mut Journal,
        resent: bool,
    ) -> Rolled {
        // A life counts from when it was asked for: a slow answer must not look fresh for too long.
        let asked_at = self.tools.clock.now();
        let tools = self.tools;
        let sent = server::send_stamped(tools.http, request, self.stamp(), &tools.tracing).await;
        let (answer, secrets) = match sent {
            Ok(sent) => sent,
            Err(Unanswered::Http(error)) => return self.unanswered(error, resent),
            Err(Unanswered::Unsigned(error)) => {
                self.unmark_unless_lost();
                return Rolled::Unsigned(error.to_string());
            }
        };
        let recorded = self
            .journal_key()
            .and_then(|key| journal.record(&key, self.tools.random, &encode_answer(&answer)));
        match self.judge(&answer, asked_at).without(&secrets) {
            // A journal that failed is not fatal here: the store is still to be tried.
            TokenAnswer::Granted(tokens) => {
                self.keep(tokens, self.judged(&answer, true), false, recorded.is_ok())
            }
            TokenAnswer::Unbound(tokens) => {
                self.keep(tokens, self.judged(&answer, false), false, recorded.is_ok())
            }
            TokenAnswer::Refused(error) if self.is_final(&error) => self.end(&error),
            TokenAnswer::Refused(error) => {
                self.unmark_unless_lost();
                Rolled::Refused(error)
            }
            TokenAnswer::TooMany { retry_after } => self.cool_down(retry_after),
            TokenAnswer::Unfit { status, what } => {
                self.lost = true;
                self.no_verdict(NoAnswer::Unfit { status, what }, true, resent)
            }
            TokenAnswer::NoVerdict { status, what, retry_after } => {
                self.lost = true;
                self.no_verdict(NoAnswer::Unusable { status, what, retry_after }, true, resent)
            }
        }
    }

    fn unanswered(&mut self, error: HttpError, resent: bool) -> Rolled {
        if error.never_reached() {
            self.unmark_unless_lost();
        } else {
            self.lost = true;
        }
        let may_be_spent = self.lost;
        self.no_verdict(NoAnswer::Http(error), may_be_spent, resent)
    }

    fn judge(&self, answer: &Answer, asked_at: Timestamp) -> TokenAnswer {
        let tokens = self.entry.tokens.as_ref();
        let asked = Asked {
            scopes: self.granted(),
            refresh_token: self.entry.refresh_token().cloned(),
            refresh_expires_at: tokens.and_then(|it| it.refresh_expires_at),
            contexts: tokens.map(|it| it.contexts.clone()).unwrap_or_default(),
            authorization_details: tokens
                .map(|it| it.authorization_details.clone())
                .unwrap_or_default(),
            exchange: false,
        };
        judge(&self.order.provider, &asked, answer, asked_at)
    }

    fn granted(&self) -> Option<Vec<String>> {
        self.entry.tokens.as_ref()?.granted.clone()
    }

    /// Stores new tokens, reads them back, and only then lets go of the journal.
    ///
    /// Tokens that must not be used are stored like any other, in the same write that puts them
    /// aside: the refresh token that was sent is spent, and this one may be all there is. The
    /// connection stays that of its own account, which the next authorization is held against.
    fn keep(
        &mut self,
        mut tokens: TokenSet,
        judged: Judged,
        recovered: bool,
        in_journal: bool,
    ) -> Rolled {
        let mut renewed = self.entry.clone();
        if let (Some(_), Some(own)) = (&judged.put_aside, renewed.tokens.take()) {
            tokens.contexts = own.contexts;
        }
        renewed.adopt(tokens);
        renewed.ended = judged.put_aside;
        renewed.account_is_claimed &= !judged.is_named;
        if self.order.saving.is_some() {
            // Owed from now on, whatever ends this process before it is saved.
            renewed.saved.get_or_insert(0);
        }
        renewed.last_refreshed_at = renewed.tokens.as_ref().map(|tokens| tokens.issued_at);
        if let Err(error) = self.drawer.keep(self.lock, &renewed) {
            return Rolled::Unstored { error, in_journal };
        }
        self.entry = renewed;
        self.lost = false;
        self.earlier = None;
        self.tell();
        self.discard_journal();
        Rolled::Renewed { recovered }
    }

    /// Only a proven `invalid_grant` ends a connection, and even that deletes nothing.
    fn end(&mut self, error: &ErrorResponse) -> Rolled {
        let moved = match self.drawer.read() {
            Ok(Some(now)) => now.generation != self.entry.generation,
            Ok(None) => true,
            // The verdict cannot be written either; the next command hears it again.
            Err(_) => false,
        };
        if moved {
            return Rolled::Moved;
        }
        let ended = Ended {
            at: self.tools.clock.now(),
            // As long as it is ever shown: what is kept must not grow with a server's words.
            error: printable(error.code.as_deref().unwrap_or("invalid_grant")),
            description: error.description.as_deref().map(printable),
            after_lost_answer: self.lost,
        };
        self.entry.ended = Some(ended.clone());
        self.unmark();
        self.tell();
        Rolled::Ended(ended)
    }

    fn is_final(&self, error: &ErrorResponse) -> bool {
        let code = error.code.as_deref().unwrap_or_default();
        let meaning = self.order.provider.errors.token.get(code);
        code == "invalid_grant" || meaning.is_some_and(|it| it.action == Action::Reconnect)
    }

    fn cool_down(&mut self, retry_after: Option<u64>) -> Rolled {
        self.unmark_unless_lost();
        let now = self.tools.clock.now();
        // Where the wait cannot be noted, this command still waits for it.
        let until = self.tools.cooldown.begin(now, retry_after).unwrap_or(now);
        Rolled::TooMany { until, may_be_spent: self.lost }
    }

    fn no_verdict(&self, cause: NoAnswer, may_be_spent: bool, resent: bool) -> Rolled {
        Rolled::NoVerdict(NoVerdict { cause, may_be_spent, resent, earlier: self.earlier.clone() })
    }

    /// Takes the mark away where the refresh token was certainly not spent.
    fn unmark_unless_lost(&mut self) {
        if !self.lost {
            self.unmark();
        }
    }

    /// Takes the mark away: the refresh token was certainly not spent, or its fate is written in the entry.
    fn unmark(&mut self) {
        self.entry.mark = None;
        // A mark that stays by a failing store costs one look at an empty journal.
        if self.drawer.note(self.lock, &self.entry).is_ok() {
            self.discard_journal();
        }
    }

    fn discard_journal(&self) {
        // A journal left behind is of an older generation and never read again.
        let _ = Journal::discard_all(&self.drawer.journal, &self.drawer.name.profile);
    }

    fn tell(&self) {
        // What `status` shows is less than the tokens, which are stored: the next write mends it.
        let _ = self.drawer.tell(&self.entry, self.order.provider.refresh.rotation);
    }

    fn journal_key(&self) -> Result<Key, StoreError> {
        Key::decode(&self.entry.journal_key)
    }
}

/// An answer as the journal keeps it: two bytes of status, then the body.
fn encode_answer(answer: &Answer) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(answer.body.len() + 2));
    text.extend_from_slice(&answer.status.to_be_bytes());
    text.extend_from_slice(&answer.body);
    text
}

fn decode_answer(text: &[u8]) -> Option<Answer> {
    let (status, body) = text.split_first_chunk::<2>()?;
    Some(Answer {
        status: u16::from_be_bytes(*status),
        headers: HeaderMap::new(),
        body: Zeroizing::new(body.to_vec()),
        date: None,
    })
}
