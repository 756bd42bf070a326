//! A signature made and judged: the scheme, the key, the raw bytes and the time come in as values.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::{Choice, ConstantTimeEq as _};

use super::fields::{self, Fields};
use super::key::Key;
use super::{encoding, timestamp};
use crate::provider::schema::{HashAlgorithm, USUAL_TOLERANCE, Webhook};
use crate::provider::template;

/// A delivery as it came.
#[derive(Debug, Clone, Copy, Default)]
pub struct Delivered<'a> {
    /// The whole signature header.
    pub signature: Option<&'a str>,
    /// The timestamp header; not looked at where the signature header holds the timestamp.
    pub timestamp: Option<&'a str>,
    /// The id header.
    pub id: Option<&'a str>,
    /// Every byte of the body, and none beside.
    pub body: &'a [u8],
}

/// Why a delivery is not to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// No signature came.
    #[error("there is no signature")]
    NoSignature,
    /// What came is not written as the scheme has it.
    #[error("the signature is not written as the scheme has it")]
    Unreadable,
    /// No timestamp came where it is part of what is signed.
    #[error("there is no timestamp")]
    NoTimestamp,
    /// The timestamp is none.
    #[error("the timestamp cannot be read")]
    UnreadableTimestamp,
    /// No id came where it is part of what is signed.
    #[error("there is no id")]
    NoId,
    /// Id or timestamp hold the mark that parts them from what follows.
    #[error("the id or the timestamp holds the mark that ends it")]
    Ambiguous,
    /// The signature was made for other bytes, or with another secret.
    #[error("the signature does not fit these bytes and this secret")]
    Mismatch,
    /// It was signed too long ago.
    #[error("it was signed {seconds} seconds ago")]
    TooOld {
        /// How long ago.
        seconds: u64,
    },
    /// It was signed in the future.
    #[error("it was signed {seconds} seconds in the future")]
    TooNew {
        /// How far ahead.
        seconds: u64,
    },
}

/// Why nothing can be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsignable {
    /// The id is part of what is signed.
    #[error("the id is part of what is signed, and there is none")]
    NoId,
    /// The timestamp is not written as the scheme has it.
    #[error("the timestamp is not written as the scheme has it")]
    Timestamp,
    /// Id or timestamp hold the mark that parts them from what follows.
    #[error("the id or the timestamp holds the mark that ends it")]
    Ambiguous,
}

/// Judges a delivery: the signature first, in constant time, then its age.
pub fn verify(
    webhook: &Webhook,
    key: &Key,
    delivered: &Delivered<'_>,
    now: Timestamp,
) -> Result<(), Unverified> {
    let header = delivered.signature.filter(|it| !it.trim().is_empty());
    let fields = Fields::read(webhook, header.ok_or(Unverified::NoSignature)?);
    let written_at = signed_timestamp(webhook, delivered, &fields)?;
    if webhook.signs_id() && delivered.id.is_none() {
        return Err(Unverified::NoId);
    }
    let read = |text: &&str| encoding::read(webhook.encoding, text);
    let given: Vec<Vec<u8>> = fields.signatures.iter().filter_map(read).collect();
    if given.is_empty() {
        return Err(Unverified::Unreadable);
    }
    let around = Around::new(webhook, delivered.id, written_at.map(|(text, _)| text))
        .ok_or(Unverified::Ambiguous)?;
    let expected = around.hash(webhook.algorithm, key, delivered.body);
    // Every one is compared, and slices of unequal length are unequal: no early way out.
    let fits = given.iter().fold(Choice::from(0), |fits, it| fits | it.ct_eq(&expected));
    if !bool::from(fits) {
        return Err(Unverified::Mismatch);
    }
    written_at.map_or(Ok(()), |(_, at)| in_time(webhook, at, now))
}

