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
use crate::provider::schema::{Flow, Rotation};
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

/// Every host that is talked to and what secret it sees, with the provider's default settings.
pub fn hosts(provider: &Provider) -> BTreeMap<String, Vec<&'static str>> {
    let values = settings::values(provider, &BTreeMap::new(), None);
    let proofs = proofs(provider);
    let secret_alone = proofs.as_slice();
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
    let authorize = provider.authorize.as_ref();
    let pushed = authorize.and_then(|it| it.pushed_url.as_deref());
    let authorize = authorize.map(|it| it.url.as_str());
    let device = provider.device.as_ref().map(|it| it.url.as_str());
    let revoke = provider.revoke.as_ref().map(|it| it.url.as_str());
    let introspect = provider.introspect.as_ref().map(|it| it.url.as_str());
    let userinfo = provider.userinfo.as_ref().map(|it| it.url.as_str());
    let keys = provider.id_token.as_ref().map(|it| it.jwks_url.as_str());
    let metadata = provider.discovery.as_ref().map(|it| it.url.as_str());
    let registration = provider.registration.as_ref().and_then(|it| it.url.as_deref());
    let others = provider.api.hosts.iter().map(String::as_str);
    let sent = [
        (authorize, &[][..], &["authorization request"][..]),
        (pushed, secret_alone, &["authorization request"]),
        (device, secret_alone, &["device code"]),
        (Some(provider.token.url.as_str()), secret_alone, tokens),
        (Some(provider.token.url.as_str()), spoken, &[]),
        (
            Some(provider.token.url.as_str()),
            &[],
            if has(Flow::DeviceCode) { &["device code"] } else { &[] },
        ),
        (revoke, secret_alone, tokens),
        (introspect, secret_alone, tokens),
        (userinfo, &[], &["access token"]),
        (registration, &["client secret"], &["registration token"]),
        (Some(provider.api.base_url.as_str()), &[], &["access token"]),
    ];
    let mut hosts: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    let none: &[&str] = &[];
    let to_others = others.map(|host| (Some(host), none, &["access token"][..]));
    let aliases = provider.mutual_tls.iter().flat_map(|table| table.urls());
    let to_aliases = aliases.map(|(word, url)| {
        let rest = match word {
            "device_url" => &["device code"][..],
            "pushed_url" => &["authorization request"],
            "userinfo_url" => &["access token"],
            _ => tokens,
        };
        (Some(url), &["client certificate"][..], rest)
    });
    for (url, secret, rest) in sent.into_iter().chain(to_others).chain(to_aliases) {
        let Some(url) = url else { continue };
        let seen = hosts.entry(host(url, &values)).or_default();
        for what in secret.iter().chain(rest) {
            if !seen.contains(what) {
                seen.push(what);
            }
        }
    }
    // What these answer is believed, so whoever reads the list shall know them.
    for url in [keys, metadata].into_iter().flatten() {
        hosts.entry(host(url, &values)).or_insert_with(|| vec!["nothing secret"]);
    }
    hosts
}

/// What clients prove themselves with, by each method that they may have.
fn proofs(provider: &Provider) -> Vec<&'static str> {
    let mut proofs = Vec::new();
    for method in provider.client.all_methods() {
        let proof = match (method.shows_certificate(), method.signs(), method.uses_secret()) {
            (true, ..) => "client certificate",
            (_, true, _) => "client assertion",
            (_, _, true) => "client secret",
            _ => continue,
        };
        if !proofs.contains(&proof) {
            proofs.push(proof);
        }
    }
    proofs
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

    /// Every table of the schema that is one, and every word for a URL: each at a host of its own.
    const WHOLE: &str = r#"
schema = 1
name = "whole"
flows = ["authorization_code"]
refresh = { rotation = "rotating" }
discovery = { url = "https://discovery.example/x", issuer = "https://issuer.example" }
setup = { register_url = "https://setup.example" }
authorize = { url = "https://authorize.example/x", pushed_url = "https://pushed.example/x" }
device = { url = "https://device.example/x" }
jwt_bearer = { issuer = "i" }
token_exchange = {}
registration = { kind = "dynamic", url = "https://registration.example/x" }
token = { url = "https://token.example/x" }
revoke = { url = "https://revoke.example/x" }
id_token = { jwks_url = "https://keys.example/x" }
userinfo = { url = "https://userinfo.example/x" }
introspect = { url = "https://introspect.example/x" }
end_by_hand = { how = "h" }
import = { console = "c" }
client = { methods = ["post", "private_key_jwt"] }
legacy = { until = "2020" }
mutual_tls = { token_url = "https://mtls-token.example/x", revoke_url = "https://mtls-revoke.example/x", introspect_url = "https://mtls-introspect.example/x", device_url = "https://mtls-device.example/x", pushed_url = "https://mtls-pushed.example/x", userinfo_url = "https://mtls-userinfo.example/x" }
api = { base_url = "https://api.example", hosts = ["https://files.example"] }
"#;

    /// The words for URLs below a value, each with its value.
    fn urls(path: &str, value: &Value, found: &mut Vec<(String, Value)>) {
        for (name, value) in value.as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            match name == "url" || name.ends_with("_url") {
                true => found.push((path, value.clone())),
                false => urls(&path, value, found),
            }
        }
    }

    #[test]
    fn every_url_of_the_schema_is_in_the_list() {
        let provider: Provider = toml::from_str(WHOLE).unwrap();
        let whole = serde_json::to_value(&provider).unwrap();
        for (table, value) in whole.as_object().unwrap() {
            assert!(!value.is_null() || table == "webhook", "`{table}` is not in this test's file");
        }
        let listed = hosts(&provider);
        let mut found = Vec::new();
        urls("", &whole, &mut found);
        assert!(found.len() > 10, "{found:?}");
        // A person opens that page in a browser; keyfob sends nothing there.
        found.retain(|(path, _)| path != ".setup.register_url");
        for (path, url) in found {
            let url = url.as_str().unwrap_or_else(|| panic!("{path} is not in this test's file"));
            assert!(listed.contains_key(url.trim_end_matches("/x")), "{path}: {listed:?}");
        }
        let tokens = ["client secret", "client assertion", "access token", "refresh token"];
        assert_eq!(listed["https://introspect.example"], tokens);
        assert_eq!(listed["https://revoke.example"], tokens);
        let proofs = |last| ["client secret", "client assertion", last];
        assert_eq!(listed["https://device.example"], proofs("device code"));
        assert_eq!(listed["https://pushed.example"], proofs("authorization request"));
        let shown = ["client certificate", "access token", "refresh token"];
        assert_eq!(listed["https://mtls-token.example"], shown);
        assert_eq!(listed["https://mtls-userinfo.example"], ["client certificate", "access token"]);
        assert_eq!(listed["https://userinfo.example"], ["access token"]);
        assert_eq!(listed["https://files.example"], ["access token"]);
        assert_eq!(listed["https://keys.example"], ["nothing secret"]);
    }
}
