//! An access token that is good now: the only place that refreshes.

mod bound;
mod error;
mod judged;
mod locking;
mod order;

use std::time::Duration;

use super::drawer::is_renewable;
use super::entry::Entry;
use super::identity::{Likeness, compare};
use super::roll::{self, Order, Rolled};
#[cfg(unix)]
use super::worker;
use super::{Connection, Notice};
use crate::clock::seconds_until;
use crate::provider::schema::Rotation;
use crate::secret::Secret;
use crate::store::StoreKind;
use crate::store::lock::{Lock, Taken};
use crate::system::CriticalPart;
pub use error::FreshError;
pub use locking::LOCK_WAIT;

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

    /// Tells that the server may know the client by another key, which is in force from here on.
    fn tell_other_key(&self, seen: &Entry) {
        let turned = |now: &Entry| now.private_key() != seen.private_key();
        if self.drawer.read().ok().flatten().is_some_and(|now| turned(&now)) {
            (self.notify)(Notice::OtherKeyNext);
        }
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
            Rolled::Refused(error) => {
                self.tell_other_key(seen);
                FreshError::Refused(error)
            }
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
