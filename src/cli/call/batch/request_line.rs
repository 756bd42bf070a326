//! One line of a batch as a call: `{"id":…,"method":…,"path":…,"query":{},"headers":{},"body":…}`.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::http::Body;
use crate::resource_server::Items;

/// A call as it stands in its line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub struct RequestLine<'a> {
    /// Comes back with the answer, whatever it is.
    #[serde(borrow, default)]
    pub id: Option<&'a RawValue>,
    /// GET, or POST with a body, where it says nothing.
    #[serde(borrow, default)]
    pub method: Option<Cow<'a, str>>,
    /// A path or a whole URL.
    #[serde(borrow)]
    pub path: Cow<'a, str>,
    #[serde(borrow, default)]
    query: Members<'a>,
    #[serde(borrow, default)]
    headers: Members<'a>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
}

/// The id alone, of a line that is wrong elsewhere.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
}

/// The members of an object in their order.
#[derive(Debug, Default)]
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// Reads a line; an error says what is wrong with it.
pub fn read(text: &[u8]) -> Result<RequestLine<'_>, String> {
    let line: RequestLine<'_> = serde_json::from_slice(text).map_err(|error| {
        let place = format!(" at line 1 column {}", error.column());
        let error = error.to_string();
        match error.strip_suffix(&place) {
            Some(words) => words.to_owned(),
            None => error,
        }
    })?;
    match line.path.starts_with('@') {
        true => Err("`path` names a recipe, and a line is one request".to_owned()),
        false => Ok(line),
    }
}

/// The id of a line that is no call, as far as it can be read.
pub fn id_of(text: &[u8]) -> Option<&RawValue> {
    serde_json::from_slice::<Named<'_>>(text).ok()?.id
}

impl RequestLine<'_> {
    /// Query and headers.
    pub fn items(&self) -> Result<Items, String> {
        let mut items = Items::default();
        self.query.each(|name, value| items.query.push((name.to_owned(), value)))?;
        self.headers.each(|name, value| items.headers.push((name.to_owned(), value)))?;
        Ok(items)
    }

    /// The body: JSON as it was written, or a text where the headers say that it is no JSON.
    pub fn body(&self, line: &Bytes, items: &Items) -> Body {
        let Some(raw) = self.body else { return Body::Empty };
        let kind = items.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if let Some((_, kind)) = kind
            && !is_json(kind)
            && let Ok(text) = serde_json::from_str::<String>(raw.get())
        {
            return Body::Bytes(text.into());
        }
        Body::Bytes(line.slice_ref(raw.get().as_bytes()))
    }
}

fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.ends_with("+json") || kind == "text/json"
}

impl Members<'_> {
    /// A text, a number or a truth as they are written; a list is the same name many times.
    fn each(&self, mut take: impl FnMut(&str, String)) -> Result<(), String> {
        for (name, value) in &self.0 {
            let wrong = || format!("`{name}` is no text, number, true, false or list of these");
            match value.get().as_bytes().first() {
                Some(b'[') => {
                    let list: Vec<&RawValue> =
                        serde_json::from_str(value.get()).map_err(|_| wrong())?;
                    for value in list {
                        take(name, text(value).ok_or_else(wrong)?);
                    }
                }
                _ => take(name, text(value).ok_or_else(wrong)?),
            }
        }
        Ok(())
    }
}

fn text(value: &RawValue) -> Option<String> {
    let value = value.get();
    match value.as_bytes().first()? {
        b'"' if value.contains('\\') => serde_json::from_str(value).ok(),
        b'"' => Some(value.strip_prefix('"')?.strip_suffix('"')?.to_owned()),
        b'{' | b'[' | b'n' => None,
        _ => Some(value.to_owned()),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    members.push((name, map.next_value()?));
                }
                Ok(Members(members))
            }
        }
        /// Borrowed where it can be.
        #[derive(Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
        deserializer.deserialize_map(All)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_is_written() {
        let line = Bytes::from_static(
            br#"{"id":{"a": 1.0},"method":"POST","path":"/x","query":{"n":1.50,"t":"a\"b","l":["x",2],"b":true},"headers":{"X-Y":"z"},"body":{"total":12.10}}"#,
        );
        let request = read(&line).unwrap();
        assert_eq!(request.id.unwrap().get(), r#"{"a": 1.0}"#);
        let items = request.items().unwrap();
        let query: Vec<(&str, &str)> =
            items.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(query, [("n", "1.50"), ("t", "a\"b"), ("l", "x"), ("l", "2"), ("b", "true")]);
        assert_eq!(items.headers, [("X-Y".to_owned(), "z".to_owned())]);
        let Body::Bytes(body) = request.body(&line, &items) else { panic!("a body") };
        assert_eq!(&body[..], br#"{"total":12.10}"#);
    }

    #[test]
    fn a_text_is_sent_as_it_is_where_the_headers_say_that_it_is_no_json() {
        let cases = [
            (
                r#"{"content-type":"application/x-www-form-urlencoded"}"#,
                r#""a=1&b=\u00e4""#,
                "a=1&b=ä",
            ),
            (r#"{"Content-Type":"application/vnd.x+json; charset=utf-8"}"#, r#""a""#, r#""a""#),
            ("{}", r#""a""#, r#""a""#),
            (r#"{"content-type":"text/plain"}"#, "[1]", "[1]"),
        ];
        for (headers, body, expected) in cases {
            let line = Bytes::from(format!(r#"{{"path":"/x","headers":{headers},"body":{body}}}"#));
            let request = read(&line).unwrap();
            let Body::Bytes(sent) = request.body(&line, &request.items().unwrap()) else {
                panic!()
            };
            assert_eq!(sent, expected, "{headers}");
        }
        let line = Bytes::from_static(br#"{"path":"/x","body":null}"#);
        let request = read(&line).unwrap();
        assert!(request.body(&line, &Items::default()).is_empty());
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said() {
        let cases = [
            ("", "EOF while parsing a value"),
            ("[1]", "a JSON object"),
            ("nonsense", "expected ident"),
            (r#"{"id":1}"#, "missing field `path`"),
            (r#"{"path":"/x","paht":"/y"}"#, "unknown field `paht`"),
            (r#"{"path":"/x","path":"/y"}"#, "duplicate field `path`"),
            (r#"{"path":7}"#, "invalid type: integer `7`"),
            (r#"{"path":"/x"} {}"#, "trailing characters"),
            (r#"{"path":"/x","query":[1]}"#, "an object"),
        ];
        for (line, said) in cases {
            let error = read(line.as_bytes()).unwrap_err();
            assert!(error.contains(said), "{line}: {error}");
            assert!(!error.contains("line 1"), "{error}");
        }
        assert_eq!(id_of(br#"{"id":7,"paht":1}"#).map(RawValue::get), Some("7"));
        for query in [r#"{"a":null}"#, r#"{"a":{}}"#, r#"{"a":[[1]]}"#] {
            let line = format!(r#"{{"path":"/x","query":{query}}}"#);
            let error = read(line.as_bytes()).unwrap().items().unwrap_err();
            assert!(error.starts_with("`a` is no text"), "{error}");
        }
    }
}
