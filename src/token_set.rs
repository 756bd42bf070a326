//! What an authorization server gave: the tokens, how long they live, what they open.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::secret::Secret;

/// The tokens of one connection and what came with them (RFC 6749 section 5.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenSet {
    /// Opaque; nothing is ever read from inside it.
    #[serde(with = "crate::secret::stored")]
    pub access_token: Secret,
    /// Single-use where the provider rotates.
    #[serde(with = "crate::secret::stored_option", default)]
    pub refresh_token: Option<Secret>,
    /// The scopes that were granted; `None` when nobody said.
    #[serde(default)]
    pub granted: Option<Vec<String>>,
    /// When the answer arrived.
    pub issued_at: Timestamp,
    /// When the access token ends; `None` when it is not known.
    #[serde(default)]
    pub access_expires_at: Option<Timestamp>,
    /// When the refresh token ends; `None` when it is not known.
    #[serde(default)]
    pub refresh_expires_at: Option<Timestamp>,
    /// What else the answer carried and the provider file names, such as `merchant_id`.
    #[serde(default)]
    pub contexts: BTreeMap<String, Value>,
    /// The rights that were granted in detail (RFC 9396 section 7); empty where nobody said.
    #[serde(default)]
    pub authorization_details: Vec<Value>,
}

impl TokenSet {
    /// Tells whether the access token is good beyond the margin at `now`.
    ///
    /// The margin is `margin` or a tenth of the token's life, whichever is less, so that a
    /// token of a few seconds is not renewed in a loop. A token issued in the future means
    /// that the clock was set back: it counts as ended, and one refresh puts it right.
    pub fn access_is_fresh(&self, now: Timestamp, margin: Duration) -> bool {
        let Some(expires_at) = self.access_expires_at else {
            return true;
        };
        if self.issued_at.duration_since(now) > SignedDuration::from_mins(5) {
            return false;
        }
        expires_at.duration_since(now) > self.margin_before(expires_at, margin)
    }

    /// The time from which on the access token counts as ended; `None` where its end is not known.
    pub fn fresh_until(&self, margin: Duration) -> Option<Timestamp> {
        let expires_at = self.access_expires_at?;
        Some(expires_at.checked_sub(self.margin_before(expires_at, margin)).unwrap_or(expires_at))
    }

    fn margin_before(&self, expires_at: Timestamp, margin: Duration) -> SignedDuration {
        let tenth = expires_at.duration_since(self.issued_at) / 10;
        SignedDuration::try_from(margin).unwrap_or(SignedDuration::MAX).min(tenth)
    }

    /// Tells whether the access token lives at least that long after `now`; an unknown end counts as long enough.
    pub fn access_lives_for(&self, now: Timestamp, duration: Duration) -> bool {
        let least = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        self.access_expires_at.is_none_or(|at| at.duration_since(now) >= least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_set(issued: i64, expires: Option<i64>) -> TokenSet {
        TokenSet {
            access_token: Secret::new("a"),
            refresh_token: None,
            granted: None,
            issued_at: Timestamp::from_second(issued).unwrap(),
            access_expires_at: expires.map(|at| Timestamp::from_second(at).unwrap()),
            refresh_expires_at: None,
            contexts: BTreeMap::new(),
            authorization_details: Vec::new(),
        }
    }

    #[test] // RF12, RF16
    fn the_margin_is_a_minute_or_a_tenth_of_the_life() {
        let minute = Duration::from_secs(60);
        let cases = [
            (0, Some(3600), 3539, true),
            (0, Some(3600), 3541, false),
            (0, Some(5), 4, true),
            (0, Some(5), 5, false),
            (0, None, 1_000_000, true),
            (1000, Some(4600), 600, false),
            (1000, Some(4600), 900, true),
        ];
        for (issued, expires, now, fresh) in cases {
            let now = Timestamp::from_second(now).unwrap();
            let set = token_set(issued, expires);
            assert_eq!(set.access_is_fresh(now, minute), fresh, "{set:?} at {now}");
            if issued <= 0 {
                let until = set.fresh_until(minute);
                assert_eq!(until.is_none_or(|until| now < until), fresh, "{set:?} at {now}");
            }
        }
    }
}
