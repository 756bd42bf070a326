//! A user's named use of a provider: what is known before anyone authorises. No secret lives here.

pub mod account;
pub mod client;
pub mod client_id;
pub mod file;
pub mod host;
pub mod lineage;
pub mod name;
pub mod record;
pub mod registered;
pub mod scope_edit;
pub mod scopes;
pub mod settings;

pub use client::OwnClient;
pub use file::Profile;
pub use record::Record;
pub use registered::Registered;
