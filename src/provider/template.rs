//! `{name}` in a provider's URLs, headers and values.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// The values that templates may name: settings, contexts, `client_id`, `keyfob_version`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values(BTreeMap<String, String>);

/// A template names a value that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no value for `{0}`")]
pub struct MissingValue(pub String);

/// What must be escaped so that a value stays inside one path segment (RFC 3986 section 3.3).
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

impl Values {
    /// Sets a value; an empty one counts as not known.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.0.insert(name.into(), value);
        }
    }

    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Fills a template in; values go in as they are.
    pub fn render(&self, template: &str) -> Result<String, MissingValue> {
        self.fill(template, |value| value.to_owned())
    }

    /// Fills a URL in; what stands after the host is escaped so that a value cannot add a segment or a query.
    pub fn render_url(&self, template: &str) -> Result<String, MissingValue> {
        let Some((host, rest)) = split_leading_name(template) else {
            return self.render_path(template);
        };
        let host = self.get(host).ok_or_else(|| MissingValue(host.to_owned()))?;
        Ok(format!("{}{}", host.trim_end_matches('/'), self.render_path(rest)?))
    }

    /// Fills a path in, every value as one segment.
    pub fn render_path(&self, template: &str) -> Result<String, MissingValue> {
        self.fill(template, |value| utf8_percent_encode(value, SEGMENT).to_string())
    }

    fn fill(
        &self,
        template: &str,
        escape: impl Fn(&str) -> String,
    ) -> Result<String, MissingValue> {
        let mut filled = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, name, after)) = next_name(rest) {
            filled.push_str(before);
            let value = self.get(name).ok_or_else(|| MissingValue(name.to_owned()))?;
            filled.push_str(&escape(value));
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

/// The names a template uses, in order.
pub fn names(template: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = template;
    while let Some((_, name, after)) = next_name(rest) {
        found.push(name);
        rest = after;
    }
    found
}

/// Splits `{host}/path` into `host` and `/path`.
fn split_leading_name(template: &str) -> Option<(&str, &str)> {
    match next_name(template) {
        Some(("", name, rest)) => Some((name, rest)),
        _ => None,
    }
}

/// Splits at the first `{name}`; braces that hold no name are left as they are.
fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(open) = text[from..].find('{').map(|at| at + from) {
        let close = text[open..].find('}').map(|at| at + open)?;
        let name = &text[open + 1..close];
        if is_name(name) {
            return Some((&text[..open], name, &text[close + 1..]));
        }
        from = open + 1;
    }
    None
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        let mut values = Values::default();
        values.set("host", "http://127.0.0.1:8080");
        values.set("account_id", "12/../34?x");
        values
    }

    #[test]
    fn a_value_stays_inside_its_segment() {
        let url = values().render_url("{host}/API/Account/{account_id}").unwrap();
        assert_eq!(url, "http://127.0.0.1:8080/API/Account/12%2F..%2F34%3Fx");
    }

    #[test]
    fn a_missing_value_is_named() {
        assert_eq!(values().render("{merchant_id}"), Err(MissingValue("merchant_id".into())));
    }

    #[test]
    fn braces_without_a_name_are_text() {
        assert_eq!(values().render(r#"{"a":{}}"#).unwrap(), r#"{"a":{}}"#);
        assert_eq!(names("{host}/x/{ y }/{account_id}"), ["host", "account_id"]);
    }
}
