//! What an answer about a client that is there puts into the entry.

use serde_json::{Map, Value};
use url::Url;

use super::RegistrationError;
use crate::authorization_server::client_terms::{Terms, texts};
use crate::authorization_server::dynamic_registration::{Given, Said};
use crate::connection::entry::Credentials;
use crate::connection::known_client::KnownClient;
use crate::connection::other_key;
use crate::connection::registered_client::{RegisteredClient, keep_brought, keep_given};
use crate::connection::unfit_update::Beside;

/// What a client was asked to be, and what it proves itself by from then on.
pub(super) type Told<'a> = (&'a Map<String, Value>, &'a Credentials);

/// Puts what the server said about a client into its entry.
pub(super) fn take_in(
    said: Said,
    known: KnownClient<'_>,
    told: Option<Told<'_>>,
    asked: &Url,
) -> Result<(), RegistrationError> {
    match said {
        Said::Given(given) if given.client_id != known.client.client_id => {
            let Given { client_id, management, .. } = *given;
            let beside = Beside { client_id: Some(client_id), secret: None, management };
            beside.keep_in(known, asked);
            let why = "it answered about another client".to_owned();
            Err(RegistrationError::UnfitUpdate { why })
        }
        Said::Given(given) => {
            let KnownClient { client, secrets, .. } = known;
            *client = changed(client, &given, told.map(|(metadata, _)| metadata));
            keep_given(secrets, &given);
            // The server knows the client by these from here on, and by those of before no more.
            if let Some((_, brought)) = told {
                keep_brought(secrets, brought);
                other_key::forget(secrets);
            }
            Ok(())
        }
        Said::Unfit { why, client_id, secret, management } => {
            Beside { client_id, secret, management }.keep_in(known, asked);
            Err(RegistrationError::UnfitUpdate { why })
        }
        // RFC 7592 section 2.2.2: the client is there, and this is not allowed.
        Said::Unauthorized(error) if error.status == 403 => Err(RegistrationError::Refused(error)),
        // RFC 7592 section 2.1: a client that is no more has a token that is no more.
        Said::Unauthorized(_) => Err(RegistrationError::Gone),
        Said::Refused(error) if matches!(error.status, 404 | 410) => Err(RegistrationError::Gone),
        Said::Refused(error) => Err(RegistrationError::Refused(error)),
        Said::NoVerdict { status, what } => Err(RegistrationError::NoVerdict { status, what }),
    }
}

/// The same client after a read, or after an update with these metadata.
fn changed(
    before: &RegisteredClient,
    given: &Given,
    metadata: Option<&Map<String, Value>>,
) -> RegisteredClient {
    let after = RegisteredClient {
        authentication: given.authentication,
        secret_expires_at: given.secret_expires_at,
        ..before.clone()
    };
    match metadata {
        Some(metadata) => RegisteredClient {
            scopes: given.scopes.clone(),
            grant_types: given.grant_types.clone(),
            redirect_uris: redirect_uris(given, metadata),
            terms: Some(Terms::agreed(metadata, given)),
            ..after
        },
        None => RegisteredClient {
            scopes: given.scopes.clone().or(after.scopes),
            grant_types: given.grant_types.clone().or(after.grant_types),
            redirect_uris: match given.redirect_uris.is_empty() {
                true => after.redirect_uris,
                false => given.redirect_uris.clone(),
            },
            ..after
        },
    }
}

/// A server that does not say which redirect URIs it registered took those it was asked for.
pub(super) fn redirect_uris(given: &Given, metadata: &Map<String, Value>) -> Vec<String> {
    match given.redirect_uris.is_empty() {
        true => texts(metadata, "redirect_uris"),
        false => given.redirect_uris.clone(),
    }
}
