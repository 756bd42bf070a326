//! Sealing bytes under a 32-byte key: XChaCha20-Poly1305 with a versioned header.
//!
//! Knows no files and no names. A sealed piece says how its key was come by, so that a
//! passphrase opens it again, and how long it is, so that a cut one is told from a wrong key.
//!
//! Layout, numbers little-endian: `KFOB`, version (1 byte), origin (1 byte; a passphrase adds its
//! salt and cost), key check (8 bytes), length of the sealed text (4 bytes), nonce (24 bytes),
//! sealed text and tag. Everything before the nonce is authenticated with the caller's words.

use std::path::Path;

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::StoreError;
use super::key::{CHECK_LENGTH, Key, Opener, Origin};
use crate::random::Random;

const MAGIC: &[u8; 4] = b"KFOB";
const VERSION: u8 = 1;
const NONCE_LENGTH: usize = 24;
const TAG_LENGTH: usize = 16;

/// Why a sealed piece did not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It was sealed under another key.
    #[error("it was sealed under another key")]
    WrongKey {
        /// What opens it.
        sealed_with: Opener,
        /// What was tried.
        tried: Opener,
    },
    /// It is cut, altered, or about something else.
    #[error("{0}")]
    Damaged(&'static str),
    /// A newer keyfob sealed it.
    #[error("version {0} is newer than this keyfob")]
    Newer(u64),
}

impl SealError {
    /// Says the same of the file it was read from.
    pub fn at(self, path: &Path) -> StoreError {
        match self {
            Self::WrongKey { sealed_with, tried } => {
                StoreError::WrongKey { path: path.to_owned(), sealed_with, tried }
            }
            Self::Newer(version) => StoreError::Newer { version },
            Self::Damaged(what) => {
                StoreError::Damaged { detail: format!("{}: {what}", path.display()) }
            }
        }
    }
}

/// Seals a text; `about` names what it is and must be the same words when it is opened.
pub fn seal(key: &Key, random: &dyn Random, about: &[&str], text: &[u8]) -> Vec<u8> {
    let mut sealed = header(key, text.len());
    let associated = associated(&sealed, about);
    let mut nonce = [0; NONCE_LENGTH];
    random.fill(&mut nonce);
    // The text is copied once, into a buffer that already has room for the tag: no unwiped copy.
    let mut body = Vec::with_capacity(text.len() + TAG_LENGTH);
    body.extend_from_slice(text);
    cipher(key)
        .encrypt_in_place(&XNonce::from(nonce), &associated, &mut body)
        .expect("a text whose length fits 32 bits is within the cipher's limit");
    sealed.extend_from_slice(&nonce);
    sealed.append(&mut body);
    sealed
}

/// Opens what [`seal`] made of the same key and the same words.
pub fn open(key: &Key, about: &[&str], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let header = recognised(key, sealed)?;
    let body = &sealed[header.length..];
    if body.len() != NONCE_LENGTH + header.text_length + TAG_LENGTH {
        return Err(SealError::Damaged("its length is not the one it was sealed with"));
    }
    let (nonce, body) = body.split_at(NONCE_LENGTH);
    let nonce = XNonce::try_from(nonce).map_err(|_| SealError::Damaged("it has no nonce"))?;
    let mut text = Zeroizing::new(body.to_vec());
    let associated = associated(&sealed[..header.length], about);
    cipher(key)
        .decrypt_in_place(&nonce, &associated, &mut *text)
        .map_err(|_| SealError::Damaged("it was altered, or belongs to another name"))?;
    Ok(text)
}

/// Says how the key of a sealed piece was come by.
pub fn origin(sealed: &[u8]) -> Result<Origin, SealError> {
    Header::read(sealed).map(|header| header.origin)
}

/// Tells whether this key sealed the piece, without opening it.
pub fn recognise(key: &Key, sealed: &[u8]) -> Result<(), SealError> {
    recognised(key, sealed).map(|_| ())
}

fn recognised(key: &Key, sealed: &[u8]) -> Result<Header, SealError> {
    let header = Header::read(sealed)?;
    match bool::from(header.check.ct_eq(&key.check())) {
        true => Ok(header),
        false => Err(SealError::WrongKey {
            sealed_with: header.origin.opener(),
            tried: key.origin().opener(),
        }),
    }
}

/// The length of the sealed piece at the start of a longer buffer.
pub fn extent(buffer: &[u8]) -> Result<usize, SealError> {
    let header = Header::read(buffer)?;
    Ok(header.length + NONCE_LENGTH + header.text_length + TAG_LENGTH)
}

