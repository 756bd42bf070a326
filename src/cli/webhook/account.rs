//! Whose delivery it is: one webhook secret may serve every account of an application.

use serde_json::{Map, Value};

use crate::cli::context::Chosen;
use crate::http::json_path;
use crate::provider::schema::Webhook;

/// Where a payload names its account, and the one that the profile is connected to.
pub struct Account {
    path: String,
    name: String,
    own: Option<String>,
}

impl Account {
    /// `None` where the provider's payloads name none.
    pub fn of(chosen: &Chosen, webhook: &Webhook) -> Option<Self> {
        let path = webhook.route_by.clone()?;
        let name = path.rsplit('.').next().unwrap_or(&path).to_owned();
        let own = chosen.record.account.get(&name).and_then(json_path::text);
        Some(Self { path, name, own })
    }

    /// Whether the profile's own account is known.
    pub fn is_known(&self) -> bool {
        self.own.is_some()
    }

    /// The account that a body names.
    pub fn in_body(&self, body: &[u8]) -> Option<Value> {
        let body: Value = serde_json::from_slice(body).ok()?;
        json_path::look_up(&body, &self.path)
            .filter(|value| json_path::text(value).is_some())
            .cloned()
    }

    /// The same as it is shown: by the context's name.
    pub fn shown(&self, value: &Value) -> Map<String, Value> {
        Map::from_iter([(self.name.clone(), value.clone())])
    }

    /// Whose it is, where it is certainly another's.
    pub fn other(&self, value: &Value) -> Option<String> {
        let (own, theirs) = (self.own.as_deref()?, json_path::text(value)?);
        (own != theirs).then(|| format!("{} {theirs}", self.name))
    }
}
