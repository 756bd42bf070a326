//! Where a list goes on after one of its pages, as the provider says or as a `Link` header says.
//!
//! Values in, values out: pages are asked for in `connection/pages`.

mod trail;

use std::collections::BTreeMap;

use serde_json::Value;
use url::Url;

use super::link_header;
use super::target::{Target, TargetError, follow};
use crate::http::HeaderMap;
use crate::http::json_path::{look_up, text};
use crate::provider::schema::{Api, PageStyle, Pages, Setting};
use crate::provider::template::Values;

pub use trail::{Astray, Trail};

/// One page, as far as it tells where the list goes on.
pub struct Read<'a> {
    /// Where it was asked for; without the token, wherever that goes.
    pub url: &'a Url,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its whole body.
    pub body: &'a [u8],
}

/// What a page says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where the list goes on.
    pub next: Next,
    /// How many records are on the page, where that can be told.
    pub records: Option<usize>,
}

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// There.
    At(Box<Target>),
    /// Nowhere.
    End(End),
}

/// Why a list ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The page names no next one.
    NoNext,
    /// Neither the provider file nor a `Link` header says anything of pages.
    NothingSays,
    /// There are no records on the page.
    Empty,
    /// The page after the last does not exist.
    PastTheLast,
}

/// Why it cannot be told where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The next page is no address of the API.
    #[error("the link to the next page cannot be followed: {0}")]
    Link(#[source] TargetError),
    /// What says where the list goes on is not there to be read.
    #[error("the page is not JSON")]
    NotJson,
    /// The records cannot be counted.
    #[error("the page has no list of records to count{}", named(.items))]
    NoRecords {
        /// Where they should be; empty where the provider file does not say.
        items: String,
    },
    /// What leads to the next page is neither a text nor a number.
    #[error("`{path}` leads to no next page")]
    Unusable {
        /// Where it lies.
        path: String,
    },
    /// What is counted is no number.
    #[error("`{parameter}={value}` cannot be counted on")]
    NotANumber {
        /// The query parameter.
        parameter: String,
        /// What it is.
        value: String,
    },
}

fn named(items: &str) -> String {
    if items.is_empty() { String::new() } else { format!(" at `{items}`") }
}

/// Prepares the address of the first page: what a person asked for stays.
pub fn begin(pages: Option<&Pages>, url: &mut Url) -> Result<(), PageError> {
    let Some(pages) = pages else { return Ok(()) };
    if let Some(size) = pages.size.filter(|_| value_of(url, &pages.size_parameter).is_none()) {
        set(url, &pages.size_parameter, &size.to_string());
    }
    if matches!(pages.style, PageStyle::PageNumber | PageStyle::Offset) {
        match value_of(url, &pages.parameter) {
            Some(_) => drop(number_in(pages, url)?),
            None => set(url, &pages.parameter, &first(pages).to_string()),
        }
    }
    Ok(())
}

/// Whether a page that does not exist is the end of a list, and not a mistake.
pub fn ends_with_not_found(pages: Option<&Pages>) -> bool {
    pages.is_some_and(|pages| pages.style == PageStyle::PageNumber)
}

/// Tells where a list goes on after a page.
pub fn next(
    api: &Api,
    settings: &BTreeMap<String, Setting>,
    values: &Values,
    page: &Read<'_>,
) -> Result<Finding, PageError> {
    let linked = |link: &str| {
        let target = follow(api, settings, values, page.url, link).map_err(PageError::Link)?;
        Ok(Next::At(Box::new(without_token(target, api))))
    };
    let Some(pages) = api.pages.as_ref().filter(|it| it.style != PageStyle::LinkHeader) else {
        // Bytes beyond ASCII, say in a title, do not make a header unread and a list end early.
        let links = page.headers.get_all("link").iter();
        let links = links.map(|link| String::from_utf8_lossy(link.as_bytes()));
        let links: Vec<_> = links.collect();
        let next = link_header::next(links.iter().map(AsRef::as_ref));
        let end = if api.pages.is_some() { End::NoNext } else { End::NothingSays };
        let next = next.map_or(Ok(Next::End(end)), linked)?;
        return Ok(Finding { next, records: None });
    };
    in_body(pages, page, linked)
}

