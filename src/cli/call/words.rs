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
        && is_word_of_method(first, others)
    {
        let known = known_method(first)?;
        if flag.is_some_and(|flag| !flag.eq_ignore_ascii_case(known)) {
            return Err(Report::usage(format!(
                "two methods: {known} and -X {}",
                crate::http::printable::printable(flag.unwrap_or_default())
            ))
            .hint("give one"));
        }
        method = Some(known);
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
fn known_method(word: &str) -> Result<&'static str, Report> {
    if let Some(known) = method_in_any_case(word) {
        return Ok(known);
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

/// Methods are sent in capitals, however they are written.
fn method_in_any_case(word: &str) -> Option<&'static str> {
    METHODS.into_iter().find(|method| method.eq_ignore_ascii_case(word))
}

/// The method that was probably meant by one that a batch names: it has no -X, so that only a slip is stopped.
/// A word with another first letter is another word: SET, BUT and BATCH are no slips, and may be a vendor's own.
pub fn meant_method(word: &str) -> Option<&'static str> {
    let without_first = |word: &str| word.chars().skip(1).collect::<String>();
    let capitals = word.to_ascii_uppercase();
    match method_in_any_case(word) {
        Some(_) => None,
        None => slip_of(word).filter(|meant| without_first(meant) != without_first(&capitals)),
    }
}

/// One letter too many, too few, wrong or out of its place is a slip in words this short.
fn slip_of(word: &str) -> Option<&'static str> {
    let capitals = word.to_ascii_uppercase();
    METHODS.into_iter().find(|method| strsim::osa_distance(&capitals, method) <= 1)
}

/// What may have been meant by a word that is refused in any case.
fn nearest_method(word: &str) -> Option<&'static str> {
    slip_of(word).or_else(|| nearest(word, METHODS))
}

fn is_path(word: &str) -> bool {
    word.starts_with(['/', '@']) || word.contains("://")
}

/// A method is a word of capitals with something behind it; one that is known has any case where a path
/// follows, since without one `get` may be the path.
fn is_word_of_method(word: &str, others: &[String]) -> bool {
    let Some(next) = others.first() else { return false };
    let is_of_capitals = word.len() > 1 && word.bytes().all(|b| b.is_ascii_uppercase());
    is_of_capitals || (method_in_any_case(word).is_some() && is_path(next))
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
            ("shop get /orders app==me", (some("shop"), some("GET"), "/orders", 1)),
            ("shop Post https://api.test/x", (some("shop"), some("POST"), "https://api.test/x", 0)),
            ("shop query app==me", (some("shop"), None, "query", 1)),
            ("get /orders", (some("get"), None, "/orders", 0)),
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

    #[test]
    fn only_a_slip_of_one_letter_behind_the_first_is_stopped_in_a_batch() {
        for known in ["GET", "get", "Patch", "query", "DELETE"] {
            assert_eq!(meant_method(known), None, "{known}");
        }
        for own in ["SET", "BUT", "BATCH", "COPY", "PURGE", "SEARCH", "PROPFIND", "REPORT"] {
            assert_eq!(meant_method(own), None, "{own}");
        }
        let slips = [("GTE", "GET"), ("gte", "GET"), ("PSOT", "POST"), ("PATH", "PATCH")];
        for (slip, meant) in [&slips[..], &[("EGT", "GET"), ("ELETE", "DELETE")]].concat() {
            assert_eq!(meant_method(slip), Some(meant), "{slip}");
        }
    }
}
