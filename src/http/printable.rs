//! Text from outside made safe for a terminal: one line, no control, at most 300 characters (ER2).

use std::borrow::Cow;

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
        let Some(shown) = shown(character, &mut characters) else { continue };
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

/// Whole lines that people read, as long as they are, without what [`printable`] takes out: the net
/// below every place that should have cleaned its words.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\n' => clean.push('\n'),
            _ => clean.extend(shown(character, &mut characters)),
        }
    }
    Cow::Owned(clean)
}

/// JSON in which the same characters are escapes; it says what it said before (RFC 8259 section 7).
pub fn harmless_json(json: String) -> String {
    if !json.chars().any(is_hostile) {
        return json;
    }
    let mut clean = String::with_capacity(json.len() + 64);
    for character in json.chars() {
        match is_hostile(character) {
            // Outside its strings JSON has no such characters.
            true => character
                .encode_utf16(&mut [0; 2])
                .iter()
                .for_each(|unit| clean.push_str(&format!("\\u{unit:04x}"))),
            false => clean.push(character),
        }
    }
    clean
}

fn is_hostile(character: char) -> bool {
    (character.is_control() && character != '\n') || is_invisible(character)
}

type Characters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// What stands for a character; none for one that vanishes, with the sequence that it begins.
fn shown(character: char, following: &mut Characters<'_>) -> Option<char> {
    match character {
        '\u{1b}' => skip_escape_sequence(following),
        '\u{9b}' => skip_control_sequence(following),
        '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(following),
        _ if character.is_whitespace() => return Some(' '),
        _ if character.is_control() || is_invisible(character) => {}
        _ => return Some(character),
    }
    None
}

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

    #[test] // ER2, A13
    fn whole_lines_lose_the_same_and_keep_their_room() {
        assert_eq!(harmless("NAME   AGE\n\u{1b}[2Ja  b\tc\r\n"), "NAME   AGE\na  b c \n");
        assert_eq!(harmless("a\u{9b}31mb\u{202e}c\u{7f}d\u{85}e"), "abcd e");
        let long = "x".repeat(2 * LONGEST);
        assert!(matches!(harmless(&long), Cow::Borrowed(text) if text == long));
    }

    #[test] // ER2, A13
    fn json_says_the_same_in_escapes() {
        let hostile = "a\u{7f}b\u{9b}2Jc\u{202e}d\u{e0001}e\u{feff}\u{1b}\n";
        let json = serde_json::json!({ hostile: [hostile] });
        let clean = harmless_json(format!("{json:#}\n"));
        assert!(!clean.chars().any(is_hostile), "{clean:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&clean).unwrap(), json);
        let plain = "{\"a\":\"Müller 支付\"}\n";
        assert_eq!(harmless_json(plain.to_owned()), plain);
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
