//! An API that points to another authorization server is told about, once, and not followed.

use url::Url;

use super::Notice;
use super::share::Share;
use crate::http::HeaderMap;
use crate::http::request::host_of;
use crate::resource_server::resource_metadata::named_elsewhere;

impl Share<'_> {
    /// Warns where a refusal names metadata on another host than the API's.
    pub(super) fn tell_elsewhere(&self, url: &Url, status: u16, headers: &HeaderMap) {
        let Some(named) = named_elsewhere(url, status, headers) else { return };
        if self.told_elsewhere.replace(true) {
            return;
        }
        let endpoint = self.connection.bound().ok().map(|bound| bound.token_endpoint);
        let endpoint = endpoint.and_then(|endpoint| Url::parse(&endpoint).ok());
        let trusted = endpoint.map(|endpoint| host_of(&endpoint)).unwrap_or_default();
        (self.connection.notify)(Notice::MetadataElsewhere { named, trusted });
    }
}
