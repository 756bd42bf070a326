//! A quoted string in a header (RFC 9110 section 5.6.4).

/// Reads what follows the opening quote: the text, and what stands after the closing quote.
///
/// One that never closes ends with the header.
pub fn read(quoted: &str) -> (String, &str) {
    let mut text = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (text, &quoted[at + 1..]),
            '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => text.push(character),
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_an_end_that_is_missing_is_the_header_s() {
        let cases = [
            (r#"a b", c"#, "a b", ", c"),
            (r#"a \"b\" \\", c"#, r#"a "b" \"#, ", c"),
            (r#"", c"#, "", ", c"),
            ("never", "never", ""),
            (r"ends\", "ends", ""),
            ("", "", ""),
        ];
        for (given, text, rest) in cases {
            assert_eq!(read(given), (text.to_owned(), rest), "{given}");
        }
    }
}
