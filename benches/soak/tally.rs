//! What was done and what came of it, counted by all lanes together.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// A number that many threads add to.
#[derive(Default)]
pub struct Count(AtomicU64);

impl Count {
    /// One more.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Everything that is counted here; the server counts the rest.
#[derive(Default)]
pub struct Tally {
    pub commands: Count,
    pub killed_alone: Count,
    pub killed_in_group: Count,
    pub terminated: Count,
    pub wrong_clocks: Count,
    pub limited_files: Count,
    pub disks_filled: Count,
    pub keychains_locked: Count,
    pub keychains_broken: Count,
    pub power_cuts: Count,
    pub lost: Count,
    exits: Mutex<BTreeMap<String, u64>>,
    odd: Mutex<Vec<String>>,
}

/// How many odd endings are printed whole.
const SHOWN: usize = 20;

impl Tally {
    /// Counts how a command ended.
    pub fn ended(&self, how: &str) {
        let mut exits = self.exits.lock().unwrap_or_else(PoisonError::into_inner);
        *exits.entry(how.to_owned()).or_default() += 1;
    }

    /// Every ending, and how often it came.
    pub fn exits(&self) -> BTreeMap<String, u64> {
        self.exits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps an ending that should not be.
    pub fn odd(&self, what: String) {
        let mut odd = self.odd.lock().unwrap_or_else(PoisonError::into_inner);
        odd.push(what);
    }

    /// The endings that should not be: the first ones, and how many there were.
    pub fn all_odd(&self) -> (Vec<String>, usize) {
        let odd = self.odd.lock().unwrap_or_else(PoisonError::into_inner);
        (odd.iter().take(SHOWN).cloned().collect(), odd.len())
    }
}
