//! Reads what was pasted: a whole callback address, its query, or a bare code.
//!
//! Where it comes from is `paste_lane`'s, and what its parameters mean is the judge's: a pasted
//! query goes through the same checks as one that arrived.

use url::Url;

use super::callback_query::{CallbackQuery, QueryError};
use super::redirect_uri::{Place, RedirectUri};
use crate::secret::Secret;

/// What a paste turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Pasted {
    /// The parameters of a response; `state` may be among them.
    Query(CallbackQuery),
    /// A code alone, with nothing that ties it to this attempt but PKCE.
    BareCode(Secret),
    /// Nothing to use.
    Unusable(Unusable),
}

/// Why a paste is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Nothing but white space.
    #[error("nothing was pasted")]
    Empty,
    /// More than [`LONGEST_PASTE`].
    #[error("more than {LONGEST_PASTE} bytes were pasted")]
    TooLong,
    /// The address is not the redirect URI's; without its query, which may hold a code.
    #[error("the pasted address is {found}, not the redirect URI")]
    OtherAddress {
        /// Scheme, host and path.
        found: String,
    },
    /// The address cannot be read.
    #[error("the pasted address is no URL")]
    NotAUrl,
    /// The redirect URI without any response in it.
    #[error("the pasted address holds no parameters")]
    NoParameters,
    /// A parameter is not UTF-8.
    #[error("a pasted parameter is not UTF-8")]
    NotText,
    /// A character that no code holds.
    #[error("the pasted text is neither an address nor a code")]
    NotACode,
    /// Several words: no code holds a blank, and none is made of words that are put together.
    #[error("the pasted text holds blanks, as no code does")]
    Words,
    /// A control character, which no terminal takes out of an address by itself.
    #[error("the pasted text holds control characters")]
    Control,
    /// Parameters, but none of a response.
    #[error("the pasted parameters hold neither a code nor an error")]
    OtherParameters,
}

/// The longest paste that is taken, in bytes.
pub const LONGEST_PASTE: usize = 64 * 1024;

/// Reads a paste; white space in it is the terminal's or the chat program's and is taken out, but
/// that of a sentence, which would become a code otherwise.
pub fn parse_pasted(text: &str, expected: &RedirectUri) -> Pasted {
    if text.len() > LONGEST_PASTE {
        return Pasted::Unusable(Unusable::TooLong);
    }
    if text.chars().any(|character| character.is_control() && !character.is_whitespace()) {
        return Pasted::Unusable(Unusable::Control);
    }
    let has_words = has_words(text);
    let text = Secret::new(text.chars().filter(|c| !is_filler(*c)).collect::<String>());
    let text = text.expose();
    if text.is_empty() {
        return Pasted::Unusable(Unusable::Empty);
    }
    if let Some(address) = address(text, expected) {
        return whole_address(&address, expected);
    }
    if let Some(query) = text.strip_prefix('?').or_else(|| is_query(text).then_some(text)) {
        return read_query(without_fragment(query), None);
    }
    match has_words {
        true => Pasted::Unusable(Unusable::Words),
        false => code(text),
    }
}

/// Whether a line has a blank in its midst; one at its ends comes from a terminal that broke it.
fn has_words(text: &str) -> bool {
    text.lines().any(|line| line.trim().contains(char::is_whitespace))
}

