//! Where the browser comes back to.

use std::str::FromStr as _;

use serde_json::json;

use super::super::args::Connect;
use super::super::context::{Chosen, Context, title};
use super::super::report::{Exit, Report};
use crate::http::printable::printable;
use crate::profile::Profile;
use crate::provider::Provider;
use crate::provider::schema::{RedirectMatch, ResponseMode};
use crate::user_agent::redirect_uri::{Place, RedirectUri};

pub fn set_redirect(chosen: &mut Chosen, args: &Connect) -> Result<(), Report> {
    if let Some(uri) = &args.redirect_uri {
        parse_redirect(uri)?;
        chosen.profile.redirect_uri = Some(uri.clone());
    }
    if let Some(port) = args.port {
        let uri = redirect_uri(&chosen.provider, &chosen.profile)?;
        let mut url = uri.url().clone();
        if url.scheme() != "http" || url.set_port(Some(port)).is_err() {
            return Err(Report::usage("--port is for a redirect URI on this machine")
                .cause(format!("it is {uri}"))
                .hint("leave --port out"));
        }
        chosen.profile.redirect_uri = Some(url.into());
    }
    Ok(())
}

/// Prints the redirect URI, to be registered at the vendor.
pub fn print(context: &Context<'_>, chosen: &Chosen) -> Result<Exit, Report> {
    let uri = redirect_uri(&chosen.provider, &chosen.profile)?;
    match context.output.json {
        true => {
            context.output.document(context.system, &json!({"redirect_uri": uri.to_string()}))?;
        }
        false => context.output.product(context.system, &format!("{uri}\n"))?,
    }
    Ok(Exit::Done)
}

/// The redirect URI of a profile: its own, the provider's, or a loopback address on any port.
pub fn redirect_uri(provider: &Provider, profile: &Profile) -> Result<RedirectUri, Report> {
    let of_provider = provider.authorize.as_ref().map(|it| &it.redirect);
    let text = match (&profile.redirect_uri, of_provider) {
        (Some(own), _) => own.clone(),
        (None, Some(redirect)) if !redirect.uri.is_empty() => redirect.uri.clone(),
        // RFC 8252 section 8.10: a path of its own for each authorization server.
        (None, _) => format!("http://127.0.0.1/callback/{}", provider.name),
    };
    let uri = parse_redirect(&text)?;
    let posts =
        provider.authorize.as_ref().is_some_and(|it| it.response_mode == ResponseMode::FormPost);
    if posts && matches!(uri.place(), Place::External(_)) {
        return Err(Report::usage(format!("{} posts its answer as a form", title(provider)))
            .cause(format!("nothing of it could be pasted from {uri}"))
            .hint("use a redirect URI on this machine, such as http://127.0.0.1:8976/callback"));
    }
    let exact = of_provider.is_some_and(|it| it.matching == RedirectMatch::Exact);
    if exact && uri.is_any_port() {
        return Err(Report::usage(format!("{} compares redirect URIs exactly", title(provider)))
            .cause(format!("{uri} names no port"))
            .hint("give the port that is registered, such as http://127.0.0.1:8976/callback"));
    }
    Ok(uri)
}

fn parse_redirect(text: &str) -> Result<RedirectUri, Report> {
    RedirectUri::from_str(text).map_err(|error| {
        Report::usage("this is no redirect URI").cause(printable(&error.to_string())).hint(
            "use http://127.0.0.1:PORT/PATH, or an https page of your own whose address you paste",
        )
    })
}
