//! The key that a webhook secret stands for.

use std::fmt;

use zeroize::Zeroizing;

use super::encoding;
use crate::provider::schema::{KeyForm, Webhook};
use crate::secret::Secret;

/// The bytes that go into the keyed hash; wiped when dropped, never shown.
pub struct Key(Zeroizing<Vec<u8>>);

/// Why a secret is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Anyone can sign with nothing.
    #[error("the webhook secret is empty")]
    Empty,
    /// The scheme wants base64.
    #[error("the webhook secret is not base64")]
    NotBase64,
    /// The scheme wants hexadecimal.
    #[error("the webhook secret is not hexadecimal")]
    NotHexadecimal,
}

impl Key {
    /// Makes the key as the scheme has it.
    ///
    /// `whsec_` is the trap: at Inkress it belongs to the key's own text, in Standard Webhooks it
    /// stands before base64. The provider file says which.
    pub fn new(webhook: &Webhook, secret: &Secret) -> Result<Self, KeyError> {
        let text = secret.expose();
        let bare = || text.strip_prefix(&webhook.key_prefix).unwrap_or(text);
        let bytes = match webhook.key {
            KeyForm::Text => text.as_bytes().to_vec(),
            KeyForm::Base64 => encoding::base64_key(bare()).ok_or(KeyError::NotBase64)?,
            KeyForm::Hex => encoding::hexadecimal(bare()).ok_or(KeyError::NotHexadecimal)?,
        };
        match bytes.is_empty() {
            true => Err(KeyError::Empty),
            false => Ok(Self(Zeroizing::new(bytes))),
        }
    }

    /// Gives the bytes to the hash.
    pub(super) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[hidden]")
    }
}
