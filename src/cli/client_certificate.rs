//! The client's certificate chain: where it comes in, and that it is one and its key belongs to it.

use super::args::Client;
use super::client_key;
use super::context::{Chosen, Context};
use super::report::{self, Report};
use super::secrets;
use crate::http::{HttpError, IdentityError, identity};
use crate::secret::Secret;

/// From the flag's file; `None` without it.
pub fn given(
    context: &Context<'_>,
    chosen: &Chosen,
    client: &Client,
) -> Result<Option<Secret>, Report> {
    let Some(path) = &client.client_certificate_file else { return Ok(None) };
    if !chosen.provider.client.shows_certificate() {
        return Err(client_key::useless(
            context,
            chosen,
            "client certificate",
            "--client-certificate-file",
        ));
    }
    let chain = secrets::from_file(context.system, path)?;
    check_chain(&chain)?;
    Ok(Some(chain))
}

/// Whether a chain holds a certificate.
pub fn check_chain(chain: &Secret) -> Result<(), Report> {
    identity::check_chain(chain.expose()).map_err(unusable)
}

/// Whether a key is one that can be shown with a certificate.
pub fn check_key(key: &Secret) -> Result<(), Report> {
    identity::check_key(key).map_err(unusable)
}

/// Whether the two belong together, as far as both are there.
pub fn check_pair(chain: Option<&Secret>, key: Option<&Secret>) -> Result<(), Report> {
    match (chain, key) {
        (Some(chain), Some(key)) => identity::check(chain.expose(), key).map_err(unusable),
        _ => Ok(()),
    }
}

fn unusable(problem: IdentityError) -> Report {
    let what = "this client certificate cannot be used";
    report::http(what, &HttpError::Identity { problem })
}
