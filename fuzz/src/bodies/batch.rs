//! The lines of a batch. `call --batch` reads them in private: its file is compiled here as it stands.

#[allow(dead_code, reason = "the batch uses more of it")]
#[path = "../../../src/cli/call/batch/request_line.rs"]
mod request_line;

use keyfob::http::Body;

/// One line.
pub fn line(bytes: &[u8]) {
    if let Some(id) = request_line::id_of(bytes) {
        assert!(bytes.windows(id.get().len()).any(|part| part == id.get().as_bytes()));
    }
    let Ok(line) = request_line::read(bytes) else { return };
    let Ok(items) = line.items() else { return };
    let whole = bytes::Bytes::copy_from_slice(bytes);
    let again = request_line::read(&whole).expect("it was read before");
    if let Body::Bytes(body) = again.body(&whole, &items) {
        assert!(body.len() <= bytes.len());
    }
}
