//! Endpoints on other hosts than the issuer's see secrets: a person says yes to them once.

use url::Url;

use super::shown;
use crate::cli::context::Context;
use crate::cli::report::{Exit, Report};
use crate::http::printable::printable;
use crate::provider::Provider;
use crate::provider::metadata::{Metadata, OtherHost};

/// Asks about the hosts that every client of a server is sent to.
pub fn confirm(context: &Context<'_>, metadata: &Metadata) -> Result<(), Report> {
    let hosts = metadata.other_hosts.iter().map(|OtherHost { member, host }| (*member, host));
    ask(
        context,
        &metadata.issuer,
        &hosts.map(|(member, host)| named(host, member)).collect::<Vec<_>>(),
    )
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
            Some(named(&url[url::Position::BeforeHost..url::Position::AfterPort], &member))
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
    match context.agreed(&format!("{} sends you to {hosts}. Go on?", shown(issuer)))? {
        true => Ok(()),
        false => Err(Report::new(
            Exit::SetUp,
            "other-hosts",
            "the issuer's endpoints are on other hosts",
        )
        .cause(hosts)
        .hint("if they belong to it, say so with --yes")),
    }
}
