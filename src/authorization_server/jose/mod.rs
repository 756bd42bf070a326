//! Signed tokens (RFC 7515) and published keys (RFC 7517).
//!
//! `verify` tells whether a text was signed by a key of a set, `jwks` reads the set. What the
//! claims must say is not known here.

pub mod jwks;
pub mod verify;
