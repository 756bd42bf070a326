//! Time, handed in: production reads the system's clock, a test moves one by hand.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use jiff::Timestamp;

/// A wait that ends by itself.
pub type Wait<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Tells the time and waits.
pub trait Clock: Send + Sync {
    /// The wall clock's time.
    fn now(&self) -> Timestamp;

    /// Waits for that long.
    fn sleep(&self, duration: Duration) -> Wait<'_>;
}

/// The system's own clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that is handed in")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, duration: Duration) -> Wait<'_> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// Adds seconds to a time; a result outside the calendar becomes its last day (a server may answer any number).
pub fn after_seconds(start: Timestamp, seconds: u64) -> Timestamp {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    start.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// The whole seconds from `now` until `then`; zero when it has passed.
pub fn seconds_until(now: Timestamp, then: Timestamp) -> u64 {
    u64::try_from(then.duration_since(now).as_secs()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absurd_lifetime_ends_at_the_last_day_and_does_not_overflow() {
        assert_eq!(after_seconds(Timestamp::UNIX_EPOCH, u64::MAX), Timestamp::MAX);
    }

    #[test]
    fn a_time_that_has_passed_is_zero_seconds_away() {
        let now = Timestamp::from_second(100).unwrap();
        assert_eq!(seconds_until(now, Timestamp::UNIX_EPOCH), 0);
        assert_eq!(seconds_until(now, Timestamp::from_second(130).unwrap()), 30);
    }
}
