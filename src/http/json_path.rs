//! Dotted paths into JSON: `error.key`, `items.0.id`.

use serde_json::Value;

/// The value at a path; a whole name that contains dots is preferred to its parts.
pub fn look_up<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    if let Some(found) = step(value, path) {
        return Some(found);
    }
    path.match_indices('.').find_map(|(dot, _)| {
        let inner = step(value, &path[..dot])?;
        look_up(inner, &path[dot + 1..])
    })
}

/// The first of several paths that leads to something other than null.
pub fn first<'a>(value: &'a Value, paths: &[String]) -> Option<&'a Value> {
    paths.iter().find_map(|path| look_up(value, path).filter(|found| !found.is_null()))
}

/// The first of several paths that leads to a text or a number, as text.
pub fn first_text(value: &Value, paths: &[String]) -> Option<String> {
    paths.iter().find_map(|path| text(look_up(value, path)?))
}

/// A text or a number as text; `None` for anything else and for an empty text.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn step<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(members) => members.get(name),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_through_objects_and_lists() {
        let value = json!({
            "error": { "key": "token.invalid", "n": 7, "none": null },
            "items": [{ "id": 1 }, { "id": 2 }],
            "a.b": "whole",
        });
        let cases = [
            ("error.key", Some(json!("token.invalid"))),
            ("items.1.id", Some(json!(2))),
            ("items.2.id", None),
            ("items.x", None),
            ("a.b", Some(json!("whole"))),
            ("error.key.deeper", None),
            ("", None),
            (".", None),
            ("..", None),
        ];
        for (path, expected) in cases {
            assert_eq!(look_up(&value, path).cloned(), expected, "{path:?}");
        }
        let paths = |list: &[&str]| list.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
        assert_eq!(first_text(&value, &paths(&["error", "error.n"])), Some("7".into()));
        assert_eq!(first(&value, &paths(&["error.none", "items.0.id"])), Some(&json!(1)));
    }
}
