//! The key that a connection's tokens are bound to, and what the servers want of its proofs (RFC 9449).

pub mod nonces;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use nonces::Nonces;
use url::Url;

use super::server::Stamp;
use super::{Connection, Entry, FreshError};
use crate::authorization_server::dpop::{self, NONCE, Proven};
use crate::authorization_server::jose::{CannotSign, KeyError, SigningKey};
use crate::http::HeaderMap;
use crate::profile::Profile;
use crate::provider::Provider;
use crate::provider::schema::ApiAuthorization;
use crate::random::{Random, token_256};
use crate::resource_server::www_authenticate::{self, is_about_the_proof};
use crate::secret::Secret;

/// Asks for bound tokens where the profile does, and shows them as such: the scheme is the standard's
/// own, in the header alone (RFC 9449 section 7.1).
pub fn bind(provider: &mut Provider, profile: &Profile) {
    provider.client.dpop_bound_access_tokens |= profile.dpop;
    if provider.client.dpop_bound_access_tokens {
        let authorization = &mut provider.api.authorization;
        *authorization = ApiAuthorization { scheme: dpop::SCHEME.into(), ..Default::default() };
    }
}

/// The keys of one command.
#[derive(Default)]
pub struct Keys {
    /// Made for a new authorization; stored with its tokens.
    new: OnceCell<Secret>,
    /// Read from an entry, with the fingerprint of its text: another process may connect anew.
    kept: RefCell<Option<(String, Arc<Prover>)>>,
}

impl Connection<'_> {
    /// The key that the tokens of an entry are bound to; `None` where they are not.
    pub fn prover(&self, entry: &Entry) -> Result<Option<Arc<Prover>>, FreshError> {
        match (self.provider.client.dpop_bound_access_tokens, &entry.dpop_key) {
            (false, None) => Ok(None),
            (true, Some(key)) => self.read_once(key).map(Some),
            (is_wanted, _) => Err(FreshError::Unbound { is_wanted }),
        }
    }

    /// The key for a new authorization, made when it is first asked for; `None` where none is wanted.
    pub(super) fn new_prover(&self) -> Result<Option<Arc<Prover>>, FreshError> {
        match self.new_key()? {
            Some(key) => self.read_once(&key).map(Some),
            None => Ok(None),
        }
    }

    /// The same as it is stored.
    pub(super) fn new_key(&self) -> Result<Option<Secret>, FreshError> {
        if !self.provider.client.dpop_bound_access_tokens {
            return Ok(None);
        }
        if self.keys.new.get().is_none() {
            let key = SigningKey::generate().map_err(|_| FreshError::NoKey)?;
            let _ = self.keys.new.set(key);
        }
        Ok(self.keys.new.get().cloned())
    }

    /// What makes each token request of this command another one.
    pub(super) fn stamp<'p>(&'p self, prover: &'p Option<Arc<Prover>>) -> Stamp<'p> {
        let (clock, random) = (&*self.system.clock, &*self.system.random);
        Stamp { clock, random, prover: prover.as_deref() }
    }

    fn read_once(&self, key: &Secret) -> Result<Arc<Prover>, FreshError> {
        let fingerprint = key.fingerprint();
        if let Some((kept, prover)) = &*self.keys.kept.borrow()
            && *kept == fingerprint
        {
            return Ok(prover.clone());
        }
        let prover = Prover::new(key).map_err(|_| FreshError::NoKey)?;
        let prover = Arc::new(prover.remembering(self.system.home.nonces(), self.name()));
        self.keys.kept.replace(Some((fingerprint, prover.clone())));
        Ok(prover)
    }
}

/// A server's clock that differs by less is taken for the same: its `Date` counts whole seconds.
const SAME: SignedDuration = SignedDuration::from_secs(5);

/// Makes proofs, and remembers for each server what it said about them.
pub struct Prover {
    key: SigningKey,
    known: Mutex<BTreeMap<String, Known>>,
    kept: Option<Nonces>,
}

/// What one origin has said; an authorization server's nonce is never shown to an API.
#[derive(Debug, Clone, Default, PartialEq)]
struct Known {
    nonce: Option<String>,
    /// How far its clock is ahead of ours.
    ahead: SignedDuration,
}

