//! The `Date` of answers: the stand-in's own clock, right, wrong by hours, or silent.

use jiff::{SignedDuration, Timestamp};

use super::Sandbox;
use super::faults::Delivery;
use super::message::Answer;

/// What the stand-in's answers say about the time.
#[derive(Debug, Clone, Copy)]
pub enum Dates {
    /// The time of its clock, and this much more.
    Off(SignedDuration),
    /// Nothing.
    Silent,
}

impl Default for Dates {
    fn default() -> Self {
        Self::Off(SignedDuration::ZERO)
    }
}

impl Dates {
    /// The header's text (RFC 9110 section 5.6.7).
    fn text(self, now: Timestamp) -> Option<String> {
        let Self::Off(by) = self else { return None };
        Some(httpdate::fmt_http_date(now.saturating_add(by).ok()?.into()))
    }

    /// An answer that carries it.
    pub fn on(self, delivery: Delivery, now: Timestamp) -> Delivery {
        let dated = |answer: Answer| match self.text(now) {
            Some(date) if !answer.headers.iter().any(|(name, _)| name == "date") => {
                answer.with("date", date)
            }
            _ => answer,
        };
        match delivery {
            Delivery::Whole(answer) => Delivery::Whole(dated(answer)),
            Delivery::Half(answer) => Delivery::Half(dated(answer)),
            Delivery::Dropped => Delivery::Dropped,
        }
    }
}

impl Sandbox {
    /// Puts the clock of the answers ahead, or behind; records keep the stand-in's own time.
    pub fn answers_are_off_by(&self, seconds: i64) {
        self.stand_in.state().dates = Dates::Off(SignedDuration::from_secs(seconds));
    }

    /// Leaves the time out of answers.
    pub fn answers_tell_no_time(&self) {
        self.stand_in.state().dates = Dates::Silent;
    }
}
