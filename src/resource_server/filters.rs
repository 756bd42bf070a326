//! Query parameters whose values the vendor's documents fix, checked before a list is asked for.

use jiff::Timestamp;
use url::Url;

use crate::provider::schema::{Filter, FilterFormat};

/// A value that the vendor does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongFilter {
    /// There is one value, and this is another.
    #[error("`{name}` takes only `{only}`")]
    Value {
        /// The parameter.
        name: String,
        /// What was given.
        given: String,
        /// What it takes.
        only: String,
        /// What it leaves over.
        meaning: String,
    },
    /// It is no time.
    #[error("`{name}` takes a time as RFC 3339 writes it")]
    Time {
        /// The parameter.
        name: String,
        /// What was given.
        given: String,
        /// What it leaves over.
        meaning: String,
    },
}

/// The first value in an address that the vendor does not take.
pub fn check(filters: &[Filter], url: &Url) -> Result<(), WrongFilter> {
    let Some(query) = url.query().filter(|_| !filters.is_empty()) else { return Ok(()) };
    // Most parameters are no filters, and are not taken apart; an encoded name may be any.
    let may_be_one = |name: &&str| {
        name.contains(['%', '+']) || filters.iter().any(|filter| filter.name == *name)
    };
    let is_looked_at = |pair: &&str| pair.split('=').next().filter(may_be_one).is_some();
    for pair in query.split('&').filter(is_looked_at) {
        for (name, given) in url::form_urlencoded::parse(pair.as_bytes()) {
            let mut named = filters.iter().filter(|filter| filter.name == name);
            named.try_for_each(|filter| value(filter, &given))?;
        }
    }
    Ok(())
}

/// Whether a filter takes a value.
pub fn value(filter: &Filter, given: &str) -> Result<(), WrongFilter> {
    let (name, given, meaning) =
        (|| filter.name.clone(), || given.to_owned(), || filter.meaning.clone());
    if let Some(only) = filter.only_value.as_ref().filter(|only| **only != given()) {
        let (name, given, meaning) = (name(), given(), meaning());
        return Err(WrongFilter::Value { name, given, only: only.clone(), meaning });
    }
    match filter.format {
        Some(FilterFormat::Rfc3339) if given().parse::<Timestamp>().is_err() => {
            Err(WrongFilter::Time { name: name(), given: given(), meaning: meaning() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters() -> Vec<Filter> {
        let filter = |name: &str, only_value: Option<&str>, format| Filter {
            name: name.into(),
            only_value: only_value.map(str::to_owned),
            format,
            meaning: String::new(),
        };
        vec![
            filter("app", Some("me"), None),
            filter("updated_since", None, Some(FilterFormat::Rfc3339)),
        ]
    }

    #[test]
    fn a_value_that_the_vendor_does_not_take_is_found() {
        let check = |query: &str| {
            check(&filters(), &format!("https://a.test/orders?{query}").parse().unwrap())
        };
        let sound = [
            "",
            "app=me",
            "x=you",
            "x=app",
            "apps=1&ap=2&=3",
            "app=me&updated_since=2026-05-29T10:15:00Z",
        ];
        for query in sound.into_iter().chain(["updated_since=2026-05-29T10:15:00%2B02:00"]) {
            assert_eq!(check(query), Ok(()), "{query}");
        }
        for query in ["app=you", "app=", "app", "app=me&app=you", "x=1&%61pp=you"] {
            assert!(matches!(check(query), Err(WrongFilter::Value { .. })), "{query}");
        }
        for query in ["updated_since=yesterday", "updated_since=2026-05-29"] {
            assert!(matches!(check(query), Err(WrongFilter::Time { .. })), "{query}");
        }
    }
}
