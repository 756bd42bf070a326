//! What goes wrong at the server.

use std::fmt;
use std::time::Duration;

use super::answer::{Answer, Cut};
use super::family::Granted;
use crate::chance::Chance;

/// What goes wrong with a token request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenFault {
    Slow,
    ResetBefore,
    TooMany,
    Unavailable,
    PageBefore,
    CutBefore,
    SlowerThanPatience,
    ResetAfter,
    FailsAfter,
    PageAfter,
    CutAfter,
}

/// How often each comes.
const TOKEN_FAULTS: [(TokenFault, u64); 11] = [
    (TokenFault::Slow, 10),
    (TokenFault::ResetBefore, 8),
    (TokenFault::TooMany, 5),
    (TokenFault::Unavailable, 8),
    (TokenFault::PageBefore, 6),
    (TokenFault::CutBefore, 6),
    (TokenFault::SlowerThanPatience, 1),
    (TokenFault::ResetAfter, 8),
    (TokenFault::FailsAfter, 6),
    (TokenFault::PageAfter, 6),
    (TokenFault::CutAfter, 6),
];

impl TokenFault {
    /// One by chance.
    pub fn any(chance: &mut Chance) -> Self {
        chance.weighted(&TOKEN_FAULTS)
    }

    /// Whether the token is rolled all the same.
    pub fn rotates(self) -> bool {
        self == Self::Slow || self.loses_the_answer()
    }

    /// Whether the answer that holds the new tokens never arrives.
    pub fn loses_the_answer(self) -> bool {
        matches!(
            self,
            Self::SlowerThanPatience
                | Self::ResetAfter
                | Self::FailsAfter
                | Self::PageAfter
                | Self::CutAfter
        )
    }

    /// How long it takes to answer; keyfob waits for eight seconds.
    pub fn delay(self, chance: &mut Chance) -> Duration {
        match self {
            Self::Slow => chance.time(300, 2_500),
            Self::SlowerThanPatience => Duration::from_secs(10),
            _ => chance.time(0, 60),
        }
    }

    /// What comes in place of the tokens.
    pub fn answer(self, granted: Option<&Granted>) -> Answer {
        let whole = granted.map_or_else(
            || Answer::json(200, "{\"access_token\":\"at-none\",\"token_type\":\"Bearer\"}"),
            Granted::answer,
        );
        match self {
            Self::ResetBefore | Self::ResetAfter => whole.cut(Cut::Everything),
            Self::CutBefore | Self::CutAfter => whole.cut(Cut::Half),
            Self::PageBefore | Self::PageAfter => Answer::page(200),
            Self::TooMany => Answer::error(429, "slow_down").with("Retry-After: 1"),
            Self::Unavailable => Answer::page(503),
            Self::FailsAfter => Answer::page(500),
            Self::Slow | Self::SlowerThanPatience => whole,
        }
    }
}

impl fmt::Display for TokenFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Slow => "slow, up to 2.5 s",
            Self::ResetBefore => "connection reset, nothing done",
            Self::TooMany => "429 with Retry-After",
            Self::Unavailable => "503",
            Self::PageBefore => "200 with an HTML page, nothing done",
            Self::CutBefore => "200 with JSON cut off, nothing done",
            Self::SlowerThanPatience => "answer after 10 s, rolled",
            Self::ResetAfter => "connection reset, rolled",
            Self::FailsAfter => "500, rolled",
            Self::PageAfter => "200 with an HTML page, rolled",
            Self::CutAfter => "200 with JSON cut off, rolled",
        })
    }
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApiFault {
    Reset,
    TooMany,
    Unavailable,
    Cut,
    Refuses,
}

/// How often each comes.
const API_FAULTS: [(ApiFault, u64); 5] = [
    (ApiFault::Reset, 3),
    (ApiFault::TooMany, 2),
    (ApiFault::Unavailable, 2),
    (ApiFault::Cut, 2),
    (ApiFault::Refuses, 4),
];

impl ApiFault {
    /// One by chance.
    pub fn any(chance: &mut Chance) -> Self {
        chance.weighted(&API_FAULTS)
    }

    /// What comes.
    pub fn answer(self) -> Answer {
        let whole = Answer::json(200, "{\"me\":183}");
        match self {
            Self::Reset => whole.cut(Cut::Everything),
            Self::Cut => whole.cut(Cut::Half),
            Self::TooMany => Answer::error(429, "slow_down").with("Retry-After: 1"),
            Self::Unavailable => Answer::page(503),
            Self::Refuses => Answer::unauthorized(),
        }
    }
}

impl fmt::Display for ApiFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Reset => "call: connection reset",
            Self::TooMany => "call: 429 with Retry-After",
            Self::Unavailable => "call: 503",
            Self::Cut => "call: answer cut off",
            Self::Refuses => "call: 401 for a good token",
        })
    }
}
