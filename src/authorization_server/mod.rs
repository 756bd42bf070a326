//! The authorization server, as the client of RFC 6749 meets it.
//!
//! Requests are made as values and answers are judged as values; one line elsewhere sends them.
//! Where tokens are kept is not known here.

pub mod about_token;
pub mod assertion;
pub mod authorization_request;
pub mod authorization_response;
pub mod certificate_subject;
pub mod client_authentication;
pub mod client_document;
pub mod client_terms;
pub mod device;
pub mod dialect;
pub mod dpop;
pub mod dynamic_registration;
#[cfg(test)]
mod example;
pub mod grant;
pub mod grant_assertion;
pub mod id_token;
pub mod introspection;
pub mod jose;
pub mod pkce;
pub mod pushed_request;
pub mod registered_key;
pub mod token_request;
pub mod token_response;
pub mod userinfo;
pub mod wanted;

pub use assertion::AssertionError;
pub use client_authentication::ClientRegistration;
pub use grant::Grant;
pub use wanted::Wanted;
