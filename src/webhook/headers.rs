//! The headers of a delivery that its scheme names.

use super::signature::Delivered;
use crate::provider::schema::Webhook;

/// What a delivery says beside its body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    /// The whole signature header.
    pub signature: Option<String>,
    /// The timestamp header.
    pub timestamp: Option<String>,
    /// Names the delivery.
    pub id: Option<String>,
    /// Names the event.
    pub event: Option<String>,
}

/// Why headers cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Two values where one is signed.
    #[error("the header {0} came more than once")]
    Repeated(String),
    /// Not visible ASCII.
    #[error("the header {0} is not text")]
    NotText(String),
}

impl Headers {
    /// Reads them; `values` gives every value of a header, whatever the case of its name.
    pub fn read<'v>(
        webhook: &Webhook,
        values: impl Fn(&str) -> Vec<&'v [u8]>,
    ) -> Result<Self, HeaderError> {
        let one = |name: &str| single(name, values(name));
        let named = |name: &Option<String>| match name {
            Some(name) => one(name),
            None => Ok(None),
        };
        Ok(Self {
            signature: signature(webhook, &values)?,
            timestamp: named(&webhook.timestamp_header)?,
            id: named(&webhook.id_header)?,
            event: named(&webhook.event_header)?,
        })
    }

    /// The delivery that they make with a body.
    pub fn with<'a>(&'a self, body: &'a [u8]) -> Delivered<'a> {
        Delivered {
            signature: self.signature.as_deref(),
            timestamp: self.timestamp.as_deref(),
            id: self.id.as_deref(),
            body,
        }
    }

    /// Names and values, as they are sent; the signature first.
    pub fn lines<'a>(&'a self, webhook: &'a Webhook) -> Vec<(&'a str, &'a str)> {
        let all = [
            (Some(&webhook.signature_header), &self.signature),
            (webhook.timestamp_header.as_ref(), &self.timestamp),
            (webhook.id_header.as_ref(), &self.id),
            (webhook.event_header.as_ref(), &self.event),
        ];
        let known = |(name, value): (Option<&'a String>, &'a Option<String>)| {
            Some((name?.as_str(), value.as_deref()?))
        };
        all.into_iter().filter_map(known).collect()
    }
}

/// A list of signatures may come on several lines (RFC 9110 section 5.3).
fn signature<'v>(
    webhook: &Webhook,
    values: impl Fn(&str) -> Vec<&'v [u8]>,
) -> Result<Option<String>, HeaderError> {
    let name = &webhook.signature_header;
    let all = values(name);
    match &webhook.separator {
        Some(separator) if all.len() > 1 => {
            let texts: Result<Vec<&str>, _> = all.iter().map(|it| text(name, it)).collect();
            Ok(Some(texts?.join(separator)))
        }
        _ => single(name, all),
    }
}

fn single(name: &str, values: Vec<&[u8]>) -> Result<Option<String>, HeaderError> {
    match values.as_slice() {
        [] => Ok(None),
        [one] => text(name, one).map(|text| Some(text.to_owned())),
        _ => Err(HeaderError::Repeated(name.to_owned())),
    }
}

fn text<'v>(name: &str, value: &'v [u8]) -> Result<&'v str, HeaderError> {
    let visible = |byte: &u8| matches!(byte, b' '..=b'~');
    let text = std::str::from_utf8(value).ok().filter(|_| value.iter().all(visible));
    text.ok_or_else(|| HeaderError::NotText(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue::shipped;

    type Lines = &'static [(&'static str, &'static [u8])];

    fn read(webhook: &Webhook, lines: Lines) -> Result<Headers, HeaderError> {
        Headers::read(webhook, |name| {
            let fits = |(key, _): &&(&str, &'static [u8])| key.eq_ignore_ascii_case(name);
            lines.iter().filter(fits).map(|(_, value)| *value).collect()
        })
    }

    fn inkress() -> Webhook {
        shipped("inkress").unwrap().unwrap().webhook.unwrap()
    }

    #[test]
    fn the_headers_of_a_delivery_are_found_whatever_their_case() {
        let lines: Lines = &[
            ("x-inkress-webhook-signature", b"c2ln"),
            ("X-INKRESS-WEBHOOK-ID", b"evt 1"),
            ("x-inkress-webhook-event", b"orders.paid"),
            ("x-other", b"\xff"),
        ];
        let headers = read(&inkress(), lines).unwrap();
        assert_eq!(headers.id.as_deref(), Some("evt 1"));
        assert_eq!(headers.timestamp, None);
        let webhook = inkress();
        assert_eq!(headers.lines(&webhook)[0], ("X-Inkress-Webhook-Signature", "c2ln"));
        assert_eq!(headers.lines(&webhook).len(), 3);
    }

    #[test]
    fn a_header_that_came_twice_or_is_no_text_is_named() {
        let twice: Lines = &[("x-inkress-webhook-id", b"1"), ("x-inkress-webhook-id", b"2")];
        let name = || "X-Inkress-Webhook-ID".to_owned();
        assert_eq!(read(&inkress(), twice), Err(HeaderError::Repeated(name())));
        let odd: Lines = &[("x-inkress-webhook-id", b"\xc3\xbc")];
        assert_eq!(read(&inkress(), odd), Err(HeaderError::NotText(name())));
        let two: Lines =
            &[("x-inkress-webhook-signature", b"a"), ("x-inkress-webhook-signature", b"b")];
        assert!(read(&inkress(), two).is_err());
        let listed = Webhook { separator: Some(",".into()), ..inkress() };
        assert_eq!(read(&listed, two).unwrap().signature.as_deref(), Some("a,b"));
    }
}
