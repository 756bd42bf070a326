//! What an answer says of the vendor's limit: how much is left, and until when.

use std::time::Duration;

use jiff::Timestamp;

use crate::http::{HeaderMap, WaitHeaders};

/// The pairs of fields that are in use: the draft's of 2021, and what came before it.
const PAIRS: [(&str, &str); 3] = [
    ("ratelimit-remaining", "ratelimit-reset"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("x-rate-limit-remaining", "x-rate-limit-reset"),
];
/// The one field of the later draft (`draft-ietf-httpapi-ratelimit-headers`, section 4).
const LATER: &str = "ratelimit";

/// How long nothing is left, where the answer says so; what cannot be read says nothing (RR14).
pub fn used_up_for(headers: &HeaderMap, now: impl FnOnce() -> Timestamp) -> Option<Duration> {
    // Most answers hold none of them, and this is asked of every answer.
    let speaks_of_it = |name: &str| name.starts_with("rate") || name.starts_with("x-rate");
    if !headers.keys().any(|name| speaks_of_it(name.as_str())) {
        return None;
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    for (remaining, reset) in PAIRS {
        if text(remaining).is_some_and(is_nothing) {
            let reset = WaitHeaders { after: vec![reset.to_owned()], ..WaitHeaders::default() };
            return reset.wait(headers, now()).filter(|wait| !wait.is_zero());
        }
    }
    later(text(LATER)?)
}

fn is_nothing(remaining: &str) -> bool {
    let remaining = remaining.trim();
    !remaining.is_empty() && remaining.bytes().all(|digit| digit == b'0')
}

/// `"default";r=0;t=30`.
fn later(field: &str) -> Option<Duration> {
    let policies = field.split(',').filter(|policy| parameter(policy, "r").is_some_and(is_nothing));
    let seconds = policies.filter_map(|policy| parameter(policy, "t")?.parse::<u32>().ok()).max();
    seconds.filter(|seconds| *seconds > 0).map(|seconds| Duration::from_secs(seconds.into()))
}

fn parameter<'a>(policy: &'a str, name: &str) -> Option<&'a str> {
    let parameters = policy.split(';').skip(1).filter_map(|it| it.split_once('='));
    parameters.map(|(key, value)| (key.trim(), value.trim())).find(|it| it.0 == name).map(|it| it.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // RR14
    fn nothing_left_is_understood_in_every_spelling_and_all_else_says_nothing() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        type Given<'a> = &'a [(&'static str, &'a str)];
        let cases: [(Given<'_>, Option<u64>); 11] = [
            (&[("ratelimit-remaining", "0"), ("ratelimit-reset", "30")], Some(30)),
            (&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1800000042")], Some(42)),
            (&[("x-rate-limit-remaining", "00"), ("x-rate-limit-reset", "5")], Some(5)),
            (&[("ratelimit", r#""default";r=0;t=7"#)], Some(7)),
            (&[("ratelimit", r#""minute";r=0;t=7, "day";r=9;t=70"#)], Some(7)),
            (&[("ratelimit", r#""default";r=1;t=7"#)], None),
            (&[("ratelimit-remaining", "1"), ("ratelimit-reset", "30")], None),
            (&[("ratelimit-remaining", "0")], None),
            (&[("ratelimit-remaining", "0"), ("ratelimit-reset", "0")], None),
            (&[("ratelimit-remaining", ""), ("ratelimit-reset", "soon")], None),
            (&[], None),
        ];
        for (given, expected) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in given {
                headers.insert(*name, value.parse().unwrap());
            }
            let wait = used_up_for(&headers, || now);
            assert_eq!(wait, expected.map(Duration::from_secs), "{given:?}");
        }
    }
}
