//! The API a token opens: the request as a value, where the token goes, what a refusal means.
//!
//! Nothing here sends anything or knows how tokens are renewed: values in, values out.

pub mod authorization;
pub mod envelope;
pub mod filters;
pub mod hosts;
pub mod idempotency;
pub mod items;
pub mod limits;
pub mod link_header;
pub mod pages;
mod quoted_string;
pub mod rate_fields;
pub mod refusal;
mod rendering;
pub mod request;
pub mod resource_metadata;
pub mod scope;
pub mod target;
pub mod window;
pub mod www_authenticate;

pub use authorization::{AuthorizationError, Placement};
pub use hosts::OwnHosts;
pub use idempotency::Key;
pub use items::{ItemError, Items};
pub use refusal::{Kind, Refusal};
pub use request::{ApiRequest, Call, RequestError};
pub use scope::Judgement;
pub use target::{Base, Target, TargetError};
pub use www_authenticate::Challenge;
