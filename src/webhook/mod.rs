//! Signed webhooks: made, checked over the raw bytes, received on loopback, passed on.
//!
//! `signature` makes and judges as values, from the scheme that a provider file describes; the body
//! is taken as it came and never written anew. `receiver` is the HTTP server that judges each
//! delivery, `delivery_ids` knows which came before. Where the secret and the ids are kept, and
//! every word for people, is somewhere else.

mod connections;
pub mod delivery_ids;
mod encoding;
mod fields;
pub mod headers;
pub mod key;
pub mod post;
pub mod receiver;
pub mod signature;
mod timestamp;

pub use key::{Key, KeyError};
pub use signature::{Delivered, Unsignable, Unverified, sign, timestamp_of, verify};
