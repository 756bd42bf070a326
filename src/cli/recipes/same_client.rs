//! Other profiles of one client: a webhook secret that the vendor has made anew for the client is theirs too.

use crate::cli::context::{Chosen, Context};
use crate::cli::report::{self, Report};
use crate::connection::keeping::keep_secret;
use crate::connection::{Connection, Drawer};
use crate::profile::settings;
use crate::secret::Secret;

const WEBHOOK_SECRET: &str = "webhook_secret";

/// The other profiles of a client that hold its old secret, with where each one's is.
pub fn holders(
    context: &Context<'_>,
    connection: &Connection<'_>,
    name: &str,
) -> Result<Vec<(Chosen, Drawer)>, Report> {
    let webhook = connection.provider.webhook.as_ref();
    if name != WEBHOOK_SECRET || !webhook.is_some_and(|it| it.one_secret_per_client) {
        return Ok(Vec::new());
    }
    let names = context.profiles.names().map_err(|error| report::profile(&error))?;
    let mut holders = Vec::new();
    for other in names.iter().filter(|it| *it != connection.name()) {
        // One that cannot be read belongs to no client for all that is known.
        let Ok(chosen) = context.chosen(Some(other)) else { continue };
        if !is_of_the_client(&chosen, connection) {
            continue;
        }
        // Its secret is where its connection is, whatever store was named for this one.
        let kind = match chosen.record.store {
            Some(kind) => kind,
            None => context.store_kind(&chosen.profile, &chosen.record)?,
        };
        let drawer = context.drawer(other, kind)?;
        let entry = drawer.read().map_err(|error| report::store(&error))?;
        if entry.is_some_and(|entry| entry.secrets.contains_key(name)) {
            holders.push((chosen, drawer));
        }
    }
    Ok(holders)
}

/// Puts the new secret in the place of the old one.
pub async fn keep(
    context: &Context<'_>,
    connection: &Connection<'_>,
    (chosen, drawer): &(Chosen, Drawer),
    name: &str,
    secret: &Secret,
) -> Result<(), Report> {
    let (system, notify) = (context.system, connection.notify);
    let kept = keep_secret(system, drawer, notify, &chosen.provider, name, secret.clone()).await;
    kept.map_err(|error| {
        let report = report::keeping(&error);
        report.cause(format!("`{}` is of the same client, and has the old {name}", chosen.name))
    })
}

/// Whether a profile names the same client at the same server.
fn is_of_the_client(chosen: &Chosen, connection: &Connection<'_>) -> bool {
    let client_id = chosen.profile.client_id.as_deref();
    let same_client = client_id.is_some() && client_id == connection.client_id.as_deref();
    let values = settings::values(&chosen.provider, &chosen.profile.settings, client_id);
    let endpoint = values.render_url(&chosen.provider.token.url).ok();
    same_client
        && chosen.profile.provider == connection.profile.provider
        && endpoint == connection.values.render_url(&connection.provider.token.url).ok()
}
