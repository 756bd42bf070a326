//! What a `[webhook]` table must not say: words without effect, and schemes that prove nothing.

use hyper::header::HeaderName;

use super::Provider;
use super::file::Finding;
use super::schema::{KeyForm, TimestampFormat, Webhook};
use super::template;

/// The names that may stand in braces in what is signed.
const NAMES: [&str; 3] = ["body", "id", "timestamp"];

/// The first rule that the table breaks.
pub(super) fn broken(provider: &Provider) -> Option<Finding> {
    let webhook = provider.webhook.as_ref()?;
    let found = signed(webhook)
        .or_else(|| timestamp(webhook))
        .or_else(|| id(webhook))
        .or_else(|| headers(webhook))
        .or_else(|| fields(webhook))
        .or_else(|| key(webhook))
        .or_else(|| route(webhook, provider));
    found.map(|(key, says)| Finding::at(&["webhook", key], says))
}

type Found = Option<(&'static str, String)>;

fn found(key: &'static str, says: impl Into<String>) -> Found {
    Some((key, says.into()))
}

fn signed(webhook: &Webhook) -> Found {
    let names = template::names(&webhook.signed);
    if let Some(name) = names.iter().find(|name| !NAMES.contains(name)) {
        let says = format!("`{{{name}}}` is not one of {{body}}, {{id}} and {{timestamp}}");
        return found("signed", says);
    }
    let times = |wanted: &str| names.iter().filter(|name| **name == wanted).count();
    if times("body") != 1 {
        return found("signed", "the signature covers {body}, once");
    }
    NAMES
        .iter()
        .find(|name| times(name) > 1)
        .and_then(|name| found("signed", format!("`{{{name}}}` stands there more than once")))
}

/// A timestamp that is not signed can be written anew by anyone, so it would prove nothing.
fn timestamp(webhook: &Webhook) -> Found {
    let places = (webhook.timestamp_header.is_some(), webhook.timestamp_prefix.is_some());
    match (webhook.signs_timestamp(), places) {
        (true, (false, false)) => {
            found("signed", "{timestamp} needs `timestamp_header` or `timestamp_prefix`")
        }
        (true, (true, true)) => {
            found("timestamp_prefix", "the timestamp stands in one place: leave one of the two out")
        }
        (true, (false, true)) if webhook.separator.is_none() => found(
            "timestamp_prefix",
            "`timestamp_prefix` needs the `separator` between timestamp and signature",
        ),
        (true, _) => None,
        (false, (true, _)) => without_timestamp("timestamp_header"),
        (false, (_, true)) => without_timestamp("timestamp_prefix"),
        (false, _) if webhook.tolerance.is_some() => without_timestamp("tolerance"),
        (false, _) if webhook.timestamp_format != TimestampFormat::default() => {
            without_timestamp("timestamp_format")
        }
        (false, _) => None,
    }
}

fn without_timestamp(key: &'static str) -> Found {
    found(key, format!("`{key}` has no effect: `signed` does not name {{timestamp}}"))
}

fn id(webhook: &Webhook) -> Found {
    match webhook.signs_id() && webhook.id_header.is_none() {
        true => found("signed", "{id} needs the `id_header` it stands in"),
        false => None,
    }
}

fn headers(webhook: &Webhook) -> Found {
    let all = [
        ("signature_header", Some(&webhook.signature_header)),
        ("timestamp_header", webhook.timestamp_header.as_ref()),
        ("id_header", webhook.id_header.as_ref()),
        ("event_header", webhook.event_header.as_ref()),
    ];
    let named: Vec<(&str, &String)> =
        all.into_iter().filter_map(|(key, name)| Some((key, name?))).collect();
    for (place, (key, name)) in named.iter().enumerate() {
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            return found(key, format!("`{name}` is no header's name"));
        }
        if named[..place].iter().any(|(_, other)| other.eq_ignore_ascii_case(name)) {
            return found(key, format!("`{name}` is named twice"));
        }
    }
    None
}

/// What the fields of the signature header look like.
fn fields(webhook: &Webhook) -> Found {
    match &webhook.separator {
        Some(separator) if separator.is_empty() => {
            found("separator", "an empty separator parts nothing: leave it out")
        }
        Some(separator) if webhook.prefix.contains(separator.as_str()) => {
            found("prefix", "the prefix holds the separator, so no field could begin with it")
        }
        Some(separator)
            if webhook
                .timestamp_prefix
                .as_ref()
                .is_some_and(|it| it.contains(separator.as_str())) =>
        {
            found("timestamp_prefix", "it holds the separator, so no field could begin with it")
        }
        _ if webhook.timestamp_prefix.as_deref() == Some("") => {
            found("timestamp_prefix", "every field begins with nothing: name what stands before it")
        }
        _ if webhook.timestamp_prefix.as_ref() == Some(&webhook.prefix) => {
            found("timestamp_prefix", "timestamp and signature would begin alike")
        }
        _ => None,
    }
}

