//! bash, which breaks words at `:` and `=`: scopes and settings are put together again here, and
//! only the part that bash would replace is answered.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use clap_complete::env::EnvCompleter;

const SCRIPT: &str = r#"_keyfob() {
    local IFS=$'\n'
    COMPREPLY=($(
        VARIABLE=bash \
        _KEYFOB_LINE="$COMP_LINE" _KEYFOB_POINT="$COMP_POINT" \
        _KEYFOB_INDEX="$COMP_CWORD" _KEYFOB_TYPED="$2" \
        COMPLETER -- "${COMP_WORDS[@]}" 2>/dev/null
    ))
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/:] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o bashdefault -o nosort -F _keyfob BINARY 2>/dev/null ||
    complete -o bashdefault -F _keyfob BINARY"#;

/// The words as a person sees them, and what of the current one bash keeps.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Bash {
    index: usize,
    kept: String,
}

impl Bash {
    /// Joins the words behind `--` that bash broke apart.
    pub fn join(arguments: &mut Vec<OsString>, variable: fn(&str) -> Option<String>) -> Self {
        let Some(dashes) = arguments.iter().position(|argument| argument == "--") else {
            return Self::default();
        };
        let number = |name| variable(name).and_then(|text| text.parse::<usize>().ok());
        let (Some(line), Some(point), Some(index)) =
            (variable("_KEYFOB_LINE"), number("_KEYFOB_POINT"), number("_KEYFOB_INDEX"))
        else {
            return Self::default();
        };
        let broken: Vec<String> =
            arguments.drain(dashes + 1..).map(|word| word.to_string_lossy().into_owned()).collect();
        let (words, index) = whole(&broken, index, &line, point);
        let typed = variable("_KEYFOB_TYPED").unwrap_or_default();
        let current = words.get(index).map(String::as_str).unwrap_or_default();
        let kept = current.strip_suffix(typed.as_str()).unwrap_or_default().to_owned();
        arguments.extend(words.into_iter().map(OsString::from));
        Self { index, kept }
    }
}

/// The words that stand together on the line, and which of them the cursor is in; that one ends
/// at the cursor.
fn whole(broken: &[String], current: usize, line: &str, point: usize) -> (Vec<String>, usize) {
    let mut words: Vec<String> = Vec::new();
    let mut index = 0;
    let mut rest = line;
    for (at, part) in broken.iter().enumerate() {
        let trimmed = rest.trim_start();
        let apart = words.is_empty() || trimmed.len() < rest.len();
        let begins = line.len() - trimmed.len();
        rest = trimmed.strip_prefix(part.as_str()).unwrap_or(trimmed);
        let part = match at == current {
            true => line.get(begins..point).filter(|seen| part.starts_with(seen)).unwrap_or(part),
            false => part,
        };
        match words.last_mut() {
            Some(word) if !apart && !part.is_empty() => word.push_str(part),
            // An empty part at the end of a word is that word, where the cursor touches it.
            Some(_) if !apart && begins <= point => {}
            _ => words.push(part.to_owned()),
        }
        if at == current {
            index = words.len() - 1;
        }
    }
    (words, index)
}

impl EnvCompleter for Bash {
    fn name(&self) -> &'static str {
        "bash"
    }

    fn is(&self, name: &str) -> bool {
        name == "bash"
    }

    fn write_registration(
        &self,
        variable: &str,
        _name: &str,
        binary: &str,
        completer: &str,
        to: &mut dyn io::Write,
    ) -> io::Result<()> {
        let completer = shlex::try_quote(completer).map_err(io::Error::other)?;
        let script = SCRIPT
            .replace("VARIABLE", variable)
            .replace("COMPLETER", &completer)
            .replace("BINARY", binary);
        writeln!(to, "{script}")
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        words: Vec<OsString>,
        folder: Option<&Path>,
        to: &mut dyn io::Write,
    ) -> io::Result<()> {
        let found = clap_complete::engine::complete(command, words, self.index, folder)?;
        for candidate in found {
            let word = candidate.get_value().to_string_lossy();
            if let Some(rest) = word.strip_prefix(self.kept.as_str()) {
                writeln!(to, "{rest}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(parts: &[&str], current: usize, line: &str) -> (Vec<String>, usize) {
        let parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        whole(&parts, current, line, line.len())
    }

    #[test]
    fn what_bash_broke_apart_is_one_word_again() {
        let cases: [(&[&str], usize, &str, &[&str]); 6] = [
            (&["k", "orders", ":", "re"], 3, "k orders:re", &["k", "orders:re"]),
            (&["k", "orders", ":"], 2, "k orders:", &["k", "orders:"]),
            (&["k", "--set", "host", "="], 3, "k --set host=", &["k", "--set", "host="]),
            (&["k", "--set", "a", "=", "b"], 4, "k --set a=b", &["k", "--set", "a=b"]),
            (&["k", ""], 1, "k ", &["k", ""]),
            (&["k", "x"], 1, "k  x", &["k", "x"]),
        ];
        for (parts, current, line, words) in cases {
            let expected: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(joined(parts, current, line), (expected, words.len() - 1), "{line}");
        }
    }

    #[test]
    fn the_current_word_ends_at_the_cursor() {
        let parts = ["k".to_owned(), "status".to_owned(), "shop".to_owned()];
        let (words, index) = whole(&parts, 1, "k status shop", 4);
        assert_eq!((words[1].as_str(), index), ("st", 1));
        assert_eq!(words[2], "shop");
    }
}
