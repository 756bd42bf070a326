//! `provider check`: whether a file passes, and whom it would show secrets to.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use url::Url;

use crate::cli::args::ProviderCheck;
use crate::cli::context::{Context, read_provider};
use crate::cli::recipes::not_understood;
use crate::cli::report::{self, Exit, Report};
use crate::http::printable::printable;
use crate::profile::settings;
use crate::provider::file::{FileError, line_of};
use crate::provider::schema::{Flow, Presence, Rotation};
use crate::provider::{Provider, Values};

/// Checks a file; one that does not pass is told with its line.
pub fn run(context: &Context<'_>, args: &ProviderCheck) -> Result<Exit, Report> {
    let provider = read_provider(&args.file)?;
    expressions(&args.file, &provider)?;
    let hosts = hosts(&provider);
    if context.output.json {
        let rows: Vec<Value> =
            hosts.iter().map(|(host, sees)| json!({"host": host, "sees": sees})).collect();
        let document = json!({
            "file": args.file,
            "provider": provider.name,
            "passes": true,
            "hosts": rows,
        });
        context.output.document(context.system, &document)?;
        return Ok(Exit::Done);
    }
    let mut text = format!("{} passes\n", printable(&args.file.display().to_string()));
    for (host, sees) in &hosts {
        text.push_str(&format!("{} sees {}\n", printable(host), sees.join(", ")));
    }
    context.output.page(context.system, &text)?;
    Ok(Exit::Done)
}

/// Recipes' expressions are understood here, and again before one runs; other commands have no use for them.
fn expressions(file: &Path, provider: &Provider) -> Result<(), Report> {
    let Some((path, message)) = not_understood(provider) else { return Ok(()) };
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = line_of(&text, &path);
    let file = file.display().to_string();
    Err(report::provider_file(&FileError { file, line, message, nearest: None }))
}

/// Every host that something secret would be sent to, with the provider's default settings.
pub fn hosts(provider: &Provider) -> BTreeMap<String, Vec<&'static str>> {
    let values = settings::values(provider, &BTreeMap::new(), None);
    let secret_alone: &[&'static str] = match (provider.client.signs(), provider.client.secret) {
        _ if provider.client.is_known_by_certificate() => &["client certificate"],
        (true, _) => &["client assertion"],
        (false, Presence::None) => &[],
        (false, _) => &["client secret"],
    };
    let has = |flow| provider.flows.contains(&flow);
    let spoken: &[&'static str] = match (has(Flow::JwtBearer), has(Flow::TokenExchange)) {
        (true, true) => &["assertion", "subject token"],
        (true, false) => &["assertion"],
        (false, true) => &["subject token"],
        (false, false) => &[],
    };
    let renewed = matches!(provider.refresh.rotation, Rotation::Rotating | Rotation::SingleUse);
    let tokens: &[&'static str] =
        if renewed { &["access token", "refresh token"] } else { &["access token"] };
    let authorize = provider.authorize.as_ref().map(|it| it.url.as_str());
    let revoke = provider.revoke.as_ref().map(|it| it.url.as_str());
    let registration = provider.registration.as_ref().and_then(|it| it.url.as_deref());
    let others = provider.api.hosts.iter().map(String::as_str);
    let sent = [
        (authorize, &[][..], &["authorization request"][..]),
        (Some(provider.token.url.as_str()), secret_alone, tokens),
        (Some(provider.token.url.as_str()), spoken, &[]),
        (revoke, secret_alone, tokens),
        (registration, &["client secret"], &["registration token"]),
        (Some(provider.api.base_url.as_str()), &[], &["access token"]),
    ];
    let mut hosts: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    let none: &[&str] = &[];
    let to_others = others.map(|host| (Some(host), none, &["access token"][..]));
    for (url, secret, rest) in sent.into_iter().chain(to_others) {
        let Some(url) = url else { continue };
        let seen = hosts.entry(host(url, &values)).or_default();
        for what in secret.iter().chain(rest) {
            if !seen.contains(what) {
                seen.push(what);
            }
        }
    }
    hosts
}

/// The origin of a URL; a host that only the profile knows is left in its braces.
fn host(template: &str, values: &Values) -> String {
    if let Some((name, _)) = template.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        return values.get(name).map_or_else(|| format!("{{{name}}}"), str::to_owned);
    }
    match Url::parse(template) {
        Ok(url) => url.origin().ascii_serialization(),
        Err(_) => template.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue::shipped;
    use crate::provider::schema::ClientAuthentication;

    #[test]
    fn the_hosts_that_see_secrets_are_listed_once_each() {
        let hosts_of = |name| hosts(&shipped(name).unwrap().unwrap());
        let inkress = hosts_of("inkress");
        assert_eq!(inkress["https://inkress.com"], ["authorization request"]);
        let api = ["client secret", "access token", "refresh token"];
        assert_eq!(inkress["https://api.inkress.com"], api);
        let inyo = hosts_of("inyo");
        assert_eq!(inyo.keys().collect::<Vec<_>>(), ["{host}"]);
        assert_eq!(inyo["{host}"], ["client secret", "access token"]);
        let mut more = shipped("inyo").unwrap().unwrap();
        more.api.hosts = vec!["https://files.example/".into()];
        assert_eq!(hosts(&more)["https://files.example"], ["access token"]);
        more.client.auth = ClientAuthentication::PrivateKeyJwt;
        more.flows = vec![Flow::JwtBearer, Flow::TokenExchange];
        let mut shown = more.clone();
        shown.client.auth = ClientAuthentication::TlsClientAuth;
        assert_eq!(hosts(&shown)["{host}"][0], "client certificate");
        let seen = ["client assertion", "access token", "assertion", "subject token"];
        assert_eq!(hosts(&more)["{host}"], seen);
    }
}
