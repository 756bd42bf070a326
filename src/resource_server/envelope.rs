//! What a vendor wraps its answers in, taken off: the payload stays as it was written.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::provider::schema::Envelope;

/// Why there is no payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The body is not JSON.
    #[error("the answer is not JSON")]
    NotJson,
    /// The envelope says that the call was refused.
    #[error("`{path}` is {said}")]
    SaysNo {
        /// Where it says so.
        path: String,
        /// What it says, as JSON.
        said: String,
    },
    /// The answer is not in the envelope.
    #[error("the answer has no `{path}`")]
    Missing {
        /// What is not there.
        path: String,
    },
}

/// Takes the envelope off; an empty body has none and is empty.
///
/// The records of a list are the payload where there are some at the list's place.
pub fn payload<'a>(envelope: &Envelope, body: &'a [u8]) -> Result<&'a [u8], EnvelopeError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(b"");
    }
    let whole: &RawValue = serde_json::from_slice(body).map_err(|_| EnvelopeError::NotJson)?;
    if let Some(success) = &envelope.success {
        let said = at(whole, &success.path);
        let missing = || EnvelopeError::Missing { path: success.path.clone() };
        let said = said.ok_or_else(missing)?;
        if serde_json::from_str(said.get()).ok().as_ref() != Some(&success.equals) {
            let said = said.get().to_owned();
            return Err(EnvelopeError::SaysNo { path: success.path.clone(), said });
        }
    }
    let missing = || EnvelopeError::Missing { path: envelope.result.clone() };
    let result = at(whole, &envelope.result).ok_or_else(missing)?;
    let list = match envelope.list.as_str() {
        "" => None,
        list => at(result, list).filter(|list| list.get().starts_with('[')),
    };
    Ok(list.unwrap_or(result).get().as_bytes())
}

/// The value at a dotted path, as it is written; a whole name that contains dots is preferred to its parts.
fn at<'a>(value: &'a RawValue, path: &str) -> Option<&'a RawValue> {
    if let Some(found) = step(value, path) {
        return Some(found);
    }
    path.match_indices('.').find_map(|(dot, _)| at(step(value, &path[..dot])?, &path[dot + 1..]))
}

fn step<'a>(value: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    match value.get().as_bytes().first()? {
        b'{' => {
            let members: HashMap<Cow<'a, str>, &'a RawValue> =
                serde_json::from_str(value.get()).ok()?;
            members.get(name).copied()
        }
        b'[' => {
            let items: Vec<&'a RawValue> = serde_json::from_str(value.get()).ok()?;
            items.get(name.parse::<usize>().ok()?).copied()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::schema::Success;

    fn envelope() -> Envelope {
        Envelope {
            result: "result".into(),
            list: "entries".into(),
            success: Some(Success { path: "state".into(), equals: "ok".into() }),
        }
    }

    fn taken(body: &str) -> Result<String, EnvelopeError> {
        payload(&envelope(), body.as_bytes()).map(|it| String::from_utf8(it.to_vec()).unwrap())
    }

    #[test]
    fn the_payload_is_as_it_was_written() {
        let cases = [
            (
                r#"{"state":"ok","result":{"id":12345678901234567890,"t":12.50}}"#,
                r#"{"id":12345678901234567890,"t":12.50}"#,
            ),
            (r#"{"state":"ok","result":{"entries":[{"a": 1.0}], "n":1}}"#, r#"[{"a": 1.0}]"#),
            (r#"{"result":{"entries":7},"state":"ok"}"#, r#"{"entries":7}"#),
            (r#"{"st\u0061te":"o\u006b","result":null}"#, "null"),
            (r#"{"state":"ok","result":"<"}"#, r#""<""#),
            (" \n", ""),
            ("", ""),
        ];
        for (body, expected) in cases {
            assert_eq!(taken(body).as_deref(), Ok(expected), "{body}");
        }
    }

    #[test]
    fn what_is_not_in_the_envelope_or_says_no_is_told_apart() {
        let missing = |path: &str| Err(EnvelopeError::Missing { path: path.into() });
        let says =
            |said: &str| Err(EnvelopeError::SaysNo { path: "state".into(), said: said.into() });
        assert_eq!(taken(r#"{"state":"error","result":1}"#), says(r#""error""#));
        assert_eq!(taken(r#"{"state":false}"#), says("false"));
        assert_eq!(taken(r#"{"result":1}"#), missing("state"));
        assert_eq!(taken(r#"{"state":"ok"}"#), missing("result"));
        assert_eq!(taken("[1]"), missing("state"));
        assert_eq!(taken("<html>"), Err(EnvelopeError::NotJson));
    }
}
