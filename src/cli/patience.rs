//! How long a command waits for somebody or something: a wait of nothing would end every command.

use std::time::Duration;

use super::args::duration;

/// Reads a duration that is longer than nothing.
pub fn patience(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("nothing answers in no time: write it as 30s or 5m".into()),
        some => Ok(some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_of_nothing_is_none() {
        for text in ["0", "0s", "0ms", "00m", "soon"] {
            assert!(patience(text).is_err(), "{text}");
        }
        assert_eq!(patience("1ms"), Ok(Duration::from_millis(1)));
    }
}
