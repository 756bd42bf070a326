//! Which deliveries were done: the last so many ids, each as a digest of one length.
//!
//! A vendor's id may be of any length and hold anything; its digest fits into a line of a file.

use std::collections::{HashSet, VecDeque};

use sha2::{Digest as _, Sha256};

/// How many ids are remembered.
pub const MOST: usize = 10_000;

/// The first half of an id's SHA-256, in hexadecimal.
type Digest = [u8; 32];

/// The ids that are remembered, oldest first.
#[derive(Debug, Default)]
pub struct DeliveryIds {
    order: VecDeque<Digest>,
    known: HashSet<Digest>,
}

impl DeliveryIds {
    /// Adds what the lines of a file say; a line that a crash cut short is passed over.
    pub fn read(&mut self, text: &[u8]) {
        let lines = text.split(|byte| *byte == b'\n');
        for digest in lines.filter_map(|line| Digest::try_from(line).ok()) {
            if digest.iter().all(u8::is_ascii_hexdigit) {
                self.insert(digest);
            }
        }
    }

    /// Whether a delivery of that id was done.
    pub fn contains(&self, id: &str) -> bool {
        self.known.contains(&digest(id))
    }

    /// Remembers an id, forgets the oldest beyond [`MOST`], and gives the line for a file.
    pub fn add(&mut self, id: &str) -> [u8; 33] {
        let digest = digest(id);
        self.insert(digest);
        let mut line = [b'\n'; 33];
        line[..32].copy_from_slice(&digest);
        line
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// All of them as lines.
    pub fn text(&self) -> Vec<u8> {
        self.order.iter().flat_map(|digest| digest.iter().copied().chain([b'\n'])).collect()
    }

    fn insert(&mut self, digest: Digest) {
        if !self.known.insert(digest) {
            return;
        }
        self.order.push_back(digest);
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

fn digest(id: &str) -> Digest {
    let mut digest = [0; 32];
    let hash = Sha256::digest(id.as_bytes());
    for (place, byte) in digest.chunks_exact_mut(2).zip(hash) {
        place.copy_from_slice(format!("{byte:02x}").as_bytes());
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_known_until_ten_thousand_others_came() {
        let mut ids = DeliveryIds::default();
        ids.add("first");
        ids.add("first");
        assert!(ids.contains("first") && !ids.contains("second"));
        for number in 0..MOST {
            assert!(ids.contains("first"), "{number}");
            ids.add(&number.to_string());
        }
        assert!(!ids.contains("first"));
        assert_eq!((ids.order.len(), ids.known.len()), (MOST, MOST));
    }

    #[test]
    fn what_was_written_is_read_again_and_a_torn_line_costs_itself_alone() {
        let mut ids = DeliveryIds::default();
        let mut file = ids.add("one\nwith a line break").to_vec();
        file.extend(&ids.add(&"long".repeat(1000))[..20]);
        file.extend(b"\n\xff\n");
        file.extend(ids.add("three"));
        let mut again = DeliveryIds::default();
        again.read(&file);
        assert!(again.contains("one\nwith a line break") && again.contains("three"));
        assert!(!again.contains(&"long".repeat(1000)));
        assert_eq!(ids.text().len(), 3 * 33);
    }
}
