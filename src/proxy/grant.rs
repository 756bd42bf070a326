//! What one access token lets the proxy do, worked out once and used for every request until it rolls.

use std::sync::Arc;

use jiff::Timestamp;

use super::allow::Allowed;
use super::headers;
use super::scrub::Scrubber;
use crate::connection::prover::Prover;
use crate::connection::{Connection, Entry, FreshError};
use crate::http::{HeaderMap, HeaderName, HeaderValue};
use crate::provider::template::Values;
use crate::resource_server::authorization::{self, AuthorizationError, Placement};
use crate::resource_server::target::{Base, TargetError};
use crate::secret::Secret;

/// An access token and everything that goes with it; shared by all requests, kept in memory alone.
pub struct Grant {
    /// The access token.
    pub token: Secret,
    /// Until when nobody needs to ask for another; `None` where no end is known.
    pub use_until: Option<Timestamp>,
    /// `None` when nobody said.
    pub granted: Option<Vec<String>>,
    /// Settings and contexts.
    pub values: Values,
    /// Where the API is with these values.
    pub base: Base,
    /// Where the token goes.
    pub placement: Placement,
    /// The provider's own headers; a list of choices can be asked for without the one it chooses.
    pub headers: Result<HeaderMap, AuthorizationError>,
    /// The allow list with paths as they are sent.
    pub allowed: Allowed,
    /// The key that the token is bound to.
    pub prover: Option<Arc<Prover>>,
    /// Takes this token, those before it and the proxy's secret out of answers.
    pub scrubber: Arc<Scrubber>,
}

/// Why the proxy has nothing to send with.
#[derive(Debug)]
pub enum GrantError {
    /// There is no access token.
    Fresh(FreshError),
    /// The provider file and the profile do not say where the token goes.
    Authorization(AuthorizationError),
    /// The profile does not say where the API is.
    Target(TargetError),
    /// A path of the allow list leads nowhere.
    Allow(TargetError),
}

impl Grant {
    /// Works it out for an entry; `hidden` are the secrets to hide beside its token.
    pub fn new(
        connection: &Connection<'_>,
        entry: &Entry,
        allowed: &Allowed,
        hidden: &[Secret],
        use_until: Option<Timestamp>,
    ) -> Result<Self, GrantError> {
        let tokens = entry.tokens.as_ref().ok_or(GrantError::Fresh(FreshError::NotConnected))?;
        let (api, settings) = (&connection.provider.api, &connection.provider.settings);
        let values = connection.call_values(entry);
        let token = tokens.access_token.clone();
        Ok(Self {
            use_until,
            granted: tokens.granted.clone(),
            placement: authorization::placement(api, &values).map_err(GrantError::Authorization)?,
            headers: authorization::headers(api, &values, None, &[]).and_then(header_map),
            base: Base::of(api, &values).map_err(GrantError::Target)?,
            allowed: allowed.written_out(api, settings, &values).map_err(GrantError::Allow)?,
            prover: connection.prover(entry).map_err(GrantError::Fresh)?,
            scrubber: Arc::new(Scrubber::new(hidden.iter().chain([&token]))),
            values,
            token,
        })
    }

    /// Whether it will do at that time.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.use_until.is_none_or(|until| now < until)
    }

    /// The Authorization header, where the token goes into one.
    pub fn authorization(&self) -> Option<(HeaderName, HeaderValue)> {
        match &self.placement {
            Placement::Header { scheme } => headers::authorization(scheme, &self.token),
            Placement::Query { .. } => None,
        }
    }
}

/// Headers of the provider as the wire has them.
pub fn header_map(headers: Vec<(String, String)>) -> Result<HeaderMap, AuthorizationError> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let broken = || AuthorizationError::Broken(crate::http::printable(&name));
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| broken())?;
        map.insert(header, HeaderValue::from_str(&value).map_err(|_| broken())?);
    }
    Ok(map)
}
