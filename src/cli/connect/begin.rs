//! The profile that `connect` and `import` work on: the existing one, or a new one of its provider.

use super::super::args::Client;
use super::super::context::{Chosen, Context, is_path, title};
use super::super::discovered;
use super::super::report::{self, Report};
use crate::http::printable::printable;
use crate::profile::{Profile, settings};
use crate::provider::Provider;

/// The profile that is connected or imported into: the existing one, or a new one of its provider.
pub fn begin(
    context: &Context<'_>,
    given: Option<&str>,
    client: &Client,
) -> Result<Chosen, Report> {
    let name = context.profile_name(given)?;
    let existing = context.profiles.find(&name).map_err(|error| report::profile(&error))?;
    let record = context.profiles.record(&name).map_err(|error| report::profile(&error))?;
    let asked = client.provider.as_deref().map(absolute_file);
    let mut profile = match (existing, &asked) {
        (Some(profile), None) => profile,
        (Some(profile), Some(asked)) if profile.provider == *asked => profile,
        (Some(profile), Some(asked)) => {
            if record.connected && !context.global.yes {
                return Err(Report::usage(format!(
                    "`{name}` is connected to {}, not to {}",
                    printable(&profile.provider),
                    printable(asked)
                ))
                .hint("use another profile name, or revoke it first")
                .next(format!("keyfob revoke {name}")));
            }
            Profile { provider: asked.clone(), store: profile.store, ..Profile::default() }
        }
        (None, _) => {
            Profile { provider: asked.unwrap_or_else(|| name.clone()), ..Profile::default() }
        }
    };
    let (provider, discovered) = discovered::provider(context, &mut profile)?;
    for (key, value) in &client.settings {
        let value =
            settings::check(&provider, key, value).map_err(|error| report::setting(&error))?;
        profile.settings.insert(key.clone(), value);
    }
    if let Some(choice) = context.global.store {
        profile.store = Some(choice.into());
    }
    if let Some(client_id) = context.client_id(client.client_id.as_deref(), &profile) {
        check_client_id(context, &provider, &client_id)?;
        profile.client_id = Some(client_id);
    }
    Ok(Chosen { name, profile, provider, record, discovered })
}

/// A file is remembered by a path that is right from everywhere.
fn absolute_file(provider: &str) -> String {
    if !is_path(provider) || provider.contains("://") {
        return provider.to_owned();
    }
    std::path::absolute(provider)
        .ok()
        .and_then(|path| path.to_str().map(str::to_owned))
        .unwrap_or_else(|| provider.to_owned())
}

pub fn check_client_id(
    context: &Context<'_>,
    provider: &Provider,
    client_id: &str,
) -> Result<(), Report> {
    if client_id.trim().is_empty() || client_id.chars().any(char::is_control) {
        return Err(Report::usage("the client id is empty or holds a control character")
            .hint("give the one that the vendor issued"));
    }
    let setup = &provider.setup;
    if let Some(longest) = setup.client_id_max_length
        && (client_id.len() > longest || !client_id.bytes().all(|b| b.is_ascii_alphanumeric()))
    {
        return Err(Report::usage(format!(
            "this is no client id of {}: letters and digits, at most {longest}",
            title(provider)
        ))
        .hint("give the one that is registered"));
    }
    if !client_id.starts_with(&setup.client_id_prefix) {
        context.output.warn(
            context.system,
            &format!(
                "client ids of {} begin with {}; this one does not",
                title(provider),
                setup.client_id_prefix
            ),
        );
    }
    Ok(())
}
