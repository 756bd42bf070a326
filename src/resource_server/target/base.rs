//! The API base, taken apart once for all calls with the same values.

use std::collections::BTreeMap;

use url::Url;

use super::given::{filled, refuse_trickery, whole_url};
use super::{Target, TargetError};
use crate::provider::schema::{Api, Setting};
use crate::provider::template::{MissingValue, Values};
use crate::resource_server::authorization::{AuthorizationError, Placement, placement};
use crate::resource_server::hosts::{OwnHosts, same_origin, split_base};

/// The API base, taken apart once for all calls with the same values.
#[derive(Debug)]
pub struct Base {
    /// Scheme, host, port, and a path where the host setting has one; no slash at its end.
    pub(super) host: String,
    /// The base's own path up to the first name in braces, no slash at its end.
    fixed: String,
    /// The whole base without a slash at its end, or the value it lacks.
    whole: Result<String, MissingValue>,
    /// Whether a name in braces follows `fixed`.
    goes_on: bool,
    own: OwnHosts,
    /// The path of `whole`, no slash at its end.
    path: Option<String>,
    /// Where the token goes.
    pub(in crate::resource_server) placement: Result<Placement, AuthorizationError>,
}

impl Base {
    /// Takes it apart.
    pub fn of(api: &Api, values: &Values) -> Result<Self, TargetError> {
        let (host, path) = split_base(&api.base_url);
        let host = values.render(host)?.trim_end_matches('/').to_owned();
        let own = OwnHosts::beside(&host, api)?;
        let (fixed, goes_on) = match path.find('{') {
            Some(brace) => (&path[..brace], true),
            None => (path, false),
        };
        let whole = values.render_path(path.trim_end_matches('/')).map(|path| host.clone() + &path);
        let parsed = whole.as_ref().ok().and_then(|whole| Url::parse(whole).ok());
        Ok(Self {
            path: parsed.map(|url| url.path().trim_end_matches('/').to_owned()),
            whole,
            fixed: fixed.trim_end_matches('/').to_owned(),
            goes_on,
            host,
            own,
            placement: placement(api, values),
        })
    }

    /// Finds the address of a PATH or a whole URL, and appends the query items, as [`resolve`] does.
    pub fn resolve(
        &self,
        settings: &BTreeMap<String, Setting>,
        values: &Values,
        path: &str,
        query: &[(String, String)],
    ) -> Result<Target, TargetError> {
        refuse_trickery(path)?;
        let mut url = match whole_url(path) {
            Some((host, rest)) => self.own(&format!("{host}{}", filled(rest, values)?))?,
            None => self.at(&self.place(path, values)?)?,
        };
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(self.target(url, settings))
    }

    /// Puts a path below the base, or below the host where it begins with the base's own path;
    /// what is given follows `host`.
    fn place(&self, path: &str, values: &Values) -> Result<String, TargetError> {
        let path = path.trim_start_matches('/');
        let mut place = String::with_capacity(self.fixed.len() + path.len() + 32);
        place.push('/');
        place.push_str(path);
        let is_written_out = self.is_written_out(&place);
        if place.contains('{') {
            place = filled(&place, values)?;
        }
        if !is_written_out {
            let whole = self.whole.as_ref().map_err(Clone::clone)?;
            place.insert_str(0, &whole[self.host.len()..]);
        }
        Ok(place)
    }

    fn is_written_out(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix(&self.fixed).filter(|_| !self.fixed.is_empty()) else {
            return false;
        };
        match rest.chars().next() {
            None | Some('/' | '?' | '#') => true,
            // `/API/Account.json` beside `/API/Account/{account_id}`.
            Some('.') => self.goes_on,
            Some(_) => false,
        }
    }

    /// The address of what follows `host`, which stays as it is whatever that says.
    pub(super) fn at(&self, rest: &str) -> Result<Url, TargetError> {
        let rest = rest.split('#').next().unwrap_or_default();
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        let mut url = self.own.api().clone();
        refuse_user_name(&url)?;
        match self.own.api().path() {
            "/" => url.set_path(path),
            own => url.set_path(&format!("{}{path}", own.trim_end_matches('/'))),
        }
        url.set_query(query);
        url.set_fragment(None);
        Ok(url)
    }

    /// Reads an address and holds it to the provider's own hosts.
    pub(super) fn own(&self, address: &str) -> Result<Url, TargetError> {
        let mut url =
            Url::parse(address).map_err(|error| TargetError::BadUrl(error.to_string()))?;
        if !self.own.origins().any(|own| same_origin(own, &url)) {
            let own = origin(self.own.api());
            return Err(TargetError::OtherHost { given: origin(&url), own });
        }
        refuse_user_name(&url)?;
        url.set_fragment(None);
        Ok(url)
    }

    pub(super) fn target(&self, url: Url, settings: &BTreeMap<String, Setting>) -> Target {
        let below = self.below(&url);
        let lists = settings.iter().find_map(|(name, setting)| {
            let list = setting.list.as_ref()?.get.trim_matches('/');
            (below.as_deref()?.trim_matches('/') == list).then(|| name.clone())
        });
        Target { url, below, lists }
    }

    fn below(&self, url: &Url) -> Option<String> {
        if !same_origin(self.own.api(), url) {
            return None;
        }
        let rest = url.path().strip_prefix(self.path.as_deref()?)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| rest.to_owned())
    }
}

fn refuse_user_name(url: &Url) -> Result<(), TargetError> {
    match url.username().is_empty() && url.password().is_none() {
        true => Ok(()),
        false => Err(TargetError::Refused("a user name")),
    }
}

fn origin(url: &Url) -> String {
    match url.port() {
        Some(port) => format!("{}://{}:{port}", url.scheme(), url.host_str().unwrap_or_default()),
        None => format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default()),
    }
}
