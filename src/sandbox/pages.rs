//! How a list is cut into pages: by number, by offset, by a cursor, or after a record.

use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::facts::Collection;
use super::message::Request;
use super::parameters::invalid;
use super::refusal::{Refusal, Refused};
use super::vendor::Vendor;

/// What a client says to get the next page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paging {
    /// `page`, counted from 1; a page past the last does not exist.
    #[default]
    PageNumber,
    /// `offset`; one past the last record is an empty page.
    Offset,
    /// `cursor`, which only the page before gives.
    Cursor,
    /// `after`, the name of the last record before.
    After,
}

/// A part of a list.
pub struct Page {
    /// The position of its first record.
    pub first: usize,
    /// The position behind its last record.
    pub end: usize,
    /// What leads to the next one, by parameter and value.
    next: Option<(&'static str, String)>,
    previous: Option<(&'static str, String)>,
}

/// The part of a list that a request asks for.
pub fn page(
    collection: &Collection,
    records: &[&Value],
    request: &Request,
) -> Result<Page, Refused> {
    let count = records.len();
    let Some(size) = collection.page_size.filter(|size| *size > 0) else {
        return Ok(Page { first: 0, end: count, next: None, previous: None });
    };
    let size = number(request, "limit")?.map_or(size, |limit| limit.clamp(1, 100));
    match collection.paging {
        Paging::PageNumber => by_number(count, size, request),
        Paging::Offset => {
            let first = number(request, "offset")?.unwrap_or(0).min(count);
            let end = (first + size).min(count);
            let next = (end < count).then(|| ("offset", end.to_string()));
            Ok(Page { first, end, next, previous: None })
        }
        Paging::Cursor => {
            let first = request.query_value("cursor").map_or(Some(0), |cursor| position(&cursor));
            let first = first.filter(|first| *first <= count);
            let first = first.ok_or_else(|| invalid("no page gave that cursor"))?;
            let end = (first + size).min(count);
            let next = (end < count).then(|| ("cursor", cursor(end)));
            Ok(Page { first, end, next, previous: None })
        }
        Paging::After => {
            let named = |record: &&Value| record[&collection.id].to_string();
            let first = match request.query_value("after") {
                None => 0,
                Some(name) => {
                    let at = records.iter().position(|record| named(record) == name);
                    at.ok_or_else(|| invalid("there is no record of that name"))? + 1
                }
            };
            let end = (first + size).min(count);
            let last = records[..end].last().filter(|_| end < count).map(named);
            Ok(Page { first, end, next: last.map(|last| ("after", last)), previous: None })
        }
    }
}

fn by_number(count: usize, size: usize, request: &Request) -> Result<Page, Refused> {
    let last = count.div_ceil(size).max(1);
    let number = request.query_value("page").map_or(Some(1), |text| text.parse().ok());
    let number = number.filter(|number| (1..=last).contains(number));
    let number = number.ok_or_else(|| Refused::new(Refusal::NotFound, "there is no such page"))?;
    let at = |number: usize| ("page", number.to_string());
    Ok(Page {
        first: (number - 1) * size,
        end: (number * size).min(count),
        next: (number < last).then(|| at(number + 1)),
        previous: (number > 1).then(|| at(number - 1)),
    })
}

fn number(request: &Request, name: &str) -> Result<Option<usize>, Refused> {
    let parsed = request.query_value(name).map(|text| text.parse());
    parsed.transpose().map_err(|_| invalid(format!("`{name}` is a number")))
}

/// A word that says nothing to a client, with characters that a query must escape.
fn cursor(position: usize) -> String {
    format!("at/{position}+=&")
}

fn position(cursor: &str) -> Option<usize> {
    cursor.strip_prefix("at/")?.strip_suffix("+=&")?.parse().ok()
}

impl Page {
    /// What a list's envelope may name of its page: `next`, `previous`, `cursor`, `more`.
    pub fn known(&self, vendor: &Vendor, request: &Request, name: &str) -> Option<Value> {
        match name {
            "next" => Some(json!(self.next_url(vendor, request))),
            "previous" => Some(json!(self.previous.as_ref().map(|it| url(vendor, request, it)))),
            "cursor" => Some(json!(self.next.as_ref().map(|(_, value)| value))),
            "more" => Some(json!(self.next.is_some())),
            _ => None,
        }
    }

    /// The next page's address.
    pub fn next_url(&self, vendor: &Vendor, request: &Request) -> Option<String> {
        self.next.as_ref().map(|it| url(vendor, request, it))
    }
}

fn url(vendor: &Vendor, request: &Request, (name, value): &(&'static str, String)) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let others = form_urlencoded::parse(request.query.as_bytes()).filter(|(key, _)| key != name);
    query.extend_pairs(others).append_pair(name, value);
    format!("{}{}?{}", vendor.origin, request.path, query.finish())
}
