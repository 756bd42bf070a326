//! Endpoints that differ from those found before are not taken in silence.

use crate::cli::context::Context;
use crate::cli::report::{Exit, Report};
use crate::http::printable::printable;
use crate::provider::Provider;

/// Asks where the provider that was kept under that name is another than the one found now.
pub fn confirm(context: &Context<'_>, name: &str, found: &Provider) -> Result<(), Report> {
    let Ok(before) = context.provider(name) else { return Ok(()) };
    let changes: Vec<(&str, String, String)> = differences(&before, found);
    if changes.is_empty() {
        return Ok(());
    }
    let question = format!("the endpoints of {name} are others than before. Go on?");
    if context.agreed(&question)? {
        return Ok(());
    }
    let message = "the endpoints are others than before";
    let mut report = Report::new(Exit::SetUp, "endpoints-changed", message);
    for (what, was, is) in changes {
        report = report
            .cause(format!("the {what} was {}", printable(&was)))
            .cause(format!("it is now {}", printable(&is)));
    }
    Err(report.hint("if that is right, say so with --yes"))
}

/// What secrets are sent to, and whose word it is.
fn differences<'n>(before: &Provider, found: &Provider) -> Vec<(&'n str, String, String)> {
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
    let changed = rows.into_iter().filter(|(_, was, is)| was != is);
    // What an earlier keyfob did not look for is new, and no other one.
    let is_later = |what: &str| {
        !["issuer", "authorization endpoint", "token endpoint", "revocation endpoint", "API"]
            .contains(&what)
    };
    changed.filter(|(what, was, _)| was != "none" || !is_later(what)).collect()
}

fn or_none(url: Option<&String>) -> String {
    url.cloned().unwrap_or_else(|| "none".into())
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
