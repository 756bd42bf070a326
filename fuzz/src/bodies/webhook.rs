//! A delivery's headers and body.

use std::sync::LazyLock;

use jiff::Timestamp;
use keyfob::provider::catalogue;
use keyfob::provider::schema::Webhook;
use keyfob::secret::Secret;
use keyfob::webhook::delivery_ids::{DeliveryIds, DeliveryName};
use keyfob::webhook::headers::Headers;
use keyfob::webhook::{Key, sign, verify};

/// Every shipped vendor's scheme, and one like Standard Webhooks.
static SCHEMES: LazyLock<Vec<Webhook>> = LazyLock::new(|| {
    let vendors = catalogue::names()
        .map(|name| catalogue::shipped(name).expect("it is shipped").expect("it is right"));
    let standard = serde_json::json!({
        "algorithm": "hmac_sha256", "encoding": "base64", "signature_header": "webhook-signature",
        "prefix": "v1,", "separator": " ",
        "timestamp_header": "webhook-timestamp", "id_header": "webhook-id",
        "signed": "{id}.{timestamp}.{body}",
    });
    let standard: Webhook = serde_json::from_value(standard).expect("a scheme");
    vendors.filter_map(|vendor| vendor.webhook).chain([standard]).collect()
});

/// Headers as lines, an empty line, the body. Only a signature made with the key passes.
pub fn headers(bytes: &[u8]) {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap_or(bytes.len());
    let (head, body) = (&bytes[..end], bytes.get(end + 2..).unwrap_or_default());
    let lines: Vec<(&[u8], &[u8])> = head
        .split(|byte| *byte == b'\n')
        .filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((line[..colon].trim_ascii(), line[colon + 1..].trim_ascii()))
        })
        .collect();
    let now = Timestamp::from_second(1_700_000_000).expect("a moment");
    for scheme in SCHEMES.iter() {
        let values = |name: &str| {
            let named = |(known, _): &&(&[u8], &[u8])| known.eq_ignore_ascii_case(name.as_bytes());
            lines.iter().filter(named).map(|(_, value)| *value).collect()
        };
        let Ok(headers) = Headers::read(scheme, values) else { continue };
        let key = Key::new(scheme, &Secret::new("c2VlZHMgb2YgdGhlIGZ1enplciwgbm8gc2VjcmV0"))
            .expect("a key");
        if verify(scheme, &key, &headers.with(body), now).is_ok() {
            let id = headers.id.as_deref();
            let timestamp = headers.timestamp.as_deref();
            if scheme.timestamp_header.is_some() || !scheme.signs_timestamp() {
                let made =
                    sign(scheme, &key, id, timestamp, body).expect("what passes can be made");
                let delivered =
                    keyfob::webhook::Delivered { signature: Some(&made), id, timestamp, body };
                assert_eq!(verify(scheme, &key, &delivered, now), Ok(()));
            }
        }
        let mut ids = DeliveryIds::default();
        ids.read(bytes);
        ids.add(&DeliveryName::of(scheme, &super::text(head), body));
        assert!(ids.text().len() <= bytes.len() + 33);
    }
}
