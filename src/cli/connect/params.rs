//! `--param`: parameters of the person's own, remembered and sent where the flow asks for tokens.

use super::super::args::Connect;
use super::super::command_line;
use super::super::context::{Chosen, Context};
use super::super::report::{self, Report};
use crate::http::printable::printable;
use crate::profile::Profile;
use crate::provider::Provider;
use crate::provider::reserved::{is_reserved, is_reserved_in_an_exchange};
use crate::provider::schema::Flow;

/// Remembers what is given; no flow lets one replace what is the protocol's.
pub fn set_params(
    context: &Context<'_>,
    chosen: &mut Chosen,
    args: &Connect,
    flow: Flow,
) -> Result<(), Report> {
    let is_refused = match flow {
        Flow::TokenExchange => is_reserved_in_an_exchange,
        _ => is_reserved,
    };
    let Chosen { provider, profile, .. } = &mut *chosen;
    for (key, value) in &args.params {
        let is_forgotten = value.is_empty() && profile.params.contains_key(key);
        // One that is remembered from before can be taken back.
        if is_refused(key) && !is_forgotten {
            return Err(report::reserved_parameter(key));
        }
        // An empty one has something to leave out, or is forgotten.
        match value.is_empty() && (is_refused(key) || !is_sent_anyway(provider, key)) {
            true => profile.params.remove(key),
            false => profile.params.insert(key.clone(), value.clone()),
        };
    }
    match chosen.profile.params.keys().find(|name| is_refused(name)) {
        Some(name) => Err(remembered(context, chosen, name)),
        None => Ok(()),
    }
}

/// Nobody typed it now: an earlier command did, or somebody wrote it into the file by hand.
fn remembered(context: &Context<'_>, chosen: &Chosen, name: &str) -> Report {
    let file = context.profiles.path(&chosen.name);
    let without = command_line::pair(name, "");
    // What is given for another name stays; an empty one takes this back.
    let command = chosen.given.command("connect", &chosen.name, &[("--param", &without)]);
    let mut report = report::reserved_parameter(name);
    report.hint = None;
    report
        .cause(format!("the profile remembers it: {}", printable(&file.display().to_string())))
        .hint("keyfob sets it, or a flag of its own does; take it back")
        .next(command)
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
