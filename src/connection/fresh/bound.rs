//! What the tokens of an entry were given for, against what the profile says today.

use url::Url;

use super::FreshError;
use crate::connection::entry::Bound;
use crate::connection::{Connection, Entry};

impl Connection<'_> {
    /// The entry, with tokens, bound to the endpoints that the profile names.
    pub fn entry(&self) -> Result<Entry, FreshError> {
        let entry = self.drawer.read()?.ok_or(FreshError::NotConnected)?;
        if entry.tokens.is_none() {
            return Err(FreshError::NotConnected);
        }
        self.check_bound(&entry)?;
        self.check_hosts(&entry)?;
        if self.provider.client.dpop_bound_access_tokens != entry.dpop_key.is_some() {
            let is_wanted = self.provider.client.dpop_bound_access_tokens;
            return Err(FreshError::Unbound { is_wanted });
        }
        self.hear(&entry);
        Ok(entry)
    }

    /// Tokens go only where they were given for, whatever the profile says today.
    pub(in crate::connection) fn check_bound(&self, entry: &Entry) -> Result<(), FreshError> {
        self.check_bound_to_end(entry)?;
        let Some(was) = &entry.bound else {
            return Ok(());
        };
        agrees(was, was.introspection_endpoint.as_ref(), self.introspection_endpoint())
    }

    /// The same for ending them, which asks no introspection endpoint.
    pub(in crate::connection) fn check_bound_to_end(
        &self,
        entry: &Entry,
    ) -> Result<(), FreshError> {
        let Some(was) = &entry.bound else {
            return Ok(());
        };
        agrees(was, Some(&was.token_endpoint), self.token_endpoint().ok())?;
        agrees(was, Some(&was.api_origin), self.api_origin().ok())?;
        agrees(was, was.revocation_endpoint.as_ref(), self.revocation_endpoint())
    }

    /// A host that the provider file has gained since is not given the access token; ending it is another matter.
    fn check_hosts(&self, entry: &Entry) -> Result<(), FreshError> {
        let Some(was) = &entry.bound else {
            return Ok(());
        };
        let known = was.other_hosts.as_ref();
        let added = |host: &&String| known.is_some_and(|known| !known.contains(host));
        match self.provider.api.hosts.iter().find(added) {
            Some(is) => Err(FreshError::Rebound { was: was.api_origin.clone(), is: is.clone() }),
            None => Ok(()),
        }
    }
}

/// Whether tokens may go to an endpoint as the profile names it today: the one that was known when they
/// were given. What cannot be filled in cannot be sent to either.
fn agrees(was: &Bound, known: Option<&String>, is: Option<String>) -> Result<(), FreshError> {
    let Some(is) = is else { return Ok(()) };
    let agrees = match known {
        Some(known) => *known == is,
        // One that the provider file has gained since is the token endpoint's own server.
        None => have_one_origin(&was.token_endpoint, &is),
    };
    match agrees {
        true => Ok(()),
        false => Err(FreshError::Rebound { was: known.unwrap_or(&was.token_endpoint).clone(), is }),
    }
}

/// Whether two addresses are of one scheme, host and port.
fn have_one_origin(one: &str, other: &str) -> bool {
    let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
    origin(one).is_some_and(|it| origin(other) == Some(it))
}
