//! The words of a call: which is the profile, which the method, which the path.

use super::super::command_line::word;
use super::super::report::Report;
use crate::provider::nearest::nearest;

/// The words of a call, sorted.
pub struct Words<'a> {
    /// The profile.
    pub profile: Option<&'a str>,
    /// The method, where one was named.
    pub method: Option<&'a str>,
    /// The path or URL.
    pub path: &'a str,
    /// What follows it.
    pub items: &'a [String],
}

/// The methods that are known by sight.
const METHODS: [&str; 9] =
    ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY"];

/// A first word that is a method, begins with `/` or is a URL is not a profile.
pub fn sort<'a>(words: &'a [String], flag: Option<&'a str>) -> Result<Words<'a>, Report> {
    let is_method = |word: &str| METHODS.contains(&word);
    let is_path = |word: &str| word.starts_with(['/', '@']) || word.contains("://");
    let mut rest = words;
    let mut profile = None;
    if let [first, others @ ..] = rest
        && !is_method(first)
        && !is_path(first)
    {
        profile = Some(first.as_str());
        rest = others;
    }
    let mut method = flag;
    if let [first, others @ ..] = rest
        && is_word_of_method(first)
        && !others.is_empty()
    {
        check_method(first)?;
        if flag.is_some_and(|flag| flag != first) {
            return Err(Report::usage(format!(
                "two methods: {first} and -X {}",
                flag.unwrap_or_default()
            ))
            .hint("give one"));
        }
        method = Some(first);
        rest = others;
    }
    match rest {
        [path, items @ ..] => Ok(Words { profile, method, path, items }),
        [] => Err(Report::usage("no path was given")
            .hint("name what to call")
            .next(format!("keyfob call {} GET /orders", word(profile.unwrap_or("shop"))))),
    }
}

/// A slip of a method would be sent as it is; a vendor's own method is named with -X.
fn check_method(word: &str) -> Result<(), Report> {
    if METHODS.contains(&word) {
        return Ok(());
    }
    let report =
        Report::usage(format!("`{}` is no method", crate::http::printable::printable(word)));
    Err(match nearest_method(word) {
        Some(near) => report
            .hint(format!("did you mean {near}? A method of the vendor's own goes with -X {word}")),
        None => report.hint(format!(
            "use GET, POST, PUT, PATCH or DELETE; a method of the vendor's own goes with -X {word}"
        )),
    })
}

/// The method that was probably meant by one that a batch names: it has no -X, so that only a slip is stopped.
pub fn meant_method(word: &str) -> Option<&'static str> {
    if METHODS.contains(&word) { None } else { nearest_method(word) }
}

/// One letter too many, too few, wrong or out of its place is a slip in words this short.
fn nearest_method(word: &str) -> Option<&'static str> {
    let capitals = word.to_ascii_uppercase();
    let is_slip = |method: &&str| strsim::osa_distance(&capitals, method) <= 1;
    METHODS.into_iter().find(is_slip).or_else(|| nearest(word, METHODS))
}

/// A method is a word of capitals; a path is not.
fn is_word_of_method(word: &str) -> bool {
    METHODS.contains(&word) || (word.len() > 1 && word.bytes().all(|b| b.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(line: &str) -> Option<(Option<String>, Option<String>, String, usize)> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let words = sort(&words, None).ok()?;
        Some((
            words.profile.map(str::to_owned),
            words.method.map(str::to_owned),
            words.path.to_owned(),
            words.items.len(),
        ))
    }

    #[test]
    fn a_method_a_path_or_a_url_first_is_no_profile() {
        let some = |text: &str| Some(text.to_owned());
        let cases = [
            ("shop GET /orders app==me", (some("shop"), some("GET"), "/orders", 1)),
            ("shop /orders", (some("shop"), None, "/orders", 0)),
            ("shop orders", (some("shop"), None, "orders", 0)),
            ("GET /orders", (None, some("GET"), "/orders", 0)),
            ("/orders a=b", (None, None, "/orders", 1)),
            ("https://api.test/x", (None, None, "https://api.test/x", 0)),
        ];
        for (line, (profile, method, path, items)) in cases {
            assert_eq!(sorted(line), Some((profile, method, path.to_owned(), items)), "{line}");
        }
        for line in ["shop", "shop GTE /orders", "shop PURGE /x"] {
            assert_eq!(sorted(line), None, "{line}");
        }
    }
}
