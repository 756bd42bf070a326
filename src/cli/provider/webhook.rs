//! How a vendor signs its webhooks, for `provider show`.

use crate::cli::report::span;
use crate::provider::Provider;
use crate::provider::schema::{KeyForm, USUAL_TOLERANCE, Webhook};

/// The lines of the section; none where the file describes no webhook.
pub fn lines(provider: &Provider) -> Vec<String> {
    let Some(webhook) = &provider.webhook else { return Vec::new() };
    let named = |label: &str, name: &Option<String>| {
        name.as_ref().map(|name| format!("{label}: {name}")).unwrap_or_default()
    };
    vec![
        format!("signature: {}{} in {}", webhook.prefix, what(webhook), webhook.signature_header),
        format!("key: {}", key(webhook)),
        named("timestamp", &webhook.timestamp_header),
        age(webhook),
        whose(webhook),
        named("id", &webhook.id_header),
        named("event", &webhook.event_header),
        named("account, in the payload", &webhook.route_by),
        format!("check one: keyfob webhook verify {} --signature …", provider.name),
    ]
}

fn what(webhook: &Webhook) -> String {
    let signed = match webhook.signed.as_str() {
        "{body}" => "the raw body",
        other => other,
    };
    format!("{} of {signed}, {},", webhook.algorithm.title(), webhook.encoding.title())
}

fn key(webhook: &Webhook) -> String {
    let after = match webhook.key_prefix.as_str() {
        "" => String::new(),
        prefix => format!(" after `{prefix}`"),
    };
    match webhook.key {
        KeyForm::Text => "the secret as it stands".into(),
        KeyForm::Base64 => format!("the secret in base64{after}"),
        KeyForm::Hex => format!("the secret in hexadecimal{after}"),
    }
}

fn whose(webhook: &Webhook) -> String {
    match webhook.one_secret_per_client {
        true => "secret: one for the client, whatever accounts connect to it".into(),
        false => String::new(),
    }
}

fn age(webhook: &Webhook) -> String {
    match webhook.signs_timestamp() {
        true => format!("age: at most {}", span(webhook.tolerance.unwrap_or(USUAL_TOLERANCE))),
        false => String::new(),
    }
}
