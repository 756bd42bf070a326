//! Randomness that a name alone decides, and that nobody in the program could guess.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use keyfob::random::Random;
use sha2::{Digest, Sha256};

/// Hashes of a name and a counter.
pub struct Sequence {
    name: String,
    count: AtomicU64,
}

impl Sequence {
    /// A sequence of its own for each name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), count: AtomicU64::new(0) }
    }

    /// A sequence of its own for each test of each run, so that two at once choose different ports.
    pub fn of_this_test() -> Self {
        let test = thread::current().name().unwrap_or_default().to_owned();
        Self::named(format!("{test} {}", std::process::id()))
    }
}

impl Random for Sequence {
    fn fill(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(32) {
            let count = self.count.fetch_add(1, Ordering::Relaxed);
            let digest = Sha256::digest(format!("{} {count}", self.name));
            part.copy_from_slice(&digest[..part.len()]);
        }
    }
}
