//! The provider that `connect` names: shipped, the user's own, or found at an issuer URL.

use super::context::Context;
use super::report::Report;
use crate::profile::Profile;
use crate::provider::Provider;

/// The provider of a profile that is being connected.
pub fn provider(context: &Context<'_>, profile: &mut Profile) -> Result<Provider, Report> {
    context.provider(&profile.provider)
}
