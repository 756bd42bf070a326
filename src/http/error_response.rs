//! What a server says when it refuses: any body, read at the places given, never crashing.
//!
//! Strings are as found; whoever shows one passes it through `printable` first.

use std::time::Duration;

use hyper::header::{CONTENT_TYPE, HeaderMap};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json_path::{first, first_text, look_up, text};
use super::retry_after::retry_after;

/// The most field errors that are kept.
const MOST_FIELDS: usize = 20;

/// Headers that name a request for the vendor's support.
const REQUEST_IDS: [&str; 6] =
    ["x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid", "x-trace-id", "cf-ray"];

/// A refusal, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorResponse {
    /// The HTTP status.
    pub status: u16,
    /// The vendor's code, such as `invalid_grant`.
    pub code: Option<String>,
    /// The vendor's words.
    pub description: Option<String>,
    /// A page about it.
    pub uri: Option<String>,
    /// What is wrong, field by field, one line each.
    pub fields: Vec<String>,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
    /// What the vendor's support can look up.
    pub request_id: Option<String>,
}

/// Where a vendor's errors keep their words: dotted paths, the first that is there.
#[derive(Debug, Clone, Copy, Default)]
pub struct ErrorPlaces<'a> {
    /// The error code.
    pub code: &'a [String],
    /// The vendor's words.
    pub message: &'a [String],
    /// What is wrong, field by field.
    pub fields: &'a [String],
}

/// Where others keep theirs, asked after the vendor's own (RFC 6749 section 5.2, RFC 9457).
const USUAL_CODES: [&str; 6] =
    ["error", "error.code", "error.key", "error.type", "code", "errors.0.code"];
const USUAL_MESSAGES: [&str; 9] = [
    "error_description",
    "error.message",
    "error.description",
    "message",
    "detail",
    "title",
    "error_message",
    "errors.0.message",
    "errors.0.detail",
];
const USUAL_PAGES: [&str; 4] = ["error_uri", "error.uri", "documentation_url", "type"];

impl ErrorResponse {
    /// Reads a refusal from an answer; `body` may be cut short.
    pub fn read(
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
        places: ErrorPlaces<'_>,
        now: Timestamp,
    ) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let mut response = Self {
            status,
            retry_after: header("retry-after").and_then(|value| retry_after(value, now)),
            request_id: REQUEST_IDS.iter().find_map(|name| header(name)).map(str::to_owned),
            ..Self::default()
        };
        let text = String::from_utf8_lossy(body);
        let text = text.trim_start_matches('\u{feff}').trim();
        let kind = header(CONTENT_TYPE.as_str()).unwrap_or_default().to_ascii_lowercase();
        match serde_json::from_str::<Value>(text) {
            Ok(value @ (Value::Object(_) | Value::Array(_))) => response.read_json(&value, places),
            Ok(Value::String(words)) => response.description = Some(words),
            _ if kind.contains("x-www-form-urlencoded") => response.read_form(text, places),
            _ => response.description = words_of(text, &kind),
        }
        response
    }

    fn read_json(&mut self, value: &Value, places: ErrorPlaces<'_>) {
        // Some wrap one error in a list.
        let value = value.get(0).unwrap_or(value);
        let usual = |paths: &[&str]| paths.iter().find_map(|path| text(look_up(value, path)?));
        self.code = first_text(value, places.code).or_else(|| usual(&USUAL_CODES));
        self.description = first_text(value, places.message).or_else(|| usual(&USUAL_MESSAGES));
        self.uri = usual(&USUAL_PAGES).filter(|page| page.starts_with("https://"));
        self.fields = first(value, places.fields).map(field_lines).unwrap_or_default();
        self.request_id =
            self.request_id.take().or_else(|| usual(&["request_id", "requestId", "trace_id"]));
    }

    fn read_form(&mut self, text: &str, places: ErrorPlaces<'_>) {
        let members = url::form_urlencoded::parse(text.as_bytes())
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())));
        self.read_json(&Value::Object(members.collect()), places);
    }
}

/// A page's title, a text's first line, nothing of JSON or XML that cannot be read.
fn words_of(text: &str, kind: &str) -> Option<String> {
    let start: String = text.chars().take(20).collect::<String>().to_ascii_lowercase();
    let is_page = start.starts_with("<!doctype html") || start.starts_with("<html");
    if is_page || kind.contains("html") {
        return title(text);
    }
    if kind.contains("json") || start.starts_with(['{', '[', '<']) {
        return None;
    }
    text.lines().next().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty())
}

