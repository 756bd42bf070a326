//! Text from outside made safe for a terminal: one line, no control, at most 300 characters (ER2).

/// The most characters that are kept.
pub const LONGEST: usize = 300;

/// Neutralises what could move a cursor, hide text or start another line.
///
/// Escape sequences go as wholes, so that no `[2K` or hyperlink is left behind; line breaks and
/// tabs become one space; bidirectional and zero-width controls vanish. A shortened text ends
/// in `…`.
pub fn printable(text: &str) -> String {
    cleaned(text, LONGEST)
}

/// The same with another number of characters, where a script reads the text.
pub fn cleaned(text: &str, longest: usize) -> String {
    let mut clean = String::with_capacity(text.len().min(4 * longest));
    let mut characters = text.chars().peekable();
    let mut length = 0;
    while let Some(character) = characters.next() {
        let shown = match character {
            '\u{1b}' => {
                skip_escape_sequence(&mut characters);
                continue;
            }
            '\u{9b}' => {
                skip_control_sequence(&mut characters);
                continue;
            }
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => {
                skip_string(&mut characters);
                continue;
            }
            _ if character.is_whitespace() => ' ',
            _ if character.is_control() || is_invisible(character) => continue,
            _ => character,
        };
        if shown == ' ' && (clean.is_empty() || clean.ends_with(' ')) {
            continue;
        }
        if length == longest {
            clean.pop();
            clean.push('…');
            return clean;
        }
        clean.push(shown);
        length += 1;
    }
    clean.truncate(clean.trim_end().len());
    clean
}

type Characters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Skips what follows an ESC (ECMA-48 section 5.3): a control sequence, a string, or one character.
fn skip_escape_sequence(characters: &mut Characters<'_>) {
    match characters.next_if(|c| ('\u{20}'..='\u{7e}').contains(c)) {
        Some('[') => skip_control_sequence(characters),
        Some('P' | 'X' | ']' | '^' | '_') => skip_string(characters),
        Some('\u{20}'..='\u{2f}') => {
            while characters.next_if(|c| ('\u{20}'..='\u{2f}').contains(c)).is_some() {}
            characters.next_if(|c| ('\u{30}'..='\u{7e}').contains(c));
        }
        _ => {}
    }
}

/// Skips parameters and the final character of a control sequence.
fn skip_control_sequence(characters: &mut Characters<'_>) {
    while characters.next_if(|c| ('\u{20}'..='\u{3f}').contains(c)).is_some() {}
    characters.next_if(|c| ('\u{40}'..='\u{7e}').contains(c));
}

/// Skips a device or operating system string up to its end: BEL, ST or ESC `\`.
fn skip_string(characters: &mut Characters<'_>) {
    while let Some(character) = characters.next() {
        match character {
            '\u{07}' | '\u{9c}' => return,
            '\u{1b}' => {
                characters.next_if_eq(&'\\');
                return;
            }
            _ => {}
        }
    }
}

/// Characters that are drawn as nothing or turn the direction of what follows.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // ER2, A13
    fn hostile_text_loses_its_teeth() {
        let cases = [
            ("plain words", "plain words"),
            ("a\u{1b}[2Kb", "ab"),
            ("a\u{1b}[38;5;196mred\u{1b}[0m", "ared"),
            ("\u{1b}]8;;https://evil.example\u{7}click\u{1b}]8;;\u{1b}\\ me", "click me"),
            ("\u{1b}]52;c;ZXZpbA==\u{1b}\\copied", "copied"),
            ("\u{1b}]0;title\u{9c}x", "x"),
            ("a\u{9b}31mb", "ab"),
            ("a\u{9d}0;t\u{7}b", "ab"),
            ("\u{1b}(Bx\u{1b}cy", "xy"),
            ("ok\rerror: none", "ok error: none"),
            ("two\n\n  lines\tand a tab", "two lines and a tab"),
            ("a\u{202e}b\u{200b}c\u{feff}d\u{2066}e", "abcde"),
            ("a\u{0}\u{8}\u{7f}\u{85}b", "a b"),
            ("ends in ESC \u{1b}", "ends in ESC"),
            ("\u{1b}]never ends", ""),
            ("Zahlung für „Müller“ 支付", "Zahlung für „Müller“ 支付"),
            ("", ""),
        ];
        for (hostile, safe) in cases {
            assert_eq!(printable(hostile), safe, "{hostile:?}");
        }
    }

    #[test] // ER2
    fn a_long_text_ends_after_300_characters() {
        let shortened = printable(&"ü".repeat(10_000));
        assert_eq!(shortened.chars().count(), LONGEST);
        assert!(shortened.ends_with("ü…"));
        assert_eq!(printable(&"x".repeat(LONGEST)), "x".repeat(LONGEST));
    }

    #[test] // ER2
    fn no_control_character_survives_anywhere() {
        let all: String = (0u32..0x3000).filter_map(char::from_u32).collect();
        for start in ["", "\u{1b}", "\u{1b}[", "\u{9b}"] {
            let shown = printable(&format!("{start}{all}"));
            assert!(!shown.chars().any(char::is_control), "{shown:?}");
        }
    }
}
