//! The port of a redirect URI that is to be registered: known to be free before a server hears of it.
//!
//! It is held only once a browser opens: between the two a person may be asked for things.

use super::super::context::{Chosen, Context};
use super::super::report::{self, Report};
use super::redirect::redirect_uri;
use crate::connection::establish::EstablishError;
use crate::provider::schema::Flow;
use crate::random::{Random, fraction};
use crate::user_agent::redirection_endpoint::{BindError, RedirectionEndpoint};

/// How often another port is tried.
const TRIES: usize = 16;

/// Many servers compare the port too (RFC 8252 section 7.3 asks them not to): one is chosen once
/// and registered, where nobody named a redirect URI.
pub fn pin_port(context: &Context<'_>, chosen: &mut Chosen, flow: Flow) -> Result<(), Report> {
    if flow != Flow::AuthorizationCode {
        return Ok(());
    }
    let uri = redirect_uri(&chosen.provider, &chosen.profile)?;
    if !uri.is_any_port() {
        return Ok(());
    }
    let mut pinned = uri.at_port(port(&*context.system.random));
    for _ in 1..TRIES {
        match RedirectionEndpoint::check(&pinned) {
            Err(BindError::PortBusy { .. } | BindError::PortForbidden { .. }) => {
                pinned = uri.at_port(port(&*context.system.random));
            }
            _ => break,
        }
    }
    chosen.profile.redirect_uri = Some(pinned.as_str().to_owned());
    Ok(())
}

/// Refuses to go on where the browser could not come back to what would be registered.
pub fn check_port(context: &Context<'_>, chosen: &Chosen, flow: Flow) -> Result<(), Report> {
    if flow != Flow::AuthorizationCode {
        return Ok(());
    }
    let uri = redirect_uri(&chosen.provider, &chosen.profile)?;
    RedirectionEndpoint::check(&uri).map_err(|error| {
        let mut about = chosen.situation(context.system);
        about.redirect_uri = Some(uri.as_str().to_owned());
        report::establish(&EstablishError::Bind(error), &chosen.provider, &about)
    })
}

/// Below the ports that systems give away by themselves.
fn port(random: &dyn Random) -> u16 {
    const FIRST: u16 = 20_000;
    const MANY: f64 = 10_000.0;
    FIRST + (fraction(random) * MANY) as u16
}
