//! keyfob: connect once, call for ever, never lose a rolling token.
//!
//! keyfob is the *client* of RFC 6749. It stands between four parties and one drawer: the person
//! ([`cli`]), the user agent ([`user_agent`]), the authorization server ([`authorization_server`]),
//! the resource server ([`resource_server`]), and the drawer ([`store`]).
//!
//! The data flows one way: command line → profile → connection → store, authorization server,
//! resource server → output. A room may use only rooms further down, and rooms on one line do
//! not know each other; `tests/architecture.rs` holds this list.
//!
//! ```text
//! 7  cli                    what can be typed, and every word a person reads
//! 6  sandbox                the vendors' stand-ins, for cli and tests alone
//!    proxy                  programs on this machine that use the API without holding a token
//! 5  connection             establish, fresh (the only place that refreshes), call, end
//! 4  profile  system        what the user said; all that comes from outside, in one value
//! 3  authorization_server   requests made and answers judged, as values
//!    resource_server        the call as a value, where the token goes, scopes, refusals
//!    user_agent             browser, redirection endpoint, paste
//!    store                  keychain, sealed files, memory; lock; journal
//!    webhook                signatures over raw bytes, and the receiver that checks them
//! 2  provider  http         the vendor as data; one client, its bounds, its failures as facts
//! 1  token_set clock random
//! 0  secret                 a value that cannot be printed
//! ```

pub mod authorization_server;
pub mod cli;
pub mod clock;
pub mod connection;
pub mod http;
pub mod profile;
pub mod provider;
pub mod proxy;
pub mod random;
pub mod resource_server;
pub mod sandbox;
pub mod secret;
pub mod store;
pub mod system;
pub mod token_set;
pub mod user_agent;
pub mod webhook;
