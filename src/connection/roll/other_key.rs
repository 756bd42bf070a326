//! A client that the server does not know by the key in force, where it may know it by another one.

use super::Rolling;
use crate::http::error_response::ErrorResponse;

impl Rolling<'_> {
    /// Turns to the other key for the next command, where the server did not know the client; the
    /// refresh token was not looked at then (RFC 6749 section 5.2).
    pub(super) fn turns_to_other_key(&mut self, error: &ErrorResponse) -> bool {
        error.code.as_deref() == Some("invalid_client")
            && self.entry.turn_to_other_key()
            // What cannot be written is found again by the next command.
            && self.drawer.note(self.lock, &self.entry).is_ok()
    }
}
