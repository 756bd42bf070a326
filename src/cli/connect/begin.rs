//! The profile that `connect` and `import` work on: the existing one, or a new one of its provider.

use super::super::args::Client;
use super::super::command_line::{Given, Typed};
use super::super::context::{Chosen, Context, is_path, title};
use super::super::discovered;
use super::super::report::{self, Report};
use super::superuser;
use super::{one_issuer, proof};
use crate::http::printable::printable;
use crate::profile::{Profile, client_id, settings};
use crate::provider::Provider;

/// The profile that is connected or imported into: the existing one, or a new one of its provider.
/// `verb` and `given` are what was typed, for advice to repeat.
pub fn begin(
    context: &Context<'_>,
    named: Option<&str>,
    client: &Client,
    verb: &'static str,
    given: Given,
) -> Result<Chosen, Report> {
    let name = context.profile_name(named)?;
    context.typed(Typed { verb, name: name.clone(), place: "--provider", given: given.clone() });
    superuser::warn(context);
    let existing = context.profiles.find(&name).map_err(|error| report::profile(&error))?;
    let record = context.profiles.record(&name).map_err(|error| report::profile(&error))?;
    let asked = client.provider.as_deref().map(absolute_file);
    let is_known = existing.as_ref().is_some_and(|profile| {
        asked.as_ref().is_none_or(|asked| {
            profile.provider == *asked || discovered::is_named(asked, &profile.provider)
        })
    });
    let mut profile = match (existing, &asked) {
        (Some(profile), None) => profile,
        (Some(profile), Some(asked)) if profile.provider == *asked => profile,
        // An issuer is remembered by the name of the file that describes it.
        (Some(profile), Some(asked)) if discovered::is_named(asked, &profile.provider) => {
            Profile { provider: asked.clone(), ..profile }
        }
        (Some(profile), Some(asked)) => {
            if !asked.contains("://") {
                // A slip is told as one, and never answered with `revoke`.
                context.provider(asked)?;
            }
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
    let server = client.authorization_server.as_deref();
    let (provider, discovered) = discovered::provider(context, &mut profile, server)?;
    one_issuer::check(context, &name, &profile, &provider)?;
    // How the one of before proved itself says nothing of the client that is named now.
    if let Some(client_id) = context.client_id(client.client_id.as_deref(), &profile) {
        let client_id = checked_client_id(context, &provider, &client_id)?;
        profile.name_client(Some(client_id));
    }
    let brought = (client, proof::secret_of(context, client));
    proof::choose(context, &name, &mut profile, &record, &provider, brought, is_known)?;
    let provider = profile.at(provider);
    for (key, value) in &client.settings {
        let value =
            settings::check(&provider, key, value).map_err(|error| report::setting(&error))?;
        if let Some(warning) = settings::warning(&provider, key, &value) {
            context.output.warn(context.system, &printable(&format!("{key}={value}: {warning}")));
        }
        profile.settings.insert(key.clone(), value);
    }
    if let Some(choice) = context.global.store {
        profile.store = Some(choice.into());
    }
    Ok(Chosen { name, profile, provider, record, discovered, given, set_for_once: Vec::new() })
}

/// A file is remembered by a path that is right from everywhere.
pub fn absolute_file(provider: &str) -> String {
    if !is_path(provider) || provider.contains("://") {
        return provider.to_owned();
    }
    std::path::absolute(provider)
        .ok()
        .and_then(|path| path.to_str().map(str::to_owned))
        .unwrap_or_else(|| provider.to_owned())
}

/// A client id that the vendor could have issued; one that begins unusually is warned about.
pub fn checked_client_id(
    context: &Context<'_>,
    provider: &Provider,
    text: &str,
) -> Result<String, Report> {
    let checked =
        client_id::check(provider, text).map_err(|error| report::client_id(&error, provider))?;
    if !client_id::begins_right(provider, &checked) {
        context.output.warn(
            context.system,
            &format!(
                "client ids of {} begin with {}; this one does not",
                title(provider),
                provider.setup.client_id_prefix
            ),
        );
    }
    Ok(checked)
}
