//! A token that was made for a refused call and refused as well: for a while the next such refusal is believed.
//!
//! Only a 403 is remembered. It says that the call is forbidden (RFC 9110 section 15.5.4); where a
//! vendor answers it to an ended token as well (Inyo's guide, "Handle expiry gracefully"), a fleet
//! of commands that all meet a forbidden path would each ask for a token, and use up the vendor's limit.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Connection;
use crate::clock::after_seconds;
use crate::secret::Secret;
use crate::store::durable::Folder;
use crate::system::Home;

/// Seconds for which such a refusal is believed without another try.
const BELIEVED: u64 = 60;
/// The status that is remembered.
const FORBIDDEN: u16 = 403;

#[derive(Serialize, Deserialize)]
struct Noted {
    /// The access token, by its fingerprint.
    access_token: String,
    /// A clock that was set back since makes it no longer.
    at: Timestamp,
}

impl Connection<'_> {
    /// Notes that a renewed access token was refused as well; other commands hear of it.
    pub(super) fn note_refused_renewal(&self, status: u16, token: &Secret) {
        if status != FORBIDDEN {
            return;
        }
        let noted = Noted { access_token: token.fingerprint(), at: self.system.clock.now() };
        let text = serde_json::to_vec(&noted).unwrap_or_default();
        // Where it cannot be noted, the next command asks for a token once more.
        let _ = Folder::make(&self.system.home.cooldowns())
            .and_then(|folder| folder.replace(&self.refused_renewal_file(), &text));
    }

    /// Whether this very token was made for a refused call a moment ago, and refused.
    pub(super) fn was_renewed_in_vain(&self, status: u16, token: &Secret) -> bool {
        let now = self.system.clock.now();
        status == FORBIDDEN
            && self.noted_refusal().is_some_and(|noted| {
                noted.access_token == token.fingerprint()
                    && noted.at <= now
                    && now < after_seconds(noted.at, BELIEVED)
            })
    }

    fn noted_refusal(&self) -> Option<Noted> {
        let folder = Folder::open(&self.system.home.cooldowns()).ok()??;
        let text = folder.read(&self.refused_renewal_file()).ok()??;
        serde_json::from_slice(&text).ok()
    }

    fn refused_renewal_file(&self) -> String {
        file(self.name())
    }
}

fn file(profile: &str) -> String {
    format!("{profile}.refused.json")
}

/// Takes away what was noted for a profile that is gone.
pub(super) fn discard(home: &Home, profile: &str) {
    if let Ok(Some(folder)) = Folder::open(&home.cooldowns()) {
        let _ = folder.remove(&file(profile));
    }
}
