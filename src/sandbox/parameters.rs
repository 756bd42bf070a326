//! The parameters of a request, read strictly: each once, none empty, in the one form the vendor takes.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use url::form_urlencoded;

use super::message::Request;
use super::refusal::{Refusal, Refused};
use crate::provider::schema::BodyFormat;

/// Names and values in the order they came.
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads a query (RFC 6749 section 3.1: no parameter more than once).
    pub fn from_query(query: &str) -> Result<Self, Refused> {
        Self::checked(form(query.as_bytes()))
    }

    /// Reads a body in the form the vendor takes, and in no other.
    pub fn from_body(request: &Request, format: BodyFormat) -> Result<Self, Refused> {
        if !request.query.is_empty() {
            return Err(invalid("parameters belong into the body, not into the query"));
        }
        let wanted = match format {
            BodyFormat::Form => "application/x-www-form-urlencoded",
            BodyFormat::Json => "application/json",
        };
        if request.media_type().as_deref() != Some(wanted) {
            let because = format!("the content type must be {wanted}");
            return Err(Refused::new(Refusal::UnsupportedMediaType, because));
        }
        Self::checked(match format {
            BodyFormat::Form => form(&request.body),
            BodyFormat::Json => json(&request.body)?,
        })
    }

    fn checked(pairs: Vec<(String, String)>) -> Result<Self, Refused> {
        for (place, (name, value)) in pairs.iter().enumerate() {
            if pairs[..place].iter().any(|(earlier, _)| earlier == name) {
                return Err(invalid(format!("`{name}` is there more than once")));
            }
            if value.is_empty() {
                return Err(invalid(format!("`{name}` is empty")));
            }
        }
        Ok(Self(pairs))
    }

    /// Gives the vendor's names back their standard ones; a standard name that the vendor renamed or does not want is refused.
    pub fn standardised(
        self,
        rename: &BTreeMap<String, String>,
        omit: &[String],
    ) -> Result<Self, Refused> {
        let standard = |(name, value): (String, String)| {
            let renamed = rename.iter().find(|(_, vendors)| **vendors == name);
            match renamed {
                Some((standard, _)) => Ok((standard.clone(), value)),
                None if rename.contains_key(&name) || omit.contains(&name) => {
                    Err(invalid(format!("this vendor does not know `{name}`")))
                }
                None => Ok((name, value)),
            }
        };
        Ok(Self(self.0.into_iter().map(standard).collect::<Result<_, _>>()?))
    }

    /// Refuses every parameter that is not one of these.
    pub fn only(&self, known: &[&str]) -> Result<(), Refused> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(invalid(format!("`{name}` is not documented for this request"))),
            None => Ok(()),
        }
    }

    /// A parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that must be there.
    pub fn required(&self, name: &str) -> Result<&str, Refused> {
        self.get(name).ok_or_else(|| invalid(format!("`{name}` is missing")))
    }
}

/// An `invalid_request`.
pub fn invalid(because: impl Into<String>) -> Refused {
    Refused::new(Refusal::InvalidRequest, because)
}

fn form(bytes: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(bytes).into_owned().collect()
}

fn json(bytes: &[u8]) -> Result<Vec<(String, String)>, Refused> {
    let members: Members =
        serde_json::from_slice(bytes).map_err(|_| invalid("the body is not one JSON object"))?;
    let text = |(name, value)| match value {
        Value::String(value) => Ok((name, value)),
        _ => Err(invalid(format!("`{name}` is not a JSON string"))),
    };
    members.0.into_iter().map(text).collect()
}

/// A JSON object's members, repeated names included (a map would keep the last one silently).
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
