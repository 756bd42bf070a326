//! A setting that only the connected vendor can list, such as an organization: its choices.

use std::time::Duration;

use serde_json::Value;

use super::Connection;
use super::call::{CallError, Manner};
use super::entry::Entry;
use crate::http::Body;
use crate::http::json_path::text;
use crate::provider::schema::SettingList;
use crate::resource_server::Items;
use crate::resource_server::request::{ApiRequest, Call, RequestError};

/// The longest list that is read, in bytes.
const LONGEST: usize = 1 << 20;

/// One value to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What the setting becomes.
    pub value: String,
    /// The vendor's name for it.
    pub label: String,
}

/// Why there is no list.
#[derive(Debug)]
pub enum ListError {
    /// The request makes no sense.
    Request(RequestError),
    /// No answer.
    Call(CallError),
    /// An answer that is no list.
    Unreadable {
        /// Its status.
        status: u16,
    },
}

impl Connection<'_> {
    /// Asks the vendor for the values that a setting can have.
    pub async fn choices(
        &self,
        entry: &Entry,
        list: &SettingList,
    ) -> Result<Vec<Choice>, ListError> {
        let values = self.call_values(entry);
        let call = Call {
            api: &self.provider.api,
            settings: &self.provider.settings,
            values: &values,
            method: None,
            path: &list.get,
            items: Items::default(),
            body: Body::Empty,
            form: false,
            idempotency_key: None,
        };
        let mut request =
            ApiRequest::new(call, &*self.system.random).map_err(ListError::Request)?;
        let manner = Manner { retries: 2, timeout: Duration::from_secs(15), force: true };
        let called =
            self.call(entry.clone(), &mut request, manner).await.map_err(ListError::Call)?;
        let status = called.answer.status;
        if status >= 400 {
            return Err(ListError::Unreadable { status });
        }
        let body = called.answer.whole(LONGEST).await;
        let body = body.map_err(|error| ListError::Call(CallError::Http(error)))?;
        let document = serde_json::from_slice(&body).ok();
        document.and_then(|it| read(&it, list)).ok_or(ListError::Unreadable { status })
    }
}

/// Reads a bare list, or a list in an object: its shape is not documented everywhere.
///
/// The first list with an item that has an id counts; an empty one only where there is no such.
fn read(document: &Value, list: &SettingList) -> Option<Vec<Choice>> {
    let lists: Vec<&Vec<Value>> = match document {
        Value::Array(items) => vec![items],
        Value::Object(members) => members.values().filter_map(Value::as_array).collect(),
        _ => return None,
    };
    let read = lists.iter().map(|items| choices(items, list)).find(|found| !found.is_empty());
    read.or_else(|| lists.iter().any(|items| items.is_empty()).then(Vec::new))
}

/// The items that can be chosen: one without an id cannot.
fn choices(items: &[Value], list: &SettingList) -> Vec<Choice> {
    let choice = |item: &Value| {
        let value = text(item.get(&list.id)?)?;
        let label = item.get(&list.label).and_then(text);
        Some(Choice { label: label.unwrap_or_else(|| value.clone()), value })
    };
    items.iter().filter_map(choice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_bare_list_and_a_list_in_an_object_are_read() {
        let list = SettingList { get: "/o".into(), id: "id".into(), label: "name".into() };
        let items = json!([{"id": "a", "name": "Acme"}, {"id": 7}]);
        let expected = Some(vec![
            Choice { value: "a".into(), label: "Acme".into() },
            Choice { value: "7".into(), label: "7".into() },
        ]);
        assert_eq!(read(&items, &list), expected);
        assert_eq!(read(&json!({"count": 2, "organizations": items}), &list), expected);
        let beside = json!({"links": [{"rel": "next"}], "errors": [], "organizations": items});
        assert_eq!(read(&beside, &list), expected);
        let odd = json!([{"name": "no id"}, {"id": "a", "name": "Acme"}, {"id": 7}]);
        assert_eq!(read(&odd, &list), expected);
        assert_eq!(read(&json!({"organizations": []}), &list), Some(Vec::new()));
        assert_eq!(read(&json!({"a": 1}), &list), None);
        assert_eq!(read(&json!([{"name": "no id"}]), &list), None);
    }
}
