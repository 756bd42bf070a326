//! The newest nonce of each server, kept from one command to the next (RFC 9449 section 8.2).
//!
//! A nonce is no secret. One that is lost or old costs a round trip, so nothing here is waited for
//! and nothing is made durable; but for it every command would begin with a refused request, and a
//! body that can be read once only would never arrive at a server that wants one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::store::durable::Folder;
use crate::store::tally::Tally;

/// More servers than a connection has; beyond them the file begins anew.
const MOST: usize = 32;

/// Where the nonces of one connection's key are kept.
pub struct Nonces {
    folder: PathBuf,
    profile: String,
    /// The key's thumbprint: what was said to another key is not shown with this one.
    key: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Kept {
    key: String,
    /// By origin.
    nonces: BTreeMap<String, String>,
}

impl Nonces {
    /// The file of a profile; nothing is touched yet.
    pub fn of(folder: PathBuf, profile: &str, key: String) -> Self {
        Self { folder, profile: profile.to_owned(), key }
    }

    /// What the servers said last, by their origins; nothing where it cannot be read.
    pub fn read(&self) -> BTreeMap<String, String> {
        let folder = Folder::open(&self.folder).ok().flatten();
        let text = folder.and_then(|folder| folder.read(&file_name(&self.profile)).ok().flatten());
        text.map(|text| self.kept_in(&text).nonces).unwrap_or_default()
    }

    /// Keeps one, unless another process is at the file or the system refuses.
    pub fn keep(&self, origin: &str, nonce: &str) {
        let Ok(tally) = Tally::open(&self.folder, &file_name(&self.profile)) else { return };
        let _ = tally.change_now(|found| {
            let mut kept = self.kept_in(found);
            if kept.nonces.len() >= MOST {
                kept.nonces.clear();
            }
            kept.nonces.insert(origin.to_owned(), nonce.to_owned());
            Ok((serde_json::to_vec(&kept)?, ()))
        });
    }

    /// What a text says to this key.
    fn kept_in(&self, text: &[u8]) -> Kept {
        let kept: Option<Kept> = serde_json::from_slice(text).ok();
        let nothing = || Kept { key: self.key.clone(), ..Kept::default() };
        kept.filter(|kept| kept.key == self.key).unwrap_or_else(nothing)
    }
}

/// Forgets what the servers said to a profile's key.
pub fn discard(folder: &Path, profile: &str) {
    // What stays is no secret, and of no use to another key.
    if let Ok(Some(folder)) = Folder::open(folder) {
        let _ = folder.remove(&file_name(profile));
    }
}

fn file_name(profile: &str) -> String {
    format!("{profile}.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // SC3
    fn the_newest_nonce_of_each_server_is_there_for_the_next_command_and_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let nonces = |key: &str| Nonces::of(folder.path().join("nonces"), "shop", key.into());
        assert!(nonces("k").read().is_empty());
        nonces("k").keep("https://as.test", "a1");
        nonces("k").keep("https://api.test", "r1");
        nonces("k").keep("https://as.test", "a2");
        let expected = [("https://api.test", "r1"), ("https://as.test", "a2")];
        let expected = expected.map(|(origin, nonce)| (origin.to_owned(), nonce.to_owned()));
        assert_eq!(nonces("k").read(), BTreeMap::from(expected));
        assert!(nonces("another").read().is_empty());
        nonces("another").keep("https://as.test", "b1");
        assert!(nonces("k").read().is_empty(), "the key of a new authorization takes its place");
        discard(&folder.path().join("nonces"), "shop");
        assert!(nonces("another").read().is_empty());
    }

    #[test] // SC3, SC9
    fn a_damaged_or_growing_file_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let nonces = Nonces::of(folder.path().to_owned(), "shop", "k".into());
        nonces.keep("https://as.test", "a1");
        std::fs::write(folder.path().join("shop.json"), "{\"key\":\"k\",\"nonces\":{\"").unwrap();
        assert!(nonces.read().is_empty());
        for number in 0..100 {
            nonces.keep(&format!("https://{number}.test"), "n");
        }
        assert!((1..=MOST).contains(&nonces.read().len()));
    }
}
