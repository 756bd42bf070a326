//! Which scopes are asked for.

use super::super::context::{Chosen, Context};
use super::super::report::{self, Report};
use crate::provider::Provider;

/// Scopes that are given replace the remembered ones; with a sign they are added or taken away.
pub fn add_scopes(chosen: &mut Chosen, given: &[String]) -> Result<(), Report> {
    let granted = chosen.record.granted.clone().unwrap_or_default();
    let given = given.iter().map(String::as_str);
    let edited = chosen.profile.edit_scopes(&chosen.provider, &granted, given);
    edited.map_err(|error| report::scope(&error, &chosen.provider, "--scope "))
}

/// Without the scope that a refresh token needs, the connection ends with its access token.
pub fn tell_short(context: &Context<'_>, provider: &Provider, asked: &[String]) {
    let needed = provider.refresh.needs_scope.as_ref().filter(|scope| !asked.contains(scope));
    let Some(scope) = needed else { return };
    let after = match provider.response.lifetime {
        Some(seconds) => format!(", after {}", report::span(seconds)),
        None => String::new(),
    };
    let says = format!(
        "without `{scope}` there is no refresh token: the connection ends with its access token{after}"
    );
    context.output.note(context.system, &says);
}

/// People see every scope on the consent page; the one who asks should know which weigh most.
pub fn tell_sensitive(context: &Context<'_>, provider: &Provider, asked: &[String]) {
    for scope in provider.scope.iter().filter(|it| it.sensitive && asked.contains(&it.name)) {
        context
            .output
            .note(context.system, &format!("`{}` is sensitive: {}", scope.name, scope.grants));
    }
}
