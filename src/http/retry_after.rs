//! How long a server asks to wait (RFC 9110 section 10.2.3), from its header and the time alone.

use std::time::Duration;

use hyper::header::HeaderMap;
use jiff::Timestamp;

use super::exchange::timestamp;

/// The longest wait that is believed.
pub const LONGEST: Duration = Duration::from_secs(3600);

/// Reads a `Retry-After` value: seconds or a date. A past date is no wait; what is neither is `None`.
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let wait = match seconds(value) {
        Some(seconds) => seconds,
        None => until(timestamp(value)?, now),
    };
    Some(wait.min(LONGEST))
}

/// Where a server says how long to wait.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaitHeaders {
    /// Headers that say how long.
    pub after: Vec<String>,
    /// Headers that say until when.
    pub at: Vec<String>,
    /// Whether a number in a vendor's own header counts thousandths of a second.
    pub in_milliseconds: bool,
}

impl WaitHeaders {
    /// Reads the first header that says something that can be understood.
    ///
    /// `Retry-After` counts seconds, whatever the vendor's own headers count. One of those that
    /// says how long may give a moment all the same, as `x-ratelimit-reset` does at many vendors.
    pub fn wait(&self, headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
        let text = |name: &String| headers.get(name)?.to_str().ok();
        let after =
            self.after.iter().find_map(|name| match name.eq_ignore_ascii_case("retry-after") {
                true => retry_after(text(name)?, now),
                false => self.own(text(name)?, now),
            });
        after.or_else(|| self.at.iter().find_map(|name| self.until(text(name)?, now)))
    }

    fn own(&self, value: &str, now: Timestamp) -> Option<Duration> {
        match (self.moment(value), self.in_milliseconds) {
            (Some(moment), _) => Some(until(moment, now).min(LONGEST)),
            (None, false) => retry_after(value, now),
            (None, true) => match value.trim().parse() {
                Ok(milliseconds) => Some(Duration::from_millis(milliseconds).min(LONGEST)),
                Err(_) => retry_after(value, now).filter(|_| seconds(value.trim()).is_none()),
            },
        }
    }

    fn until(&self, value: &str, now: Timestamp) -> Option<Duration> {
        let value = value.trim();
        let moment = self.moment(value).or_else(|| timestamp(value));
        let moment = moment.or_else(|| value.parse().ok())?;
        Some(until(moment, now).min(LONGEST))
    }

    /// A number that is a moment: the same after 2001 in either unit.
    fn moment(&self, value: &str) -> Option<Timestamp> {
        const FIRST_MOMENT: i64 = 1_000_000_000;
        let number = value.trim().split('.').next()?.parse::<i64>().ok()?;
        match self.in_milliseconds {
            true => Timestamp::from_millisecond(number).ok(),
            false => Timestamp::from_second(number).ok(),
        }
        .filter(|moment| moment.as_second() >= FIRST_MOMENT)
    }
}

/// Digits, with a fraction rounded up where a server writes one.
fn seconds(value: &str) -> Option<Duration> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let up = u64::from(fraction.bytes().any(|digit| digit != b'0'));
    // More digits than fit are more seconds than are believed.
    Some(Duration::from_secs(whole.parse::<u64>().unwrap_or(u64::MAX).saturating_add(up)))
}

fn until(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // RR13
    fn a_wait_is_seconds_or_a_date_and_never_more_than_an_hour() {
        let now = "1994-11-15T08:12:31Z".parse().unwrap();
        let cases = [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("1.2", Some(2)),
            ("2.0", Some(2)),
            ("3601", Some(3600)),
            ("99999999999999999999999999", Some(3600)),
            ("-5", None),
            ("+5", None),
            ("soon", None),
            ("", None),
            ("1e3", None),
            ("5 seconds", None),
            ("Tue, 15 Nov 1994 08:13:01 GMT", Some(30)),
            ("Tuesday, 15-Nov-94 08:13:01 GMT", Some(30)),
            ("Tue Nov 15 08:13:01 1994", Some(30)),
            ("Tue, 15 Nov 1994 08:00:00 GMT", Some(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(3600)),
            ("Tue, 99 Nov 1994 08:00:00 GMT", None),
        ];
        for (value, expected) in cases {
            assert_eq!(retry_after(value, now), expected.map(Duration::from_secs), "{value:?}");
        }
    }

    fn wait(words: &WaitHeaders, given: &[(&'static str, &str)]) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.insert(*name, value.parse().unwrap());
        }
        words.wait(&headers, Timestamp::from_second(1_800_000_000).unwrap())
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test] // RR14
    fn the_first_header_that_says_something_counts() {
        let words = WaitHeaders {
            after: names(&["retry-after", "x-ratelimit-reset"]),
            ..WaitHeaders::default()
        };
        type Given<'a> = &'a [(&'static str, &'a str)];
        let cases: [(Given<'_>, Option<u64>); 6] = [
            (&[("x-ratelimit-reset", "1800000042")], Some(42)),
            (&[("x-ratelimit-reset", "1799999999")], Some(0)),
            (&[("x-ratelimit-reset", "9")], Some(9)),
            (&[("retry-after", "nonsense"), ("x-ratelimit-reset", "9")], Some(9)),
            (&[("retry-after", "1800000042")], Some(3600)),
            (&[("x-other", "9")], None),
        ];
        for (given, expected) in cases {
            assert_eq!(wait(&words, given), expected.map(Duration::from_secs), "{given:?}");
        }
    }

    #[test] // RR14
    fn a_moment_may_be_a_number_or_a_date() {
        let words = WaitHeaders {
            after: names(&["retry-after"]),
            at: names(&["x-reset"]),
            ..WaitHeaders::default()
        };
        type Given<'a> = &'a [(&'static str, &'a str)];
        let cases: [(Given<'_>, Option<u64>); 8] = [
            (&[("x-reset", "1800000042")], Some(42)),
            (&[("x-reset", "1800000042.75")], Some(42)),
            (&[("x-reset", "1700000000")], Some(0)),
            (&[("x-reset", "2027-01-15T08:00:30Z")], Some(30)),
            (&[("x-reset", "Fri, 15 Jan 2027 08:00:07 GMT")], Some(7)),
            (&[("x-reset", "42")], None),
            (&[("x-reset", "soon")], None),
            (&[("x-reset", "1800000042"), ("retry-after", "3")], Some(3)),
        ];
        for (given, expected) in cases {
            assert_eq!(wait(&words, given), expected.map(Duration::from_secs), "{given:?}");
        }
    }

    #[test] // RR14
    fn a_vendors_own_header_may_count_milliseconds_and_retry_after_never_does() {
        let words = WaitHeaders {
            after: names(&["retry-after", "x-wait-ms"]),
            at: names(&["x-reset-ms"]),
            in_milliseconds: true,
        };
        type Given<'a> = &'a [(&'static str, &'a str)];
        let cases: [(Given<'_>, Option<u64>); 7] = [
            (&[("x-wait-ms", "1500")], Some(1500)),
            (&[("x-wait-ms", "99999999999")], Some(3_600_000)),
            (&[("retry-after", "2")], Some(2000)),
            (&[("x-reset-ms", "1800000001250")], Some(1250)),
            (&[("x-wait-ms", "1800000001250")], Some(1250)),
            (&[("x-wait-ms", "-5")], None),
            (&[("x-wait-ms", "1.5")], None),
        ];
        for (given, expected) in cases {
            assert_eq!(wait(&words, given), expected.map(Duration::from_millis), "{given:?}");
        }
    }
}
