//! Which calls may be sent twice, and the key that makes a write one of them.

use std::time::Duration;

use crate::http::{RetryRules, WaitHeaders};
use crate::provider::schema::{Api, Idempotency, Retry, TimeUnit};
use crate::random::{Random, uuid_v4};

/// Where a vendor names no header, the draft's name is used for a key that a person gives.
const USUAL_HEADER: &str = "Idempotency-Key";

/// A call's key: the same on every repetition of the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The request header.
    pub header: String,
    /// A fresh UUID, or what the person gave.
    pub value: String,
    /// Whether the vendor promises to carry such a call out only once.
    pub protects: bool,
}

/// The key of a call: a person's on any call, a fresh one on a write where the vendor takes it.
/// `below` is the path below the API base.
pub fn key(
    idempotency: Option<&Idempotency>,
    method: &str,
    below: Option<&str>,
    given: Option<&str>,
    random: &dyn Random,
) -> Option<Key> {
    let is_read = is_read(idempotency, below);
    let protects = idempotency.is_some_and(|it| it.methods.iter().any(|listed| listed == method));
    let value = match given {
        Some(given) => given.to_owned(),
        None if protects && !is_read => uuid_v4(random),
        None => return None,
    };
    let header = idempotency.map_or(USUAL_HEADER, |it| it.header.as_str()).to_owned();
    Some(Key { header, value, protects })
}

/// Whether a path is one of the reads that the vendor takes as another method; its query does not matter.
pub fn is_read(idempotency: Option<&Idempotency>, below: Option<&str>) -> bool {
    let bare = |path: &str| path.split(['?', '#']).next().unwrap_or_default().to_owned();
    let below = bare(below.unwrap_or_default());
    let is = |read: &String| read.trim_matches('/') == below.trim_matches('/');
    idempotency.is_some_and(|it| it.reads.iter().any(is))
}

/// Tells whether a call that may have been carried out can be sent again (RFC 9110 section 9.2.2).
pub fn safe_to_repeat(method: &str, key: Option<&Key>) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PUT" | "DELETE")
        || key.is_some_and(|key| key.protects)
}

/// Tells whether a call that was refused for its token can be sent again with a new one.
pub fn safe_after_refusal(api: &Api, method: &str, key: Option<&Key>) -> bool {
    api.refusal_means_not_executed || safe_to_repeat(method, key)
}

/// The provider's words about repetition as the rules that decide.
pub fn retry_rules(retry: &Retry, retries: u32) -> RetryRules {
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    RetryRules {
        retries,
        on: retry.on.clone(),
        wait: wait_headers(retry),
        base: seconds(retry.base),
        max: seconds(retry.max),
    }
}

/// Where the provider says how long to wait.
pub fn wait_headers(retry: &Retry) -> WaitHeaders {
    WaitHeaders {
        after: retry.after.clone(),
        at: retry.at.clone(),
        in_milliseconds: retry.unit == TimeUnit::Milliseconds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue::shipped;
    use crate::random::SystemRandom;

    fn inkress() -> Idempotency {
        shipped("inkress").unwrap().unwrap().api.idempotency.unwrap()
    }

    #[test] // RR15
    fn a_write_gets_a_fresh_key_and_a_read_none() {
        let inkress = inkress();
        for method in ["POST", "PUT", "DELETE"] {
            let one = key(Some(&inkress), method, None, None, &SystemRandom).unwrap();
            let other = key(Some(&inkress), method, None, None, &SystemRandom).unwrap();
            assert_eq!((one.header.as_str(), one.value.len()), ("Idempotency-Key", 36));
            assert!(one.protects && one.value != other.value);
        }
        assert_eq!(key(Some(&inkress), "GET", None, None, &SystemRandom), None);
        assert_eq!(key(None, "POST", None, None, &SystemRandom), None);
    }

    #[test] // RR15
    fn a_read_that_the_vendor_takes_as_post_gets_no_fresh_key() {
        let inkress = inkress();
        let keyed = |path, given| key(Some(&inkress), "POST", Some(path), given, &SystemRandom);
        assert_eq!(keyed("/merchants/account/balances", None), None);
        assert_eq!(keyed("merchants/account/contribution/?x=1", None), None);
        assert!(keyed("/orders", None).is_some() && keyed("/merchants/account", None).is_some());
        let own = keyed("/merchants/account/balances", Some("k")).unwrap();
        assert_eq!(own.value, "k", "a person's is taken");
    }

    #[test] // RR15
    fn a_persons_key_is_taken_but_protects_only_where_the_vendor_says_so() {
        let given = |idempotency: Option<&Idempotency>| {
            key(idempotency, "POST", None, Some("order 7"), &SystemRandom).unwrap()
        };
        let expected =
            |protects| Key { header: "Idempotency-Key".into(), value: "order 7".into(), protects };
        assert_eq!(given(Some(&inkress())), expected(true));
        assert_eq!(given(None), expected(false));
        assert!(safe_to_repeat("POST", Some(&expected(true))));
        assert!(!safe_to_repeat("POST", Some(&expected(false))));
    }

    #[test] // RR15, AT-4c
    fn a_write_without_a_key_is_not_repeated() {
        let cases =
            [("GET", true), ("HEAD", true), ("PUT", true), ("POST", false), ("PATCH", false)];
        for (method, safe) in cases {
            assert_eq!(safe_to_repeat(method, None), safe, "{method}");
        }
        let mut api = shipped("inyo").unwrap().unwrap().api;
        assert!(safe_after_refusal(&api, "POST", None));
        api.refusal_means_not_executed = false;
        assert!(!safe_after_refusal(&api, "POST", None));
    }

    #[test]
    fn absurd_numbers_become_no_wait_and_do_not_panic() {
        let retry = Retry { base: -1.0, max: f64::NAN, ..Retry::default() };
        let rules = retry_rules(&retry, 3);
        assert_eq!((rules.base, rules.max), (Duration::ZERO, Duration::ZERO));
        assert_eq!(retry_rules(&Retry::default(), 3).max, Duration::from_secs(60));
    }
}
