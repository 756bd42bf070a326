//! What an answer to a question for tokens means for the next question (RFC 8628 section 3.5).

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::super::token_response::{Asked, TokenAnswer, judge, number_at};
use crate::http::Answer;
use crate::http::error_response::ErrorResponse;
use crate::provider::Provider;
use crate::secret::Secret;
use crate::token_set::TokenSet;

/// What an answer comes to.
#[derive(Debug)]
pub enum Poll {
    /// Tokens: the person has said yes.
    Granted(TokenSet),
    /// The same, but not bound to the key that was proved.
    Unbound(TokenSet),
    /// The person has not decided yet.
    Pending,
    /// The same, and the questions come too fast.
    SlowDown {
        /// Seconds that the answer names as the new interval, or as a pause.
        seconds: Option<u64>,
    },
    /// The server cannot judge now: asked again, and slower.
    Busy {
        /// The status.
        status: u16,
    },
    /// The person has said no.
    Denied(ErrorResponse),
    /// The codes have ended.
    Expired,
    /// Another verdict, which ends the questions.
    Refused(ErrorResponse),
    /// Nothing that judges, and nothing that would pass by waiting.
    NoVerdict {
        /// The status.
        status: u16,
        /// What came instead.
        what: String,
    },
}

/// Judges an answer; only what the RFC names goes on.
pub fn judge_poll(
    provider: &Provider,
    asked: &Asked,
    answer: &Answer,
    secrets: &[Secret],
    now: Timestamp,
) -> Poll {
    match judge(provider, asked, answer, now).without(secrets) {
        TokenAnswer::Granted(tokens) => Poll::Granted(tokens),
        TokenAnswer::Unbound(tokens) => Poll::Unbound(tokens),
        TokenAnswer::TooMany { retry_after } => {
            Poll::SlowDown { seconds: retry_after.max(named_interval(answer)) }
        }
        TokenAnswer::Refused(error) => match error.code.as_deref() {
            Some("authorization_pending") => Poll::Pending,
            Some("access_denied") => Poll::Denied(error),
            Some("expired_token") => Poll::Expired,
            _ => Poll::Refused(error),
        },
        TokenAnswer::NoVerdict { status: status @ (408 | 500..), .. } => Poll::Busy { status },
        TokenAnswer::NoVerdict { status, what, .. } | TokenAnswer::Unfit { status, what } => {
            Poll::NoVerdict { status, what }
        }
    }
}

/// GitHub names the new interval beside its `slow_down`.
fn named_interval(answer: &Answer) -> Option<u64> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    number_at(&body, "interval")
}

/// How long to wait before the next question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    interval: Duration,
}

/// Added for good by every `slow_down` (RFC 8628 section 3.5).
const STEP: Duration = Duration::from_secs(5);
/// A number that a server names is believed up to that.
const LONGEST: Duration = Duration::from_secs(600);
/// A server that does not answer is asked at least that often.
const SLOWEST: Duration = Duration::from_secs(60);

impl Pace {
    /// Begins with the server's interval.
    pub fn new(interval: Duration) -> Self {
        Self { interval }
    }

    /// What the server asks for, without a margin.
    pub fn interval(self) -> Duration {
        self.interval
    }

    /// The interval and a fifth of it: clocks of virtual machines run fast, and a server that is
    /// asked a moment too early answers `slow_down`.
    pub fn wait(self) -> Duration {
        self.interval.saturating_add(self.interval / 5)
    }

    /// Five seconds more for good, or as long as the server names where that is more.
    pub fn slow_down(&mut self, seconds: Option<u64>) {
        let named = LONGEST.min(Duration::from_secs(seconds.unwrap_or(0)));
        self.interval = named.max(self.interval.saturating_add(STEP));
    }

