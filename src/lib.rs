//! keyfob: connect once, call for ever, never lose a rolling token.

pub mod clock;
pub mod provider;
pub mod random;
pub mod secret;
pub mod store;
pub mod token_set;
