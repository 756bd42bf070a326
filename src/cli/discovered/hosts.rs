//! Endpoints on other hosts than the issuer's see secrets: a person says yes to them once.

use url::Url;

use super::shown;
use crate::cli::context::Context;
use crate::cli::report::{Exit, Report};
use crate::http::printable::printable;
use crate::provider::Provider;
use crate::provider::metadata::{Metadata, OtherHost};

/// Asks about the hosts that every client of a server is sent to, but not about those that the file
/// of the same server has already.
pub fn confirm(
    context: &Context<'_>,
    metadata: &Metadata,
    kept: Option<&Provider>,
) -> Result<(), Report> {
    let issuer = |provider: &Provider| provider.discovery.as_ref().and_then(|it| it.issuer.clone());
    let kept = kept.filter(|kept| issuer(kept).as_ref() == Some(&metadata.issuer));
    let known: Vec<String> = kept.into_iter().flat_map(hosts_of).collect();
    let hosts = metadata.other_hosts.iter().map(|OtherHost { member, host }| (*member, host));
    let hosts = hosts.filter(|(_, host)| !known.contains(host));
    ask(
        context,
        &metadata.issuer,
        &hosts.map(|(member, host)| named(host, member)).collect::<Vec<_>>(),
    )
}

/// The hosts of all endpoints but those for a certificate: they are asked about when one is shown.
fn hosts_of(provider: &Provider) -> Vec<String> {
    let authorize = provider.authorize.as_ref();
    let urls = [
        authorize.map(|it| it.url.as_str()),
        authorize.and_then(|it| it.pushed_url.as_deref()),
        Some(provider.token.url.as_str()),
        provider.revoke.as_ref().map(|it| it.url.as_str()),
        provider.registration.as_ref().and_then(|it| it.url.as_deref()),
        provider.device.as_ref().map(|it| it.url.as_str()),
        provider.introspect.as_ref().map(|it| it.url.as_str()),
        provider.userinfo.as_ref().map(|it| it.url.as_str()),
        provider.id_token.as_ref().map(|it| it.jwks_url.as_str()),
    ];
    urls.into_iter()
        .flatten()
        .filter_map(|url| Url::parse(url).ok())
        .map(|url| host(&url))
        .collect()
}

fn host(url: &Url) -> String {
    url[url::Position::BeforeHost..url::Position::AfterPort].to_owned()
}

/// Asks about the hosts that see the client's certificate, where a server named them and no person did.
pub fn confirm_for_certificate(context: &Context<'_>, provider: &Provider) -> Result<(), Report> {
    let discovery = provider.discovery.as_ref().filter(|it| it.names_endpoints);
    let Some(issuer) = discovery.and_then(|it| it.issuer.as_deref()) else { return Ok(()) };
    let home = Url::parse(issuer).map(|url| url.origin()).ok();
    let others =
        provider.mutual_tls.iter().flat_map(|table| table.urls()).filter_map(|(word, url)| {
            let url = Url::parse(url).ok().filter(|url| Some(url.origin()) != home)?;
            let member = format!("mtls_endpoint_aliases.{}", member(word));
            Some(named(&host(&url), &member))
        });
    ask(context, issuer, &others.collect::<Vec<_>>())
}

/// The member of the metadata that a word of [mutual_tls] came from (RFC 8705 section 5).
fn member(word: &str) -> &str {
    match word {
        "token_url" => "token_endpoint",
        "revoke_url" => "revocation_endpoint",
        "introspect_url" => "introspection_endpoint",
        "device_url" => "device_authorization_endpoint",
        "pushed_url" => "pushed_authorization_request_endpoint",
        "userinfo_url" => "userinfo_endpoint",
        other => other,
    }
}

fn named(host: &str, member: &str) -> String {
    format!("{} ({member})", printable(host))
}

fn ask(context: &Context<'_>, issuer: &str, hosts: &[String]) -> Result<(), Report> {
    if hosts.is_empty() {
        return Ok(());
    }
    let hosts = hosts.join(", ");
    if context.agreed(&format!("{} sends you to {hosts}. Go on?", shown(issuer)))? {
        return Ok(());
    }
    let report =
        Report::new(Exit::SetUp, "other-hosts", "the issuer's endpoints are on other hosts")
            .cause(hosts)
            .hint("if they belong to it, say so with --yes");
    Err(match context.typed_with(&[("--yes", "")]) {
        Some(command) => report.next(command),
        None => report,
    })
}
