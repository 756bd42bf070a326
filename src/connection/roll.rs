//! The critical part of a refresh, under the lock: mark, journal, send, store, read back.
//!
//! Whatever ends this process leaves either the old tokens untouched, or the new ones stored,
//! or the provider's answer in the journal for the next command to store.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::cooldown::Cooldown;
use super::drawer::Drawer;
use super::entry::{Ended, Entry, Mark};
use super::server;
use crate::authorization_server::token_request::{ServerRequest, token_request};
use crate::authorization_server::token_response::{Asked, TokenAnswer, judge};
use crate::authorization_server::{ClientRegistration, Grant};
use crate::clock::Clock;
use crate::http::error_response::ErrorResponse;
use crate::http::{Answer, Client, HeaderMap, HttpError};
use crate::profile::settings;
use crate::provider::schema::{Action, Rotation};
use crate::provider::{MissingValue, Provider};
use crate::random::Random;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::store::journal::{Journal, Recovered};
use crate::store::key::Key;
use crate::store::lock::Lock;

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
    },
    /// Nobody judged.
    NoVerdict(NoVerdict),
    /// The answer is in the journal, but the store did not take it.
    Unstored(StoreError),
    /// The request cannot be made.
    Unmakable(String),
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
    /// Whether an earlier command had lost an answer already.
    pub lost_before: bool,
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
    /// Hears the traffic.
    pub tracing: server::Tracing<'a>,
}

/// Rolls the tokens once; an error means that nothing was sent.
pub async fn roll(
    drawer: &Drawer,
    lock: &Lock,
    order: &Order,
    tools: &Tools<'_>,
) -> Result<Rolled, StoreError> {
    let entry = match drawer.read()? {
        Some(entry) if entry.generation == order.generation => entry,
        _ => return Ok(Rolled::Moved),
    };
    let lost_before = entry.mark.is_some();
    let mut rolling = Rolling { drawer, lock, order, tools, entry, lost_before };
    if let Some(rolled) = rolling.recover()? {
        return Ok(rolled);
    }
    if lost_before && !order.reason.allows_resend() {
        return Ok(rolling.no_verdict(NoAnswer::NotTried, true, false));
    }
    let request = match rolling.request() {
        Ok(request) => request,
        Err(MissingValue(name)) => return Ok(Rolled::Unmakable(name)),
    };
    let mut journal = rolling.prepare()?;
    Ok(rolling.send(&request, &mut journal).await)
}

/// One refresh on its way.
struct Rolling<'a> {
    drawer: &'a Drawer,
    lock: &'a Lock,
    order: &'a Order,
    tools: &'a Tools<'a>,
    entry: Entry,
    lost_before: bool,
}

