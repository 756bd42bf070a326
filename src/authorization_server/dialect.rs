//! The wire form of a vendor's requests: names, what is left out, form or JSON.

use std::collections::BTreeMap;

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
            let object: serde_json::Map<_, _> = parameters
                .iter()
                .map(|(name, value)| (name.clone(), value.expose().into()))
                .collect();
            Body {
                content_type: "application/json",
                text: Secret::new(serde_json::Value::Object(object).to_string()),
            }
        }
    }
}
