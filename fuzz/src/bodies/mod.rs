//! One function for each place where bytes from outside are read. None may panic, and none may give
//! more than it was given; where there is a way back, it must lead to the same value.

mod addresses;
mod answers;
mod batch;
mod callback;
mod headers;
mod items;
mod provider;
mod sealed;
mod user_agent;
mod webhook;

pub use sealed::KEY as SEEDS_KEY;

/// A body and its name, which is also the name of its seeds' folder.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 16] = [
    ("address", addresses::address),
    ("batch_line", batch::line),
    ("callback_request", callback::request),
    ("entry", sealed::entry),
    ("error_response", answers::error_response),
    ("items", items::items),
    ("journal", sealed::journal),
    ("link", headers::link),
    ("metadata", provider::metadata),
    ("pasted", callback::pasted),
    ("provider_file", provider::file),
    ("retry_after", headers::retry_after),
    ("sealed", sealed::sealed),
    ("token_response", answers::token_response),
    ("webhook", webhook::headers),
    ("www_authenticate", headers::www_authenticate),
];

/// Arbitrary bytes as text: what is no UTF-8 would be refused before any of these parsers.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The first line and the rest: for what has a head of its own.
fn head_and_rest(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}
