//! The believable data behind the resource server: lists, items, pages, filters, and what calls create.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::facts::{Collection, Document};
use super::json_template::fill;
use super::message::{Answer, Request};
use super::pages::page;
use super::parameters::invalid;
use super::refusal::{Refusal, Refused};
use super::stand_in::Turn;
use super::vendor::Vendor;
use super::webhooks;

/// What a path stands for.
pub enum Place<'a> {
    /// A list; its whole path.
    List(&'a Collection, String),
    /// One record of a list; the list's whole path, and the record's name.
    Item(&'a Collection, String, String),
    /// An answer that never changes.
    Document(&'a Document),
}

impl Place<'_> {
    /// What can be done there.
    pub fn methods(&self) -> &[String] {
        match self {
            Self::List(collection, _) => &collection.methods,
            Self::Item(collection, ..) => &collection.item_methods,
            Self::Document(document) => &document.methods,
        }
    }

    /// Scopes by method, where the vendor's table says.
    pub fn needs(&self) -> &BTreeMap<String, Vec<String>> {
        match self {
            Self::List(collection, _) | Self::Item(collection, ..) => &collection.needs,
            Self::Document(document) => &document.needs,
        }
    }
}

/// The records of all lists at the start.
pub fn at_the_start(vendor: &Vendor) -> BTreeMap<String, Vec<Value>> {
    let collections = vendor.facts.collection.iter();
    collections.map(|it| (vendor.path(&it.path), first_records(it))).collect()
}

fn first_records(collection: &Collection) -> Vec<Value> {
    match (collection.repeat, collection.records.first()) {
        (Some(count), Some(record)) => {
            let numbered = |n: u64| fill(record, &|name| (name == "n").then(|| json!(n)));
            (1..=count).map(numbered).collect()
        }
        _ => collection.records.clone(),
    }
}

/// Finds what a path stands for.
pub fn place<'a>(vendor: &'a Vendor, path: &str) -> Option<Place<'a>> {
    let document = vendor.facts.document.iter().find(|it| vendor.path(&it.path) == path);
    document.map(Place::Document).or_else(|| {
        vendor.facts.collection.iter().find_map(|collection| within(vendor, collection, path))
    })
}

fn within<'a>(vendor: &Vendor, collection: &'a Collection, path: &str) -> Option<Place<'a>> {
    let list = vendor.path(&collection.path);
    if list == path && !collection.methods.is_empty() {
        return Some(Place::List(collection, list));
    }
    let rest = path.strip_prefix(list.trim_end_matches('/'))?.strip_prefix('/')?;
    let name = if list.ends_with('/') { rest.strip_suffix('/')? } else { rest };
    let is_item = !name.is_empty() && !name.contains('/') && !collection.item_methods.is_empty();
    is_item.then(|| Place::Item(collection, list.clone(), name.to_owned()))
}

/// Does what a call asks for.
pub fn act(turn: &mut Turn<'_>, place: &Place<'_>, request: &Request) -> Result<Answer, Refused> {
    match (place, request.method.as_str()) {
        (Place::Document(document), _) => shown(turn, document, request),
        (Place::List(collection, list), "GET") => listed(turn, collection, list, request),
        (Place::List(collection, list), _) => created(turn, collection, list, request),
        (Place::Item(collection, list, name), method) => {
            let all = turn.state.records.entry(list.clone()).or_default();
            let position = all.iter().position(|record| is_named(collection, record, name));
            let nothing = || Refused::new(Refusal::NotFound, format!("there is no record {name}"));
            let position = position.ok_or_else(nothing)?;
            match method {
                "GET" => Ok(one(collection, 200, &all[position])),
                "DELETE" => {
                    all.remove(position);
                    Ok(Answer::empty(204))
                }
                _ => {
                    let changes = json_body(request)?;
                    let before = all[position].clone();
                    merge(&mut all[position], changes);
                    merge(&mut all[position], updated(collection, turn.now));
                    let after = all[position].clone();
                    webhooks::happened(turn, list, Some(&before), &after);
                    Ok(one(collection, 200, &after))
                }
            }
        }
    }
}

fn is_named(collection: &Collection, record: &Value, name: &str) -> bool {
    match &record[&collection.id] {
        Value::String(id) => id == name,
        Value::Number(id) => id.to_string() == name,
        _ => false,
    }
}

fn one(collection: &Collection, status: u16, record: &Value) -> Answer {
    let body = collection.item_envelope.as_ref().map_or_else(
        || record.clone(),
        |envelope| fill(envelope, &|name| (name == "record").then(|| record.clone())),
    );
    Answer::json(status, &body)
}

fn shown(turn: &Turn<'_>, document: &Document, request: &Request) -> Result<Answer, Refused> {
    let body = match request.body.is_empty() {
        true => Map::new(),
        false => json_body(request)?,
    };
    let known = |name: &str| known(turn.now, request, &body, name);
    Ok(Answer::json(200, &fill(&document.body, &known)))
}

