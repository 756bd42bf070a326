//! Which deliveries were done: the last so many names, each as a digest of one length.
//!
//! A vendor's id may be of any length and hold anything; its digest fits into a line of a file.
//! An id that the signature does not cover can be written anew by anyone who has seen a delivery,
//! so there the body belongs to the name: what is known is dropped only where both are the same.

use std::collections::{HashSet, VecDeque};

use sha2::{Digest as _, Sha256};

use crate::provider::schema::Webhook;

/// How many ids are remembered.
pub const MOST: usize = 10_000;

/// The first half of a SHA-256, in hexadecimal.
type Digest = [u8; 32];

/// What tells one delivery from every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeliveryName(Digest);

impl DeliveryName {
    /// Made from the id where it is signed, from id and body where the body alone is.
    pub fn of(webhook: &Webhook, id: &str, body: &[u8]) -> Self {
        match webhook.signs_id() {
            true => Self(digest(&[id.as_bytes()])),
            // The length keeps the end of an id from being read as the start of a body.
            false => Self(digest(&[&(id.len() as u64).to_be_bytes(), id.as_bytes(), body])),
        }
    }
}

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

    /// Whether a delivery of that name was done.
    pub fn contains(&self, name: &DeliveryName) -> bool {
        self.known.contains(&name.0)
    }

    /// Remembers a name, forgets the oldest beyond [`MOST`], and gives the line for a file.
    pub fn add(&mut self, name: &DeliveryName) -> [u8; 33] {
        self.insert(name.0);
        let mut line = [b'\n'; 33];
        line[..32].copy_from_slice(&name.0);
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

fn digest(parts: &[&[u8]]) -> Digest {
    let mut digest = [0; 32];
    let hash = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize();
    for (place, byte) in digest.chunks_exact_mut(2).zip(hash) {
        place.copy_from_slice(format!("{byte:02x}").as_bytes());
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue::shipped;

    fn inkress() -> Webhook {
        shipped("inkress").unwrap().unwrap().webhook.unwrap()
    }

    fn name(id: &str) -> DeliveryName {
        DeliveryName::of(&inkress(), id, b"{}")
    }

    #[test]
    fn an_id_that_is_not_signed_names_a_delivery_together_with_its_body_alone() {
        let webhook = inkress();
        let name = |id: &str, body: &str| DeliveryName::of(&webhook, id, body.as_bytes());
        assert_eq!(name("evt_9", "{}"), name("evt_9", "{}"));
        let others = [("evt_9", "{ }"), ("evt_8", "{}"), ("evt_9{", "}"), ("", "evt_9{}")];
        assert!(others.iter().all(|(id, body)| name(id, body) != name("evt_9", "{}")));
        let webhook = Webhook { signed: "{id}.{body}".into(), ..inkress() };
        let name = |id: &str, body: &str| DeliveryName::of(&webhook, id, body.as_bytes());
        assert_eq!(name("evt_9", "{}"), name("evt_9", "tried again"));
        assert_ne!(name("evt_9", "{}"), name("evt_8", "{}"));
    }

    #[test]
    fn an_id_is_known_until_ten_thousand_others_came() {
        let mut ids = DeliveryIds::default();
        ids.add(&name("first"));
        ids.add(&name("first"));
        assert!(ids.contains(&name("first")) && !ids.contains(&name("second")));
        for number in 0..MOST {
            assert!(ids.contains(&name("first")), "{number}");
            ids.add(&name(&number.to_string()));
        }
        assert!(!ids.contains(&name("first")));
        assert_eq!((ids.order.len(), ids.known.len()), (MOST, MOST));
    }

    #[test]
    fn what_was_written_is_read_again_and_a_torn_line_costs_itself_alone() {
        let mut ids = DeliveryIds::default();
        let mut file = ids.add(&name("one\nwith a line break")).to_vec();
        file.extend(&ids.add(&name(&"long".repeat(1000)))[..20]);
        file.extend(b"\n\xff\n");
        file.extend(ids.add(&name("three")));
        let mut again = DeliveryIds::default();
        again.read(&file);
        assert!(again.contains(&name("one\nwith a line break")) && again.contains(&name("three")));
        assert!(!again.contains(&name(&"long".repeat(1000))));
        assert_eq!(ids.text().len(), 3 * 33);
    }
}
