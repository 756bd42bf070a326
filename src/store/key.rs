//! Keys that seal: where their 32 bytes come from, and how one travels to a worker process.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::StoreError;
use super::seal::SealError;
use crate::random::Random;
use crate::secret::Secret;

/// The least length of a key given as text, in bytes: what `openssl rand -base64 24` prints.
const LEAST_TEXT: usize = 32;
/// The length of a key's check value, in bytes.
pub const CHECK_LENGTH: usize = 8;
/// The length of a passphrase's salt, in bytes.
const SALT_LENGTH: usize = 16;

/// A sealing key; wiped from memory when dropped.
#[derive(Clone)]
pub struct Key {
    bytes: Zeroizing<[u8; 32]>,
    origin: Origin,
}

/// How a key was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From 32 bytes of randomness, or text of as much.
    Direct,
    /// From a passphrase.
    Passphrase {
        /// Random, one a key.
        salt: [u8; SALT_LENGTH],
        /// What the derivation costs.
        cost: Cost,
    },
}

/// What opens a sealed piece, as a person has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Opener {
    /// A key from the environment or a file.
    Key,
    /// A passphrase that is typed.
    Passphrase,
}

/// What it costs to try one passphrase (argon2id, RFC 9106 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes side by side.
    pub lanes: u32,
}

impl Cost {
    /// What the OWASP Password Storage Cheat Sheet names first among its small-memory settings.
    pub const USUAL: Self = Self { memory: 19 * 1024, passes: 2, lanes: 1 };

    /// Bounds what a file may ask of this machine: 128 MiB, eight passes, four lanes.
    fn is_bearable(self) -> bool {
        (1..=4).contains(&self.lanes)
            && (1..=8).contains(&self.passes)
            && (8 * self.lanes..=128 * 1024).contains(&self.memory)
    }
}

impl Key {
    /// Makes a key of 32 random bytes.
    pub fn random(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(&mut *bytes);
        Self { bytes, origin: Origin::Direct }
    }

    /// Takes a text that holds a key's worth of randomness; white space around it does not count.
    ///
    /// One hash is enough for it: whoever can try 2^128 texts is not stopped by a slow one.
    pub fn from_secret_text(text: &Secret) -> Result<Self, StoreError> {
        let text = text.expose().trim();
        if text.len() < LEAST_TEXT {
            return Err(StoreError::KeyTooShort { length: text.len() });
        }
        let bytes = digest(b"keyfob store key 1\0", text.as_bytes());
        Ok(Self { bytes, origin: Origin::Direct })
    }

    /// Derives a new key from a passphrase, under a salt of its own.
    pub fn from_new_passphrase(
        passphrase: &Secret,
        random: &dyn Random,
    ) -> Result<Self, StoreError> {
        let mut salt = [0; SALT_LENGTH];
        random.fill(&mut salt);
        Self::from_passphrase(passphrase, salt, Cost::USUAL)
    }

    /// Derives the key that a passphrase stands for under this salt and cost.
    pub fn from_passphrase(
        passphrase: &Secret,
        salt: [u8; SALT_LENGTH],
        cost: Cost,
    ) -> Result<Self, StoreError> {
        let unusable = |why: String| StoreError::Damaged {
            detail: format!("the cost of its passphrase cannot be paid: {why}"),
        };
        if passphrase.is_empty() {
            return Err(StoreError::KeyTooShort { length: 0 });
        }
        if !cost.is_bearable() {
            return Err(unusable(format!("{cost:?}")));
        }
        let parameters = Params::new(cost.memory, cost.passes, cost.lanes, Some(32))
            .map_err(|error| unusable(error.to_string()))?;
        let mut bytes = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
            .hash_password_into(passphrase.expose().as_bytes(), &salt, &mut *bytes)
            .map_err(|error| unusable(error.to_string()))?;
        Ok(Self { bytes, origin: Origin::Passphrase { salt, cost } })
    }

    /// Writes the key and its origin as base64, for a pipe to a worker or a keychain entry.
    pub fn encode(&self) -> Secret {
        let mut bytes = Zeroizing::new(Vec::with_capacity(80));
        self.origin.write(&mut bytes);
        bytes.extend_from_slice(&*self.bytes);
        Secret::new(STANDARD_NO_PAD.encode(&*bytes))
    }

    /// Reads what [`Key::encode`] wrote.
    pub fn decode(text: &Secret) -> Result<Self, StoreError> {
        let damaged = || StoreError::Damaged { detail: "a sealing key cannot be read".to_owned() };
        let bytes = STANDARD_NO_PAD.decode(text.expose()).map_err(|_| damaged())?;
        let bytes = Zeroizing::new(bytes);
        let (origin, rest) = Origin::read(&bytes).map_err(|_| damaged())?;
        let bytes = <[u8; 32]>::try_from(rest).map_err(|_| damaged())?;
        Ok(Self { bytes: Zeroizing::new(bytes), origin })
    }

    /// How the key was come by.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Recognises the key without giving it away: part of a hash of it.
    pub(super) fn check(&self) -> [u8; CHECK_LENGTH] {
        let digest = digest(b"keyfob key check 1\0", &*self.bytes);
        let mut check = [0; CHECK_LENGTH];
        check.copy_from_slice(&digest[..CHECK_LENGTH]);
        check
    }

