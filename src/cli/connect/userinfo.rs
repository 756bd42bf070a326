//! Whether the provider is asked who connected.

use super::super::context::{Chosen, title};
use super::super::report::{Exit, Report};
use crate::authorization_server::authorization_request::OPENID;
use crate::profile::Profile;
use crate::provider::Provider;

/// Remembers `--userinfo`, where there is somebody to ask.
pub fn set_userinfo(chosen: &mut Chosen, asked: Option<bool>) -> Result<(), Report> {
    let Some(true) = asked else {
        chosen.profile.userinfo &= asked.is_none();
        return Ok(());
    };
    check(&chosen.provider, &chosen.profile)?;
    chosen.profile.userinfo = true;
    Ok(())
}

/// Whether there is somebody to ask, and the scope for it.
pub fn check(provider: &Provider, profile: &Profile) -> Result<(), Report> {
    let name = title(provider);
    if provider.userinfo.is_none() {
        return Err(Report::new(
            Exit::SetUp,
            "no-userinfo",
            format!("{name} has no userinfo endpoint that keyfob knows of"),
        )
        .hint("leave --userinfo out, or name the endpoint in a provider file: [id_token] and [userinfo]"));
    }
    if !profile.scopes.iter().any(|scope| scope == OPENID) {
        return Err(Report::usage(
            "--userinfo asks about the person, and needs the scope `openid`",
        )
        .hint("add it: --scope openid, and profile or email for more"));
    }
    Ok(())
}