fn title(page: &str) -> Option<String> {
    // Lower case in ASCII keeps every offset.
    let lower = page.to_ascii_lowercase();
    let open = lower.find("<title")?;
    let start = open + lower[open..].find('>')? + 1;
    let end = start + lower[start..].find("</title").or_else(|| lower[start..].find('<'))?;
    let title = unescaped(page[start..end].trim());
    (!title.is_empty()).then_some(title)
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

/// `{"name":["required"]}`, `[{"field":"name","message":"required"}]` and `["name is required"]` as lines.
fn field_lines(value: &Value) -> Vec<String> {
    let lines: Vec<String> = match value {
        Value::Object(members) => {
            members.iter().map(|(name, what)| format!("{name}: {}", words(what))).collect()
        }
        Value::Array(items) => items.iter().map(item_line).collect(),
        other => vec![words(other)],
    };
    lines.into_iter().filter(|line| !line.is_empty()).take(MOST_FIELDS).collect()
}

fn item_line(item: &Value) -> String {
    let usual = |names: [&str; 4]| names.iter().find_map(|name| text(item.get(name)?));
    let name = usual(["field", "name", "key", "path"]);
    let what = usual(["message", "description", "error", "code"]);
    match (name, what) {
        (Some(name), Some(what)) => format!("{name}: {what}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => words(item),
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_at(kind: &str, body: &[u8], code: &[&str], message: &[&str]) -> ErrorResponse {
        let owned = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
        let (code, message): (Vec<_>, Vec<_>) = (owned(code), owned(message));
        let fields = vec!["error.fields".to_owned(), "errors".to_owned()];
        let places = ErrorPlaces { code: &code, message: &message, fields: &fields };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, kind.parse().unwrap());
        headers.insert("retry-after", "7".parse().unwrap());
        headers.insert("x-request-id", "req-1".parse().unwrap());
        ErrorResponse::read(400, &headers, body, places, Timestamp::UNIX_EPOCH)
    }

    fn read(kind: &str, body: &str) -> (Option<String>, Option<String>) {
        let response = read_at(kind, body.as_bytes(), &["error"], &["error_description"]);
        (response.code, response.description)
    }

    #[test] // ER1
    fn every_way_to_write_an_error_is_understood() {
        let (json, html, plain) = ("application/json", "text/html; charset=utf-8", "text/plain");
        let cases = [
            (
                json,
                r#"{"error":"invalid_grant","error_description":"used"}"#,
                Some("invalid_grant"),
                Some("used"),
            ),
            (json, r#"{"error":{"code":42,"message":"no"}}"#, Some("42"), Some("no")),
            (json, r#"{"error":{"key":"a.b","description":"no"}}"#, Some("a.b"), Some("no")),
            (json, r#"{"message":"no"}"#, None, Some("no")),
            (json, r#"[{"code":"X","message":"no"}]"#, Some("X"), Some("no")),
            (json, r#"{"errors":[{"code":"X","message":"no"}]}"#, Some("X"), Some("no")),
            (json, r#""just words""#, None, Some("just words")),
            (json, r#"{"error":"#, None, None),
            (json, "null", None, None),
            (json, "", None, None),
            (
                "application/problem+json",
                r#"{"type":"about:blank","title":"Forbidden","detail":"not yours","status":403}"#,
                None,
                Some("not yours"),
            ),
            (
                "application/x-www-form-urlencoded",
                "error=bad_code&error_description=The+code",
                Some("bad_code"),
                Some("The code"),
            ),
            (plain, "\n  upstream timed out \n at line 2", None, Some("upstream timed out")),
            (
                html,
                "<html><TITLE lang=en>502 Bad &amp; Gateway</TITLE><p>x",
                None,
                Some("502 Bad & Gateway"),
            ),
            (html, "<html><body>no title</body></html>", None, None),
            (plain, "<!DOCTYPE html><title>Oops</title>", None, Some("Oops")),
            (html, "<title>never ends", None, None),
            ("text/xml", "<?xml version='1.0'?><e/>", None, None),
            ("", "", None, None),
        ];
        for (kind, body, code, description) in cases {
            let (code, description) = (code.map(str::to_owned), description.map(str::to_owned));
            assert_eq!(read(kind, body), (code, description), "{kind}: {body}");
        }
    }

    #[test] // ER1, RR11
    fn a_vendors_own_places_come_first() {
        let inventorum = br#"{"error":{"key":"scope.wrong","description":"no","fields":{"name":["required","short"]}}}"#;
        let response = read_at("", inventorum, &["error.key", "error"], &["error.description"]);
        assert_eq!(response.code.as_deref(), Some("scope.wrong"));
        assert_eq!(response.fields, ["name: required, short"]);
        let inyo = br#"{"status":401,"message":"Unauthorized","responseCode":"SE_001"}"#;
        let response = read_at("", inyo, &["responseCode"], &["message"]);
        assert_eq!(response.code.as_deref(), Some("SE_001"));
        assert_eq!(response.description.as_deref(), Some("Unauthorized"));
        assert_eq!(response.retry_after, Some(Duration::from_secs(7)));
        assert_eq!(response.request_id.as_deref(), Some("req-1"));
        let list = br#"{"error":"invalid","errors":[{"field":"a","message":"b"},"c",{"d":1}]}"#;
        let response = read_at("", list, &["error"], &[]);
        assert_eq!(response.fields, ["a: b", "c", r#"{"d":1}"#]);
    }

    #[test] // ER3
    fn a_page_about_the_error_is_kept_only_over_https() {
        let page = |uri: &str| {
            let body = format!(r#"{{"error":"x","error_uri":"{uri}"}}"#);
            read_at("", body.as_bytes(), &["error"], &[]).uri
        };
        assert_eq!(page("https://docs.example/x").as_deref(), Some("https://docs.example/x"));
        assert_eq!(page("http://docs.example/x"), None);
        assert_eq!(page("javascript:alert(1)"), None);
    }

    #[test] // ER1, ER8
    fn no_bytes_make_it_crash() {
        let bodies: [&[u8]; 5] = [
            b"\xff\xfe\x00",
            b"<title\xc3\x28>\xc3</title>",
            b"{\"error\":{\"error\":{}}}",
            b"[[]]",
            b"\xef\xbb\xbf{}",
        ];
        for body in bodies {
            for kind in ["", "text/html", "application/json"] {
                assert_eq!(read_at(kind, body, &["error"], &[]).code, None, "{body:?}");
            }
        }
        let deep = "[".repeat(100_000);
        assert_eq!(read("application/json", &deep), (None, None));
    }
}
