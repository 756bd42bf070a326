//! A clock that stands still until a test, or a wait, moves it.

use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use keyfob::clock::{Clock, Wait};

/// What happens meanwhile; it is told how many waits were asked for before.
type Meanwhile = Box<dyn FnMut(usize) + Send>;

/// Moves only when it is told to; a wait is over at once and moves it.
pub struct HandClock {
    now: Mutex<Timestamp>,
    slept: Mutex<Vec<Duration>>,
    meanwhile: Mutex<Option<Meanwhile>>,
}

impl HandClock {
    /// Starts at a morning in June.
    pub fn new() -> Self {
        let now = "2026-06-01T08:00:00Z".parse().unwrap();
        Self { now: Mutex::new(now), slept: Mutex::default(), meanwhile: Mutex::default() }
    }

    /// Moves forwards.
    pub fn advance(&self, duration: Duration) {
        *self.now.lock().unwrap() += SignedDuration::try_from(duration).unwrap();
    }

    /// Moves backwards.
    pub fn set_back(&self, duration: Duration) {
        *self.now.lock().unwrap() -= SignedDuration::try_from(duration).unwrap();
    }

    /// Does something at the end of every wait.
    pub fn meanwhile(&self, act: impl FnMut(usize) + Send + 'static) {
        *self.meanwhile.lock().unwrap() = Some(Box::new(act));
    }

    /// The waits that were asked for.
    pub fn slept(&self) -> Vec<Duration> {
        self.slept.lock().unwrap().clone()
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> Wait<'_> {
        self.advance(duration);
        let before = {
            let mut slept = self.slept.lock().unwrap();
            slept.push(duration);
            slept.len() - 1
        };
        if let Some(act) = &mut *self.meanwhile.lock().unwrap() {
            act(before);
        }
        Box::pin(tokio::task::yield_now())
    }
}