    /// The bytes themselves, for the cipher alone.
    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

impl PartialEq for Key {
    /// Compares in constant time.
    fn eq(&self, other: &Self) -> bool {
        self.origin == other.origin && bool::from(self.bytes[..].ct_eq(&other.bytes[..]))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[hidden]")
    }
}

/// A hash for one purpose only, which its first words name.
fn digest(purpose: &[u8], bytes: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(Sha256::new().chain_update(purpose).chain_update(bytes).finalize().into())
}

impl Origin {
    const DIRECT: u8 = 0;
    const PASSPHRASE: u8 = 1;

    /// What a person opens it with.
    pub fn opener(self) -> Opener {
        match self {
            Self::Direct => Opener::Key,
            Self::Passphrase { .. } => Opener::Passphrase,
        }
    }

    /// Adds this origin to a header.
    pub(super) fn write(self, header: &mut Vec<u8>) {
        match self {
            Self::Direct => header.push(Self::DIRECT),
            Self::Passphrase { salt, cost } => {
                header.push(Self::PASSPHRASE);
                header.extend_from_slice(&salt);
                for number in [cost.memory, cost.passes, cost.lanes] {
                    header.extend_from_slice(&number.to_le_bytes());
                }
            }
        }
    }

    /// Reads an origin from the front, and gives what follows it.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, &[u8]), SealError> {
        const CUT: SealError = SealError::Damaged("it is cut off");
        let (&code, rest) = bytes.split_first().ok_or(CUT)?;
        match code {
            Self::DIRECT => Ok((Self::Direct, rest)),
            Self::PASSPHRASE => {
                let (salt, rest) = rest.split_first_chunk().ok_or(CUT)?;
                let (memory, rest) = number(rest).ok_or(CUT)?;
                let (passes, rest) = number(rest).ok_or(CUT)?;
                let (lanes, rest) = number(rest).ok_or(CUT)?;
                let cost = Cost { memory, passes, lanes };
                match cost.is_bearable() {
                    true => Ok((Self::Passphrase { salt: *salt, cost }, rest)),
                    false => Err(SealError::Damaged("its passphrase costs more than is borne")),
                }
            }
            _ => Err(SealError::Damaged("nobody knows where its key comes from")),
        }
    }
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    const TEXT: &str = "c2l4dHkgYnl0ZXMgb2Ygbm90aGluZw==";
    /// The cheapest cost there is, so that the tests are fast.
    const CHEAP: Cost = Cost { memory: 8, passes: 1, lanes: 1 };

    #[test]
    fn a_text_of_less_than_32_bytes_is_no_key() {
        let short = Secret::new(format!("  {}\n", &TEXT[1..]));
        let refused = Key::from_secret_text(&short).unwrap_err();
        assert!(matches!(refused, StoreError::KeyTooShort { length: 31 }), "{refused:?}");
    }

    #[test]
    fn white_space_around_a_text_does_not_change_the_key() {
        let plain = Key::from_secret_text(&Secret::new(TEXT)).unwrap();
        let spaced = Key::from_secret_text(&Secret::new(format!(" {TEXT}\r\n"))).unwrap();
        assert_eq!(plain, spaced);
        let other = Key::from_secret_text(&Secret::new(format!("{TEXT}A"))).unwrap();
        assert_ne!(plain, other);
    }

    #[test]
    fn a_key_travels_as_text_with_its_origin() {
        let passphrase = Secret::new("correct horse");
        let keys = [
            Key::random(&SystemRandom),
            Key::from_passphrase(&passphrase, [3; SALT_LENGTH], CHEAP).unwrap(),
        ];
        for key in keys {
            assert_eq!(Key::decode(&key.encode()).unwrap(), key);
        }
        assert!(Key::decode(&Secret::new("AAAA")).is_err());
        assert!(Key::decode(&Secret::new("not base64!")).is_err());
    }

    #[test]
    fn a_passphrase_gives_another_key_under_another_salt() {
        let passphrase = Secret::new("correct horse");
        let key = |salt| Key::from_passphrase(&passphrase, [salt; SALT_LENGTH], CHEAP).unwrap();
        assert_eq!(key(1), key(1));
        assert_ne!(key(1).bytes(), key(2).bytes());
    }

    #[test]
    fn a_header_cannot_ask_for_the_whole_memory_of_the_machine() {
        let greedy = [
            Cost { memory: u32::MAX, ..Cost::USUAL },
            Cost { passes: 1000, ..Cost::USUAL },
            Cost { lanes: 0, ..Cost::USUAL },
        ];
        for cost in greedy {
            let mut header = Vec::new();
            Origin::Passphrase { salt: [0; SALT_LENGTH], cost }.write(&mut header);
            assert!(Origin::read(&header).is_err(), "{cost:?}");
        }
    }

    #[test]
    fn a_key_cannot_be_printed() {
        assert_eq!(format!("{:?}", Key::random(&SystemRandom)), "[hidden]");
    }
}
