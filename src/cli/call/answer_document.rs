//! An answer of the API as the one document of `call --json`.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::super::report::{self, Report};
use crate::http::printable::harmless_json;
use crate::http::{HeaderMap, HttpError, Streaming};

/// How a document is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// For people too.
    Indented,
    /// One of many, each on a line of its own.
    OneLine,
}

/// One document of an answer that is still on its way.
pub async fn document(answer: Streaming) -> Result<String, Report> {
    let (status, headers) = (answer.status, answer.headers.clone());
    let body = answer.whole(LARGEST_DOCUMENT).await.map_err(|error| broke_off(&error))?;
    text(status, &headers, &body, Layout::Indented)
}

/// One document: status, headers, body; a body that is no JSON is text.
///
/// A JSON body goes in as the vendor wrote it: `12.10` and integers of any length stay themselves.
pub fn text(
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    layout: Layout,
) -> Result<String, Report> {
    let (text, on_one_line);
    let mut body = match serde_json::from_slice::<&RawValue>(body) {
        Ok(body) => DocumentBody::Json(body),
        Err(_) if body.is_empty() => DocumentBody::None,
        Err(_) => {
            text = String::from_utf8_lossy(body);
            DocumentBody::Text(&text)
        }
    };
    if let (DocumentBody::Json(json), Layout::OneLine) = (&body, layout) {
        on_one_line = without_blanks(json);
        body = on_one_line.as_deref().map_or(body, DocumentBody::Json);
    }
    let document = Document { status, headers: self::headers(headers), body };
    let written = match layout {
        Layout::Indented => serde_json::to_string_pretty(&document),
        Layout::OneLine => serde_json::to_string(&document),
    };
    match written {
        Ok(document) => Ok(harmless_json(document + "\n")),
        Err(error) => Err(Report::unexpected("the answer makes no document")
            .cause(error.to_string())
            .hint("call it without --json")),
    }
}

/// The same JSON without what stands between its words.
fn without_blanks(json: &RawValue) -> Option<Box<RawValue>> {
    let (mut in_text, mut escaped) = (false, false);
    let is_kept = |character: &char| {
        let is_blank = !in_text && character.is_ascii_whitespace();
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = in_text,
            '"' => in_text = !in_text,
            _ => {}
        }
        !is_blank
    };
    RawValue::from_string(json.get().chars().filter(is_kept).collect()).ok()
}

/// An answer under `--json`.
#[derive(Serialize)]
struct Document<'a> {
    status: u16,
    headers: Map<String, Value>,
    body: DocumentBody<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum DocumentBody<'a> {
    Json(&'a RawValue),
    Text(&'a str),
    None,
}

/// What `--json` takes into memory, in bytes; larger bodies stream without it.
const LARGEST_DOCUMENT: usize = 256 << 20;

fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut map = Map::new();
    for name in headers.keys() {
        let values: Vec<String> = headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        map.insert(name.as_str().to_owned(), json!(values.join(", ")));
    }
    map
}

/// A body that ended before its end.
pub fn broke_off(error: &HttpError) -> Report {
    report::http("the answer's body broke off", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_one_line_and_keeps_its_words() {
        let body =
            "{\n  \"a b\": \"c \\\" \\\\\",\n\t\"n\": 12.50, \"id\": 12345678901234567890 }\r\n";
        let line = text(200, &HeaderMap::new(), body.as_bytes(), Layout::OneLine).unwrap();
        let expected = r#"{"a b":"c \" \\","n":12.50,"id":12345678901234567890}"#;
        assert_eq!(line, format!("{{\"status\":200,\"headers\":{{}},\"body\":{expected}}}\n"));
    }
}
