//! Whether a request is sent once more, and after how long. This room decides; the caller waits.

use std::time::Duration;

use hyper::header::HeaderMap;
use jiff::Timestamp;

use super::error::HttpError;
use super::retry_after::WaitHeaders;

/// The shortest wait, so that a server that asks for none is not stormed (A27).
const SHORTEST: Duration = Duration::from_millis(100);

/// When and how long to wait.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryRules {
    /// How often a request is repeated at most.
    pub retries: u32,
    /// Statuses that ask for a wait.
    pub on: Vec<u16>,
    /// Headers that say how long.
    pub wait: WaitHeaders,
    /// The first wait where no header says.
    pub base: Duration,
    /// The longest wait; a server that asks for more is not waited for.
    pub max: Duration,
}

/// What came of the last sending.
#[derive(Debug, Clone, Copy)]
pub enum Outcome<'a> {
    /// An answer.
    Answered(u16, &'a HeaderMap),
    /// An answer that says, whatever its status, that the request was not carried out for now.
    Postponed(&'a HeaderMap),
    /// None.
    Failed(&'a HttpError),
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Take the outcome as it is.
    Stop,
    /// Wait that long, then send once more.
    After(Duration),
}

/// Decides after the request was sent `sent` times (1 at first); `fraction` is random in [0, 1).
///
/// 429 says that the request was not carried out, so any request is repeated. Another status is
/// believed for a write only where the server itself names a time to come back. A failed
/// connection repeats what is safe to repeat, or certainly never arrived.
pub fn decide(
    sent: u32,
    outcome: Outcome<'_>,
    rules: &RetryRules,
    safe_to_repeat: bool,
    now: Timestamp,
    fraction: f64,
) -> Decision {
    if sent > rules.retries {
        return Decision::Stop;
    }
    match outcome {
        Outcome::Answered(status, headers) if rules.on.contains(&status) => {
            let repeatable = safe_to_repeat || status == 429;
            asked_to_wait(sent, headers, rules, repeatable, now, fraction)
        }
        Outcome::Postponed(headers) => asked_to_wait(sent, headers, rules, true, now, fraction),
        Outcome::Failed(error) if error.may_pass() && (safe_to_repeat || error.never_reached()) => {
            back_off(sent, rules, fraction)
        }
        _ => Decision::Stop,
    }
}

/// As long as the server says; where it says nothing, growing waits for what may be repeated.
fn asked_to_wait(
    sent: u32,
    headers: &HeaderMap,
    rules: &RetryRules,
    repeatable: bool,
    now: Timestamp,
    fraction: f64,
) -> Decision {
    match rules.wait.wait(headers, now) {
        Some(asked) if asked > rules.max => Decision::Stop,
        Some(asked) => Decision::After(spread(asked, fraction)),
        None if repeatable => back_off(sent, rules, fraction),
        None => Decision::Stop,
    }
}

/// Waits at least as long as was asked, and a random tenth more: nobody comes back at the same time.
fn spread(asked: Duration, fraction: f64) -> Duration {
    let asked = asked.max(SHORTEST);
    asked + asked.mul_f64(0.1 * fraction.clamp(0.0, 1.0))
}

/// Exponential with full jitter (RR17).
fn back_off(sent: u32, rules: &RetryRules, fraction: f64) -> Decision {
    let doublings = 2_u32.saturating_pow(sent.saturating_sub(1));
    let ceiling = rules.base.saturating_mul(doublings).min(rules.max);
    Decision::After(ceiling.mul_f64(fraction.clamp(0.0, 1.0)).max(SHORTEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> RetryRules {
        RetryRules {
            retries: 3,
            on: vec![429, 503],
            wait: WaitHeaders { after: vec!["retry-after".into()], ..WaitHeaders::default() },
            base: Duration::from_secs(1),
            max: Duration::from_secs(60),
        }
    }

    fn after_answer(status: u16, header: Option<&str>, sent: u32, safe: bool) -> Decision {
        let mut headers = HeaderMap::new();
        header.map(|value| headers.insert("retry-after", value.parse().unwrap()));
        let outcome = Outcome::Answered(status, &headers);
        decide(sent, outcome, &rules(), safe, Timestamp::UNIX_EPOCH, 0.5)
    }

    fn millis(millis: u64) -> Decision {
        Decision::After(Duration::from_millis(millis))
    }

    #[test] // RR13, RR15, RR17, A27
    fn an_answer_is_waited_for_as_it_asks() {
        let cases = [
            (429, Some("2"), 1, false, millis(2100)),
            (503, Some("2"), 1, false, millis(2100)),
            (429, Some("0"), 1, true, millis(105)),
            (429, None, 1, false, millis(500)),
            (429, None, 2, false, millis(1000)),
            (429, Some("garbage"), 3, false, millis(2000)),
            (429, None, 4, false, Decision::Stop),
            (429, Some("61"), 1, true, Decision::Stop),
            (503, None, 1, true, millis(500)),
            (503, None, 1, false, Decision::Stop),
            (500, Some("2"), 1, true, Decision::Stop),
            (409, None, 1, true, Decision::Stop),
            (200, Some("2"), 1, true, Decision::Stop),
        ];
        for (status, header, sent, safe, expected) in cases {
            let decision = after_answer(status, header, sent, safe);
            assert_eq!(decision, expected, "{status} {header:?} {sent} {safe}");
        }
    }

    #[test] // RR13, AT-4d
    fn what_was_postponed_is_sent_again_whatever_it_is() {
        let mut headers = HeaderMap::new();
        let decided = |headers: &HeaderMap, sent| {
            let outcome = Outcome::Postponed(headers);
            decide(sent, outcome, &rules(), false, Timestamp::UNIX_EPOCH, 0.5)
        };
        assert_eq!(decided(&headers, 1), Decision::After(Duration::from_millis(500)));
        assert_eq!(decided(&headers, 4), Decision::Stop);
        headers.insert("retry-after", "10".parse().unwrap());
        assert_eq!(decided(&headers, 1), Decision::After(Duration::from_millis(10_500)));
        headers.insert("retry-after", "61".parse().unwrap());
        assert_eq!(decided(&headers, 1), Decision::Stop);
    }

    #[test] // RR17
    fn a_hundred_processes_do_not_come_back_at_the_same_time() {
        let error = HttpError::Refused { host: "h".into() };
        let mut tenths = [0; 10];
        for process in 0..100 {
            let fraction = f64::from(process) / 100.0;
            let outcome = Outcome::Failed(&error);
            let decision = decide(3, outcome, &rules(), true, Timestamp::UNIX_EPOCH, fraction);
            let Decision::After(wait) = decision else { panic!("{decision:?}") };
            assert!(wait <= Duration::from_secs(4), "{wait:?}");
            tenths[(wait.as_secs_f64() / 0.4).floor() as usize] += 1;
        }
        assert!(tenths.iter().all(|count| (9..=11).contains(count)), "{tenths:?}");
    }

    #[test] // RR15
    fn a_failed_connection_repeats_only_what_cannot_happen_twice() {
        let host = || "h".to_owned();
        let after = Duration::from_secs(1);
        let cases = [
            (HttpError::Refused { host: host() }, false, true),
            (HttpError::Dns { host: host() }, false, true),
            (HttpError::Reset { host: host() }, false, false),
            (HttpError::Reset { host: host() }, true, true),
            (HttpError::TimedOut { host: host(), after, connecting: false }, false, false),
            (HttpError::TimedOut { host: host(), after, connecting: false }, true, true),
            (HttpError::TimedOut { host: host(), after, connecting: true }, false, true),
            (HttpError::Tls { host: host(), detail: String::new() }, true, false),
            (HttpError::InsecureUrl { host: host() }, true, false),
        ];
        for (error, safe, repeated) in cases {
            let outcome = Outcome::Failed(&error);
            let decision = decide(1, outcome, &rules(), safe, Timestamp::UNIX_EPOCH, 0.5);
            assert_eq!(decision != Decision::Stop, repeated, "{error:?} {safe}");
        }
    }

    #[test] // RR17
    fn the_wait_never_outgrows_the_longest_and_never_overflows() {
        let many = RetryRules { retries: u32::MAX, ..rules() };
        let error = HttpError::Refused { host: "h".into() };
        for sent in [10, 33, u32::MAX] {
            let outcome = Outcome::Failed(&error);
            let decision = decide(sent, outcome, &many, true, Timestamp::UNIX_EPOCH, 1.0);
            assert_eq!(decision, Decision::After(Duration::from_secs(60)), "{sent}");
        }
    }
}
