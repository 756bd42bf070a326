//! One HTTP client for everything: requests as values, bounds, failures as facts.
//!
//! Here lives what every request shares: trust, proxies, time limits, retry that *decides*,
//! errors as servers write them, the redacted trace. What a request means (OAuth, an API's
//! scopes) does not.

pub mod client;
mod dial;
pub mod error;
pub mod error_response;
pub mod exchange;
pub mod identity;
mod inward;
pub mod json_path;
mod pool;
pub mod printable;
pub mod proxies;
pub mod quoting;
mod received;
pub mod relay;
pub mod request;
pub mod retry;
pub mod retry_after;
mod single;
pub mod stream;
pub mod strict_json;
pub mod trace;
mod trust;
mod upload;

#[cfg(test)]
mod test_server;

pub use client::{Client, Options};
pub use error::HttpError;
pub use error_response::{ErrorPlaces, ErrorResponse};
pub use exchange::{Answer, Limits, date, exchange};
pub use hyper::Method;
pub use hyper::header::{HeaderMap, HeaderName, HeaderValue};
pub use identity::{Identity, IdentityError};
pub use printable::printable;
pub use proxies::Proxies;
pub use relay::{Relay, RelayBody, Relayed, RelayedBody, relay};
pub use request::{Body, HeaderText, Request};
pub use retry::{Decision, Outcome, RetryRules};
pub use retry_after::WaitHeaders;
pub use stream::{Streaming, Timeouts, send};
#[cfg(test)]
mod connection_tests;
#[cfg(test)]
mod http2_tests;
#[cfg(test)]
mod identity_tests;
#[cfg(test)]
mod wire_tests;
