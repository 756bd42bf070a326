//! `--param`: parameters of the person's own, remembered and sent where the flow asks for tokens.

use super::super::args::Connect;
use super::super::context::Chosen;
use super::super::report::{self, Report};
use crate::profile::Profile;
use crate::provider::Provider;
use crate::provider::reserved::{is_reserved, is_reserved_in_an_exchange};
use crate::provider::schema::Flow;

/// Remembers what is given; no flow lets one replace what is the protocol's.
pub fn set_params(chosen: &mut Chosen, args: &Connect, flow: Flow) -> Result<(), Report> {
    let Chosen { provider, profile, .. } = chosen;
    for (key, value) in &args.params {
        // An empty one has something to leave out, or is forgotten.
        match value.is_empty() && !is_sent_anyway(provider, key) {
            true => profile.params.remove(key),
            false => profile.params.insert(key.clone(), value.clone()),
        };
    }
    let is_refused = match flow {
        Flow::TokenExchange => is_reserved_in_an_exchange,
        _ => is_reserved,
    };
    // Also those of a file that somebody wrote by hand.
    let given = args.params.iter().map(|(key, _)| key);
    match given.chain(profile.params.keys()).find(|name| is_refused(name)) {
        Some(name) => Err(report::reserved_parameter(name)),
        None => Ok(()),
    }
}

/// Whether a request carries a parameter that nobody typed: keyfob's own word, or the provider's.
fn is_sent_anyway(provider: &Provider, name: &str) -> bool {
    let authorize = provider.authorize.iter().map(|it| &it.params);
    let device = provider.device.iter().map(|it| &it.params);
    let exchange = provider.token_exchange.iter().map(|it| &it.params);
    let mut tables = authorize.chain(device).chain(exchange).chain([&provider.token.params]);
    name == "prompt" || tables.any(|params| params.contains_key(name))
}

/// Those of the token request: where a person is asked, they go with that question.
pub fn of_token_request(profile: &Profile, flow: Flow) -> Vec<(String, String)> {
    match flow {
        Flow::AuthorizationCode | Flow::DeviceCode | Flow::Import => Vec::new(),
        Flow::ClientCredentials | Flow::Password | Flow::JwtBearer | Flow::TokenExchange => {
            profile.params.clone().into_iter().collect()
        }
    }
}
