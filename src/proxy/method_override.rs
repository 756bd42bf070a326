//! Another method in the query, by which an API would do what the allow list was not asked about.
//!
//! Rails, Laravel and Plug take a POST with `_method=DELETE` for a DELETE, others have names of their
//! own for it. What a body says is not looked at here.

/// Names that mean it whatever stands before them; without other characters, in lower case.
const ALWAYS: [&str; 3] = ["xhttpmethod", "xhttpmethodoverride", "xmethodoverride"];

/// Names that mean it behind a character that is neither letter nor digit: `_method`, `_HttpMethod`.
const BEHIND_A_SIGN: [&str; 3] = ["method", "httpmethod", "methodoverride"];

/// Whether any parameter of a query is such a name.
pub fn is_in(query: &str) -> bool {
    // Some servers part a query at semicolons too.
    query.split(['&', ';']).any(|pair| {
        let mut parsed = url::form_urlencoded::parse(pair.as_bytes());
        parsed.next().is_some_and(|(name, _)| is_override(&name))
    })
}

/// Servers cut a name at NUL, drop blanks and brackets, and read dots and blanks as underscores.
fn is_override(name: &str) -> bool {
    let name = name.split('\0').next().unwrap_or_default();
    let bare: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let bare = bare.to_ascii_lowercase();
    let has_sign = !name.trim_start().starts_with(|first: char| first.is_ascii_alphanumeric());
    ALWAYS.contains(&bare.as_str()) || (has_sign && BEHIND_A_SIGN.contains(&bare.as_str()))
}

#[cfg(test)]
mod tests {
    use super::is_in;

    #[test] // AT-25
    fn another_method_is_found_however_it_is_named() {
        for query in [
            "_method=DELETE",
            "a=1&_method=put",
            "a=1;_METHOD=put",
            "%5Fmethod=DELETE",
            "_%6d%65thod=DELETE",
            "+_method=DELETE",
            ".method=DELETE",
            "[_method]=DELETE",
            "_method%00x=DELETE",
            "_method",
            "_HttpMethod=PATCH",
            "X-HTTP-Method-Override=DELETE",
        ] {
            assert!(is_in(query), "{query}");
        }
        for query in
            ["", "method=card", "a=_method", "pay_method=x", "payment%5Fmethod", "_methods=1"]
        {
            assert!(!is_in(query), "{query}");
        }
    }
}
