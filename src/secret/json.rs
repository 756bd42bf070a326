//! A record that holds secrets, written as JSON without leaving copies behind.

use std::io::{self, Write};

use serde::Serialize;
use serde::ser::Error as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::Secret;

/// Room for an ordinary entry; a longer one grows.
const ROOM: usize = 4096;

impl Secret {
    /// Writes a record as JSON; for what is sealed, kept by a keychain, or told a process of our own.
    ///
    /// # Errors
    /// Where the record has no form in JSON.
    pub fn json(record: &(impl Serialize + ?Sized)) -> Result<Self, serde_json::Error> {
        let mut text = Growing(Zeroizing::new(Vec::with_capacity(ROOM)));
        serde_json::to_writer(&mut text, record)?;
        let text = String::from_utf8(std::mem::take(&mut *text.0));
        text.map(Self::new).map_err(|_| serde_json::Error::custom("not UTF-8"))
    }
}

/// Grows by copying into a new buffer and wiping the old one: a plain `Vec` leaves its old copy behind.
struct Growing(Zeroizing<Vec<u8>>);

impl Write for Growing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = &mut *self.0;
        let needed = text.len() + bytes.len();
        if needed > text.capacity() {
            let mut grown = Vec::with_capacity(needed.next_power_of_two());
            grown.extend_from_slice(text);
            text.zeroize();
            *text = grown;
        }
        text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_as_it_was_written_however_long_it_is() {
        for length in [0, 1, ROOM - 3, ROOM - 2, ROOM - 1, ROOM, 9 * ROOM] {
            let record = vec!["x".repeat(length), "\"é\u{1}".into()];
            let written = Secret::json(&record).unwrap();
            assert_eq!(written.expose(), serde_json::to_string(&record).unwrap(), "{length}");
        }
    }
}
