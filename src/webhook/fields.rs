//! The signature header: one signature, or a list of fields with signatures and a timestamp among them.

use crate::provider::schema::Webhook;

/// The most signatures one header may bring; a rotation needs two.
const MOST: usize = 16;

/// What stands in a signature header.
#[derive(Debug, PartialEq, Eq)]
pub struct Fields<'a> {
    /// Without their prefixes; those of other schemes are left out.
    pub signatures: Vec<&'a str>,
    /// The timestamp, where the scheme puts it here and it stands here once.
    pub timestamp: Option<&'a str>,
}

impl<'a> Fields<'a> {
    /// Reads a header.
    pub fn read(webhook: &Webhook, header: &'a str) -> Self {
        let fields: Vec<&str> = match &webhook.separator {
            Some(separator) => header.split(separator.as_str()).map(str::trim).collect(),
            None => vec![header.trim()],
        };
        let timestamps: Vec<&str> = match webhook.timestamp_prefix.as_deref() {
            Some(prefix) => fields.iter().filter_map(|it| it.strip_prefix(prefix)).collect(),
            None => Vec::new(),
        };
        let is_timestamp = |field: &str| {
            webhook.timestamp_prefix.as_deref().is_some_and(|prefix| field.starts_with(prefix))
        };
        let signatures = fields.iter().filter(|field| !is_timestamp(field));
        let signatures = signatures.filter_map(|it| it.strip_prefix(webhook.prefix.as_str()));
        Self {
            signatures: signatures.filter(|it| !it.is_empty()).take(MOST).collect(),
            timestamp: match timestamps.as_slice() {
                [one] => Some(one),
                _ => None,
            },
        }
    }
}

/// Writes a header with one signature.
pub fn written(webhook: &Webhook, timestamp: Option<&str>, signature: &str) -> String {
    let signature = format!("{}{signature}", webhook.prefix);
    match (&webhook.timestamp_prefix, &webhook.separator, timestamp) {
        (Some(prefix), Some(separator), Some(timestamp)) => {
            format!("{prefix}{timestamp}{separator}{signature}")
        }
        _ => signature,
    }
}
