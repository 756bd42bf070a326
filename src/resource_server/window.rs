//! The requests of the last minute, and when the next one may go: numbers only, no file and no wait.
//!
//! A vendor allows so many requests in any minute. All of them may come at once, and then none
//! until the first is a minute old: so a script that calls ten times is not held up, and no
//! minute ever sees more than was allowed. Times are milliseconds since 1970.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::http::retry_after::LONGEST;

/// How long a request counts: a minute, and a second for those that were long on their way to the vendor.
const SPAN: i64 = 61_000;
/// Requests so close to each other are remembered as one moment, their last: this bounds the length.
const GRAIN: i64 = SPAN / 240;

/// What was sent in the last minute, and a pause that the vendor asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// When, and how many; oldest first.
    sent: VecDeque<(i64, u32)>,
    /// From when until when nothing is sent.
    #[serde(default)]
    pause: Option<(i64, i64)>,
}

impl Window {
    /// A window in which nothing more may be sent, where what was sent is not known.
    pub fn used_up(now: Timestamp, room: u32) -> Self {
        Self { sent: VecDeque::from([(now.as_millisecond(), room)]), pause: None }
    }

    /// Counts a request that is sent now; else says after how long to ask again.
    pub fn take(&mut self, now: Timestamp, room: u32) -> Result<(), Duration> {
        let now = now.as_millisecond();
        self.repair(now);
        if let Some((_, until)) = self.pause {
            return Err(milliseconds(until - now));
        }
        let mut counted: u64 = self.sent.iter().map(|(_, count)| u64::from(*count)).sum();
        if counted < u64::from(room) {
            self.count(now);
            return Ok(());
        }
        for (moment, count) in &self.sent {
            counted -= u64::from(*count);
            if counted < u64::from(room) {
                return Err(milliseconds(moment + SPAN - now));
            }
        }
        // Where nothing is allowed at all, a whole window is as good a time as any.
        Err(milliseconds(SPAN))
    }

    /// Lets nothing go for that long; a longer pause stays.
    pub fn pause(&mut self, now: Timestamp, wait: Duration) {
        let now = now.as_millisecond();
        self.repair(now);
        let wait = i64::try_from(wait.min(LONGEST).as_millis()).unwrap_or(SPAN);
        if self.pause.is_none_or(|(_, until)| until < now + wait) {
            self.pause = Some((now, now + wait));
        }
    }

    fn count(&mut self, now: i64) {
        match self.sent.back_mut() {
            Some((moment, count)) if now / GRAIN == *moment / GRAIN => {
                (*moment, *count) = (now, count.saturating_add(1));
            }
            _ => self.sent.push_back((now, 1)),
        }
    }

    /// Forgets what is over. A time that is still to come was written before the clock was set
    /// back: it counts as now.
    fn repair(&mut self, now: i64) {
        if let Some((from, until)) = self.pause {
            let length = (until - from).clamp(0, LONGEST.as_millis() as i64);
            let from = from.min(now);
            self.pause = Some((from, from + length)).filter(|(_, until)| *until > now);
        }
        for (moment, _) in &mut self.sent {
            *moment = (*moment).min(now);
        }
        while self.sent.front().is_some_and(|(moment, _)| moment + SPAN <= now) {
            self.sent.pop_front();
        }
    }
}

fn milliseconds(wait: i64) -> Duration {
    Duration::from_millis(u64::try_from(wait).unwrap_or(0).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + millisecond).unwrap()
    }

    #[test] // RR18, AT-16f
    fn a_burst_is_the_whole_window_and_then_the_first_must_be_a_minute_old() {
        let mut window = Window::default();
        for _ in 0..60 {
            assert_eq!(window.take(at(0), 60), Ok(()));
        }
        assert_eq!(window.take(at(0), 60), Err(Duration::from_secs(61)));
        assert_eq!(window.take(at(60_999), 60), Err(Duration::from_millis(1)));
        assert_eq!(window.take(at(61_000), 60), Ok(()));
    }

    #[test] // RR18
    fn no_minute_sees_more_than_was_allowed_however_the_requests_come() {
        for (room, step) in [(1, 7_000), (20, 100), (60, 333), (400, 11), (5_000, 3)] {
            let mut window = Window::default();
            let mut sent = VecDeque::new();
            let mut now = 0;
            for turn in 0..30_000_i64 {
                now += (turn * 7_919) % step;
                if window.take(at(now), room).is_ok() {
                    sent.push_back(now);
                }
                while sent.front().is_some_and(|first| first + 60_000 <= now) {
                    sent.pop_front();
                }
                assert!(sent.len() <= room as usize, "{room} {step} at {now}");
            }
            assert!(window.sent.len() <= 242, "{}", window.sent.len());
        }
    }

    #[test] // RR18
    fn who_waits_as_long_as_was_said_may_go() {
        let mut window = Window::default();
        let mut now = 0;
        for _ in 0..500 {
            if let Err(wait) = window.take(at(now), 30) {
                now += wait.as_millis() as i64;
                assert_eq!(window.take(at(now), 30), Ok(()));
            }
            now += 1_300;
        }
        assert!(now < 500 * 1_300 + 500 * 1_000, "it never stands still: {now}");
    }

    #[test] // RR13, A27
    fn a_pause_holds_everybody_and_ends() {
        let mut window = Window::default();
        window.pause(at(0), Duration::from_secs(7));
        window.pause(at(0), Duration::from_secs(3));
        assert_eq!(window.take(at(6_000), 9), Err(Duration::from_secs(1)));
        assert_eq!(window.take(at(7_000), 9), Ok(()));
        window.pause(at(7_000), Duration::MAX);
        assert_eq!(window.take(at(7_000), 9), Err(LONGEST));
    }

    #[test]
    fn a_clock_that_was_set_back_costs_a_minute_at_most() {
        let mut window = Window::default();
        for _ in 0..5 {
            window.take(at(86_400_000), 5).unwrap();
        }
        assert_eq!(window.take(at(0), 5), Err(Duration::from_secs(61)));
        assert_eq!(window.take(at(61_000), 5), Ok(()));
        window.pause(at(86_400_000), Duration::from_secs(2));
        assert_eq!(window.take(at(90_000), 5), Err(Duration::from_secs(2)));
        assert_eq!(window.take(at(92_000), 5), Ok(()));
    }

    #[test]
    fn nothing_known_counts_as_used_up() {
        let mut window = Window::used_up(at(0), 400);
        assert_eq!(window.take(at(0), 360), Err(Duration::from_secs(61)));
        assert_eq!(window.take(at(61_000), 360), Ok(()));
        assert_eq!(Window::default().take(at(0), 0), Err(Duration::from_secs(61)));
    }
}