fn known(
    now: Timestamp,
    request: &Request,
    body: &Map<String, Value>,
    name: &str,
) -> Option<Value> {
    match name.split_once('.') {
        Some(("body", member)) => body.get(member).cloned(),
        Some(("query", parameter)) => request.query_value(parameter).map(Value::from),
        _ => (name == "now").then(|| json!(now.to_string())),
    }
}

fn created(
    turn: &mut Turn<'_>,
    collection: &Collection,
    list: &str,
    request: &Request,
) -> Result<Answer, Refused> {
    let body = json_body(request)?;
    webhooks::check_subscription(turn.vendor, list, &body)?;
    let uuid = turn.uuid();
    let stamp = Value::Object(collection.stamp.clone());
    let stamp = fill(&stamp, &|name| known(turn.now, request, &body, name));
    let all = turn.state.records.entry(list.to_owned()).or_default();
    let mut record = json!({ &collection.id: next_id(collection, all, uuid) });
    merge(&mut record, body.into_iter().filter(|(name, _)| *name != collection.id).collect());
    merge(&mut record, stamp.as_object().cloned().unwrap_or_default());
    all.push(record.clone());
    webhooks::happened(turn, list, None, &record);
    Ok(one(collection, 201, &record))
}

/// The next name in the manner of those that are there: a number, a number as text, or a UUID.
fn next_id(collection: &Collection, all: &[Value], uuid: String) -> Value {
    let ids = || all.iter().map(|record| &record[&collection.id]);
    let numbers = ids().filter_map(Value::as_u64).max();
    let texts = ids().filter_map(|id| id.as_str()?.parse::<u64>().ok()).max();
    match (numbers, texts) {
        (Some(last), _) => json!(last + 1),
        (None, Some(last)) => json!((last + 1).to_string()),
        (None, None) if all.is_empty() => json!(1),
        (None, None) => json!(uuid),
    }
}

fn updated(collection: &Collection, now: Timestamp) -> Map<String, Value> {
    let member = collection.updated_member.iter();
    member.map(|name| (name.clone(), json!(now.to_string()))).collect()
}

fn merge(record: &mut Value, changes: Map<String, Value>) {
    if let Some(members) = record.as_object_mut() {
        members.extend(changes);
    }
}

fn json_body(request: &Request) -> Result<Map<String, Value>, Refused> {
    if request.media_type().as_deref() != Some("application/json") {
        let because = "the content type must be application/json";
        return Err(Refused::new(Refusal::UnsupportedMediaType, because));
    }
    serde_json::from_slice(&request.body).map_err(|_| invalid("the body is not one JSON object"))
}

fn listed(
    turn: &Turn<'_>,
    collection: &Collection,
    list: &str,
    request: &Request,
) -> Result<Answer, Refused> {
    let all = turn.state.records.get(list).map(Vec::as_slice).unwrap_or_default();
    let chosen = filtered(collection, all, request)?;
    let page = page(collection, &chosen, request)?;
    let records: Vec<&Value> = chosen[page.first..page.end].iter().map(|it| &**it).collect();
    let body = match &collection.envelope {
        None => json!(records),
        Some(envelope) => fill(envelope, &|name| match name {
            "records" => Some(json!(records)),
            "count" => Some(json!(chosen.len())),
            _ => page.known(turn.vendor, request, name),
        }),
    };
    let answer = Answer::json(200, &body);
    let next = page.next_url(turn.vendor, request);
    Ok(match next.filter(|_| collection.link_header) {
        Some(next) => answer.with("link", format!("<{next}>; rel=\"next\"")),
        None => answer,
    })
}

fn filtered<'a>(
    collection: &Collection,
    all: &'a [Value],
    request: &Request,
) -> Result<Vec<&'a Value>, Refused> {
    let mut chosen: Vec<&Value> = all.iter().collect();
    for (parameter, only) in &collection.only {
        match request.query_value(parameter) {
            Some(value) if value == only.value => {
                chosen.retain(|record| record[&only.member] == only.equals);
            }
            Some(_) => return Err(invalid(format!("`{parameter}` takes only `{}`", only.value))),
            None => {}
        }
    }
    if let (Some(member), Some(since)) =
        (&collection.updated_member, request.query_value("updated_since"))
    {
        let time = |text: &str| text.parse::<Timestamp>().ok();
        let since = time(&since).ok_or_else(|| invalid("`updated_since` is no RFC 3339 time"))?;
        chosen.retain(|it| it[member].as_str().and_then(time).is_some_and(|at| at >= since));
    }
    for member in &collection.filters {
        let named = form_urlencoded::parse(request.query.as_bytes());
        let values: Vec<_> =
            named.filter(|(name, _)| name == member).map(|(_, value)| value).collect();
        let is_meant = |record: &Value| values.iter().any(|value| reads(&record[member], value));
        chosen.retain(|record| values.is_empty() || is_meant(record));
    }
    Ok(chosen)
}

/// Whether a member holds what a query spells.
fn reads(member: &Value, value: &str) -> bool {
    match member {
        Value::String(text) => text == value,
        Value::Number(number) => number.to_string() == value,
        Value::Bool(truth) => truth.to_string() == value,
        _ => false,
    }
}