/// A request that needs a proof.
pub struct Request<'a> {
    /// As it is sent.
    pub method: &'a str,
    /// Where it goes.
    pub url: &'a Url,
    /// The token that goes with it, to a resource server.
    pub access_token: Option<&'a Secret>,
}

impl Prover {
    /// Takes the stored key.
    pub fn new(key: &Secret) -> Result<Self, KeyError> {
        Ok(Self { key: SigningKey::read(key, None)?, known: Mutex::default(), kept: None })
    }

    /// Begins with what the servers said to earlier commands, and keeps what they say to this one.
    pub fn remembering(mut self, folder: PathBuf, profile: &str) -> Self {
        let kept = Nonces::of(folder, profile, self.thumbprint());
        let known = kept.read().into_iter().map(|(origin, nonce)| {
            (origin, Known { nonce: Some(nonce).filter(|it| is_nonce(it)), ..Known::default() })
        });
        self.known = Mutex::new(known.collect());
        self.kept = Some(kept);
        self
    }

    /// The key's thumbprint, which binds a code to it (RFC 9449 section 10).
    pub fn thumbprint(&self) -> String {
        self.key.public().thumbprint()
    }

    /// The header of one sending; another one has another proof.
    pub fn header(
        &self,
        request: &Request<'_>,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Secret, CannotSign> {
        let known = self.known_of(request.url);
        let Request { method, url, access_token } = *request;
        let proven = Proven {
            method,
            url,
            access_token,
            nonce: known.nonce.as_deref(),
            at: now.checked_add(known.ahead).unwrap_or(now),
            id: token_256(random),
        };
        dpop::proof(&self.key, &proven)
    }

    /// Learns from the head of any answer; whether the next proof will be another because of it.
    pub fn learns(&self, url: &Url, headers: &HeaderMap, now: Timestamp) -> bool {
        let before = self.known_of(url);
        let after = Known {
            nonce: nonce(headers).or_else(|| before.nonce.clone()),
            ahead: ahead(headers, now).unwrap_or(before.ahead),
        };
        let is_new = after != before;
        if let (Some(kept), Some(nonce)) = (&self.kept, &after.nonce)
            && after.nonce != before.nonce
        {
            kept.keep(&origin(url), nonce);
        }
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(origin(url), after);
        is_new
    }

    fn known_of(&self, url: &Url) -> Known {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&origin(url)).cloned().unwrap_or_default()
    }
}

