//! The vendor as data: the provider file, the shipped catalogue, discovered metadata.
//!
//! No code for one vendor lives here or anywhere else. If a vendor seems to need code,
//! the file lacks a word: add the word to `schema`.

mod answers_check;
mod authorize_check;
pub mod catalogue;
mod client_check;
mod device_check;
mod dpop_check;
#[cfg(test)]
mod example;
pub mod file;
pub mod grants_check;
mod hosts;
mod lists_check;
pub mod looks_like;
pub mod metadata;
mod mutual_tls_check;
pub mod nearest;
pub mod openid_check;
mod pages_check;
mod recipes_check;
mod registration_check;
pub mod reserved;
pub mod schema;
pub mod template;
pub mod wanted;
mod webhook_rules;

pub use schema::Provider;
pub use template::{MissingValue, Values};
