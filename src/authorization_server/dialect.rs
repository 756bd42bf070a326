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
}
