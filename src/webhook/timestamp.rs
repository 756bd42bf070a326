//! The time at which a delivery was signed, as its scheme writes it.

use jiff::Timestamp;

use crate::provider::schema::TimestampFormat;

/// Reads a timestamp; only the one plain form, so that what is judged is what was signed.
pub fn read(format: TimestampFormat, text: &str) -> Option<Timestamp> {
    let number = || match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse::<i64>().ok(),
        false => None,
    };
    match format {
        TimestampFormat::Seconds => Timestamp::from_second(number()?).ok(),
        TimestampFormat::Milliseconds => Timestamp::from_millisecond(number()?).ok(),
        TimestampFormat::Rfc3339 => text.parse().ok(),
    }
}

/// Writes a timestamp.
pub fn written(format: TimestampFormat, at: Timestamp) -> String {
    match format {
        TimestampFormat::Seconds => at.as_second().to_string(),
        TimestampFormat::Milliseconds => at.as_millisecond().to_string(),
        TimestampFormat::Rfc3339 => at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_comes_back_in_each_form_and_nonsense_does_not() {
        let at = Timestamp::from_millisecond(1_700_000_000_000).unwrap();
        for format in
            [TimestampFormat::Seconds, TimestampFormat::Milliseconds, TimestampFormat::Rfc3339]
        {
            assert_eq!(read(format, &written(format, at)), Some(at), "{format:?}");
            for wrong in ["", "x", "-1", "+1", " 1", "1e3", "99999999999999999999"] {
                assert_eq!(read(format, wrong), None, "{format:?} {wrong}");
            }
        }
        assert_eq!(read(TimestampFormat::Seconds, "9223372036854775807"), None);
    }
}
