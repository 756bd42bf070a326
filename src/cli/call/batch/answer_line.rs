//! What becomes of one call, as one line.

use serde_json::Value;
use serde_json::value::RawValue;

use super::super::super::report::Report;
use crate::http::HeaderMap;
use crate::http::printable::harmless_json;

/// An answer's line, with what its refusal means where there is one.
pub fn answered(
    id: Option<&RawValue>,
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    failure: Option<&Report>,
) -> Vec<u8> {
    let mut line = Vec::with_capacity(body.len() + 512);
    begin(&mut line, id);
    line.extend_from_slice(b",\"status\":");
    line.extend_from_slice(status.to_string().as_bytes());
    line.extend_from_slice(b",\"headers\":");
    add_headers(&mut line, headers);
    line.extend_from_slice(b",\"body\":");
    add_body(&mut line, body);
    if let Some(report) = failure {
        add_error(&mut line, report, None);
    }
    line.extend_from_slice(b"}\n");
    line
}

/// The line of a call without an answer; `number` where the line itself is wrong.
pub fn failed(id: Option<&RawValue>, report: &Report, number: Option<u64>) -> Vec<u8> {
    let mut line = Vec::new();
    begin(&mut line, id);
    add_error(&mut line, report, number);
    line.extend_from_slice(b"}\n");
    line
}

fn begin(line: &mut Vec<u8>, id: Option<&RawValue>) {
    line.extend_from_slice(b"{\"id\":");
    line.extend_from_slice(id.map_or("null", RawValue::get).as_bytes());
}

fn add_error(line: &mut Vec<u8>, report: &Report, number: Option<u64>) {
    let mut error = report.document()["error"].take();
    if let Some(number) = number {
        error["line"] = number.into();
    }
    line.extend_from_slice(b",\"error\":");
    line.extend_from_slice(harmless_json(error.to_string()).as_bytes());
}

/// Fields of one name are one text, parted by commas (RFC 9110 section 5.3).
fn add_headers(line: &mut Vec<u8>, headers: &HeaderMap) {
    line.push(b'{');
    let mut fields = headers.iter().peekable();
    let mut is_first = true;
    while let Some((name, value)) = fields.next() {
        if !std::mem::take(&mut is_first) {
            line.push(b',');
        }
        add_quoted(line, name.as_str().as_bytes());
        line.push(b':');
        // Those of one name follow each other.
        match fields.peek().is_some_and(|(next, _)| *next == name) {
            false => add_quoted(line, value.as_bytes()),
            true => {
                let mut whole = value.as_bytes().to_vec();
                while let Some((_, value)) = fields.next_if(|(next, _)| *next == name) {
                    whole.extend_from_slice(b", ");
                    whole.extend_from_slice(value.as_bytes());
                }
                add_quoted(line, &whole);
            }
        }
    }
    line.push(b'}');
}

/// A field's text as JSON that no terminal minds.
fn add_quoted(line: &mut Vec<u8>, text: &[u8]) {
    // Nearly every field is plain, and stands in JSON as it is. No byte is left out, so that many
    // are looked at in one step.
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') & (*byte != b'"') & (*byte != b'\\');
    if text.iter().fold(true, |all, byte| all & is_plain(byte)) {
        line.push(b'"');
        line.extend_from_slice(text);
        line.push(b'"');
        return;
    }
    let text = Value::from(String::from_utf8_lossy(text)).to_string();
    line.extend_from_slice(harmless_json(text).as_bytes());
}

/// A JSON body stays as it was written but for its line ends; another one is text.
fn add_body(line: &mut Vec<u8>, body: &[u8]) {
    match serde_json::from_slice::<&RawValue>(body) {
        Ok(json) => add_on_one_line(line, json.get().as_bytes()),
        Err(_) if body.is_empty() => line.extend_from_slice(b"null"),
        Err(_) => add_text(line, &String::from_utf8_lossy(body)),
    }
}

/// A line end within JSON stands between its parts and never in a text (RFC 8259 section 7).
fn add_on_one_line(line: &mut Vec<u8>, json: &[u8]) {
    let mut parts = json.split(|byte| matches!(byte, b'\n' | b'\r'));
    line.extend_from_slice(parts.next().unwrap_or_default());
    for part in parts {
        line.extend_from_slice(part.trim_ascii_start());
    }
}

fn add_text(line: &mut Vec<u8>, text: &str) {
    // Text always makes JSON, and memory always takes it.
    let _ = serde_json::to_writer(line, text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::report::Exit;
    use crate::http::HeaderValue;

    fn raw(text: &str) -> Box<RawValue> {
        serde_json::from_str(text).unwrap()
    }

    fn text(line: Vec<u8>) -> String {
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn a_body_stays_as_it_was_written_on_one_line() {
        let cases = [
            ("{\n  \"a\": 12.10,\r\n\t\"b\": \"x\\ny  z\"\n}\n", r#"{"a": 12.10,"b": "x\ny  z"}"#),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("", "null"),
            ("no \"JSON\"\nat all", r#""no \"JSON\"\nat all""#),
        ];
        for (body, expected) in cases {
            let id = raw(r#""a b""#);
            let line = text(answered(Some(&id), 200, &HeaderMap::new(), body.as_bytes(), None));
            let whole =
                format!("{{\"id\":\"a b\",\"status\":200,\"headers\":{{}},\"body\":{expected}}}\n");
            assert_eq!(line, whole);
        }
    }

    #[test]
    fn headers_of_one_name_are_one_text() {
        let mut headers = HeaderMap::new();
        let given = [("link", "a"), ("x", "\"1\""), ("link", "b"), ("y", "\\ é"), ("z", "\u{9b}")];
        for (name, value) in given {
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let line = text(answered(None, 204, &headers, b"", None));
        let expected = r#""headers":{"link":"a, b","x":"\"1\"","y":"\\ é","z":"\u009b"}"#;
        assert!(line.contains(expected), "{line}");
        assert!(line.starts_with(r#"{"id":null,"#));
    }

    #[test]
    fn a_failure_is_the_inner_object_of_a_failures_document() {
        let mut report = Report::new(Exit::ApiRefused, "api-refused", "no");
        report.idempotency_key = Some("k".into());
        let line: Value = serde_json::from_slice(&failed(None, &report, Some(7))).unwrap();
        assert_eq!(line["error"]["code"], "api-refused");
        assert_eq!(line["error"]["idempotency_key"], "k");
        assert_eq!((&line["error"]["line"], &line["error"]["exit"]), (&7.into(), &8.into()));
    }
}