fn key(webhook: &Webhook) -> Found {
    match webhook.key == KeyForm::Text && !webhook.key_prefix.is_empty() {
        true => found(
            "key_prefix",
            "`key_prefix` has no effect with `key = \"text\"`: the whole text is the key",
        ),
        false => None,
    }
}

fn route(webhook: &Webhook, provider: &Provider) -> Found {
    let path = webhook.route_by.as_deref()?;
    let name = path.rsplit('.').next().unwrap_or(path);
    match provider.context.iter().any(|context| context.name == name) {
        true => None,
        false => found("route_by", format!("no [[context]] is named `{name}`")),
    }
}

#[cfg(test)]
mod tests {
    use crate::provider::file::{FileError, read};

    const PROVIDER: &str = r#"schema = 1
name = "x"
flows = ["authorization_code"]
[authorize]
url = "https://x.example/authorize"
[token]
url = "https://x.example/token"
[api]
base_url = "https://x.example"
[[context]]
name = "merchant_id"
path = "merchant_id"
[webhook]
"#;

    fn with(table: &str) -> Result<(), FileError> {
        read("x.toml", &format!("{PROVIDER}{table}")).map(|_| ())
    }

    const BODY: &str = "encoding = \"hex\"\nsignature_header = \"X-S\"\n";

    #[test]
    fn the_schemes_of_the_field_can_be_said() {
        let tables = [
            "prefix = \"sha256=\"\nevent_header = \"X-GitHub-Event\"\nid_header = \"X-GitHub-Delivery\"",
            "separator = \",\"\nprefix = \"v1=\"",
            "separator = \",\"\nprefix = \"v1=\"\nsigned = \"{timestamp}.{body}\"\ntimestamp_prefix = \"t=\"\ntolerance = 180",
            "separator = \" \"\nprefix = \"v1,\"\nsigned = \"{id}.{timestamp}.{body}\"\ntimestamp_header = \"webhook-timestamp\"\nid_header = \"webhook-id\"\nkey = \"base64\"\nkey_prefix = \"whsec_\"",
            "prefix = \"v0=\"\nsigned = \"v0:{timestamp}:{body}\"\ntimestamp_header = \"X-Slack-Request-Timestamp\"",
            "signed = \"{id}{timestamp}{body}\"\nid_header = \"I\"\ntimestamp_header = \"T\"\ntimestamp_format = \"rfc3339\"",
            "algorithm = \"hmac_sha1\"\nroute_by = \"data.merchant_id\"",
            "algorithm = \"hmac_sha512\"\nkey = \"hex\"",
        ];
        for table in tables {
            with(&format!("{BODY}{table}")).unwrap_or_else(|error| panic!("{error}"));
        }
    }

    #[test]
    fn a_word_without_effect_or_without_its_other_half_is_refused_with_its_line() {
        let cases = [
            ("signed = \"{boddy}\"", "`{boddy}` is not one of"),
            ("signed = \"x\"", "covers {body}, once"),
            ("signed = \"{body}{body}\"", "covers {body}, once"),
            ("signed = \"{id}{id}{body}\"\nid_header = \"I\"", "more than once"),
            ("signed = \"{timestamp}{body}\"", "{timestamp} needs"),
            ("signed = \"{id}{body}\"", "{id} needs"),
            ("timestamp_header = \"T\"", "no effect"),
            ("timestamp_prefix = \"t=\"", "no effect"),
            ("tolerance = 300", "no effect"),
            ("timestamp_format = \"rfc3339\"", "no effect"),
            ("signed = \"{timestamp}{body}\"\ntimestamp_prefix = \"t=\"", "needs the `separator`"),
            (
                "signed = \"{timestamp}{body}\"\ntimestamp_prefix = \"t=\"\ntimestamp_header = \"T\"",
                "one place",
            ),
            ("id_header = \"X S\"", "no header's name"),
            ("id_header = \"x-s\"", "named twice"),
            ("separator = \"\"", "parts nothing"),
            ("separator = \",\"\nprefix = \"v1,\"", "holds the separator"),
            ("key_prefix = \"whsec_\"", "no effect"),
            ("route_by = \"shop_id\"", "no [[context]]"),
        ];
        for (table, says) in cases {
            let error = with(&format!("{BODY}{table}")).expect_err(table);
            assert!(error.message.contains(says), "{table}: {error}");
            assert!(error.line.is_some_and(|line| line > 13), "{table}: {error}");
        }
        let slip = with(&format!("{BODY}algoritm = \"hmac_sha1\"")).unwrap_err();
        assert_eq!((slip.line, slip.nearest.as_deref()), (Some(16), Some("algorithm")));
        let rsa = with(&format!("{BODY}algorithm = \"rsa_sha256\"")).unwrap_err();
        assert_eq!(rsa.line, Some(16));
    }
}
