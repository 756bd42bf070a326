//! Files that keyfob wrote, or that say so.

use std::sync::LazyLock;

use keyfob::connection::Entry;
use keyfob::connection::blob::SealedBlob;
use keyfob::secret::Secret;
use keyfob::store::journal::{Journal, Recovered};
use keyfob::store::key::{Key, Origin};
use keyfob::store::seal;
use tempfile::TempDir;

/// The key of the seeds.
pub const KEY: &str = "the key of the fuzzer's seeds, which guards nothing";
/// What the seeds are about.
const ABOUT: [&str; 2] = ["keyfob entry", "shop"];

fn key() -> Key {
    Key::from_secret_text(&Secret::new(KEY)).expect("it is long enough")
}

/// A sealed file, and a sealed blob in text. Nothing opens but what was sealed.
pub fn sealed(bytes: &[u8]) {
    if let Ok(Origin::Passphrase { cost, .. }) = seal::origin(bytes) {
        assert!(cost.memory <= 128 * 1024 && cost.passes <= 8 && cost.lanes <= 4, "{cost:?}");
    }
    let _ = seal::recognise(&key(), bytes);
    if let Ok(text) = seal::open(&key(), &ABOUT, bytes) {
        assert!(bytes.len() > text.len() + 40);
        assert_eq!(seal::extent(bytes), Ok(bytes.len()));
    }
    if let Ok(blob) = SealedBlob::read(&Secret::new(super::text(bytes))) {
        let _ = blob.origin();
        let _ = blob.open(&key());
    }
}

/// What a sealed file holds.
pub fn entry(bytes: &[u8]) {
    let Ok(entry) = Entry::decode(&Secret::new(super::text(bytes))) else { return };
    let text = entry.encode().expect("what was read can be written");
    let again = Entry::decode(&text).expect("and read again");
    assert_eq!(again.encode().expect("and written"), text);
}

/// A journal of any bytes: an answer comes only from a seal.
pub fn journal(bytes: &[u8]) {
    static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));
    let path = FOLDER.path().join("shop.7.journal");
    std::fs::write(&path, bytes).expect("a file");
    match Journal::recover(FOLDER.path(), "shop", 7, &key()) {
        Ok(Recovered::Absent) => panic!("it is there"),
        Ok(Recovered::Empty) => assert!(bytes.iter().all(|byte| *byte == 0)),
        Ok(Recovered::Torn) => {}
        Ok(Recovered::Answer(answer)) => assert!(bytes.len() > answer.len() + 40),
        Err(_) => {}
    }
}