/// White space, and the invisible characters that come along with a copy.
fn is_filler(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// Recognises an address; an address bar may have hidden its scheme.
fn address(text: &str, expected: &RedirectUri) -> Option<String> {
    let scheme = text.split("://").next().filter(|before| before.len() < text.len());
    if scheme.is_some_and(|scheme| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        return Some(text.to_owned());
    }
    let host = expected.url().host_str()?;
    let rest = text.strip_prefix(host)?;
    let scheme = expected.url().scheme();
    rest.starts_with([':', '/', '?']).then(|| format!("{scheme}://{text}"))
}

/// Takes an address only if it is the redirect URI's own (RFC 8252 section 8.10).
fn whole_address(address: &str, expected: &RedirectUri) -> Pasted {
    let Ok(url) = Url::parse(address) else { return Pasted::Unusable(Unusable::NotAUrl) };
    if !is_same_place(&url, expected) {
        return Pasted::Unusable(Unusable::OtherAddress { found: without_parameters(url) });
    }
    read_query(url.query().unwrap_or_default(), expected.url().query())
}

fn is_same_place(url: &Url, expected: &RedirectUri) -> bool {
    let registered = expected.url();
    let any_port = matches!(expected.place(), Place::Loopback(_)) && expected.is_any_port();
    let same_port = url.port_or_known_default() == registered.port_or_known_default();
    url.scheme() == registered.scheme()
        && url.host() == registered.host()
        && (any_port || same_port)
        && url.path() == registered.path()
        && url.username().is_empty()
        && url.password().is_none()
}

fn without_parameters(mut url: Url) -> String {
    url.set_query(None);
    url.set_fragment(None);
    // Only a URL that has no host refuses these, and it has no such part either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

fn read_query(raw: &str, registered: Option<&str>) -> Pasted {
    match CallbackQuery::parse(raw, registered) {
        Ok(query) if query.pairs().is_empty() => Pasted::Unusable(Unusable::NoParameters),
        Ok(query) => Pasted::Query(query),
        Err(QueryError::NotText) => Pasted::Unusable(Unusable::NotText),
        Err(QueryError::NotTheRegistered) => Pasted::Unusable(Unusable::NoParameters),
    }
}

/// A query names its parameters; `abc==` is a code with padding.
fn is_query(text: &str) -> bool {
    const NAMES: [&str; 4] = ["code=", "state=", "error=", "iss="];
    text.split('&').any(|part| NAMES.iter().any(|name| part.starts_with(name)))
}

/// A name with a value after it; `=` at the end is padding.
fn has_parameters(text: &str) -> bool {
    text.trim_end_matches('=').contains(['=', '&', '?'])
}

fn without_fragment(query: &str) -> &str {
    query.split_once('#').map_or(query, |(query, _)| query)
}

/// `code#state` as some vendors' pages show it, or a code alone (RFC 6749 appendix A.11: visible ASCII).
fn code(text: &str) -> Pasted {
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Pasted::Unusable(Unusable::NotACode);
    }
    match text.split_once('#') {
        // Of another page's address or fragment, such as `access_token=…`.
        None if has_parameters(text) => Pasted::Unusable(Unusable::OtherParameters),
        None => Pasted::BareCode(Secret::new(text)),
        Some(("", _) | (_, "")) => Pasted::Unusable(Unusable::NotACode),
        Some((code, state)) => Pasted::Query(CallbackQuery::new(vec![
            ("code".into(), code.into()),
            ("state".into(), state.into()),
        ])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIXED: &str = "http://127.0.0.1:8976/callback/inkress";

    fn paste(text: &str, uri: &str) -> Pasted {
        parse_pasted(text, &uri.parse().unwrap())
    }

    fn query(pairs: &[(&str, &str)]) -> Pasted {
        let owned = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Pasted::Query(CallbackQuery::new(owned.collect()))
    }

    // T6, RL24
    #[test]
    fn address_query_code_with_state_and_bare_code_are_taken() {
        let both = || query(&[("code", "a/b"), ("state", "s")]);
        assert_eq!(paste(&format!("{FIXED}?code=a%2Fb&state=s"), FIXED), both());
        assert_eq!(paste(&format!("{FIXED}?code=a%2Fb&state=s#_=_"), FIXED), both());
        assert_eq!(paste("127.0.0.1:8976/callback/inkress?code=a/b&state=s", FIXED), both());
        assert_eq!(paste("?code=a%2Fb&state=s", FIXED), both());
        assert_eq!(paste("code=a%2Fb&state=s#", FIXED), both());
        assert_eq!(paste("a/b#s", FIXED), both());
        assert_eq!(paste("a/b==", FIXED), Pasted::BareCode(Secret::new("a/b==")));
        let refusal = query(&[("error", "access_denied"), ("iss", "https://as.test")]);
        assert_eq!(paste("error=access_denied&iss=https://as.test", FIXED), refusal);
    }

    // T7
    #[test]
    fn white_space_and_line_breaks_inside_are_taken_out() {
        let text = format!("  {}\r\n /inkress?code=a\n b\u{200b}c&state=s\u{a0}\n", &FIXED[..30]);
        assert_eq!(paste(&text, FIXED), query(&[("code", "abc"), ("state", "s")]));
        let wrapped = paste(" ab\n\t c\u{a0}\r\n", FIXED);
        assert_eq!(wrapped, Pasted::BareCode(Secret::new("abc")), "a code in two lines");
    }

    #[test] // RL24, A8
    fn what_is_plainly_no_code_is_none() {
        let table = [
            ("ls -la", Unusable::Words),
            (" ab\tc\n", Unusable::Words),
            ("the code is\nabc", Unusable::Words),
            ("ab\u{1}c", Unusable::Control),
            ("code=a\u{7}&state=s", Unusable::Control),
            ("access_token=t&token_type=bearer", Unusable::OtherParameters),
            ("other.example/cb?session=1", Unusable::OtherParameters),
            ("a&b", Unusable::OtherParameters),
            ("export KEY=value", Unusable::Words),
        ];
        for (text, expected) in table {
            assert_eq!(paste(text, FIXED), Pasted::Unusable(expected), "{text:?}");
        }
        for code in ["4/0AX4XfWh-_.~", "M.C5_BAY.2.U.!*$$", "a+b/c==", "eyJ.eyJ.sig", "c%2Fd"] {
            assert_eq!(paste(code, FIXED), Pasted::BareCode(Secret::new(code)), "{code}");
        }
    }

    // RL11, RL24, A8
    #[test]
    fn an_address_that_is_not_the_redirect_uri_is_refused() {
        let others = [
            "http://127.0.0.1:8977/callback/inkress",
            "http://127.0.0.1:8976/callback/inyo",
            "http://127.0.0.1:8976/callback/inkress/",
            "http://localhost:8976/callback/inkress",
            "https://127.0.0.1:8976/callback/inkress",
            "https://evil.test/callback/inkress",
            "ftp://127.0.0.1:8976/callback/inkress",
        ];
        for found in others {
            let outcome = paste(&format!("{found}?code=a&state=s"), FIXED);
            let expected = Unusable::OtherAddress { found: found.into() };
            assert_eq!(outcome, Pasted::Unusable(expected), "{found}");
        }
        let with_user = paste("http://u:p@127.0.0.1:8976/callback/inkress?code=a", FIXED);
        let found = FIXED.into();
        assert_eq!(with_user, Pasted::Unusable(Unusable::OtherAddress { found }));
    }

    #[test]
    fn a_page_of_one_s_own_and_an_open_port_are_recognised() {
        let own = "https://tools.example/cb?from=keyfob";
        let expected = || query(&[("code", "a")]);
        assert_eq!(paste("https://tools.example/cb?from=keyfob&code=a", own), expected());
        assert_eq!(paste("tools.example/cb?from=keyfob&code=a", own), expected());
        assert_eq!(paste("https://tools.example:443/cb?code=a&from=keyfob", own), expected());
        assert_eq!(paste("http://127.0.0.1:40123/cb?code=a", "http://127.0.0.1/cb"), expected());
        let without = paste("https://tools.example/cb?code=a", own);
        assert_eq!(without, Pasted::Unusable(Unusable::NoParameters));
    }

    // RL22
    #[test]
    fn a_token_in_the_fragment_and_other_noise_are_no_response() {
        let table = [
            (format!("{FIXED}#access_token=t"), Unusable::NoParameters),
            (FIXED.to_owned(), Unusable::NoParameters),
            ("?".to_owned(), Unusable::NoParameters),
            (" \n".to_owned(), Unusable::Empty),
            ("çode".to_owned(), Unusable::NotACode),
            ("#state".to_owned(), Unusable::NotACode),
            ("http://[".to_owned(), Unusable::NotAUrl),
            ("code=%ff".to_owned(), Unusable::NotText),
            ("a".repeat(LONGEST_PASTE + 1), Unusable::TooLong),
        ];
        for (text, expected) in table {
            assert_eq!(paste(&text, FIXED), Pasted::Unusable(expected));
        }
    }

    #[test]
    fn what_was_pasted_is_never_printed() {
        let shown = format!("{:?} {:?}", paste("hunter2", FIXED), paste("code=hunter2", FIXED));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
