//! After a 429 the token endpoint is left alone, by every process and until the time it named.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::after_seconds;
use crate::store::StoreError;
use crate::store::durable::Folder;

/// Seconds to wait where the server named no time.
const DEFAULT_WAIT: u64 = 10;
/// The longest wait that a server can impose.
const LONGEST_WAIT: u64 = 3600;

/// The cooldown of one token endpoint for one client.
#[derive(Debug, Clone)]
pub struct Cooldown {
    folder: PathBuf,
    file: String,
}

#[derive(Serialize, Deserialize)]
struct Noted {
    /// A wait from a time to come was noted by a clock that was set back since: it is none.
    from: Timestamp,
    until: Timestamp,
}

impl Cooldown {
    /// The cooldown that this endpoint and client share with other processes.
    pub fn of(folder: PathBuf, token_endpoint: &str, client_id: &str) -> Self {
        let digest = Sha256::digest(format!("{token_endpoint}\n{client_id}"));
        let name: String = digest[..12].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { folder, file: format!("{name}.json") }
    }

    /// Until when to wait; `None` where there is nothing to wait for.
    pub fn until(&self, now: Timestamp) -> Option<Timestamp> {
        // What cannot be read is no reason to stop: the server will say it again.
        let text = Folder::open(&self.folder).ok()??.read(&self.file).ok()??;
        let noted: Noted = serde_json::from_slice(&text).ok()?;
        let latest = after_seconds(noted.from, LONGEST_WAIT);
        (noted.from <= now && now < noted.until && noted.until <= latest).then_some(noted.until)
    }

    /// Notes a wait and gives its end.
    pub fn begin(&self, now: Timestamp, seconds: Option<u64>) -> Result<Timestamp, StoreError> {
        let seconds = seconds.unwrap_or(DEFAULT_WAIT).clamp(1, LONGEST_WAIT);
        let until = after_seconds(now, seconds);
        let text = serde_json::to_vec(&Noted { from: now, until }).unwrap_or_default();
        Folder::make(&self.folder)?.replace(&self.file, &text)?;
        Ok(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // AT-23
    fn a_cooldown_is_shared_by_endpoint_and_client_and_ends() {
        let folder = tempfile::tempdir().unwrap();
        let cooldown =
            |client| Cooldown::of(folder.path().join("c"), "https://as.test/token", client);
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        assert_eq!(cooldown("a").until(at(0)), None);
        cooldown("a").begin(at(0), Some(30)).unwrap();
        assert_eq!(cooldown("a").until(at(1)), Some(at(30)));
        assert_eq!(cooldown("b").until(at(1)), None);
        assert_eq!(cooldown("a").until(at(30)), None);
    }

    #[test] // RF16, AT-23
    fn a_clock_that_was_set_back_makes_no_wait_longer() {
        let folder = tempfile::tempdir().unwrap();
        let cooldown = Cooldown::of(folder.path().to_owned(), "e", "c");
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        cooldown.begin(at(3_600), Some(1)).unwrap();
        assert_eq!(cooldown.until(at(3_600)), Some(at(3_601)));
        for now in [0, 2, 1_800, 3_599] {
            assert_eq!(cooldown.until(at(now)), None, "{now}");
        }
    }

    #[test] // A27, A28
    fn a_server_cannot_ask_for_a_year() {
        let folder = tempfile::tempdir().unwrap();
        let cooldown = Cooldown::of(folder.path().to_owned(), "e", "c");
        let until = cooldown.begin(Timestamp::UNIX_EPOCH, Some(u64::MAX)).unwrap();
        assert_eq!(until.as_second(), 3600);
    }
}
