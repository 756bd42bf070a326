//! Whether the access token of an entry is the one that is wanted.

use std::time::Duration;

use jiff::Timestamp;

use super::Wanted;
use crate::connection::{Connection, Entry};
use crate::token_set::TokenSet;

/// The margin before its end at which an access token counts as ended, in seconds.
const MARGIN: u64 = 60;

impl Connection<'_> {
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
    pub(super) fn was_renewed(&self, seen: &Entry, entry: &Entry, wanted: &Wanted) -> bool {
        let moved = entry.generation != seen.generation && entry.ended.is_none();
        match wanted {
            Wanted::New => moved,
            _ => self.satisfies(entry, wanted),
        }
    }

    /// What another process has stored meanwhile; an entry that cannot be read says so under the lock.
    pub(super) fn renewed(&self, seen: &Entry, wanted: &Wanted) -> Option<Entry> {
        self.entry().ok().filter(|entry| self.was_renewed(seen, entry, wanted))
    }

    pub(in crate::connection) fn still_serves(&self, entry: &Entry, wanted: &Wanted) -> bool {
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
}

/// What can be asked of a token's life: one that was given for an hour never lives for two, and
/// rolling it again and again would not make it.
fn possible(tokens: &TokenSet, least: Duration) -> Duration {
    let life = tokens.access_expires_at.map(|end| end.duration_since(tokens.issued_at));
    let longest = life.and_then(|life| Duration::try_from(life).ok()).map(|life| life * 9 / 10);
    longest.map_or(least, |longest| least.min(longest))
}
