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
    /// When nothing is sent at all.
    #[serde(default)]
    pause: Option<Pause>,
}

/// From when until when nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Pause(i64, i64);

impl Pause {
    /// One that is still to come was written before the clock was set back: it begins now.
    fn repaired(self, now: i64) -> Option<Self> {
        let Self(from, until) = self;
        let length = until.saturating_sub(from).clamp(0, LONGEST.as_millis() as i64);
        let from = from.min(now);
        Some(Self(from, from + length)).filter(|pause| pause.1 > now)
    }
}

impl Window {
    /// A window in which nothing more may be sent, where what was sent is not known.
    pub fn used_up(now: Timestamp, room: u32) -> Self {
        Self { sent: VecDeque::from([(now.as_millisecond(), room)]), pause: None }
    }

    /// Counts a request that is sent now; else says after how long to ask again.
    pub fn take(&mut self, now: Timestamp, room: u32) -> Result<(), Duration> {
        self.ready(now, room)?;
        self.count(now);
        Ok(())
    }

    /// Whether a request could be sent now; counts none.
    pub fn ready(&mut self, now: Timestamp, room: u32) -> Result<(), Duration> {
        let now = now.as_millisecond();
        self.repair(now);
        if let Some(Pause(_, until)) = self.pause {
            return Err(milliseconds(until - now));
        }
        let mut counted: u64 = self.sent.iter().map(|(_, count)| u64::from(*count)).sum();
        if counted < u64::from(room) {
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

    /// Whether a pause was asked for that may not be over.
    pub fn is_paused(&self) -> bool {
        self.pause.is_some()
    }

    /// How long nothing is sent at all, where the vendor asked for a pause.
    pub fn paused_for(&mut self, now: Timestamp) -> Option<Duration> {
        let now = now.as_millisecond();
        self.repair(now);
        self.pause.map(|Pause(_, until)| milliseconds(until - now))
    }

    /// Lets nothing go for that long; a longer pause stays.
    pub fn pause(&mut self, now: Timestamp, wait: Duration) {
        let now = now.as_millisecond();
        self.repair(now);
        let wait = i64::try_from(wait.min(LONGEST).as_millis()).unwrap_or(SPAN);
        let pause = Pause(now, now + wait);
        if self.pause.is_none_or(|before| before.1 < pause.1) {
            self.pause = Some(pause);
        }
    }

    /// Counts a request that is sent now, whether there is room for it or not.
    pub fn count(&mut self, now: Timestamp) {
        let now = now.as_millisecond();
        self.repair(now);
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
        self.pause = self.pause.and_then(|pause| pause.repaired(now));
        for (moment, _) in &mut self.sent {
            *moment = (*moment).min(now);
        }
        // Whoever wrote the file may not have kept the order.
        self.sent.retain(|(moment, _)| now - SPAN < *moment);
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
    fn a_file_with_impossible_times_is_repaired() {
        let times = [i64::MIN, i64::MIN + 1, -1, 0, 1_800_000_000_000, i64::MAX - 1, i64::MAX];
        let now = at(0);
        for from in times {
            for until in times {
                let count = u32::MAX;
                let text = format!(
                    "{{\"sent\":[[{from},{count}],[{until},{count}],[{from},1]],\"pause\":[{from},{until}]}}"
                );
                let window: Window = serde_json::from_str(&text).unwrap();
                for room in [0, 1, 400, u32::MAX] {
                    let mut taken = window.clone();
                    let wait = taken.take(now, room).err().unwrap_or_default();
                    assert!(wait <= LONGEST, "{text}: {wait:?}");
                    let mut later = window.clone();
                    later.pause(now, Duration::MAX);
                    assert_eq!(later.paused_for(now), Some(LONGEST), "{text}");
                    later.count(now);
                    let after = now + LONGEST + Duration::from_secs(61);
                    assert_eq!(later.take(after, room.max(1)), Ok(()), "{text}");
                }
            }
        }
    }

    #[test]
    fn nothing_known_counts_as_used_up() {
        let mut window = Window::used_up(at(0), 400);
        assert_eq!(window.take(at(0), 360), Err(Duration::from_secs(61)));
        assert_eq!(window.take(at(61_000), 360), Ok(()));
        assert_eq!(Window::default().take(at(0), 0), Err(Duration::from_secs(61)));
    }
}
