//! One issuer has one set of endpoints here (RFC 9207 section 4): else an answer that names the
//! issuer would not tell whose it is.

use super::super::context::Context;
use super::super::discovered::shown;
use super::super::report::{self, Exit, Report};
use crate::profile::{Profile, settings};
use crate::provider::Provider;

/// Refuses a provider whose issuer another profile knows with other endpoints.
pub fn check(
    context: &Context<'_>,
    name: &str,
    profile: &Profile,
    provider: &Provider,
) -> Result<(), Report> {
    let Some(issuer) = issuer(provider) else { return Ok(()) };
    let own = endpoints(provider, profile);
    let names = context.profiles.names().map_err(|error| report::profile(&error))?;
    for other in names.iter().filter(|other| *other != name) {
        // What cannot be read cannot be connected either, and says so when it is used.
        let Ok(Some(known)) = context.profiles.find(other) else { continue };
        let Ok(their) = context.provider(&known.provider) else { continue };
        // A discovery that changes a file changes it for every profile that names it.
        let is_the_same_file = known.provider == profile.provider;
        if is_the_same_file || self::issuer(&their) != Some(issuer) {
            continue;
        }
        if endpoints(&their, &known) != own {
            return Err(twice(issuer, other));
        }
    }
    Ok(())
}

fn issuer(provider: &Provider) -> Option<&str> {
    provider.discovery.as_ref()?.issuer.as_deref()
}

/// Where the browser and the secrets go.
fn endpoints(provider: &Provider, profile: &Profile) -> (Option<String>, Option<String>) {
    let values = settings::values(provider, &profile.settings, None);
    let authorize = provider.authorize.as_ref().and_then(|it| values.render_url(&it.url).ok());
    (authorize, values.render_url(&provider.token.url).ok())
}

fn twice(issuer: &str, other: &str) -> Report {
    let issuer = shown(issuer);
    Report::new(
        Exit::SetUp,
        "issuer-twice",
        format!("`{other}` knows {issuer} with other endpoints"),
    )
    .cause("an answer that names its issuer could not be told from the other's")
    .hint("see which is right; remove the profile with the wrong one")
    .next(format!("keyfob profile show {other}"))
}
