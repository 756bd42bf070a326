//! Endpoints that a server names: protected, bare, never leading inward.

use serde_json::Value;
use url::Url;

use super::members::text;
use super::{EndpointError, MetadataError, is_protected, leads_inward};

/// An endpoint on another host than the issuer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherHost {
    /// The member that names it.
    pub member: &'static str,
    /// Host, and port where it is written; names beyond ASCII in their ASCII form.
    pub host: String,
}

/// Judges endpoints, and notes the hosts that are not the issuer's.
pub(super) struct Endpoints<'a> {
    pub home: &'a Url,
    pub other_hosts: Vec<OtherHost>,
}

impl Endpoints<'_> {
    pub fn check(
        &mut self,
        member: &'static str,
        value: &Option<Value>,
    ) -> Result<Option<String>, MetadataError> {
        let Some(given) = text(member, value)? else {
            return Ok(None);
        };
        let url = check_endpoint(given, self.home).map_err(|why| MetadataError::Endpoint {
            member,
            url: given.to_owned(),
            why,
        })?;
        if url.origin() != self.home.origin() {
            self.other_hosts.push(OtherHost { member, host: host_and_port(&url) });
        }
        // A provider's URL is a template: braces in a query would be taken for names.
        Ok(Some(url.as_str().replace('{', "%7B").replace('}', "%7D")))
    }
}

/// Judges a URL that a server at `home` names for something that may see a secret.
pub fn check_endpoint(given: &str, home: &Url) -> Result<Url, EndpointError> {
    let url = Url::parse(given).map_err(|_| EndpointError::NotAUrl)?;
    let rules = [
        (url.host().is_none(), EndpointError::NotAUrl),
        (!is_protected(&url), EndpointError::Insecure),
        (!url.username().is_empty() || url.password().is_some(), EndpointError::Userinfo),
        (url.fragment().is_some(), EndpointError::Fragment),
        (leads_inward(&url) && !leads_inward(home), EndpointError::Inward),
    ];
    match rules.into_iter().find(|(broken, _)| *broken) {
        Some((_, why)) => Err(why),
        None => Ok(url),
    }
}

fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
