//! The webhook secret of a profile: `KEYFOB_WEBHOOK_SECRET`, else the store. A profile that was
//! never connected has one too: the vendor issues it when the application is registered.

use crate::cli::context::{Chosen, Context};
use crate::cli::report::{self, Report};
use crate::provider::looks_like;
use crate::provider::schema::Webhook;
use crate::secret::Secret;
use crate::webhook::Key;

const VARIABLE: &str = "KEYFOB_WEBHOOK_SECRET";
const NAME: &str = "webhook_secret";

/// The key that the secret stands for.
pub fn key(context: &Context<'_>, chosen: &Chosen, webhook: &Webhook) -> Result<Key, Report> {
    let secret = match context.system.environment.get(VARIABLE) {
        Some(text) => from_environment(chosen, text)?,
        None => stored(context, chosen)?,
    };
    Key::new(webhook, &secret).map_err(|error| report::webhook_key(error, webhook, &chosen.name))
}

/// A line break at the end comes from a file, not from the vendor.
fn from_environment(chosen: &Chosen, text: &str) -> Result<Secret, Report> {
    let secret = Secret::new(text.trim_end_matches(['\r', '\n']));
    match looks_like::another(&chosen.provider, NAME, &secret) {
        Some(kind) => Err(Report::usage(format!("{VARIABLE} begins like another secret: {kind}"))
            .hint("set it to the webhook secret; no token or client secret belongs there")),
        None => Ok(secret),
    }
}

fn stored(context: &Context<'_>, chosen: &Chosen) -> Result<Secret, Report> {
    let kind = context.store_kind(&chosen.profile, &chosen.record)?;
    let drawer = context.drawer(&chosen.name, kind)?;
    let entry = drawer
        .read()
        .map_err(|error| report::store_of(&error, &chosen.situation(context.system)))?;
    let secret = entry.and_then(|entry| entry.secrets.get(NAME).cloned());
    secret.ok_or_else(|| report::webhook_secret_missing(&chosen.name))
}
