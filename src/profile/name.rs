//! What a profile may be called.

/// Why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("it is empty")]
    Empty,
    /// Over 64 characters.
    #[error("it has more than 64 characters")]
    TooLong,
    /// A character that is not allowed.
    #[error(
        "only lower-case letters, digits, `.`, `_` and `-` are allowed, and a letter or digit comes first"
    )]
    Character,
    /// A name that some file system keeps for itself.
    #[error("some file systems keep this name for themselves")]
    Reserved,
}

const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Checks a profile's name: `[a-z0-9][a-z0-9._-]{0,63}`, and a file name everywhere (ST7).
pub fn check(name: &str) -> Result<(), NameError> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.len() > 64 {
        return Err(NameError::TooLong);
    }
    if !name.starts_with(letter) || !name.chars().all(|c| letter(c) || "._-".contains(c)) {
        return Err(NameError::Character);
    }
    let stem = name.split('.').next().unwrap_or(name);
    let numbered = |prefix| {
        stem.strip_prefix(prefix)
            .is_some_and(|rest: &str| rest.len() == 1 && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    if name.ends_with('.')
        || name.contains("..")
        || DEVICES.contains(&stem)
        || numbered("com")
        || numbered("lpt")
    {
        return Err(NameError::Reserved);
    }
    Ok(())
}

/// The nearest name that is allowed, for a person to type.
pub fn nearest(name: &str) -> Option<String> {
    let mapped: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' })
        .collect();
    let trimmed = mapped.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let shortened: String = trimmed.chars().take(64).collect();
    (check(&shortened).is_ok() && shortened != name).then_some(shortened)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // ST7, A19
    fn forty_names_are_judged_before_anything_touches_the_disk() {
        let good = [
            "shop",
            "s",
            "0",
            "a.b",
            "my-shop",
            "my_shop",
            "inkress-183",
            "console",
            "com",
            "com10",
            "lpt",
            "nulls",
            "a.b.c",
            "x9",
        ];
        let bad = [
            "",
            ".",
            "..",
            "a..b",
            "../x",
            "../../x",
            "/etc/passwd",
            "a/b",
            "a\\b",
            "-x",
            "--help",
            ".hidden",
            "_x",
            "Shop",
            "SHOP",
            "shöp",
            "a b",
            "a\n",
            "a\0b",
            "con",
            "con.txt",
            "nul",
            "aux",
            "prn",
            "com1",
            "lpt9",
            "com1.x",
            "trailing.",
            "~",
            "$HOME",
            "`id`",
            "a:b",
            "a*",
        ];
        for name in good {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for name in bad {
            assert!(check(name).is_err(), "{name}");
        }
        assert!(check(&"a".repeat(65)).is_err());
    }

    #[test]
    fn a_wrong_name_has_a_nearest_right_one() {
        assert_eq!(nearest("My Shop"), Some("my-shop".into()));
        assert_eq!(nearest("../x"), Some("x".into()));
        assert_eq!(nearest("///"), None);
    }
}
