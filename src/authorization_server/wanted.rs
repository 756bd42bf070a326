//! What is asked for beside scopes: the resources the tokens are for (RFC 8707), rights in detail
//! (RFC 9396), and parameters of the person's own.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::strict_json::parse_object;
use crate::provider::wanted::{Detail, have_types};

/// Resources, rights and more; each may be empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    /// Absolute URIs without a fragment.
    #[serde(default)]
    pub resource: Vec<String>,
    /// Sent as one JSON array.
    #[serde(default)]
    pub authorization_details: Vec<Detail>,
    /// The person's own, for a token request that no person is asked for; an empty one leaves out
    /// what the provider would send.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<(String, String)>,
}

/// Why a text holds no authorization details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DetailsError {
    /// No JSON at all, or something said twice.
    #[error("it is no JSON with each member once")]
    NotJson,
    /// Something else than an array of objects, or an empty one.
    #[error("it is no JSON array of objects")]
    NotObjects,
    /// RFC 9396 section 2 demands one.
    #[error("an object has no `type`")]
    NoType,
}

impl Wanted {
    /// Whether nothing beside scopes is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The resources alone: a code or a refresh token has its rights already.
    pub fn resources_alone(&self) -> Self {
        Self { resource: self.resource.clone(), ..Self::default() }
    }

    /// All but rights in detail, which a token request of that grant does not carry.
    pub fn without_details(&self) -> Self {
        Self { authorization_details: Vec::new(), ..self.clone() }
    }

    /// Whether the person has named a parameter.
    pub fn names(&self, parameter: &str) -> bool {
        self.params.iter().any(|(name, _)| name == parameter)
    }

    /// The parameters of a request; `resource` comes as often as there are some (RFC 8707 section 2).
    pub fn parameters(&self) -> Vec<(String, String)> {
        let resources = self.resource.iter().map(|it| ("resource".to_owned(), it.clone()));
        let details = (!self.authorization_details.is_empty()).then(|| {
            let text = serde_json::to_string(&self.authorization_details).unwrap_or_default();
            ("authorization_details".to_owned(), text)
        });
        resources.chain(details).chain(self.params.clone()).collect()
    }
}

/// Reads a JSON array of rights.
pub fn read_details(text: &str) -> Result<Vec<Detail>, DetailsError> {
    // The strict reader takes objects, and refuses a member that comes twice.
    let whole = format!("{{\"details\":{text}}}");
    let object = parse_object(whole.as_bytes()).map_err(|_| DetailsError::NotJson)?;
    let (Some(Value::Array(items)), 1) = (object.get("details"), object.len()) else {
        return Err(DetailsError::NotObjects);
    };
    let details: Option<Vec<Detail>> = items.iter().map(|it| it.as_object().cloned()).collect();
    let details = details.filter(|it| !it.is_empty()).ok_or(DetailsError::NotObjects)?;
    match have_types(&details) {
        true => Ok(details),
        false => Err(DetailsError::NoType),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // EX4
    fn details_are_an_array_of_objects_that_name_their_type() {
        let details = read_details(r#"[{"type":"payment","amount":{"value":"1.00"}}]"#).unwrap();
        assert_eq!(details[0]["type"], "payment");
        let cases = [
            ("", DetailsError::NotJson),
            ("[", DetailsError::NotJson),
            (r#"[{"type":"a","type":"b"}]"#, DetailsError::NotJson),
            (r#"[],"more":[{"type":"a"}]"#, DetailsError::NotObjects),
            ("[]", DetailsError::NotObjects),
            (r#"{"type":"a"}"#, DetailsError::NotObjects),
            (r#"["a"]"#, DetailsError::NotObjects),
            (r#"[{"actions":["read"]}]"#, DetailsError::NoType),
            (r#"[{"type":7}]"#, DetailsError::NoType),
            (r#"[{"type":"a"},{"type":""}]"#, DetailsError::NoType),
        ];
        for (text, expected) in cases {
            assert_eq!(read_details(text), Err(expected), "{text}");
        }
    }

    #[test] // EX4, EX5
    fn each_resource_is_a_parameter_of_its_own_and_details_are_one() {
        let wanted = Wanted {
            resource: vec!["https://a.example/".into(), "https://b.example/".into()],
            authorization_details: read_details(r#"[{"type":"x"}]"#).unwrap(),
            ..Wanted::default()
        };
        let names: Vec<_> = wanted.parameters().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["resource", "resource", "authorization_details"]);
        assert_eq!(wanted.parameters()[2].1, r#"[{"type":"x"}]"#);
        assert!(Wanted::default().parameters().is_empty());
        assert_eq!(wanted.resources_alone().parameters().len(), 2);
    }
}
