//! Values as they are typed.

use std::time::Duration;

/// Reads `KEY=VALUE`.
pub fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        _ => Err("write it as KEY=VALUE".into()),
    }
}

/// Reads `500ms`, `30s`, `5m`, `2h`, `7d`, or bare seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| "write it as 30s, 5m, 2h or 7d".to_owned())?;
    let seconds = match unit {
        "ms" => return Ok(Duration::from_millis(number)),
        "" | "s" => Some(number),
        "m" | "min" => number.checked_mul(60),
        "h" => number.checked_mul(3600),
        "d" => number.checked_mul(86_400),
        "w" => number.checked_mul(604_800),
        _ => return Err(format!("`{unit}` is no unit: write it as 30s, 5m, 2h or 7d")),
    };
    seconds.map(Duration::from_secs).ok_or_else(|| "that is too long".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_and_nonsense_has_an_answer() {
        let cases = [("30", 30), ("30s", 30), ("5m", 300), ("2h", 7200), ("7d", 604_800)];
        for (text, seconds) in cases {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for text in
            ["", "m", "-1s", "5 minutes", "1y", "99999999999999999999", "9999999999999999999d"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
