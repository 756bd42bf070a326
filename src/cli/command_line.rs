//! Commands to paste: whatever comes from outside is one word of a shell in them.

mod given;

use crate::http::printable::printable;
pub use given::{Given, Plus, Typed};

/// A word that a shell reads back as it is; empty text is a word too.
pub fn word(text: &str) -> String {
    quoted(&printable(text))
}

/// What the person typed as one word; unlike text from outside it is never shortened.
pub fn typed(text: &str) -> String {
    quoted(&text.chars().filter(|character| !character.is_control()).collect::<String>())
}

/// A path as one word.
pub fn path(path: &std::path::Path) -> String {
    typed(&path.display().to_string())
}

fn quoted(text: &str) -> String {
    // Only a NUL has no spelling, and it was taken out as a control character.
    shlex::try_quote(text).map(|it| it.into_owned()).unwrap_or_default()
}

/// `KEY=VALUE` as it was typed, each side a word.
pub fn pair(key: &str, value: &str) -> String {
    format!("{}={}", typed(key), typed(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_from_outside_stays_one_word() {
        let cases = ["orders:read", "a b", "$(reboot)", "it's", "", "x;y", "`id`", "#"];
        for text in cases {
            assert_eq!(shlex::split(&word(text)), Some(vec![text.to_owned()]), "{text}");
        }
        assert_eq!(word("orders:read"), "orders:read");
        assert_eq!(pair("host", "http://127.0.0.1:1"), "host=http://127.0.0.1:1");
        assert_eq!(word("a\nb\u{1b}[2J"), "'a b'");
        assert_eq!(typed(&"x".repeat(999)).len(), 999);
    }

    #[cfg(unix)]
    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config {
            cases: 60, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(4),
            ..Default::default()
        })]

        #[test] // ER2
        fn a_shell_reads_a_word_to_paste_as_it_was_without_its_controls(text in "\\PC{0,30}|.{0,30}") {
            let script = format!("printf '%s\\0%s\\0' {} {}", typed(&text), word(&text));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            let read = String::from_utf8(output.stdout).unwrap();
            let plain: String = text.chars().filter(|it| !it.is_control()).collect();
            proptest::prop_assert_eq!(read, format!("{plain}\0{}\0", printable(&text)));
        }
    }
}
