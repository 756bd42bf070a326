//! What a program asks of the API, as a value: where it goes, what goes with it, whether it may.

use hyper::http::request::Parts;
use url::Url;

use super::grant::{Grant, header_map};
use super::refusal::Refusal;
use super::{headers, method_override, path};
use crate::http::{HeaderMap, HeaderName, HeaderValue, Method};
use crate::provider::Provider;
use crate::provider::schema::Api;
use crate::random::Random;
use crate::resource_server::authorization::{self, Placement};
use crate::resource_server::idempotency::{self, Key, is_read, safe_after_refusal, safe_to_repeat};
use crate::resource_server::scope::{self, Judgement};
use crate::resource_server::target::Target;
use crate::secret::Secret;

/// A request that is allowed; holds no token.
pub struct Asked<'h> {
    head: &'h Parts,
    target: Target,
    key: Option<Key>,
    /// Whether the vendor says that it changes nothing, whatever its method.
    is_read: bool,
}

impl<'h> Asked<'h> {
    /// Finds the address and asks allow list and scope table about it.
    pub fn new(
        head: &'h Parts,
        provider: &Provider,
        grant: &Grant,
        random: &dyn Random,
    ) -> Result<Self, Refusal> {
        let target = Self::target(head, provider, grant)?;
        if head.uri.query().is_some_and(method_override::is_in) {
            return Err(Refusal::MethodInQuery);
        }
        let allowed = grant.allowed.judge(head.method.as_str(), target.url.path());
        allowed.map_err(Refusal::NotAllowed)?;
        let below = target.below.as_deref();
        let is_read = is_read(provider.api.idempotency.as_ref(), below);
        let key = key(&provider.api, head, below, random);
        let asked = Self { head, target, key, is_read };
        match asked.scope_judgement(provider, grant) {
            Judgement::Missing { needed } => Err(Refusal::MissingScope {
                needed: needed.iter().map(|scope| scope.name.clone()).collect(),
            }),
            _ => Ok(asked),
        }
    }

    /// The address of a request; its query goes as it is, but for a token of the program's own.
    pub fn target(head: &Parts, provider: &Provider, grant: &Grant) -> Result<Target, Refusal> {
        let path = path::normalised(head.uri.path()).map_err(Refusal::Path)?;
        let target = grant.base.resolve(&provider.settings, &grant.values, &path, &[]);
        let mut target = target.map_err(Refusal::Target)?;
        let query = head.uri.query().map(|query| match &grant.placement {
            Placement::Query { name } => without_parameter(query, name),
            Placement::Header { .. } => query.to_owned(),
        });
        target.url.set_query(query.as_deref().filter(|query| !query.is_empty()));
        Ok(target)
    }

    /// Where it goes; without the token, wherever that goes.
    pub fn url(&self) -> &Url {
        &self.target.url
    }

    /// As sent.
    pub fn method(&self) -> Method {
        self.head.method.clone()
    }

    /// What the provider's scope table says.
    pub fn scope_judgement<'p>(&self, provider: &'p Provider, grant: &Grant) -> Judgement<'p> {
        let below = self.target.below.as_deref();
        scope::judge(&provider.scope, grant.granted.as_deref(), self.head.method.as_str(), below)
    }

    fn repeats_like(&self) -> &str {
        if self.is_read { "GET" } else { self.head.method.as_str() }
    }

    /// Whether it may be sent again although it may have been carried out.
    pub fn is_safe_to_repeat(&self) -> bool {
        safe_to_repeat(self.repeats_like(), self.key.as_ref())
    }

    /// Whether it may be sent again after the API refused its token.
    pub fn is_safe_after_refusal(&self, api: &Api) -> bool {
        safe_after_refusal(api, self.repeats_like(), self.key.as_ref())
    }

    /// Address and headers with the token; `secret`, the proxy's own, is in none of them. What the provider asks for stands in place of what the
    /// program says: which account is spoken to is not the program's to choose.
    pub fn with_token(
        &self,
        provider: &Provider,
        grant: &Grant,
        secret: &Secret,
    ) -> Result<(Url, HeaderMap), Refusal> {
        let mut headers = headers::to_the_api(&self.head.headers, secret);
        if let Some((name, value)) = self.key.as_ref().and_then(written) {
            headers.insert(name, value);
        }
        match &grant.headers {
            Ok(own) => set(&mut headers, own),
            Err(_) => {
                let lists = self.target.lists.as_deref();
                let own = authorization::headers(&provider.api, &grant.values, lists, &[]);
                set(&mut headers, &own.and_then(header_map).map_err(Refusal::Header)?);
            }
        }
        if let Some((name, value)) = grant.authorization() {
            headers.insert(name, value);
        }
        let mut url = self.target.url.clone();
        if let Placement::Query { name } = &grant.placement {
            url.query_pairs_mut().append_pair(name, grant.token.expose());
        }
        Ok((url, headers))
    }
}

fn set(headers: &mut HeaderMap, own: &HeaderMap) {
    for (name, value) in own {
        headers.insert(name.clone(), value.clone());
    }
}

/// The key of a write: the program's own, or a fresh one where the vendor takes it.
fn key(api: &Api, head: &Parts, below: Option<&str>, random: &dyn Random) -> Option<Key> {
    let idempotency = api.idempotency.as_ref();
    let given = idempotency.and_then(|it| head.headers.get(it.header.as_str())?.to_str().ok());
    idempotency::key(idempotency, head.method.as_str(), below, given, random)
}

fn written(key: &Key) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(key.header.as_bytes()).ok()?;
    Some((name, HeaderValue::from_str(&key.value).ok()?))
}

/// A query without the parameter that only the proxy sets.
fn without_parameter(query: &str, name: &str) -> String {
    let is_other = |pair: &&str| {
        url::form_urlencoded::parse(pair.as_bytes()).next().is_none_or(|(found, _)| found != name)
    };
    query.split('&').filter(is_other).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // RR1
    fn the_tokens_parameter_is_the_proxys_alone() {
        let cases = [
            ("a=1&oauth_token=x&b=2", "a=1&b=2"),
            ("oauth%5Ftoken=x", ""),
            ("oauth_token", ""),
            ("a=oauth_token&c", "a=oauth_token&c"),
        ];
        for (query, expected) in cases {
            assert_eq!(without_parameter(query, "oauth_token"), expected, "{query}");
        }
    }
}
