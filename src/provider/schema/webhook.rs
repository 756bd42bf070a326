//! How a vendor signs its webhooks: a keyed hash over the raw body, and where everything stands.
//!
//! Signatures by a public key, shared tokens that are only compared, and schemes that sign the URL
//! or a body written anew have no words here.

use serde::{Deserialize, Serialize};

/// The signature on a vendor's deliveries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The keyed hash.
    #[serde(default)]
    pub algorithm: HashAlgorithm,
    /// How the hash is written; required.
    pub encoding: SignatureEncoding,
    /// The header that carries the signature; required.
    pub signature_header: String,
    /// What stands before a signature: `sha256=`, `v1,`, `v1=`.
    #[serde(default)]
    pub prefix: String,
    /// What parts several signatures in one header (key rotation), or the signature from its timestamp.
    #[serde(default)]
    pub separator: Option<String>,
    /// What is signed: `{body}` once, and `{id}` and `{timestamp}` where they are part of it.
    #[serde(default = "body")]
    pub signed: String,
    /// The header that carries the timestamp.
    #[serde(default)]
    pub timestamp_header: Option<String>,
    /// How the timestamp begins where it is a field of the signature header: `t=`.
    #[serde(default)]
    pub timestamp_prefix: Option<String>,
    /// How the timestamp is written.
    #[serde(default)]
    pub timestamp_format: TimestampFormat,
    /// Seconds a timestamp may lie before or after this machine's clock.
    #[serde(default)]
    pub tolerance: Option<u64>,
    /// The header that names the delivery, the same on every try.
    #[serde(default)]
    pub id_header: Option<String>,
    /// The header that names the event.
    #[serde(default)]
    pub event_header: Option<String>,
    /// How the secret becomes the key.
    #[serde(default)]
    pub key: KeyForm,
    /// What stands before a key that is written as base64 or hexadecimal: `whsec_`.
    #[serde(default)]
    pub key_prefix: String,
    /// Where the payload says whose delivery it is: a dotted path that ends in a context's name.
    #[serde(default)]
    pub route_by: Option<String>,
    /// Whether the vendor has one secret for a client, whatever accounts connect to it: a new one
    /// is then kept for every profile of that client.
    #[serde(default)]
    pub one_secret_per_client: bool,
}

/// The most seconds between two clocks where the file names none, as Stripe and Standard Webhooks have it.
pub const USUAL_TOLERANCE: u64 = 300;

impl Webhook {
    /// Whether the timestamp is part of what is signed.
    pub fn signs_timestamp(&self) -> bool {
        self.signed.contains("{timestamp}")
    }

    /// Whether the delivery's id is part of what is signed.
    pub fn signs_id(&self) -> bool {
        self.signed.contains("{id}")
    }
}

/// A keyed hash (RFC 2104).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashAlgorithm {
    /// HMAC with SHA-256.
    #[default]
    HmacSha256,
    /// HMAC with SHA-1, for vendors of old.
    HmacSha1,
    /// HMAC with SHA-512.
    HmacSha512,
}

impl HashAlgorithm {
    /// As people write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::HmacSha256 => "HMAC-SHA256",
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha512 => "HMAC-SHA512",
        }
    }
}

/// How a hash is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureEncoding {
    /// With padding (RFC 4648 section 4).
    Base64,
    /// In lower case; upper case is read too.
    Hex,
}

impl SignatureEncoding {
    /// As people write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Hex => "hexadecimal",
        }
    }
}

/// How a timestamp is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimestampFormat {
    /// Seconds since 1970.
    #[default]
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// RFC 3339.
    Rfc3339,
}

/// How a secret becomes a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyForm {
    /// Its text is the key, whatever it begins with.
    #[default]
    Text,
    /// What follows `key_prefix` is the key in base64 (Standard Webhooks).
    Base64,
    /// What follows `key_prefix` is the key in hexadecimal.
    Hex,
}

fn body() -> String {
    "{body}".into()
}
