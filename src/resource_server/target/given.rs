//! A path as it was given: what is refused in it, and what is filled in.

use super::TargetError;
use crate::provider::template::{MissingValue, Values, names};

/// Refuses what a URL parser would bend into another host.
pub(super) fn refuse_trickery(path: &str) -> Result<(), TargetError> {
    refuse_control_characters(path)?;
    if path.is_empty() {
        return Err(TargetError::Refused("nothing"));
    }
    if path.split(['?', '#']).next().is_some_and(|path| path.contains('\\')) {
        return Err(TargetError::Refused("a backslash"));
    }
    if path.trim_start().starts_with("//") {
        return Err(TargetError::Refused("two slashes at its beginning"));
    }
    Ok(())
}

pub(super) fn refuse_control_characters(path: &str) -> Result<(), TargetError> {
    match path.chars().any(char::is_control) {
        true => Err(TargetError::Refused("a control character")),
        false => Ok(()),
    }
}

/// Splits a whole URL before its path; a path such as `users:search` is none.
pub(super) fn whole_url(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if !is_scheme || !(is_web || rest.starts_with("//")) {
        return None;
    }
    let start = text.len() - rest.trim_start_matches('/').len();
    let end = text[start..].find(['/', '?', '#']).map_or(text.len(), |at| start + at);
    Some(text.split_at(end))
}

/// Fills names in braces: in the path every one must be known, in the query only known ones count,
/// since JSON and GraphQL have braces of their own.
pub(super) fn filled(path: &str, values: &Values) -> Result<String, MissingValue> {
    if !path.contains('{') {
        return Ok(path.to_owned());
    }
    let (path, query) = path.split_at(path.find(['?', '#']).unwrap_or(path.len()));
    let mut query = query.to_owned();
    for name in names(&query.clone()) {
        if let Some(value) = values.get(name) {
            let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            query = query.replace(&format!("{{{name}}}"), &value);
        }
    }
    Ok(values.render_path(path)? + &query)
}
