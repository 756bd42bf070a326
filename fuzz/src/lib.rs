//! What the fuzzer does with arbitrary bytes; `mutations.rs` does the same without a fuzzer.

// The two private parsers among the bodies are compiled from their own files, and find these rooms where they look.
use keyfob::{http, provider, resource_server};

pub mod bodies;

/// The body of that name.
pub fn body(name: &str) -> fn(&[u8]) {
    let found = bodies::TARGETS.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("there is no target {name}")).1
}