/// What the body says, or what it is counted on from.
fn in_body(
    pages: &Pages,
    page: &Read<'_>,
    linked: impl Fn(&str) -> Result<Next, PageError>,
) -> Result<Finding, PageError> {
    let body: Option<Value> = serde_json::from_slice(page.body).ok();
    let records = body.as_ref().and_then(|body| records(body, &pages.items));
    let count = records.as_ref().map(Vec::len);
    let at = |value: &str| {
        let mut url = page.url.clone();
        set(&mut url, &pages.parameter, value);
        linked(url.as_str())
    };
    let found = |path: &str| match &body {
        Some(body) => word(look_up(body, path), path),
        None => Err(PageError::NotJson),
    };
    let or_end = |next: Option<Result<Next, PageError>>| next.unwrap_or(Ok(Next::End(End::NoNext)));
    let next = match pages.style {
        _ if body.as_ref().is_some_and(|body| is_last(pages, body)) => Next::End(End::NoNext),
        PageStyle::PageNumber | PageStyle::Offset if count == Some(0) => Next::End(End::Empty),
        PageStyle::PageNumber => at(&number_in(pages, page.url)?.saturating_add(1).to_string())?,
        PageStyle::Offset => {
            let no_records = || PageError::NoRecords { items: pages.items.clone() };
            let count = count.ok_or_else(no_records)? as u64;
            at(&number_in(pages, page.url)?.saturating_add(count).to_string())?
        }
        PageStyle::Cursor => or_end(cursor(pages, records.as_deref(), found)?.as_deref().map(at))?,
        PageStyle::NextUrl | PageStyle::LinkHeader => {
            or_end(found(&pages.next)?.as_deref().map(linked))?
        }
    };
    Ok(Finding { next, records: count })
}

fn cursor(
    pages: &Pages,
    records: Option<&[&Value]>,
    found: impl Fn(&str) -> Result<Option<String>, PageError>,
) -> Result<Option<String>, PageError> {
    if pages.last_item.is_empty() {
        return found(&pages.next);
    }
    let no_records = || PageError::NoRecords { items: pages.items.clone() };
    let Some(last) = records.ok_or_else(no_records)?.last() else { return Ok(None) };
    let unusable = || PageError::Unusable { path: pages.last_item.clone() };
    word(look_up(last, &pages.last_item), &pages.last_item)?.ok_or_else(unusable).map(Some)
}

/// A cursor or a link; null, an empty text and `false` are none.
fn word(value: Option<&Value>, path: &str) -> Result<Option<String>, PageError> {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(value) => {
            let unusable = || PageError::Unusable { path: path.to_owned() };
            text(value).ok_or_else(unusable).map(Some)
        }
    }
}

/// Whether the page says that there is no more; where it does not say, other signs count.
fn is_last(pages: &Pages, body: &Value) -> bool {
    let said = Some(&pages.more).filter(|path| !path.is_empty());
    match said.and_then(|path| look_up(body, path)) {
        Some(Value::Null | Value::Bool(false)) => true,
        Some(Value::String(text)) => text.is_empty() || text == "false",
        Some(Value::Number(number)) => number.as_f64() == Some(0.0),
        _ => false,
    }
}

/// The records at a dotted path, or where nobody says: the body itself, or the lists of its first level.
fn records<'a>(body: &'a Value, path: &str) -> Option<Vec<&'a Value>> {
    if !path.is_empty() {
        return Some(look_up(body, path)?.as_array()?.iter().collect());
    }
    match body {
        Value::Array(items) => Some(items.iter().collect()),
        Value::Object(members) => {
            let mut lists = members.values().filter_map(Value::as_array).peekable();
            lists.peek()?;
            Some(lists.flatten().collect())
        }
        _ => None,
    }
}

fn first(pages: &Pages) -> u64 {
    pages.first.unwrap_or(if pages.style == PageStyle::PageNumber { 1 } else { 0 })
}

fn number_in(pages: &Pages, url: &Url) -> Result<u64, PageError> {
    let value = value_of(url, &pages.parameter);
    value.as_ref().map_or(Some(first(pages)), |value| value.parse().ok()).ok_or_else(|| {
        let value = value.clone().unwrap_or_default();
        PageError::NotANumber { parameter: pages.parameter.clone(), value }
    })
}

fn value_of(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Sets a query parameter and leaves the others as they are written.
fn set(url: &mut Url, name: &str, value: &str) {
    let mine = {
        let mut mine = url::form_urlencoded::Serializer::new(String::new());
        mine.append_pair(name, value);
        mine.finish()
    };
    let mut parts = without(url, name);
    parts.push(mine);
    url.set_query(Some(&parts.join("&")));
}

/// The parts of a query that are not about a parameter.
fn without(url: &Url, name: &str) -> Vec<String> {
    let is_other = |part: &&str| {
        url::form_urlencoded::parse(part.as_bytes()).next().is_some_and(|(key, _)| key != name)
    };
    url.query().unwrap_or_default().split('&').filter(is_other).map(str::to_owned).collect()
}

/// A server that repeats the query in its links would put the token into them: it goes where it belongs alone.
fn without_token(mut target: Target, api: &Api) -> Target {
    if let Some(name) = api.authorization.query.as_deref()
        && value_of(&target.url, name).is_some()
    {
        let rest = without(&target.url, name).join("&");
        target.url.set_query(Some(rest.as_str()).filter(|rest| !rest.is_empty()));
    }
    target
}

#[cfg(test)]
mod tests;
