//! What a server says of itself otherwise than before is not taken in silence.

use url::Url;

use crate::cli::context::Context;
use crate::cli::report::{Exit, Report};
use crate::http::printable::printable;
use crate::profile::OwnClient;
use crate::provider::Provider;

/// How a client proves itself is no endpoint.
const CLIENT_AUTHENTICATION: &str = "client authentication";

/// Stands where there is no such endpoint.
const NONE: &str = "none";

/// Something that differs.
struct Change {
    what: &'static str,
    was: String,
    is: String,
}

/// Asks where the provider that was kept under that name is another than the one found now.
pub fn confirm(context: &Context<'_>, before: &Provider, found: &Provider) -> Result<(), Report> {
    let name = &found.name;
    let changes = differences(before, found);
    if changes.is_empty() {
        return Ok(());
    }
    // Whoever says yes has seen what to; without anybody to ask, the failure tells it.
    let is_told = (context.system.person.is_some() || context.global.yes) && !context.output.json;
    if is_told {
        changes.iter().for_each(|change| context.output.warn(context.system, &change.line(name)));
    }
    let is_about_endpoints = changes.iter().any(|it| it.what != CLIENT_AUTHENTICATION);
    let (code, subject, differ) = match is_about_endpoints {
        true => ("endpoints-changed", "the endpoints", "are others than before"),
        false => {
            ("client-authentication-changed", "the client authentication", "is another than before")
        }
    };
    if context.agreed(&format!("{subject} of {name} {differ}. Go on?"))? {
        return Ok(());
    }
    let mut report = Report::new(Exit::SetUp, code, format!("{subject} {differ}"));
    for Change { what, was, is } in changes.iter().filter(|_| !is_told) {
        report = report
            .cause(format!("the {what} was {}", printable(was)))
            .cause(format!("it is now {}", printable(is)));
    }
    let report = report.hint("if that is right, say so with --yes");
    Err(match context.typed_with(&[("--yes", "")]) {
        Some(command) => report.next(command),
        None => report,
    })
}

impl Change {
    fn line(&self, name: &str) -> String {
        let (was, is) = (printable(&self.was), printable(&self.is));
        format!("the {} of {name} was {was}, and is now {is}", self.what)
    }
}

/// Where secrets are sent to, how the client is known there, and whose word it is.
fn differences(before: &Provider, found: &Provider) -> Vec<Change> {
    let former = OwnClient::of_former_file(before);
    // A file that was written for a client with a certificate has the endpoints for it alone.
    let found = match before.client.shows_certificate() && former.is_some() {
        true => &found.clone().at_mutual_tls(),
        false => found,
    };
    let rows = [
        ("issuer", issuer(before), issuer(found)),
        ("authorization endpoint", authorize(before), authorize(found)),
        ("token endpoint", before.token.url.clone(), found.token.url.clone()),
        ("revocation endpoint", revoke(before), revoke(found)),
        ("registration endpoint", register(before), register(found)),
        ("API", api(before), api(found)),
        ("pushed request endpoint", push(before), push(found)),
        ("device authorization endpoint", device(before), device(found)),
        ("introspection endpoint", introspect(before), introspect(found)),
        ("userinfo endpoint", userinfo(before), userinfo(found)),
        ("set of keys", keys(before), keys(found)),
    ];
    let rows = rows.into_iter().map(|(what, was, is)| Change { what, was, is });
    let mut changed: Vec<Change> =
        rows.filter(|it| it.was != it.is && !is_only_new(it, found)).collect();
    // What was written before methods were listed knew of no such endpoints either.
    if !before.client.methods.is_empty() {
        changed.extend(mutual_tls(before, found).filter(|it| !is_only_new(it, found)));
    }
    changed.extend(client_authentication(before, found, former.is_some()));
    changed
}

/// What an earlier keyfob did not look for is new, and no other one; at another origin than the token
/// endpoint's it is asked about all the same, since secrets go there too.
fn is_only_new(change: &Change, found: &Provider) -> bool {
    let was_always_there =
        ["issuer", "authorization endpoint", "token endpoint", "revocation endpoint", "API"];
    let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin());
    change.was == NONE
        && !was_always_there.contains(&change.what)
        && origin(&change.is) == origin(&found.token.url)
}

/// The endpoints for a client with a certificate.
fn mutual_tls(before: &Provider, found: &Provider) -> impl Iterator<Item = Change> {
    let url = |provider: &Provider, word: &str| {
        let urls = provider.mutual_tls.iter().flat_map(|table| table.urls());
        let url = urls.filter(|(it, _)| *it == word).map(|(_, url)| url.to_owned()).next();
        url.unwrap_or_else(|| NONE.into())
    };
    let rows = [
        ("token_url", "token endpoint for certificates"),
        ("revoke_url", "revocation endpoint for certificates"),
        ("introspect_url", "introspection endpoint for certificates"),
        ("device_url", "device authorization endpoint for certificates"),
        ("pushed_url", "pushed request endpoint for certificates"),
        ("userinfo_url", "userinfo endpoint for certificates"),
    ];
    let changes =
        rows.map(|(word, what)| Change { what, was: url(before, word), is: url(found, word) });
    changes.into_iter().filter(|it| it.was != it.is)
}

/// A method that is gone, or another one for clients that chose none; one more that may be chosen is no
/// change for anybody.
fn client_authentication(
    before: &Provider,
    found: &Provider,
    was_for_one_client: bool,
) -> Option<Change> {
    let is_gone = before.client.all_methods().iter().any(|method| !found.client.offers(*method));
    let is_another = before.client.auth != found.client.auth && !was_for_one_client;
    let names = |provider: &Provider| {
        let methods = provider.client.all_methods().iter();
        methods.map(|it| it.registered_name()).collect::<Vec<_>>().join(", ")
    };
    (is_gone || is_another).then(|| Change {
        what: CLIENT_AUTHENTICATION,
        was: names(before),
        is: names(found),
    })
}

fn or_none(url: Option<&String>) -> String {
    url.cloned().unwrap_or_else(|| NONE.into())
}

fn issuer(provider: &Provider) -> String {
    or_none(provider.discovery.as_ref().and_then(|it| it.issuer.as_ref()))
}

fn authorize(provider: &Provider) -> String {
    or_none(provider.authorize.as_ref().map(|it| &it.url))
}

fn revoke(provider: &Provider) -> String {
    or_none(provider.revoke.as_ref().map(|it| &it.url))
}

fn register(provider: &Provider) -> String {
    or_none(provider.registration.as_ref().and_then(|it| it.url.as_ref()))
}

fn push(provider: &Provider) -> String {
    or_none(provider.authorize.as_ref().and_then(|it| it.pushed_url.as_ref()))
}

fn device(provider: &Provider) -> String {
    or_none(provider.device.as_ref().map(|it| &it.url))
}

fn introspect(provider: &Provider) -> String {
    or_none(provider.introspect.as_ref().map(|it| &it.url))
}

fn userinfo(provider: &Provider) -> String {
    or_none(provider.userinfo.as_ref().map(|it| &it.url))
}

fn keys(provider: &Provider) -> String {
    or_none(provider.id_token.as_ref().map(|it| &it.jwks_url))
}

/// Where calls go: the host may be a setting.
fn api(provider: &Provider) -> String {
    let host = provider.settings.get("api_host").and_then(|it| it.default.as_deref());
    provider.api.base_url.replace("{api_host}", host.unwrap_or("{api_host}"))
}
