//! What a person is told about webhooks: a secret, a signature, a receiver.

use std::io::ErrorKind;

use super::super::command_line::word;
use super::super::context::title;
use super::{Exit, Report};
use crate::http::printable::printable;
use crate::provider::Provider;
use crate::provider::schema::Webhook;
use crate::store::lock::Holder;
use crate::webhook::headers::HeaderError;
use crate::webhook::{KeyError, Unsignable, Unverified};

/// A provider without a `[webhook]` table.
pub fn no_scheme(provider: &Provider) -> Report {
    let message = format!("the provider file of {} describes no webhook", title(provider));
    Report::new(Exit::SetUp, "no-webhook", message)
        .cause("a [webhook] table says how the vendor signs: algorithm, encoding, headers")
        .hint("add one to a provider file of your own, then check it")
        .next(format!("keyfob provider check {}.toml", word(&provider.name)))
}

/// No secret, neither in the environment nor in the store.
pub fn webhook_secret_missing(profile: &str) -> Report {
    let message = format!("there is no webhook secret for `{profile}`");
    Report::new(Exit::SetUp, "webhook-secret-missing", message)
        .cause("neither KEYFOB_WEBHOOK_SECRET nor the store holds one")
        .hint("keep the one that the vendor issued, or set KEYFOB_WEBHOOK_SECRET")
        .next(format!("keyfob profile secret {} webhook_secret", word(profile)))
}

/// A secret that is no key of this scheme.
pub fn webhook_key(error: KeyError, webhook: &Webhook, profile: &str) -> Report {
    let report = Report::new(Exit::SetUp, "webhook-secret", error.to_string());
    let report = match error {
        KeyError::Empty => report.cause("anyone can sign with nothing"),
        KeyError::NotBase64 | KeyError::NotHexadecimal => match webhook.key_prefix.as_str() {
            "" => report.cause("the provider file says how its key is written"),
            prefix => report.cause(format!("the key is what follows `{prefix}`")),
        },
    };
    report
        .hint("give the secret as the vendor shows it")
        .next(format!("keyfob profile secret {} webhook_secret", word(profile)))
}

/// A delivery that is not to be trusted.
pub fn unverified(error: &Unverified, webhook: &Webhook) -> Report {
    let code = match error {
        Unverified::TooOld { .. } | Unverified::TooNew { .. } => "webhook-expired",
        _ => "webhook-unverified",
    };
    let report =
        Report::new(Exit::ApiRefused, code, "the webhook does not verify").cause(error.to_string());
    match error {
        Unverified::Mismatch => report.hint(
            "the bytes must be those that came, to the last line break; and the secret the one that signed them",
        ),
        Unverified::NoSignature | Unverified::Unreadable => report.hint(format!(
            "give the whole value of {}: {}",
            webhook.signature_header,
            looks(webhook)
        )),
        Unverified::NoTimestamp | Unverified::UnreadableTimestamp => {
            match &webhook.timestamp_header {
                Some(name) => report.hint(format!("give {name} with --timestamp")),
                None => report.hint("the signature header holds the timestamp once: give it whole"),
            }
        }
        Unverified::NoId | Unverified::Ambiguous => report.hint(format!(
            "give {} as it came, with --id",
            webhook.id_header.as_deref().unwrap_or("the id")
        )),
        Unverified::TooOld { .. } => {
            report.hint("an old delivery may be a replay; check this machine's clock")
        }
        Unverified::TooNew { .. } => report.hint("check this machine's clock"),
    }
}

/// How a signature of the scheme looks.
fn looks(webhook: &Webhook) -> String {
    let time = webhook.timestamp_prefix.iter().zip(&webhook.separator);
    let time: String = time.map(|(prefix, separator)| format!("{prefix}…{separator}")).collect();
    format!("{time}{}… in {}", webhook.prefix, webhook.encoding.title())
}

/// Headers that make no sense.
pub fn webhook_header(error: &HeaderError) -> Report {
    Report::usage(error.to_string()).hint("give each header as it came, once")
}

/// Something that cannot be signed.
pub fn unsignable(error: Unsignable, webhook: &Webhook) -> Report {
    let report = Report::usage(error.to_string());
    match error {
        Unsignable::NoId => report.hint("name it with --id"),
        Unsignable::Ambiguous => report.hint(format!("this is signed: {}", webhook.signed)),
        Unsignable::Timestamp => report.hint("leave --timestamp away to sign for now"),
    }
}

/// A port that cannot be had.
pub fn not_bound(error: &std::io::Error, port: u16) -> Report {
    let report =
        Report::new(Exit::SetUp, "webhook-port", format!("port {port} of 127.0.0.1 cannot be had"))
            .cause(printable(&error.to_string()));
    match error.kind() {
        ErrorKind::AddrInUse => report.hint("another program listens there: choose another port"),
        _ => report.hint("choose a port above 1023"),
    }
}

/// Another process receives for the profile, and only one can know what was delivered.
pub fn receiving(profile: &str, holder: Option<&Holder>) -> Report {
    let who = holder.map_or("another process".to_owned(), |it| {
        format!("process {} (since {})", it.process, it.since)
    });
    let message = format!("webhooks of `{profile}` are being received by another keyfob");
    Report::new(Exit::Store, "webhook-received-elsewhere", message)
        .cause(format!("{who} remembers which deliveries were done"))
        .hint("end that one first")
}

/// A receiver that did not take a test event; `words` is the beginning of its answer.
pub fn answered(url: &str, status: u16, words: &str) -> Report {
    let (exit, code, what) = match status {
        500.. => (Exit::ApiFailed, "receiver-failed", "failed"),
        300..=399 => (Exit::ApiRefused, "receiver-redirects", "points elsewhere"),
        _ => (Exit::ApiRefused, "receiver-refused", "refused the event"),
    };
    let mut report = Report::new(exit, code, format!("{url} {what}: HTTP {status}"));
    report.http_status = Some(status);
    let words = printable(words);
    if !words.is_empty() {
        report = report.cause(format!("\"{words}\""));
    }
    match status {
        401 | 403 => report.hint("does the receiver have the same webhook secret?"),
        404 => report.hint("is this the receiver's path?"),
        300..=399 => {
            report.hint("no redirect is followed, as by most vendors: send to where it leads")
        }
        500.. => report.hint("look at the receiver's own log"),
        _ => report,
    }
}