    /// Twice as long, up to a minute, after a question that got no answer.
    pub fn double(&mut self) {
        self.interval = self.interval.max(SLOWEST.min(self.interval.saturating_mul(2)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{answer, provider};
    use super::*;

    fn judged(status: u16, body: &str) -> Poll {
        let asked = Asked::default();
        let secrets = [Secret::new("long-d3vice")];
        judge_poll(&provider(""), &asked, &answer(status, body), &secrets, Timestamp::UNIX_EPOCH)
    }

    fn kind(poll: &Poll) -> &'static str {
        match poll {
            Poll::Granted(_) => "granted",
            Poll::Pending => "pending",
            Poll::SlowDown { .. } => "slow down",
            Poll::Busy { .. } => "busy",
            Poll::Denied(_) => "denied",
            Poll::Expired => "expired",
            Poll::Refused(_) => "refused",
            Poll::Unbound(_) => "unbound",
            Poll::NoVerdict { .. } => "no verdict",
        }
    }

    #[test] // DV5
    fn only_what_the_standard_names_goes_on() {
        let tokens = r#"{"access_token":"a","token_type":"Bearer"}"#;
        let cases = [
            (200, tokens, "granted"),
            (400, r#"{"error":"authorization_pending"}"#, "pending"),
            (200, r#"{"error":"authorization_pending"}"#, "pending"),
            (428, r#"{"error":"authorization_pending"}"#, "pending"),
            (400, r#"{"error":"slow_down"}"#, "slow down"),
            (403, r#"{"error":"slow_down"}"#, "slow down"),
            (429, "", "slow down"),
            (400, r#"{"error":"access_denied"}"#, "denied"),
            (400, r#"{"error":"expired_token"}"#, "expired"),
            (400, r#"{"error":"invalid_grant"}"#, "refused"),
            (401, r#"{"error":"invalid_client"}"#, "refused"),
            (400, r#"{"error":"authorization_declined"}"#, "refused"),
            (400, r#"{"error":"AUTHORIZATION_PENDING"}"#, "refused"),
            (200, r#"{"error":"unsupported_grant_type"}"#, "refused"),
            (500, r#"{"error":"authorization_pending"}"#, "busy"),
            (502, "<html>", "busy"),
            (408, "", "busy"),
            (302, tokens, "no verdict"),
            (404, "", "no verdict"),
            (200, "<html>", "no verdict"),
            (200, r#"{"access_token":7}"#, "no verdict"),
            (400, r#"{"error":"temporarily_unavailable"}"#, "no verdict"),
        ];
        for (status, body, expected) in cases {
            assert_eq!(kind(&judged(status, body)), expected, "{status} {body}");
        }
    }

    #[test] // DV3
    fn a_verdict_does_not_quote_the_device_code() {
        let body = r#"{"error":"invalid_grant","error_description":"no code long-d3vice"}"#;
        let shown = format!("{:?}", judged(400, body));
        assert!(shown.contains("no code") && !shown.contains("long-d3vice"), "{shown}");
    }

    #[test] // DV4
    fn slow_down_adds_five_seconds_for_good() {
        let mut pace = Pace::new(Duration::from_secs(5));
        let waits: Vec<_> = (0..3)
            .map(|_| {
                pace.slow_down(None);
                pace.interval().as_secs()
            })
            .collect();
        assert_eq!(waits, [10, 15, 20]);
        let named = |body: &str, status| match judged(status, body) {
            Poll::SlowDown { seconds } => seconds,
            other => panic!("{other:?}"),
        };
        assert_eq!(named(r#"{"error":"slow_down","interval":30}"#, 400), Some(30));
        assert_eq!(named(r#"{"error":"slow_down","interval":-3}"#, 400), None);
        assert_eq!(named("[", 429), None);
        pace.slow_down(Some(40));
        assert_eq!(pace.interval().as_secs(), 40);
        pace.slow_down(Some(7));
        assert_eq!(pace.interval().as_secs(), 45, "never faster");
        pace.slow_down(Some(u64::MAX));
        assert_eq!(pace.interval(), LONGEST);
        Pace::new(Duration::MAX).slow_down(None);
    }

    #[test] // DV6, A27
    fn an_answer_that_does_not_come_doubles_the_wait_up_to_a_minute() {
        let mut pace = Pace::new(Duration::from_secs(5));
        let waits: Vec<_> = (0..6)
            .map(|_| {
                pace.double();
                pace.interval().as_secs()
            })
            .collect();
        assert_eq!(waits, [10, 20, 40, 60, 60, 60]);
        let mut slow = Pace::new(Duration::from_secs(90));
        slow.double();
        assert_eq!(slow.interval().as_secs(), 90, "never faster");
    }

    #[test] // DV8
    fn a_wait_is_a_little_longer_than_the_interval() {
        assert_eq!(Pace::new(Duration::from_secs(5)).wait(), Duration::from_secs(6));
    }
}
