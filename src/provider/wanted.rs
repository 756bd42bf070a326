//! What can be asked for beside scopes, checked: resource indicators (RFC 8707) and rights in detail (RFC 9396).
//!
//! How they are read from a command line and sent is `authorization_server`'s.

use serde_json::{Map, Value};
use url::Url;

/// One right in detail: an object with a `type` (RFC 9396 section 2).
pub type Detail = Map<String, Value>;

/// Why a text names no resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResourceError {
    /// No scheme, or nothing that can be read (RFC 3986 section 4.3).
    #[error("it is no absolute URI")]
    NotAbsolute,
    /// RFC 8707 section 2 forbids it.
    #[error("it has a fragment")]
    Fragment,
}

/// Checks a resource indicator; the text is sent as it stands.
pub fn check_resource(text: &str) -> Result<(), ResourceError> {
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    match (visible, Url::parse(text)) {
        (true, Ok(_)) if text.contains('#') => Err(ResourceError::Fragment),
        (true, Ok(_)) => Ok(()),
        _ => Err(ResourceError::NotAbsolute),
    }
}

/// Whether every right says what it is about.
pub fn have_types(details: &[Detail]) -> bool {
    details.iter().all(|detail| {
        detail.get("type").and_then(Value::as_str).is_some_and(|kind| !kind.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // EX5
    fn a_resource_is_an_absolute_uri_without_a_fragment() {
        for text in ["https://api.example/", "https://api.example/a?b=c", "urn:example:api"] {
            assert_eq!(check_resource(text), Ok(()), "{text}");
        }
        let relative =
            ["", "api.example", "/orders", "//api.example", "https://a b", "https://ä.example"];
        for text in relative {
            assert_eq!(check_resource(text), Err(ResourceError::NotAbsolute), "{text}");
        }
        for text in ["https://api.example/#", "https://api.example/#x"] {
            assert_eq!(check_resource(text), Err(ResourceError::Fragment), "{text}");
        }
    }
}
