//! Records changed behind the API's back, as other people and other apps change them.

use serde_json::Value;

use super::Sandbox;

impl Sandbox {
    /// Puts a record into a list, by the list's whole path, or in the place of the one with the same `id`.
    pub fn put_record(&self, path: &str, record: Value) {
        let mut state = self.stand_in.state();
        let records = state.records.entry(path.to_owned()).or_default();
        match records.iter_mut().find(|earlier| earlier["id"] == record["id"]) {
            Some(earlier) => *earlier = record,
            None => records.push(record),
        }
    }

    /// Empties a list.
    pub fn remove_records(&self, path: &str) {
        self.stand_in.state().records.entry(path.to_owned()).or_default().clear();
    }
}
