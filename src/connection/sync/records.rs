//! The records of a page, each with the vendor's own text: `12.10` and numbers of any length stay themselves.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::provider::schema::Sync;

/// Stands for one state of one record.
pub type Mark = [u8; 12];

/// One record of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// On one line, every number and text as the vendor wrote it.
    pub line: String,
    /// The same for the same record unchanged; absent where the record does not say which it is.
    pub mark: Option<Mark>,
    /// When it last changed, by the vendor's clock.
    pub changed_at: Option<Timestamp>,
    /// The same for the same record however it changes; made of its text where it does not say which it is.
    pub identity: Mark,
}

/// Why an answer has no records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRecords {
    /// It is no JSON.
    #[error("the answer is no JSON: {0}")]
    NotJson(String),
    /// There is no list at the place that the provider file names.
    #[error("the answer has no list at `{0}`")]
    NoList(String),
    /// There are several lists, and the provider file does not say which.
    #[error("the answer holds several lists: {0}")]
    Several(String),
}

/// Takes the records out of a page; `path` is where the list lies.
pub fn records(body: &[u8], path: &str, words: &Sync) -> Result<Vec<Record>, NoRecords> {
    let not_json = |error: serde_json::Error| NoRecords::NotJson(error.to_string());
    let body: &RawValue = serde_json::from_slice(body).map_err(not_json)?;
    let list = list(body, path)?;
    Ok(list.into_iter().map(|record| read(record, words)).collect())
}

type Members<'a> = BTreeMap<String, &'a RawValue>;

fn members(value: &RawValue) -> Option<Members<'_>> {
    serde_json::from_str(value.get()).ok()
}

fn items(value: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(value.get()).ok()
}

fn list<'a>(body: &'a RawValue, path: &str) -> Result<Vec<&'a RawValue>, NoRecords> {
    if path.is_empty() {
        return items(body).map_or_else(|| only_list(body), Ok);
    }
    let nothing = || NoRecords::NoList(path.to_owned());
    items(at(body, path).ok_or_else(nothing)?).ok_or_else(nothing)
}

/// The value at a dotted path; a whole name that contains dots is preferred to its parts.
fn at<'a>(value: &'a RawValue, path: &str) -> Option<&'a RawValue> {
    let members = members(value)?;
    if let Some(found) = members.get(path) {
        return Some(found);
    }
    path.match_indices('.').find_map(|(dot, _)| at(members.get(&path[..dot])?, &path[dot + 1..]))
}

/// The one list of an object's first level.
fn only_list(body: &RawValue) -> Result<Vec<&RawValue>, NoRecords> {
    let members = members(body).unwrap_or_default();
    let mut lists: Vec<(&String, Vec<&RawValue>)> =
        members.iter().filter_map(|(name, value)| Some((name, items(value)?))).collect();
    match (lists.pop(), lists.as_slice()) {
        (None, _) => Err(NoRecords::NoList(".".into())),
        (Some((_, list)), []) => Ok(list),
        (Some((last, _)), others) => {
            let names = others.iter().map(|(name, _)| *name).chain([last]);
            Err(NoRecords::Several(names.cloned().collect::<Vec<_>>().join(", ")))
        }
    }
}

fn read(record: &RawValue, words: &Sync) -> Record {
    let line = compact(record.get());
    let changed_at = at(record, &words.time)
        .and_then(|text| serde_json::from_str::<String>(text.get()).ok())
        .and_then(|text| text.parse().ok());
    let id = at(record, &words.id).filter(|id| id.get() != "null");
    // The text is part of the mark: a record that changed twice within one second comes out twice.
    let identity = mark(id.map_or(line.as_str(), |id| id.get()), "");
    let mark = id.map(|id| mark(id.get(), &line));
    Record { line, mark, changed_at, identity }
}

fn mark(id: &str, line: &str) -> Mark {
    let mut hash = Sha256::new();
    hash.update(id);
    hash.update([0]);
    hash.update(line);
    let mut mark = Mark::default();
    mark.copy_from_slice(&hash.finalize()[..12]);
    mark
}

/// JSON without the white space between its parts; nothing else of it changes.
fn compact(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let (mut within_text, mut escaped) = (false, false);
    for character in text.chars() {
        if within_text {
            within_text = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else if character.is_ascii_whitespace() {
            continue;
        } else {
            within_text = character == '"';
        }
        line.push(character);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Sync {
        let (time, id) = ("updated_at".into(), "id".into());
        Sync { parameter: "updated_since".into(), time, id, overlap: 60, whole: false }
    }

    fn lines(body: &str, path: &str) -> Result<Vec<String>, NoRecords> {
        let records = records(body.as_bytes(), path, &words())?;
        Ok(records.into_iter().map(|record| record.line).collect())
    }

    #[test]
    fn a_record_keeps_its_text_on_one_line() {
        let body = "{\"result\": {\"entries\": [\n  {\"id\": 1,\n   \"total\": 12.10, \"t\": \"a \\\" b\\\\\"},\n 123456789012345678901234567890\n]}}";
        let expected =
            ["{\"id\":1,\"total\":12.10,\"t\":\"a \\\" b\\\\\"}", "123456789012345678901234567890"];
        assert_eq!(lines(body, "result.entries").unwrap(), expected);
    }

    #[test]
    fn the_list_is_where_the_file_says_or_the_only_one() {
        assert_eq!(lines("[1, 2]", "").unwrap(), ["1", "2"]);
        assert_eq!(lines("{\"count\":2,\"data\":[3]}", "").unwrap(), ["3"]);
        assert_eq!(lines("{\"a.b\":[4]}", "a.b").unwrap(), ["4"]);
        assert_eq!(lines("{\"a\":[]}", "a").unwrap(), [""; 0]);
        assert_eq!(lines("{\"a\":[],\"b\":[]}", ""), Err(NoRecords::Several("a, b".into())));
        for (body, path) in [("{}", ""), ("{\"a\":1}", "a"), ("{\"a\":1}", "a.b"), ("7", "a")] {
            assert!(matches!(lines(body, path), Err(NoRecords::NoList(_))), "{body}");
        }
        assert!(matches!(lines("<html>", ""), Err(NoRecords::NotJson(_))));
    }

    #[test]
    fn a_mark_stays_with_a_record_until_it_changes() {
        let read = |text: &str| records(text.as_bytes(), "", &words()).unwrap().remove(0);
        let one = read("[{\"id\":1,\"updated_at\":\"2026-05-29T10:15:00Z\",\"s\":\"a\"}]");
        let spaced = read("[ {\"id\" : 1, \"updated_at\":\"2026-05-29T10:15:00Z\",\"s\":\"a\"}]");
        let same_second = read("[{\"id\":1,\"updated_at\":\"2026-05-29T10:15:00Z\",\"s\":\"b\"}]");
        assert_eq!(one, spaced);
        assert_ne!(one.mark, same_second.mark);
        assert_eq!(one.changed_at, Some("2026-05-29T10:15:00Z".parse().unwrap()));
        for nameless in ["[{\"s\":1}]", "[{\"id\":null}]", "[7]"] {
            let record = read(nameless);
            assert_eq!((record.mark, record.changed_at), (None, None), "{nameless}");
        }
        assert_eq!(read("[{\"id\":\"x\",\"updated_at\":\"soon\"}]").changed_at, None);
    }
}
