//! How long a server asks to wait (RFC 9110 section 10.2.3), from its header and the time alone.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;

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

/// Reads the first header of these names that says how long.
///
/// Headers other than `Retry-After` may also give a time as seconds since 1970, as
/// `x-ratelimit-reset` does at many vendors.
pub fn first_wait(names: &[String], headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    names.iter().find_map(|name| {
        let value = headers.get(name)?.to_str().ok()?;
        match moment(value).filter(|_| !name.eq_ignore_ascii_case("retry-after")) {
            Some(moment) => Some(until(moment, now).min(LONGEST)),
            None => retry_after(value, now),
        }
    })
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

fn moment(value: &str) -> Option<Timestamp> {
    let seconds = value.trim().parse::<i64>().ok().filter(|seconds| *seconds >= 1_000_000_000)?;
    Timestamp::from_second(seconds).ok()
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

    #[test] // RR14
    fn the_first_header_that_says_something_counts() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let names = ["retry-after".to_owned(), "x-ratelimit-reset".to_owned()];
        type Given<'a> = &'a [(&'static str, &'a str)];
        let cases: [(Given<'_>, Option<u64>); 5] = [
            (&[("x-ratelimit-reset", "1800000042")], Some(42)),
            (&[("x-ratelimit-reset", "1799999999")], Some(0)),
            (&[("x-ratelimit-reset", "9")], Some(9)),
            (&[("retry-after", "nonsense"), ("x-ratelimit-reset", "9")], Some(9)),
            (&[("retry-after", "1800000042")], Some(3600)),
        ];
        for (given, expected) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in given {
                headers.insert(*name, value.parse().unwrap());
            }
            let wait = first_wait(&names, &headers, now);
            assert_eq!(wait, expected.map(Duration::from_secs), "{given:?}");
        }
    }
}
