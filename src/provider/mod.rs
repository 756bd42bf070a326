//! The vendor as data: the provider file, the shipped catalogue, discovered metadata.
//!
//! No code for one vendor lives here or anywhere else. If a vendor seems to need code,
//! the file lacks a word: add the word to `schema`.

mod answers_check;
pub mod catalogue;
pub mod file;
mod hosts;
mod lists_check;
pub mod looks_like;
pub mod metadata;
pub mod nearest;
mod pages_check;
mod recipes_check;
mod registration_check;
pub mod schema;
pub mod template;
mod webhook_rules;

pub use schema::Provider;
pub use template::{MissingValue, Values};
