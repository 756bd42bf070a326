//! Scopes as a person gives them: split, checked against the provider's table, each once.

use crate::provider::Provider;
use crate::provider::nearest::nearest;

/// Why a scope is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// RFC 6749 section 3.3: visible ASCII without quote and backslash.
    #[error("`{0}` is no scope")]
    NotAScope(String),
    /// The vendor keeps it for itself.
    #[error("`{name}` is reserved")]
    Reserved {
        /// As typed.
        name: String,
        /// What the table says about it.
        note: String,
    },
    /// The table is whole and does not have it.
    #[error("there is no scope `{name}`")]
    Unknown {
        /// As typed.
        name: String,
        /// The one that was probably meant.
        nearest: Option<String>,
        /// All that can be asked for.
        known: Vec<String>,
    },
    /// All that was asked for is taken away, and the vendor would choose by itself.
    #[error("no scope is left")]
    NoneLeft,
}

/// Reads scopes that are separated by commas or white space.
pub fn read<'t>(
    provider: &Provider,
    texts: impl IntoIterator<Item = &'t str>,
) -> Result<Vec<String>, ScopeError> {
    let mut scopes: Vec<String> = Vec::new();
    let words = texts.into_iter().flat_map(|text| text.split([',', ' ', '\n', '\t']));
    for scope in words.filter(|scope| !scope.is_empty()) {
        check(provider, scope)?;
        if !scopes.iter().any(|it| it == scope) {
            scopes.push(scope.to_owned());
        }
    }
    Ok(scopes)
}

fn check(provider: &Provider, scope: &str) -> Result<(), ScopeError> {
    if !scope.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte)) {
        return Err(ScopeError::NotAScope(scope.to_owned()));
    }
    match provider.scope.iter().find(|it| it.name == scope) {
        Some(known) if known.reserved => {
            Err(ScopeError::Reserved { name: scope.to_owned(), note: known.note.clone() })
        }
        Some(_) => Ok(()),
        None => match closed(provider) {
            None => Ok(()),
            Some(known) => {
                let near = nearest(scope, known.iter().map(String::as_str)).map(str::to_owned);
                Err(ScopeError::Unknown { name: scope.to_owned(), nearest: near, known })
            }
        },
    }
}

/// The only scopes that can be asked for; `None` where the table does not have them all.
pub fn closed(provider: &Provider) -> Option<Vec<String>> {
    if provider.scope.is_empty() || provider.more_scopes {
        return None;
    }
    Some(provider.scope.iter().filter(|it| !it.reserved).map(|it| it.name.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue;

    fn inkress(text: &str) -> Result<Vec<String>, ScopeError> {
        read(&catalogue::shipped("inkress").unwrap().unwrap(), [text])
    }

    #[test]
    fn scopes_are_split_and_each_is_asked_for_once() {
        let scopes = inkress("orders:read, wallet:read\norders:read").unwrap();
        assert_eq!(scopes, ["orders:read", "wallet:read"]);
    }

    #[test]
    fn a_slip_a_reserved_one_and_nonsense_are_refused() {
        assert!(matches!(
            inkress("order:read"),
            Err(ScopeError::Unknown { nearest: Some(near), .. }) if near == "orders:read"
        ));
        assert!(matches!(inkress("payments:read"), Err(ScopeError::Reserved { .. })));
        assert!(matches!(inkress("orders:rëad"), Err(ScopeError::NotAScope(_))));
        let imprest = catalogue::shipped("imprest").unwrap().unwrap();
        assert_eq!(read(&imprest, ["other"]), Ok(vec!["other".to_owned()]));
    }
}
