//! The critical part of a refresh, under the lock: mark, journal, send, store, read back.
//!
//! Whatever ends this process leaves either the old tokens untouched, or the new ones stored,
//! or the provider's answer in the journal for the next command to store.

mod journalled;
mod keep;
mod order;
mod other_key;
mod outcome;
pub mod put_aside;
mod request;
mod save;
mod sending;

use std::path::PathBuf;

use std::time::Duration;

use jiff::Timestamp;
pub use order::{Order, Reason};
pub use outcome::{NoAnswer, NoVerdict, Rolled};

use super::cooldown::Cooldown;
use super::drawer::Drawer;
use super::entry::{Entry, Mark};
use super::pace::Lane;
use super::prover::Prover;
use super::server::{self, Stamp};
use crate::clock::Clock;
use crate::http::Client;
use crate::provider::MissingValue;
use crate::random::Random;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::store::key::Key;
use crate::store::lock::Lock;

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
    waited_for_journal: Duration,
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
        let waited_for_journal = Duration::ZERO;
        Ok(Some(Self {
            drawer,
            lock,
            order,
            tools,
            entry,
            lost,
            earlier,
            prover,
            waited_for_journal,
        }))
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

    /// Waits for the vendor's limit, while nothing is marked yet.
    async fn turn(&self) -> Result<(), Timestamp> {
        match &self.tools.pace {
            Some(lane) => lane.token_turn(self.tools.clock).await,
            None => Ok(()),
        }
    }

    fn granted(&self) -> Option<Vec<String>> {
        self.entry.tokens.as_ref()?.granted.clone()
    }

    fn no_verdict(&self, cause: NoAnswer, may_be_spent: bool, resent: bool) -> Rolled {
        Rolled::NoVerdict(NoVerdict { cause, may_be_spent, resent, earlier: self.earlier.clone() })
    }

    fn tell(&self) {
        // What `status` shows is less than the tokens, which are stored: the next write mends it.
        let _ = self.drawer.tell(&self.entry, self.order.provider.refresh.rotation);
    }

    fn journal_key(&self) -> Result<Key, StoreError> {
        Key::decode(&self.entry.journal_key)
    }
}
