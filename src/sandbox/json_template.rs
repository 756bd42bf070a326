//! JSON with `{name}` in it: how the tables in `vendors` say what an answer looks like.

use serde_json::{Map, Value};

/// Fills a template in: a string that is only `{name}` becomes the value itself, whatever its type.
///
/// A member whose value is not known is left out.
pub fn fill(template: &Value, known: &dyn Fn(&str) -> Option<Value>) -> Value {
    filled(template, known).unwrap_or(Value::Null)
}

fn filled(template: &Value, known: &dyn Fn(&str) -> Option<Value>) -> Option<Value> {
    Some(match template {
        Value::String(text) => return text_filled(text, known),
        Value::Array(items) => {
            Value::Array(items.iter().filter_map(|item| filled(item, known)).collect())
        }
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), filled(value, known)?)))
                .collect(),
        ),
        other => other.clone(),
    })
}

fn text_filled(text: &str, known: &dyn Fn(&str) -> Option<Value>) -> Option<Value> {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, name, after)) = next_name(rest) {
        if before.is_empty() && after.is_empty() && done.is_empty() {
            return known(name);
        }
        done.push_str(before);
        match known(name)? {
            Value::String(value) => done.push_str(&value),
            value => done.push_str(&value.to_string()),
        }
        rest = after;
    }
    done.push_str(rest);
    Some(Value::String(done))
}

fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    let open = text.find('{')?;
    let close = open + text[open..].find('}')?;
    Some((&text[..open], &text[open + 1..close], &text[close + 1..]))
}

/// Puts a value at a dotted path, making the objects on the way.
pub fn put(document: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            document.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = document.entry(first).or_insert_with(|| Value::Object(Map::new()));
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            if let Some(inner) = inner.as_object_mut() {
                put(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_lone_name_keeps_its_type_and_an_unknown_one_leaves_its_member_out() {
        let template =
            json!({"count": "{n}", "text": "item {n}", "code": "{none}", "next": "{null}"});
        let known = |name: &str| match name {
            "n" => Some(json!(7)),
            "null" => Some(Value::Null),
            _ => None,
        };
        assert_eq!(fill(&template, &known), json!({"count": 7, "text": "item 7", "next": null}));
    }

    #[test]
    fn a_dotted_path_makes_the_objects_on_its_way() {
        let mut document = Map::new();
        put(&mut document, "data.token.value", json!("x"));
        put(&mut document, "data.type", json!("Bearer"));
        let expected = json!({"data": {"token": {"value": "x"}, "type": "Bearer"}});
        assert_eq!(Value::Object(document), expected);
    }
}
