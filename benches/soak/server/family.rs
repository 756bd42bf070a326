//! One connection at the server: the live refresh token, the spent ones, and the one that is forgiven.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::TOO_LATE;
use super::answer::Answer;
use crate::chance::Chance;

/// How much longer an access token opens the API than it says: machines are busy, clocks differ.
const LEEWAY: Duration = Duration::from_secs(30);

/// How long an answer may need from here to the disk, on a busy machine.
const UNTIL_STORED: Duration = Duration::from_millis(500);

/// What a token answer gives.
#[derive(Clone)]
pub struct Granted {
    pub access_token: String,
    pub refresh_token: Option<String>,
    /// In seconds.
    pub expires_in: u64,
}

impl Granted {
    /// As a token endpoint says it.
    pub fn answer(&self) -> Answer {
        Answer::json(200, &self.json())
    }

    /// The document alone.
    pub fn json(&self) -> String {
        let mut object = serde_json::json!({
            "access_token": self.access_token,
            "token_type": "Bearer",
            "expires_in": self.expires_in,
        });
        if let Some(token) = &self.refresh_token {
            object["refresh_token"] = token.as_str().into();
        }
        object.to_string()
    }
}

/// What a refresh token turned out to be.
pub enum Presented {
    /// The live one: it is spent now, and this took its place.
    Rolled(Granted),
    /// A spent one whose answer the server itself kept back: the same answer again.
    Forgiven(Granted),
    /// A spent one: the connection has ended.
    Spent,
    /// Any of a connection that has ended.
    Ended,
    /// Of another connection.
    NotOurs,
}

/// What is known of the last answer that held new tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is being made since then.
    InHand(Instant),
    /// It was handed over whole, and in time.
    Delivered(Instant),
    /// Nobody can have it.
    Lost,
}

/// The last refresh token that was rolled.
struct Last {
    token: String,
    granted: Granted,
    fate: Fate,
}

/// One connection.
pub struct Family {
    number: usize,
    serial: u64,
    live: String,
    spent: HashSet<String>,
    last: Option<Last>,
    ended: bool,
    access: Vec<(String, Instant)>,
}

impl Family {
    /// A new one, and its first tokens.
    pub fn new(number: usize, chance: &mut Chance) -> (Self, Granted) {
        let mut family = Self {
            number,
            serial: 0,
            live: String::new(),
            spent: HashSet::new(),
            last: None,
            ended: false,
            access: Vec::new(),
        };
        let granted = family.grant(chance);
        (family, granted)
    }

    fn grant(&mut self, chance: &mut Chance) -> Granted {
        self.serial += 1;
        let (number, serial) = (self.number, self.serial);
        let word = |kind: &str, chance: &mut Chance| {
            format!("{kind}-{number}-{serial}-{:016x}", chance.bits())
        };
        let (access_token, live) = (word("at", chance), word("rt", chance));
        let expires_in = 2 + chance.below(9);
        let end = Instant::now() + Duration::from_secs(expires_in) + LEEWAY;
        self.access.retain(|(_, end)| *end > Instant::now());
        self.access.push((access_token.clone(), end));
        self.live = live.clone();
        Granted { access_token, refresh_token: Some(live), expires_in }
    }

    /// Judges a refresh token.
    pub fn present(&mut self, token: &str, chance: &mut Chance) -> Presented {
        let is_ours = token == self.live || self.spent.contains(token);
        if !is_ours {
            return Presented::NotOurs;
        }
        if self.ended {
            return Presented::Ended;
        }
        let fate = Fate::InHand(Instant::now());
        if token == self.live {
            let granted = self.grant(chance);
            self.spent.insert(token.to_owned());
            // The one before it was used, so its answer had arrived: that is forgiven no more.
            self.last = Some(Last { token: token.to_owned(), granted: granted.clone(), fate });
            return Presented::Rolled(granted);
        }
        match &mut self.last {
            Some(last) if last.token == token && last.is_forgiven() => {
                last.fate = fate;
                Presented::Forgiven(last.granted.clone())
            }
            _ => {
                self.ended = true;
                Presented::Spent
            }
        }
    }

    /// Notes what became of the answer to this token.
    pub fn answered(&mut self, token: &str, fate: Fate) {
        let last = self.last.as_mut().filter(|last| last.token == token);
        // One that was forgiven while it was in hand stays so.
        if let Some(last) = last.filter(|last| last.fate != Fate::Lost) {
            last.fate = fate;
        }
    }

    /// Forgives the last token where its answer may be unread or unwritten; says that it did.
    pub fn forgive_what_is_on_its_way(&mut self) -> Option<()> {
        let last = self.last.as_mut()?;
        let on_its_way = match last.fate {
            Fate::InHand(_) => true,
            Fate::Delivered(at) => at.elapsed() < UNTIL_STORED,
            Fate::Lost => false,
        };
        on_its_way.then(|| last.fate = Fate::Lost)
    }

    /// Whether an access token opens the API.
    pub fn opens(&self, token: &str) -> bool {
        let known = |(known, end): &(String, Instant)| known == token && *end > Instant::now();
        !self.ended && self.access.iter().any(known)
    }
}

impl Last {
    /// Whoever waited for too long may have gone before the answer came.
    fn is_forgiven(&self) -> bool {
        match self.fate {
            Fate::InHand(since) => since.elapsed() > TOO_LATE,
            Fate::Delivered(_) => false,
            Fate::Lost => true,
        }
    }
}
