//! The wire form of a vendor's requests: names, what is left out, form or JSON.

use std::collections::BTreeMap;

use serde_json::Value;
use url::form_urlencoded;

use crate::provider::schema::BodyFormat;
use crate::secret::Secret;

/// A body and what to call it.
#[derive(Debug, Clone, PartialEq)]
pub struct Body {
    /// The Content-Type.
    pub content_type: &'static str,
    /// Holds secrets.
    pub text: Secret,
}

/// Leaves out and renames standard parameters as the vendor wants them.
pub fn translate(
    parameters: Vec<(String, Secret)>,
    omit: &[String],
    rename: &BTreeMap<String, String>,
) -> Vec<(String, Secret)> {
    parameters
        .into_iter()
        .filter(|(name, _)| !omit.contains(name))
        .map(|(name, value)| (rename.get(&name).cloned().unwrap_or(name), value))
        .collect()
}

/// Adds one parameter to a body that is written already.
pub fn with_parameter(format: BodyFormat, text: &Secret, name: &str, value: &Secret) -> Secret {
    let added = body(format, &[(name.to_owned(), value.clone())]).text;
    let (before, after) = (text.expose(), added.expose());
    // A form goes on after `&`, an object before its last brace.
    let (before, between, after) = match format {
        BodyFormat::Form => (before, "&", after),
        BodyFormat::Json => (
            before.strip_suffix('}').unwrap_or(before),
            ",",
            after.strip_prefix('{').unwrap_or(after),
        ),
    };
    let is_first = before.is_empty() || before == "{";
    Secret::new(format!("{before}{}{after}", if is_first { "" } else { between }))
}

/// Writes parameters as a form (RFC 6749 appendix B) or as one JSON object of strings.
pub fn body(format: BodyFormat, parameters: &[(String, Secret)]) -> Body {
    match format {
        BodyFormat::Form => {
            let mut form = form_urlencoded::Serializer::new(String::new());
            for (name, value) in parameters {
                form.append_pair(name, value.expose());
            }
            Body {
                content_type: "application/x-www-form-urlencoded",
                text: Secret::new(form.finish()),
            }
        }
        BodyFormat::Json => {
            let mut object = serde_json::Map::new();
            for (name, value) in parameters {
                add(&mut object, name, value.expose().into());
            }
            Body {
                content_type: "application/json",
                text: Secret::new(Value::Object(object).to_string()),
            }
        }
    }
}

/// A name that comes several times, as `resource` may, has a list of values.
fn add(object: &mut serde_json::Map<String, Value>, name: &str, value: Value) {
    match object.get_mut(name) {
        Some(Value::Array(values)) => values.push(value),
        Some(one) => *one = Value::Array(vec![one.take(), value]),
        None => drop(object.insert(name.to_owned(), value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // EX5, TQ2
    fn a_parameter_that_comes_twice_is_there_twice_in_either_form() {
        let parameters = [("a", "1"), ("resource", "x"), ("resource", "y"), ("resource", "z")]
            .map(|(name, value)| (name.to_owned(), Secret::new(value)));
        let form = body(BodyFormat::Form, &parameters);
        assert_eq!(form.text.expose(), "a=1&resource=x&resource=y&resource=z");
        let json = body(BodyFormat::Json, &parameters);
        assert_eq!(json.text.expose(), r#"{"a":"1","resource":["x","y","z"]}"#);
    }

    #[test]
    fn a_parameter_that_comes_later_stands_in_the_body_as_if_it_had_come_with_the_others() {
        let pair = |name: &str, value: &str| (name.to_owned(), Secret::new(value));
        for format in [BodyFormat::Form, BodyFormat::Json] {
            for before in [vec![], vec![pair("a", "1+ü"), pair("b", "{\"}")]] {
                let text = body(format, &before).text;
                let (name, value) = pair("late", "x&=\"}");
                let later = with_parameter(format, &text, &name, &value);
                let whole: Vec<_> = before.into_iter().chain([(name, value)]).collect();
                assert_eq!(later.expose(), body(format, &whole).text.expose());
            }
        }
    }
}
