//! The parameters of an authorization response as they arrived, each as often as it was given.
//!
//! Which of them count, and what they mean, is the judge's.

use std::fmt;

use percent_encoding::percent_decode;
use zeroize::Zeroize;

/// The decoded parameters; holds a code, so its values are not printed and are wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct CallbackQuery(Vec<(String, String)>);

/// Why a query was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The query that was registered with the redirect URI is missing.
    #[error("the registered part of the query is missing")]
    NotTheRegistered,
    /// A name or value is not UTF-8, so it would not arrive unchanged.
    #[error("a parameter is not UTF-8")]
    NotText,
}

impl CallbackQuery {
    /// Takes parameters that are decoded already.
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// Reads a raw query (RFC 6749 appendix B), after taking the registered parts out of it once each.
    pub fn parse(raw: &str, registered: Option<&str>) -> Result<Self, QueryError> {
        let mut parts: Vec<&str> = parts(raw).collect();
        for part in registered.into_iter().flat_map(self::parts) {
            let place = parts.iter().position(|found| *found == part);
            parts.remove(place.ok_or(QueryError::NotTheRegistered)?);
        }
        parts
            .into_iter()
            .map(decoded_pair)
            .collect::<Option<_>>()
            .map(Self)
            .ok_or(QueryError::NotText)
    }

    /// The parameters in the order of arrival.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// Every value of that name.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Gives the parameters away.
    pub fn into_pairs(mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.0)
    }
}

fn parts(raw: &str) -> impl Iterator<Item = &str> {
    raw.split('&').filter(|part| !part.is_empty())
}

fn decoded_pair(part: &str) -> Option<(String, String)> {
    let (name, value) = part.split_once('=').unwrap_or((part, ""));
    Some((decoded(name)?, decoded(value)?))
}

/// Decodes strictly: a replacement character in a code would be refused by the vendor without a reason.
fn decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode(spaced.as_bytes()).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

impl fmt::Debug for CallbackQuery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Drop for CallbackQuery {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|(_, value)| value.zeroize());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(raw: &str) -> Vec<(String, String)> {
        CallbackQuery::parse(raw, None).unwrap().into_pairs()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.into(), value.into())
    }

    // RL9
    #[test]
    fn a_parameter_given_twice_is_seen_twice() {
        let query = CallbackQuery::parse("code=a&state=s&code=b", None).unwrap();
        assert_eq!(query.values("code").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(query.pairs().len(), 3);
    }

    // RL23
    #[test]
    fn odd_codes_arrive_unchanged() {
        assert_eq!(pairs("code=4%2F0A%2Bb%3D%3D"), [pair("code", "4/0A+b==")]);
        assert_eq!(pairs("code=a+b"), [pair("code", "a b")]);
        assert_eq!(pairs("code=a%00b%0d%0aX:y"), [pair("code", "a\0b\r\nX:y")]);
        assert_eq!(pairs("code=%C3%BC"), [pair("code", "ü")]);
        assert_eq!(pairs("code=a=b=="), [pair("code", "a=b==")]);
        assert_eq!(pairs("code=100%"), [pair("code", "100%")]);
        assert_eq!(pairs("&&code&=x&"), [pair("code", ""), pair("", "x")]);
        assert_eq!(CallbackQuery::parse("code=%ff", None), Err(QueryError::NotText));
    }

    // RL11
    #[test]
    fn the_registered_query_must_be_there_and_is_no_part_of_the_response() {
        let parse =
            |raw| CallbackQuery::parse(raw, Some("x=1&y=%7e")).map(CallbackQuery::into_pairs);
        assert_eq!(parse("x=1&y=%7e&code=a"), Ok(vec![pair("code", "a")]));
        assert_eq!(parse("code=a&y=%7e&x=1"), Ok(vec![pair("code", "a")]));
        assert_eq!(parse("x=1&y=%7e&x=1"), Ok(vec![pair("x", "1")]));
        assert_eq!(parse("x=1&code=a"), Err(QueryError::NotTheRegistered));
        assert_eq!(parse("x=2&y=%7e&code=a"), Err(QueryError::NotTheRegistered));
    }

    #[test]
    fn no_value_is_printed() {
        let query = CallbackQuery::parse("code=hunter2&state=s3", None).unwrap();
        assert_eq!(format!("{query:?}"), r#"["code", "state"]"#);
    }
}
