//! keyfob: connect once, call for ever, never lose a rolling token.

pub mod authorization_server;
pub mod cli;
pub mod clock;
pub mod connection;
pub mod http;
pub mod profile;
pub mod provider;
pub mod random;
pub mod resource_server;
pub mod sandbox;
pub mod secret;
pub mod store;
pub mod system;
pub mod token_set;
pub mod user_agent;
