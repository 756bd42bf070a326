//! Which scopes are asked for.

use super::super::context::{Chosen, Context};
use super::super::report::{self, Report};
use crate::profile::scopes;
use crate::provider::Provider;

/// Scopes that are given replace the remembered ones.
pub fn add_scopes(chosen: &mut Chosen, given: &[String]) -> Result<(), Report> {
    let given = scopes::read(&chosen.provider, given.iter().map(String::as_str))
        .map_err(|error| report::scope(&error, &chosen.provider, "--scope "))?;
    if !given.is_empty() {
        chosen.profile.scopes = given;
    }
    Ok(())
}

/// People see every scope on the consent page; the one who asks should know which weigh most.
pub fn tell_sensitive(context: &Context<'_>, provider: &Provider, asked: &[String]) {
    for scope in provider.scope.iter().filter(|it| it.sensitive && asked.contains(&it.name)) {
        context
            .output
            .note(context.system, &format!("`{}` is sensitive: {}", scope.name, scope.grants));
    }
}
