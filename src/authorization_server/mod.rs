//! The authorization server, as the client of RFC 6749 meets it.
//!
//! Requests are made as values and answers are judged as values; one line elsewhere sends them.
//! Where tokens are kept is not known here.

pub mod authorization_request;
pub mod authorization_response;
pub mod client_authentication;
pub mod client_document;
pub mod dialect;
pub mod dynamic_registration;
pub mod grant;
pub mod pkce;
pub mod revocation;
pub mod token_request;
pub mod token_response;

pub use client_authentication::ClientRegistration;
pub use grant::Grant;
