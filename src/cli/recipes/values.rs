//! The values of a run: what was given, what stands in, what was taken out of answers; all as JSON text.

use std::collections::BTreeMap;

use serde_json::Value;
use url::form_urlencoded;

use crate::provider::schema::{Recipe, Step};
use crate::provider::{Values, template};

/// Name to JSON, as it was written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known(BTreeMap<String, String>);

impl Known {
    /// Sets a value.
    pub fn set(&mut self, name: &str, json: String) {
        self.0.insert(name.to_owned(), json);
    }

    /// Whether there is one of that name.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A value as it goes into an address.
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|json| plain(json))
    }

    /// Whether a step has nothing left to find out.
    pub fn has_all_of(&self, step: &Step) -> bool {
        !step.take.is_empty() && step.take.keys().all(|name| self.has(name))
    }

    /// The one object that expressions of bodies are about.
    pub fn object(&self) -> Vec<u8> {
        let members: Vec<String> = self
            .0
            .iter()
            .map(|(name, json)| format!("{}:{json}", Value::from(name.as_str())))
            .collect();
        format!("{{{}}}", members.join(",")).into_bytes()
    }

    /// The path and query of a step; `values` are settings and contexts.
    pub fn address(&self, step: &Step, values: &Values) -> Result<String, template::MissingValue> {
        let mut all = values.clone();
        for (name, json) in &self.0 {
            all.set(name, plain(json));
        }
        let path = all.render_path(&step.path)?;
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &step.query {
            // What names a parameter that nobody gave is left out.
            if let Ok(value) = all.render(value) {
                query.append_pair(name, &value);
            }
        }
        let query = query.finish();
        Ok(if query.is_empty() { path } else { format!("{path}?{query}") })
    }

    /// What a person can type to give these values again.
    pub fn items(&self, recipe: &Recipe) -> Vec<String> {
        let is_default = |name: &str, json: &str| {
            let parameter = recipe.parameters.iter().find(|it| it.name == name);
            parameter.and_then(|it| it.default.as_ref()).is_some_and(|it| *it == plain(json))
        };
        let given = self.0.iter().filter(|(name, json)| !is_default(name, json));
        given.map(|(name, json)| item(name, json)).collect()
    }
}

/// `name=text` or `name:=json`, not yet a shell's word.
pub fn item(name: &str, json: &str) -> String {
    match serde_json::from_str::<String>(json) {
        Ok(text) => format!("{name}={text}"),
        Err(_) => format!("{name}:={json}"),
    }
}

/// A text without its quotes; anything else as it is written.
fn plain(json: &str) -> String {
    serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(path: &str, query: &[(&str, &str)]) -> Step {
        let own = |text: &str| text.to_owned();
        Step {
            does: String::new(),
            method: own("GET"),
            path: own(path),
            query: query.iter().map(|(name, value)| (own(name), own(value))).collect(),
            body: None,
            take: BTreeMap::new(),
            keep: BTreeMap::new(),
        }
    }

    #[test]
    fn a_value_stays_in_its_segment_and_keeps_its_digits() {
        let mut known = Known::default();
        known.set("id", "\"a/b?c\"".into());
        known.set("total", "12.10".into());
        let mut values = Values::default();
        values.set("account", "7");
        let step = step("/{account}/x/{id}", &[("t", "{total}"), ("left_out", "{nothing}")]);
        assert_eq!(known.address(&step, &values).unwrap(), "/7/x/a%2Fb%3Fc?t=12.10");
        assert_eq!(known.object(), b"{\"id\":\"a/b?c\",\"total\":12.10}");
        assert!(known.address(&self::step("/{who}", &[]), &values).is_err());
        assert_eq!(item("id", "\"a b\""), "id=a b");
        assert_eq!(item("id", "12"), "id:=12");
    }
}
