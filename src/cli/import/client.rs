//! The client that an import brings beside its tokens: named and remembered as one of the flags is.

use super::super::args::Client;
use super::super::connect::{checked_client_id, proof};
use super::super::context::{Chosen, Context};
use super::super::report::{self, Report};
use crate::connection::establish::imported::Imported;

/// What brings the secret of an import.
const SOURCE: &str = "the import";

/// Lets the profile name the client of an import, and remember how that one proves itself. A client
/// id of the command line stands before the import's.
pub fn take(
    context: &Context<'_>,
    chosen: &mut Chosen,
    flags: &Client,
    imported: &Imported,
) -> Result<(), Report> {
    let before = (chosen.profile.client, chosen.profile.registered.clone());
    if flags.client_id.is_none()
        && let Some(client_id) = &imported.client_id
    {
        let client_id = checked_client_id(context, &chosen.provider, client_id)?;
        chosen.profile.name_client(Some(client_id));
    }
    let is_another = before != (chosen.profile.client, chosen.profile.registered.clone());
    match is_another || imported.client_secret.is_some() {
        true => choose(context, chosen, flags, imported),
        false => Ok(()),
    }
}

/// Chooses once more, from what every client of the provider may do.
fn choose(
    context: &Context<'_>,
    chosen: &mut Chosen,
    flags: &Client,
    imported: &Imported,
) -> Result<(), Report> {
    let Chosen { name, profile, record, .. } = chosen;
    let provider = match &chosen.discovered {
        Some(found) => found.provider()?,
        None => context.provider(&profile.provider)?,
    };
    let existing = context.profiles.find(name).map_err(|error| report::profile(&error))?;
    let is_known = existing.is_some_and(|it| it.provider == profile.provider);
    let own = imported.client_secret.as_ref().map(|_| SOURCE);
    let brought = (flags, proof::secret_of(context, flags).or(own));
    proof::choose(context, name, profile, record, &provider, brought, is_known)?;
    chosen.provider = profile.at(provider);
    Ok(())
}