/// Makes the whole value of the signature header.
pub fn sign(
    webhook: &Webhook,
    key: &Key,
    id: Option<&str>,
    timestamp: Option<&str>,
    body: &[u8],
) -> Result<String, Unsignable> {
    if webhook.signs_id() && id.is_none() {
        return Err(Unsignable::NoId);
    }
    if webhook.signs_timestamp() {
        let text = timestamp.ok_or(Unsignable::Timestamp)?;
        timestamp::read(webhook.timestamp_format, text).ok_or(Unsignable::Timestamp)?;
    }
    let around = Around::new(webhook, id, timestamp).ok_or(Unsignable::Ambiguous)?;
    let hash = around.hash(webhook.algorithm, key, body);
    let signature = encoding::written(webhook.encoding, &hash);
    Ok(fields::written(webhook, timestamp, &signature))
}

/// The timestamp of `now`, where the scheme signs one.
pub fn timestamp_of(webhook: &Webhook, now: Timestamp) -> Option<String> {
    webhook.signs_timestamp().then(|| timestamp::written(webhook.timestamp_format, now))
}

/// The timestamp that is part of what is signed, as it was written and as a time.
fn signed_timestamp<'a>(
    webhook: &Webhook,
    delivered: &Delivered<'a>,
    fields: &Fields<'a>,
) -> Result<Option<(&'a str, Timestamp)>, Unverified> {
    if !webhook.signs_timestamp() {
        return Ok(None);
    }
    let text = match webhook.timestamp_prefix {
        Some(_) => fields.timestamp,
        None => delivered.timestamp.map(str::trim),
    };
    let text = text.ok_or(Unverified::NoTimestamp)?;
    let at = timestamp::read(webhook.timestamp_format, text);
    Ok(Some((text, at.ok_or(Unverified::UnreadableTimestamp)?)))
}

/// A replayed delivery is old; one from the future would stay good for longer than it should.
fn in_time(webhook: &Webhook, at: Timestamp, now: Timestamp) -> Result<(), Unverified> {
    let most = webhook.tolerance.unwrap_or(USUAL_TOLERANCE);
    let ahead = at.as_second() - now.as_second();
    let seconds = ahead.unsigned_abs();
    match (seconds > most, ahead > 0) {
        (false, _) => Ok(()),
        (true, false) => Err(Unverified::TooOld { seconds }),
        (true, true) => Err(Unverified::TooNew { seconds }),
    }
}

/// What is signed before and after the body.
struct Around {
    before: String,
    after: String,
}

impl Around {
    /// Fills the template in; `None` where a value holds the text that ends it, so that the same
    /// bytes could be read as another id, another time and another body.
    fn new(webhook: &Webhook, id: Option<&str>, timestamp: Option<&str>) -> Option<Self> {
        let value = |name: &str| match name {
            "id" => id.unwrap_or_default(),
            _ => timestamp.unwrap_or_default(),
        };
        let mut parts = [String::new(), String::new()];
        let mut side = 0;
        let mut rest = webhook.signed.as_str();
        for name in template::names(&webhook.signed) {
            let mark = format!("{{{name}}}");
            let (text, after) = rest.split_once(&mark)?;
            parts[side].push_str(text);
            rest = after;
            if name == "body" {
                side = 1;
                continue;
            }
            let ends_with = rest.split('{').next().unwrap_or_default();
            if !ends_with.is_empty() && value(name).contains(ends_with) {
                return None;
            }
            parts[side].push_str(value(name));
        }
        parts[side].push_str(rest);
        let [before, after] = parts;
        Some(Self { before, after })
    }

    fn hash(&self, algorithm: HashAlgorithm, key: &Key, body: &[u8]) -> Vec<u8> {
        let parts = [self.before.as_bytes(), body, self.after.as_bytes()];
        match algorithm {
            HashAlgorithm::HmacSha256 => keyed::<Hmac<Sha256>>(key, parts),
            HashAlgorithm::HmacSha1 => keyed::<Hmac<Sha1>>(key, parts),
            HashAlgorithm::HmacSha512 => keyed::<Hmac<Sha512>>(key, parts),
        }
    }
}

fn keyed<M: Mac + KeyInit>(key: &Key, parts: [&[u8]; 3]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key.expose())
        .expect("HMAC takes a key of any length (RFC 2104 section 2)");
    parts.into_iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