/// Whether an API's refusal is about the proof (RFC 9449 section 9).
pub fn refuses_the_proof(status: u16, headers: &HeaderMap) -> bool {
    if status != 401 {
        return false;
    }
    let texts = headers.get_all("www-authenticate").iter().filter_map(|it| it.to_str().ok());
    www_authenticate::parse(texts)
        .iter()
        .any(|challenge| is_about_the_proof(challenge.parameter("error")))
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// The one nonce of an answer; two are none (RFC 9449 section 8.1).
fn nonce(headers: &HeaderMap) -> Option<String> {
    let mut all = headers.get_all(NONCE).iter();
    let (one, None) = (all.next()?, all.next()) else { return None };
    one.to_str().ok().filter(|it| is_nonce(it)).map(str::to_owned)
}

fn is_nonce(text: &str) -> bool {
    (1..=1024).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// An answer with an `Age` comes from a cache, and its `Date` is when that got it (RFC 9111 section 5.1).
fn ahead(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    if headers.contains_key("age") {
        return None;
    }
    let date = crate::http::date(headers)?;
    let ahead = date.duration_since(now);
    Some(if ahead.abs() < SAME { SignedDuration::ZERO } else { ahead })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::Value;

    use super::*;
    use crate::random::SystemRandom;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    fn now() -> Timestamp {
        "2026-05-29T12:00:00Z".parse().unwrap()
    }

    fn prover() -> Prover {
        Prover::new(&SigningKey::generate().unwrap()).unwrap()
    }

    fn claims(prover: &Prover, url: &str) -> Value {
        let url = Url::parse(url).unwrap();
        let request = Request { method: "GET", url: &url, access_token: None };
        let proof = prover.header(&request, now(), &SystemRandom).unwrap();
        let part = proof.expose().split('.').nth(1).unwrap().to_owned();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test] // SC3
    fn each_server_s_newest_nonce_is_for_that_server_alone() {
        let prover = prover();
        let learn = |url: &str, pairs: &[(&'static str, &str)]| {
            prover.learns(&Url::parse(url).unwrap(), &headers(pairs), now())
        };
        assert!(learn("https://as.test/token", &[("dpop-nonce", "a1")]));
        assert!(learn("https://api.test/x", &[("dpop-nonce", "r1")]));
        assert!(learn("https://api.test/y", &[("dpop-nonce", "r2")]));
        assert!(!learn("https://api.test/z", &[]), "an answer without one keeps the last");
        assert_eq!(claims(&prover, "https://as.test/token")["nonce"], "a1");
        assert_eq!(claims(&prover, "https://api.test/q")["nonce"], "r2");
        assert_eq!(claims(&prover, "https://api.test:8443/q").get("nonce"), None);
    }

    #[test] // SC9
    fn two_nonces_or_a_strange_one_are_none() {
        let prover = prover();
        let url = Url::parse("https://as.test/").unwrap();
        for pairs in [
            &[("dpop-nonce", "a"), ("dpop-nonce", "b")][..],
            &[("dpop-nonce", "")],
            &[("dpop-nonce", "a b")],
        ] {
            assert!(!prover.learns(&url, &headers(pairs), now()), "{pairs:?}");
        }
        assert_eq!(claims(&prover, "https://as.test/").get("nonce"), None);
    }

    #[test] // SC7
    fn no_proof_is_used_twice() {
        let prover = prover();
        let id = |_| claims(&prover, "https://as.test/")["jti"].as_str().unwrap().to_owned();
        let ids: std::collections::BTreeSet<String> = (0..100).map(id).collect();
        assert_eq!(ids.len(), 100);
    }

    #[test] // SC8
    fn a_server_whose_clock_differs_gets_its_own_time() {
        for (date, iat) in [
            ("Fri, 29 May 2026 12:10:00 GMT", "2026-05-29T12:10:00Z"),
            ("Fri, 29 May 2026 11:50:00 GMT", "2026-05-29T11:50:00Z"),
            ("Fri, 29 May 2026 12:00:03 GMT", "2026-05-29T12:00:00Z"),
        ] {
            let prover = prover();
            prover.learns(
                &Url::parse("https://as.test/").unwrap(),
                &headers(&[("date", date)]),
                now(),
            );
            let iat: Timestamp = iat.parse().unwrap();
            assert_eq!(claims(&prover, "https://as.test/")["iat"], iat.as_second(), "{date}");
        }
    }

    #[test] // SC8
    fn a_cache_s_old_date_is_not_the_server_s_clock() {
        let prover = prover();
        let url = Url::parse("https://as.test/").unwrap();
        let learn = |pairs: &[(&'static str, &str)]| prover.learns(&url, &headers(pairs), now());
        let old = "Fri, 29 May 2026 11:50:00 GMT";
        assert!(!learn(&[("date", old), ("age", "600")]));
        assert_eq!(claims(&prover, "https://as.test/")["iat"], now().as_second());
        assert!(learn(&[("date", old)]));
        assert!(!learn(&[("date", "Fri, 29 May 2026 12:00:00 GMT"), ("age", "1")]));
    }

    #[test] // SC3, SC6
    fn an_api_s_challenge_may_be_about_the_proof() {
        let refuses = |status, challenge: &str| {
            refuses_the_proof(status, &headers(&[("www-authenticate", challenge)]))
        };
        assert!(refuses(401, r#"DPoP error="use_dpop_nonce", error_description="x""#));
        assert!(refuses(401, r#"Bearer realm="a", dpop error="invalid_dpop_proof""#));
        assert!(!refuses(401, r#"DPoP error="invalid_token""#));
        assert!(!refuses(403, r#"DPoP error="use_dpop_nonce""#));
    }
}
