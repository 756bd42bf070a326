//! Randomness that is the same in every run, and that nobody in the program could guess.

use std::sync::atomic::{AtomicU64, Ordering};

use keyfob::random::Random;
use sha2::{Digest, Sha256};

/// Hashes of a name and a counter.
pub struct Sequence {
    name: &'static str,
    count: AtomicU64,
}

impl Sequence {
    /// A sequence of its own for each name.
    pub fn named(name: &'static str) -> Self {
        Self { name, count: AtomicU64::new(0) }
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
