//! The client certificate of a connection: which hosts see it, and where it is read (RFC 8705).
//!
//! How it is offered in a handshake, and that no other host sees it, is the HTTP client's.

use std::sync::{Arc, OnceLock};

use url::Url;

use super::establish::{Brought, EstablishError};
use super::{Connection, Drawer, Entry, FreshError, api_origin};
use crate::http::{Client, HttpError, Identity};
use crate::provider::{Provider, Values};
use crate::secret::Secret;

/// A certificate chain and its key that were brought, and are not stored before there are tokens.
#[derive(Default, Clone)]
pub struct Held(Arc<OnceLock<(Secret, Secret)>>);

/// The same client where the provider wants no certificate; else one that offers it to the provider's hosts.
///
/// Nothing is read before the first of them is spoken to.
pub(super) fn presenting(
    client: &Client,
    provider: &Provider,
    values: &Values,
    drawer: &Drawer,
    held: &Held,
) -> Client {
    if !provider.client.shows_certificate() {
        return client.clone();
    }
    let (drawer, held) = (drawer.clone(), held.clone());
    let (endpoint, name) = (values.render_url(&provider.token.url).ok(), provider.name.clone());
    let read = move || {
        if let Some((chain, key)) = held.0.get() {
            return Ok((chain.expose().to_owned(), key.clone()));
        }
        let entry = drawer.read().map_err(|error| error.to_string())?;
        let kept = |which: for<'e> fn(&'e Entry, Option<&str>, &str) -> Option<&'e Secret>| {
            entry.as_ref().and_then(|it| which(it, endpoint.as_deref(), &name)).cloned()
        };
        let chain =
            kept(Entry::client_certificate_for).ok_or("the store has none for this client")?;
        let key = kept(Entry::private_key_for).ok_or("the store has no private key for it")?;
        Ok((chain.expose().to_owned(), key))
    };
    client.presenting(Identity { read: Arc::new(read), hosts: hosts(provider, values) })
}

/// The authorization server's endpoints; with bound tokens, whatever the token is shown to as well
/// (RFC 8705 section 3).
fn hosts(provider: &Provider, values: &Values) -> Vec<Url> {
    let pushed = provider.authorize.as_ref().and_then(|it| it.pushed_url.as_ref());
    let of_the_client = [
        Some(&provider.token.url),
        provider.revoke.as_ref().map(|it| &it.url),
        provider.introspect.as_ref().map(|it| &it.url),
        provider.device.as_ref().map(|it| &it.url),
        pushed,
    ];
    let mut urls: Vec<String> = of_the_client
        .into_iter()
        .flatten()
        .filter_map(|template| values.render_url(template).ok())
        .collect();
    if provider.client.certificate_bound_access_tokens {
        urls.extend(api_origin(provider, values).ok());
        let userinfo = provider.userinfo.as_ref();
        urls.extend(userinfo.and_then(|it| values.render_url(&it.url).ok()));
        urls.extend(provider.api.hosts.iter().cloned());
    }
    urls.iter().filter_map(|url| Url::parse(url).ok()).collect()
}

impl Connection<'_> {
    /// A client of its own, with the certificate where one is wanted; its connections are shared with nobody.
    pub fn own_http(&self) -> Result<Client, HttpError> {
        let client = (self.make_http)()?;
        Ok(presenting(&client, &self.provider, &self.values, &self.drawer, &self.certificate))
    }

    /// Holds what a first authorization shows: what was brought, else what is stored.
    pub(super) fn hold_certificate(
        &self,
        brought: &Brought,
        private_key: Option<&Secret>,
    ) -> Result<(), EstablishError> {
        if !self.provider.client.shows_certificate() {
            return Ok(());
        }
        let chain = match &brought.client_certificate {
            Some(chain) => Some(chain.clone()),
            None => self.stored_secret(Entry::client_certificate_for)?,
        };
        let chain = chain.ok_or(FreshError::ClientCertificateMissing)?;
        let key = private_key.ok_or(FreshError::ClientKeyMissing)?.clone();
        // One authorization a command: what is held already is the same.
        let _ = self.certificate.0.set((chain, key));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::settings;
    use crate::provider::file;
    use std::collections::BTreeMap;

    fn shown_to(bound: bool) -> Vec<String> {
        let text = format!(
            "schema = 1\nname = \"x\"\nflows = [\"client_credentials\", \"device_code\"]\n\
             [client]\nauth = \"tls_client_auth\"\ncertificate_bound_access_tokens = {bound}\n\
             [token]\nurl = \"https://mtls.as.test/token\"\n\
             [refresh]\nrotation = \"rotating\"\n\
             [revoke]\nurl = \"https://revoke.as.test/x\"\n\
             [introspect]\nurl = \"https://ask.as.test/x\"\n\
             [device]\nurl = \"https://device.as.test/x\"\n\
             [api]\nbase_url = \"https://api.test/v1/{{place}}\"\nhosts = [\"https://files.test\"]\n\
             [[context]]\nname = \"place\"\npath = \"place\"\n"
        );
        let provider = file::read("x.toml", &text).unwrap();
        let values = settings::values(&provider, &BTreeMap::new(), None);
        hosts(&provider, &values)
            .iter()
            .filter_map(|url| url.host_str().map(str::to_owned))
            .collect()
    }

    #[test] // CA8, SC10
    fn an_api_sees_the_certificate_only_where_tokens_are_bound_to_it() {
        let server = ["mtls.as.test", "revoke.as.test", "ask.as.test", "device.as.test"];
        assert_eq!(shown_to(false), server);
        assert_eq!(shown_to(true), [&server[..], &["api.test", "files.test"]].concat());
    }
}
