//! A delivery as one line of JSON on standard output.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::http::printable::harmless_json;
use crate::webhook::receiver::Delivery;

/// What a program reads of a delivery; the body is one of the three.
#[derive(Serialize)]
struct Line<'a> {
    id: Option<&'a str>,
    event: Option<&'a str>,
    received_at: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// Writes the line, its line break included.
///
/// A JSON body is passed on as it was written, numbers and order included; only line breaks, which
/// JSON has between its values alone, become blanks, so that a line stays a line. Another text is
/// `text`, and other bytes are `base64`. What would do something to a terminal is written as an escape.
pub fn written(
    delivery: &Delivery,
    received_at: &str,
    account: Option<Map<String, Value>>,
) -> serde_json::Result<String> {
    let text = std::str::from_utf8(&delivery.body).ok();
    let json = text.filter(|text| serde_json::from_str::<&RawValue>(text).is_ok());
    let flat = json.map(|json| json.replace(['\r', '\n'], " "));
    let body = flat.as_deref().and_then(|flat| serde_json::from_str(flat).ok());
    let line = Line {
        id: delivery.headers.id.as_deref(),
        event: delivery.headers.event.as_deref(),
        received_at,
        account,
        body,
        text: text.filter(|_| body.is_none()),
        base64: text.is_none().then(|| STANDARD.encode(&delivery.body)),
    };
    Ok(harmless_json(serde_json::to_string(&line)? + "\n"))
}
