//! Where a call goes: a PATH or a whole URL becomes an address on the provider's own API host.
//!
//! The address is put together as text, always with a slash between host and path, and what
//! comes out is compared with the provider's own hosts: joining URLs the usual way
//! lets `//evil` and `\\evil` change the host (RR3).

mod base;
mod given;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use url::Url;

use crate::provider::schema::{Api, Setting};
use crate::provider::template::{MissingValue, Values};
pub use base::Base;
use given::{refuse_control_characters, refuse_trickery};

/// An address that may be given the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// On one of the provider's own hosts; no fragment, no user name.
    pub url: Url,
    /// The path below the API base, as scope table and limits name it; `None` for one outside the base.
    pub below: Option<String>,
    /// The setting whose choices this path lists: a call to it does not need that setting.
    pub lists: Option<String>,
}

/// Why there is no such address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The path or the base names a value that is not known.
    #[error(transparent)]
    Missing(#[from] MissingValue),
    /// The address leads elsewhere.
    #[error("`{given}` is not on the API's own host `{own}`")]
    OtherHost {
        /// Scheme, host and port of what was given.
        given: String,
        /// Scheme, host and port of the API.
        own: String,
    },
    /// The path holds what never belongs into one.
    #[error("the path holds {0}")]
    Refused(&'static str),
    /// The provider's base with its settings is no URL.
    #[error("the API base `{0}` is not a URL")]
    BadBase(String),
    /// What was given is no URL.
    #[error("the path cannot be read as a URL: {0}")]
    BadUrl(String),
}

/// Finds the address of a PATH or a whole URL, and appends the query items.
pub fn resolve(
    api: &Api,
    settings: &BTreeMap<String, Setting>,
    values: &Values,
    path: &str,
    query: &[(String, String)],
) -> Result<Target, TargetError> {
    refuse_trickery(path)?;
    Base::of(api, values)?.resolve(settings, values, path, query)
}

/// Finds the address a page's link leads to, relative to the page; nothing in it is filled in.
pub fn follow(
    api: &Api,
    settings: &BTreeMap<String, Setting>,
    values: &Values,
    page: &Url,
    link: &str,
) -> Result<Target, TargetError> {
    refuse_control_characters(link)?;
    let base = Base::of(api, values)?;
    let address = page.join(link).map_err(|error| TargetError::BadUrl(error.to_string()))?;
    Ok(base.target(base.own(address.as_str())?, settings))
}
