//! A value that must never be shown.
//!
//! Nothing here prints, logs or serialises the value by accident: a reader
//! who searches for `expose(` finds every place where one leaves its box.

mod json;

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Holds a token, a password or a key; wiped from memory when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes ownership of a value, so that no unguarded copy stays behind.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// Gives the value itself; written only beside the header, body or store call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Tells whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names the value without giving it away: the first eight hexadecimal digits of its SHA-256.
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::digest(self.0.as_bytes());
        digest[..4].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl PartialEq for Secret {
    /// Compares in constant time for values of one length.
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[hidden]")
    }
}

/// Serialises a secret into a record that is sealed or kept by a keychain; name it field by field with `#[serde(with)]`.
pub mod stored {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Secret;

    /// Writes the value itself.
    pub fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    /// Reads the value into its box.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

/// The same as [`stored`] for a secret that may be absent.
pub mod stored_option {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Secret;

    /// Writes the value itself, or null.
    pub fn serialize<S: Serializer>(
        secret: &Option<Secret>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match secret {
            Some(secret) => serializer.serialize_some(secret.expose()),
            None => serializer.serialize_none(),
        }
    }

    /// Reads the value into its box.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Secret>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_cannot_be_printed() {
        assert_eq!(format!("{:?}", Some(Secret::new("hunter2"))), "Some([hidden])");
    }

    #[test]
    fn a_fingerprint_tells_two_secrets_apart_and_is_stable() {
        assert_eq!(Secret::new("abc").fingerprint(), "ba7816bf");
        assert_ne!(Secret::new("abd").fingerprint(), "ba7816bf");
    }

    #[test]
    fn secrets_of_different_length_are_unequal() {
        assert_ne!(Secret::new("a"), Secret::new("ab"));
        assert_eq!(Secret::new("ab"), Secret::new("ab"));
    }
}
