//! An answer of the API as the one document of `call --json`.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::super::report::{self, Report};
use crate::http::{HeaderMap, HttpError, Streaming};
use crate::store::durable::LONGEST_FILE;

/// One document: status, headers, body; a body that is no JSON is text.
///
/// A JSON body goes in as the vendor wrote it: `12.10` and integers of any length stay themselves.
pub async fn document(answer: Streaming) -> Result<String, Report> {
    let (status, headers) = (answer.status, headers(&answer.headers));
    let body = answer.whole(LARGEST_DOCUMENT).await.map_err(|error| broke_off(&error))?;
    let text;
    let body = match serde_json::from_slice::<&RawValue>(&body) {
        Ok(body) => DocumentBody::Json(body),
        Err(_) if body.is_empty() => DocumentBody::None,
        Err(_) => {
            text = String::from_utf8_lossy(&body);
            DocumentBody::Text(&text)
        }
    };
    match serde_json::to_string_pretty(&Document { status, headers, body }) {
        Ok(document) => Ok(format!("{document}\n")),
        Err(error) => Err(Report::unexpected("the answer makes no document")
            .cause(error.to_string())
            .hint("call it without --json")),
    }
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
const LARGEST_DOCUMENT: usize = 256 * LONGEST_FILE as usize;

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
