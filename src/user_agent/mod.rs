//! The user's side of a flow: the browser, the redirection endpoint (RFC 8252), the page it shows,
//! the lane for a callback that is pasted, and the key that opens a page.
//!
//! It carries the authorization response and does not judge it: who asks hands in a judge, and what
//! `state`, `iss` and `code` mean is `authorization_server`'s.

pub mod browser;
pub mod callback_query;
mod callback_request;
pub mod enter_key;
mod listeners;
pub mod opening;
pub mod page;
pub mod paste;
#[cfg(unix)]
mod paste_keys;
#[cfg(unix)]
pub mod paste_lane;
pub mod redirect_uri;
pub mod redirection_endpoint;
mod start_page;
