//! One JSON object, read so that two readers cannot understand it differently.
//!
//! A repeated member name is refused (which of two access tokens would count?), nesting is
//! bounded, and nothing may follow the object (TS11, TS12).

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How deep objects and lists may lie in each other.
pub const DEEPEST: usize = 64;

/// Why a text is not taken as one JSON object. Holds no part of a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StrictJsonError {
    /// It is not JSON, or something follows it.
    #[error("not JSON: error in line {line}, column {column}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// It is JSON, but no object.
    #[error("not a JSON object")]
    NotAnObject,
    /// A member name occurs twice in one object.
    #[error("the member `{0}` occurs twice")]
    Repeated(String),
    /// It is nested too deeply.
    #[error("nested more than {DEEPEST} deep")]
    TooDeep,
}

/// Reads exactly one JSON object.
pub fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, StrictJsonError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let finding = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0, finding: &finding }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    match (value, finding.into_inner()) {
        (_, Some(finding)) => Err(finding),
        (Ok(Value::Object(object)), None) => Ok(object),
        (Ok(_), None) => Err(StrictJsonError::NotAnObject),
        (Err(error), None) => {
            Err(StrictJsonError::Syntax { line: error.line(), column: error.column() })
        }
    }
}

/// Builds a value and notes what the library's own error cannot carry.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    finding: &'a RefCell<Option<StrictJsonError>>,
}

impl Strict<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == DEEPEST {
            return Err(self.refuse(StrictJsonError::TooDeep));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn refuse<E: serde::de::Error>(self, finding: StrictJsonError) -> E {
        *self.finding.borrow_mut() = Some(finding);
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(self.refuse(StrictJsonError::Repeated(name)));
            }
            let value = members.next_value_seed(inner)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_as_it_is() {
        let text = r#"{"a":"x\u0041","b":[1,-2,3.5,true,null,{}],"c":{"a":1}}"#;
        let object = parse_object(text.as_bytes()).unwrap();
        assert_eq!(Value::Object(object), serde_json::from_str::<Value>(text).unwrap());
        assert!(parse_object(b"\xef\xbb\xbf {} \n").unwrap().is_empty());
    }

    #[test] // TS11
    fn a_repeated_name_is_refused_at_every_depth() {
        let cases = [
            r#"{"access_token":"a","access_token":"b"}"#,
            r#"{"x":[{"access_token":"a","b":1,"access_token":"a"}]}"#,
            r#"{"access_token":"a","access\u005ftoken":"b"}"#,
        ];
        for text in cases {
            let expected = Err(StrictJsonError::Repeated("access_token".into()));
            assert_eq!(parse_object(text.as_bytes()), expected, "{text}");
        }
    }

    #[test] // TS12, A14
    fn nesting_ends_at_64() {
        let nested =
            |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        assert!(parse_object(nested(64).as_bytes()).is_ok());
        assert_eq!(parse_object(nested(65).as_bytes()), Err(StrictJsonError::TooDeep));
        let flood = format!("{{\"a\":{}", "[".repeat(200_000));
        assert_eq!(parse_object(flood.as_bytes()), Err(StrictJsonError::TooDeep));
    }

    #[test]
    fn what_is_not_one_object_is_refused_without_showing_it() {
        let cases: [&[u8]; 8] = [
            b"",
            b"{",
            b"{} {}",
            b"{\"mark\":mark}",
            b"<html>mark</html>",
            b"{\"a\":\"\xff mark\"}",
            b"{\"a\":1e999}",
            b"{'mark':1}",
        ];
        for text in cases {
            let error = parse_object(text).unwrap_err();
            assert!(matches!(error, StrictJsonError::Syntax { .. }), "{error:?}");
            assert!(!error.to_string().contains("mark"));
        }
        for text in ["[]", "7", "\"mark\"", "null"] {
            assert_eq!(parse_object(text.as_bytes()), Err(StrictJsonError::NotAnObject), "{text}");
        }
    }
}
