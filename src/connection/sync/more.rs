//! Signs in an answer that a list goes on: what vendors write beside a list of which this is a part.
//!
//! They contradict whoever says that the answer is all there is; they never say where the list goes on.

use serde_json::Value;

use crate::http::HeaderMap;

/// How deep beside the list they are looked for.
const DEPTH: u32 = 4;

/// Words that say whether there is more.
const MORE: [&str; 9] = [
    "hasmore",
    "hasnext",
    "hasnextpage",
    "hasmorepages",
    "hasmoreitems",
    "more",
    "moreavailable",
    "istruncated",
    "truncated",
];

/// Words that say whether this is the end.
const LAST: [&str; 4] = ["islast", "islastpage", "lastbatch", "iscomplete"];

/// Words that lead on.
const NEXT: [&str; 14] = [
    "next",
    "nextpage",
    "nextcursor",
    "nexturl",
    "nexturi",
    "nextlink",
    "nexthref",
    "nexttoken",
    "nextpagetoken",
    "nextpageurl",
    "nextoffset",
    "nextrecordsurl",
    "continuationtoken",
    "odatanextlink",
];

/// Words that count records, on all pages.
const RECORDS: [&str; 12] = [
    "total",
    "totalcount",
    "totalrecords",
    "totalresults",
    "totalitems",
    "totalentries",
    "totalelements",
    "totalsize",
    "totalhits",
    "count",
    "recordcount",
    "resultcount",
];

/// Words that count pages.
const PAGES: [&str; 7] =
    ["totalpages", "totalpagecount", "pagestotal", "pagecount", "pages", "numpages", "lastpage"];

/// Something that says that there is more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign {
    /// Where it stands: a header's name, or the dotted path of a member.
    pub at: String,
    /// What stands there, shortened.
    pub says: String,
}

/// What was read of a list.
#[derive(Debug, Clone, Copy)]
pub struct Come {
    /// Records.
    pub records: u64,
    /// Pages.
    pub pages: u64,
}

/// The first sign that a list goes on, in the headers and body of its last answer.
pub fn sign(headers: &HeaderMap, body: &[u8], come: Come) -> Option<Sign> {
    let header = headers.iter().find_map(|(name, value)| {
        let text = value.to_str().ok()?;
        let word = plain(name.as_str().strip_prefix("x-")?);
        let value = Value::from(text);
        says_more(&word, &value, come).then(|| Sign { at: name.to_string(), says: text.to_owned() })
    });
    header.or_else(|| beside(&serde_json::from_slice(body).ok()?, "", DEPTH, come))
}

/// Looks through the objects around and beside a list, and into no list: a record may be called `next`.
fn beside(value: &Value, path: &str, depth: u32, come: Come) -> Option<Sign> {
    let members = value.as_object().filter(|_| depth > 0)?;
    members.iter().find_map(|(name, value)| {
        let at = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match says_more(&plain(name), value, come) {
            true => Some(Sign { at, says: shown(value) }),
            false => beside(value, &at, depth - 1, come),
        }
    })
}

/// A name without what vendors put between its words.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|it| it.to_ascii_lowercase()).collect()
}

fn says_more(word: &str, value: &Value, come: Come) -> bool {
    let is = |words: &[&str]| words.contains(&word);
    let counts_beyond = |come: u64| number(value).is_some_and(|number| number > come);
    (is(&MORE) && truth(value) == Some(true))
        || (is(&LAST) && truth(value) == Some(false))
        || (is(&NEXT) && leads_on(value))
        || (is(&RECORDS) && counts_beyond(come.records))
        || (is(&PAGES) && counts_beyond(come.pages))
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => number.as_u64().map(|number| number != 0),
        Value::String(text) => text.to_ascii_lowercase().parse().ok(),
        _ => None,
    }
}

fn leads_on(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Array(_) => false,
        Value::Number(number) => number.as_u64() != Some(0),
        Value::String(text) => !matches!(
            text.trim().to_ascii_lowercase().as_str(),
            "" | "0" | "null" | "none" | "false"
        ),
        Value::Object(members) => members.values().any(leads_on),
    }
}

/// A count; an amount with a fraction is none.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// A value on one short line.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 80;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(body: &str) -> Option<String> {
        let sign = sign(&HeaderMap::new(), body.as_bytes(), Come { records: 10, pages: 1 });
        sign.map(|Sign { at, says }| format!("{at} = {says}"))
    }

    #[test]
    fn what_vendors_write_beside_a_part_of_a_list_is_a_sign() {
        for (body, sign) in [
            (r#"{"e":[],"page_info":{"total_pages":3}}"#, "page_info.total_pages = 3"),
            (r#"{"result":{"entries":[],"total":28}}"#, "result.total = 28"),
            (r#"{"e":[],"meta":{"totalCount":"11"}}"#, "meta.totalCount = \"11\""),
            (r#"{"e":[],"count":11,"next":"https://x/?p=2"}"#, "count = 11"),
            (r#"{"e":[],"has_more":true}"#, "has_more = true"),
            (r#"{"e":[],"isLast":false}"#, "isLast = false"),
            (r#"{"e":[],"paging":{"next":{"after":"x"}}}"#, "paging.next = {\"after\":\"x\"}"),
            (r#"{"e":[],"@odata.nextLink":"https://x"}"#, "@odata.nextLink = \"https://x\""),
            (r#"{"e":[],"next_page":2}"#, "next_page = 2"),
            (r#"{"e":[],"meta":{"next_cursor":"abc"}}"#, "meta.next_cursor = \"abc\""),
        ] {
            assert_eq!(seen(body).as_deref(), Some(sign), "{body}");
        }
        let mut headers = HeaderMap::new();
        let found = |headers: &HeaderMap, records| sign(headers, b"[]", Come { records, pages: 1 });
        headers.insert("x-total-count", "11".parse().unwrap());
        assert_eq!(found(&headers, 10).unwrap().at, "x-total-count");
        assert_eq!(found(&headers, 11), None);
    }

    #[test]
    fn what_agrees_with_a_whole_list_is_no_sign() {
        for body in [
            r#"{"state":"ok","result":{"entries":[{"next":"a","total":99}]}}"#,
            r#"{"e":[],"total":10,"total_pages":1,"page":1,"count":10,"per_page":50}"#,
            r#"{"e":[],"total":145.5}"#,
            r#"{"e":[],"next":null,"next_cursor":"","next_page":false,"has_more":false}"#,
            r#"{"e":[],"paging":{"next":{"after":null}},"isLast":true,"total_pages":0}"#,
            "[{\"has_more\":true}]",
            "7",
        ] {
            assert_eq!(seen(body), None, "{body}");
        }
    }

    #[test]
    fn a_long_value_is_shortened() {
        let body = format!(r#"{{"next":"{}"}}"#, "ä".repeat(500));
        assert_eq!(seen(&body).unwrap().chars().count(), "next = ".len() + 81);
    }
}