impl Rolling<'_> {
    /// Uses an answer that an earlier command received and could not store.
    fn recover(&mut self) -> Result<Option<Rolled>, StoreError> {
        if !self.lost_before {
            return Ok(None);
        }
        let profile = &self.drawer.name.profile;
        let (folder, generation) = (&self.drawer.journal, self.entry.generation);
        let recovered = Journal::recover(folder, profile, generation, &self.journal_key()?)?;
        let Recovered::Answer(text) = recovered else {
            return Ok(None);
        };
        let Some(answer) = decode_answer(&text) else {
            return Ok(None);
        };
        match self.judge(&answer) {
            TokenAnswer::Granted(tokens) => Ok(Some(self.keep(tokens, true))),
            TokenAnswer::Refused(error) if self.is_final(&error) => Ok(Some(self.end(&error))),
            _ => Ok(None),
        }
    }

    fn request(&self) -> Result<ServerRequest, MissingValue> {
        let order = self.order;
        let provider = &order.provider;
        let reissues = self.entry.reissues || provider.refresh.rotation == Rotation::Reissue;
        let grant = match self.entry.refresh_token() {
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
        let secret = order.client_secret.as_ref().or(self.entry.client_secret());
        let registration = ClientRegistration {
            client_id: order.client_id.clone(),
            client_secret: secret.cloned(),
        };
        let values = settings::values(provider, &order.settings, Some(&order.client_id));
        token_request(provider, &values, &registration, &grant)
    }

    /// Proves that mark and journal can be written, before anything is spent.
    fn prepare(&mut self) -> Result<Journal, StoreError> {
        self.entry.mark = Some(Mark {
            started_at: self.tools.clock.now(),
            refresh_token_fingerprint: self
                .entry
                .refresh_token()
                .map(Secret::fingerprint)
                .unwrap_or_default(),
            host: self.order.host.clone(),
        });
        self.drawer.note(self.lock, &self.entry)?;
        let profile = &self.drawer.name.profile;
        match Journal::create(&self.drawer.journal, profile, self.entry.generation) {
            Ok(journal) => Ok(journal),
            Err(error) => {
                if !self.lost_before {
                    self.unmark();
                }
                Err(error)
            }
        }
    }

    /// Sends once, and once more where an answer was lost and the same token is worth it.
    async fn send(&mut self, request: &ServerRequest, journal: &mut Journal) -> Rolled {
        let first = self.attempt(request, journal, false).await;
        match &first {
            Rolled::NoVerdict(lost) if self.is_worth_resending(lost) => {
                self.attempt(request, journal, true).await
            }
            _ => first,
        }
    }

    fn is_worth_resending(&self, lost: &NoVerdict) -> bool {
        let told_to_wait = matches!(lost.cause, NoAnswer::Unusable { retry_after: Some(_), .. });
        lost.may_be_spent && !self.lost_before && !told_to_wait && self.order.reason.allows_resend()
    }

    async fn attempt(
        &mut self,
        request: &ServerRequest,
        journal: &mut Journal,
        resent: bool,
    ) -> Rolled {
        let answer = match server::send(self.tools.http, request, &self.tools.tracing).await {
            Ok(answer) => answer,
            Err(error) if error.never_reached() && !resent => {
                if !self.lost_before {
                    self.unmark();
                }
                return self.no_verdict(NoAnswer::Http(error), self.lost_before, resent);
            }
            Err(error) => return self.no_verdict(NoAnswer::Http(error), true, resent),
        };
        let recorded = self
            .journal_key()
            .and_then(|key| journal.record(&key, self.tools.random, &encode_answer(&answer)));
        match self.judge(&answer) {
            // A journal that failed is not fatal here: the store is still to be tried.
            TokenAnswer::Granted(tokens) => self.keep(tokens, false),
            TokenAnswer::Refused(error) if self.is_final(&error) => self.end(&error),
            TokenAnswer::Refused(error) => {
                drop(recorded);
                self.unmark();
                Rolled::Refused(error)
            }
            TokenAnswer::TooMany { retry_after } => self.cool_down(retry_after),
            TokenAnswer::NoVerdict { status, what, retry_after } => {
                let cause = NoAnswer::Unusable { status, what, retry_after };
                self.no_verdict(cause, true, resent)
            }
        }
    }

    fn judge(&self, answer: &Answer) -> TokenAnswer {
        let tokens = self.entry.tokens.as_ref();
        let asked = Asked {
            scopes: self.granted(),
            refresh_token: self.entry.refresh_token().cloned(),
            refresh_expires_at: tokens.and_then(|it| it.refresh_expires_at),
            contexts: tokens.map(|it| it.contexts.clone()).unwrap_or_default(),
        };
        judge(&self.order.provider, &asked, answer, self.tools.clock.now())
    }

    fn granted(&self) -> Option<Vec<String>> {
        self.entry.tokens.as_ref()?.granted.clone()
    }

    /// Stores new tokens, reads them back, and only then lets go of the journal.
    fn keep(&mut self, tokens: crate::token_set::TokenSet, recovered: bool) -> Rolled {
        let mut renewed = self.entry.clone();
        renewed.adopt(tokens);
        renewed.last_refreshed_at = renewed.tokens.as_ref().map(|tokens| tokens.issued_at);
        if let Err(error) = self.drawer.keep(self.lock, &renewed) {
            return Rolled::Unstored(error);
        }
        self.entry = renewed;
        self.tell();
        self.discard_journal();
        Rolled::Renewed { recovered }
    }

    /// Only a proven `invalid_grant` ends a connection, and even that deletes nothing.
    fn end(&mut self, error: &ErrorResponse) -> Rolled {
        let moved = match self.drawer.read() {
            Ok(Some(now)) => now.generation != self.entry.generation,
            Ok(None) => true,
            Err(error) => return Rolled::Unstored(error),
        };
        if moved {
            return Rolled::Moved;
        }
        let ended = Ended {
            at: self.tools.clock.now(),
            error: error.code.clone().unwrap_or_else(|| "invalid_grant".into()),
            description: error.description.clone(),
            after_lost_answer: self.lost_before,
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
        self.unmark();
        let now = self.tools.clock.now();
        // Where the wait cannot be noted, this command still waits for it.
        let until = self.tools.cooldown.begin(now, retry_after).unwrap_or(now);
        Rolled::TooMany { until }
    }

    fn no_verdict(&self, cause: NoAnswer, may_be_spent: bool, resent: bool) -> Rolled {
        Rolled::NoVerdict(NoVerdict { cause, may_be_spent, resent, lost_before: self.lost_before })
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
