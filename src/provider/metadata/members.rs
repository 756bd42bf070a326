//! Members of a JSON document by their types; `null` counts as absent.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{LARGEST, MetadataError};

/// Reads one object, in which each known member is there once at most.
pub(super) fn parse<D: DeserializeOwned>(body: &[u8]) -> Result<D, MetadataError> {
    if body.len() > LARGEST {
        return Err(MetadataError::TooLarge(body.len()));
    }
    // A list would be read as the members in their order.
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'{') {
        return Err(MetadataError::NotAnObject);
    }
    serde_json::from_slice(body).map_err(|_| MetadataError::NotAnObject)
}

pub(super) fn text<'a>(
    member: &'static str,
    value: &'a Option<Value>,
) -> Result<Option<&'a str>, MetadataError> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(MetadataError::WrongType(member)),
    }
}

pub(super) fn texts<'a>(
    member: &'static str,
    value: &'a Option<Value>,
) -> Result<Option<Vec<&'a str>>, MetadataError> {
    let wrong = || MetadataError::WrongType(member);
    let Some(value) = value else {
        return Ok(None);
    };
    let items = value.as_array().ok_or_else(wrong)?;
    items.iter().map(|item| item.as_str().ok_or_else(wrong)).collect::<Result<_, _>>().map(Some)
}

pub(super) fn flag(member: &'static str, value: &Option<Value>) -> Result<bool, MetadataError> {
    match value {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(MetadataError::WrongType(member)),
    }
}