/// How many bytes sealing adds to a text under this key.
pub fn overhead(key: &Key) -> usize {
    header(key, 0).len() + NONCE_LENGTH + TAG_LENGTH
}

fn header(key: &Key, text_length: usize) -> Vec<u8> {
    let text_length = u32::try_from(text_length).expect("an entry is far below four gigabytes");
    let mut header = MAGIC.to_vec();
    header.push(VERSION);
    key.origin().write(&mut header);
    header.extend_from_slice(&key.check());
    header.extend_from_slice(&text_length.to_le_bytes());
    header
}

struct Header {
    origin: Origin,
    check: [u8; CHECK_LENGTH],
    text_length: usize,
    /// Of the header itself.
    length: usize,
}

impl Header {
    fn read(sealed: &[u8]) -> Result<Self, SealError> {
        const CUT: SealError = SealError::Damaged("it is cut off");
        let rest = sealed.strip_prefix(MAGIC).ok_or(match sealed.len() {
            0..4 => CUT,
            _ => SealError::Damaged("keyfob did not write it"),
        })?;
        let (&version, rest) = rest.split_first().ok_or(CUT)?;
        match version {
            VERSION => {}
            0 => return Err(SealError::Damaged("it has no version")),
            newer => return Err(SealError::Newer(newer.into())),
        }
        let (origin, rest) = Origin::read(rest)?;
        let (check, rest) = rest.split_first_chunk().ok_or(CUT)?;
        let (text_length, rest) = rest.split_first_chunk().ok_or(CUT)?;
        Ok(Self {
            origin,
            check: *check,
            text_length: u32::from_le_bytes(*text_length) as usize,
            length: sealed.len() - rest.len(),
        })
    }
}

/// Each part is led by its length, so that no two lists of words read the same.
fn associated(header: &[u8], about: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in std::iter::once(header).chain(about.iter().map(|word| word.as_bytes())) {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    const ABOUT: &[&str] = &["entry", "shop"];

    fn sealed(key: &Key) -> Vec<u8> {
        seal(key, &SystemRandom, ABOUT, b"nineteen characters")
    }

    #[test]
    fn what_was_sealed_opens_again_and_shows_nothing() {
        let key = Key::random(&SystemRandom);
        let sealed = sealed(&key);
        assert_eq!(open(&key, ABOUT, &sealed).unwrap().as_slice(), b"nineteen characters");
        assert!(!sealed.windows(8).any(|window| window == b"nineteen"));
        assert_eq!(sealed.len(), 19 + overhead(&key));
        assert_eq!(extent(&[sealed.clone(), vec![0; 9]].concat()), Ok(sealed.len()));
    }

    #[test]
    fn two_seals_of_one_text_differ() {
        let key = Key::random(&SystemRandom);
        assert_ne!(sealed(&key), sealed(&key));
    }

    #[test]
    fn another_key_is_told_from_damage() {
        let sealed = sealed(&Key::random(&SystemRandom));
        let other = Key::random(&SystemRandom);
        let wrong = SealError::WrongKey { sealed_with: Opener::Key, tried: Opener::Key };
        assert_eq!(open(&other, ABOUT, &sealed).unwrap_err(), wrong);
    }

    #[test] // ST11
    fn a_piece_cut_anywhere_is_damaged_and_never_a_wrong_key() {
        let key = Key::random(&SystemRandom);
        let sealed = sealed(&key);
        for length in 0..sealed.len() {
            let refused = open(&key, ABOUT, &sealed[..length]).unwrap_err();
            assert!(matches!(refused, SealError::Damaged(_)), "{length}: {refused:?}");
        }
    }

    #[test] // ST11
    fn a_piece_altered_in_any_byte_does_not_open() {
        let key = Key::random(&SystemRandom);
        let sealed = sealed(&key);
        for index in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[index] ^= 1;
            assert!(open(&key, ABOUT, &altered).is_err(), "byte {index}");
        }
    }

    #[test]
    fn a_piece_about_something_else_does_not_open() {
        let key = Key::random(&SystemRandom);
        let sealed = sealed(&key);
        for about in [&["entry", "shoq"] as &[&str], &["entrys", "hop"], &["entry"], &[]] {
            assert!(matches!(open(&key, about, &sealed), Err(SealError::Damaged(_))), "{about:?}");
        }
    }

    #[test] // ST11
    fn a_newer_version_is_said_to_be_newer() {
        let key = Key::random(&SystemRandom);
        let mut sealed = sealed(&key);
        sealed[4] = 7;
        assert_eq!(open(&key, ABOUT, &sealed).unwrap_err(), SealError::Newer(7));
    }
}
