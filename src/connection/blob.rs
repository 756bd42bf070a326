//! A whole connection as one line of text, sealed: what `export` prints and `import --sealed` reads.
//!
//! `keyfob`, the version, a full stop, and the sealed piece as base64url. White space in it does not
//! count, so that it survives being copied. It holds no journal key, no store and no command:
//! those belong to a machine.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::entry::Entry;
use crate::profile::Profile;
use crate::random::Random;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::store::durable::LONGEST_FILE;
use crate::store::key::{Key, Origin};
use crate::store::seal::{self, SealError};

/// The longest blob that is read, in bytes of text: whatever can be stored can be carried.
pub const LONGEST: u64 = LONGEST_FILE;

const NAME: &str = "keyfob";
const VERSION: u64 = 1;
/// What the sealed piece is about; a store's entry never opens as one.
const ABOUT: [&str; 1] = ["keyfob connection"];

/// Why a text is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// Something else altogether.
    #[error("it does not begin with `keyfob1.`, as every sealed connection does")]
    NotABlob,
    /// Sealed under another key.
    #[error("it was sealed under another key")]
    WrongKey,
    /// Cut or altered.
    #[error("{0}")]
    Damaged(&'static str),
    /// A newer keyfob made it.
    #[error("a newer keyfob made it (version {0})")]
    Newer(u64),
}

impl From<SealError> for BlobError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::WrongKey { .. } => Self::WrongKey,
            SealError::Damaged(what) => Self::Damaged(what),
            SealError::Newer(version) => Self::Newer(version),
        }
    }
}

/// A connection on its way to another machine.
#[derive(Debug, Serialize, Deserialize)]
pub struct Blob {
    version: u64,
    /// The name it had.
    pub name: String,
    /// What the user said about it.
    pub profile: Profile,
    /// The text of the user's own provider file; a shipped provider is named by the profile alone.
    #[serde(default)]
    pub provider_file: Option<String>,
    #[serde(with = "crate::secret::stored")]
    entry: Secret,
    /// When it was made.
    pub exported_at: Timestamp,
}

/// What a blob says beside the tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Belongings {
    /// The profile's name.
    pub name: String,
    /// What the user said about it.
    pub profile: Profile,
    /// The text of the user's own provider file.
    pub provider_file: Option<String>,
}

impl Blob {
    /// Packs an entry with what belongs to it.
    pub fn pack(
        belongings: &Belongings,
        entry: &Entry,
        random: &dyn Random,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let profile = Profile { store: None, save_to: None, ..belongings.profile.clone() };
        Ok(Self {
            version: VERSION,
            name: belongings.name.clone(),
            profile,
            provider_file: belongings.provider_file.clone(),
            entry: entry.to_carry(random).encode()?,
            exported_at: now,
        })
    }

    /// Seals it into one line without an end.
    pub fn seal(&self, key: &Key, random: &dyn Random) -> Result<Secret, StoreError> {
        let text = Secret::json(self).map_err(|_| StoreError::Damaged {
            detail: "the connection cannot be written as text".into(),
        })?;
        let sealed = seal::seal(key, random, &ABOUT, text.expose().as_bytes());
        Ok(Secret::new(format!("{NAME}{VERSION}.{}", URL_SAFE_NO_PAD.encode(sealed))))
    }

    /// The entry that it carries.
    pub fn entry(&self) -> Result<Entry, BlobError> {
        Entry::decode(&self.entry).map_err(|error| match error {
            StoreError::Newer { version } => BlobError::Newer(version),
            _ => BlobError::Damaged("what it carries is no keyfob entry"),
        })
    }
}

/// A blob that was read and not opened yet.
pub struct SealedBlob(Vec<u8>);

impl SealedBlob {
    /// Reads the text, whatever white space a copy has brought into it.
    pub fn read(text: &Secret) -> Result<Self, BlobError> {
        let whole: Zeroizing<String> =
            Zeroizing::new(text.expose().chars().filter(|it| !it.is_whitespace()).collect());
        let rest = whole.strip_prefix(NAME).ok_or(BlobError::NotABlob)?;
        let (version, body) = rest.split_once('.').ok_or(BlobError::NotABlob)?;
        match version.parse::<u64>() {
            Ok(VERSION) => {}
            Ok(newer) if newer > VERSION => return Err(BlobError::Newer(newer)),
            _ => return Err(BlobError::NotABlob),
        }
        let sealed = URL_SAFE_NO_PAD
            .decode(body)
            .map_err(|_| BlobError::Damaged("it is cut off, or a character of it was altered"))?;
        Ok(Self(sealed))
    }

    /// How the key that opens it is come by.
    pub fn origin(&self) -> Result<Origin, BlobError> {
        Ok(seal::origin(&self.0)?)
    }

    /// Opens it.
    pub fn open(&self, key: &Key) -> Result<Blob, BlobError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u64,
        }
        let text = seal::open(key, &ABOUT, &self.0)?;
        // The parser's own words may quote the text, so they are not passed on.
        let damaged = |_| BlobError::Damaged("what it carries is no connection");
        let Versioned { version } = serde_json::from_slice(&text).map_err(damaged)?;
        if version > VERSION {
            return Err(BlobError::Newer(version));
        }
        serde_json::from_slice(&text).map_err(damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    fn blob() -> Blob {
        let mut entry = Entry::empty(&SystemRandom);
        entry.secrets.insert("client_secret".into(), Secret::new("MARKED"));
        let belongings = Belongings {
            name: "shop".into(),
            profile: Profile {
                provider: "inkress".into(),
                store: Some(crate::store::StoreKind::File),
                save_to: Some("a command".into()),
                ..Profile::default()
            },
            provider_file: Some("# mine\n".into()),
        };
        Blob::pack(&belongings, &entry, &SystemRandom, Timestamp::UNIX_EPOCH).unwrap()
    }

    fn opened(text: &str, key: &Key) -> Result<Blob, BlobError> {
        SealedBlob::read(&Secret::new(text))?.open(key)
    }

    #[test] // AT-16a
    fn what_was_sealed_comes_back_without_what_belongs_to_a_machine() {
        let key = Key::random(&SystemRandom);
        let text = blob().seal(&key, &SystemRandom).unwrap();
        assert!(text.expose().starts_with("keyfob1.") && !text.expose().contains("MARKED"));
        assert_eq!(text.expose().lines().count(), 1);
        let back = opened(text.expose(), &key).unwrap();
        assert_eq!(back.entry().unwrap().client_secret().unwrap().expose(), "MARKED");
        assert_eq!(back.provider_file.as_deref(), Some("# mine\n"));
        assert_eq!((back.profile.store, back.profile.save_to), (None, None));
    }

    #[test]
    fn white_space_from_a_copy_does_not_matter() {
        let key = Key::random(&SystemRandom);
        let text = blob().seal(&key, &SystemRandom).unwrap();
        let mut copied = String::from(" \n");
        for (index, character) in text.expose().chars().enumerate() {
            copied.push(character);
            copied.push_str(match index % 64 {
                0 => "\r\n",
                32 => " \t",
                _ => "",
            });
        }
        assert!(opened(&copied, &key).is_ok());
    }

    #[test] // ST11
    fn a_blob_altered_or_cut_at_any_character_does_not_open() {
        let key = Key::random(&SystemRandom);
        let text = blob().seal(&key, &SystemRandom).unwrap();
        let text = text.expose();
        for index in 0..text.len() {
            let mut altered = text.as_bytes().to_vec();
            altered[index] = if altered[index] == b'B' { b'C' } else { b'B' };
            let altered = String::from_utf8(altered).unwrap();
            assert!(opened(&altered, &key).is_err(), "character {index}");
            let refused = opened(&text[..index], &key).unwrap_err();
            assert!(
                matches!(refused, BlobError::NotABlob | BlobError::Damaged(_)),
                "cut at {index}: {refused:?}"
            );
            assert!(!format!("{refused:?}").contains("MARKED"));
        }
        assert!(opened(&format!("{text}A"), &key).is_err());
    }

    #[test]
    fn another_key_a_newer_version_and_another_text_are_told_apart() {
        let key = Key::random(&SystemRandom);
        let text = blob().seal(&key, &SystemRandom).unwrap();
        let refused = |text: &str, key: &Key| opened(text, key).unwrap_err();
        assert_eq!(refused(text.expose(), &Key::random(&SystemRandom)), BlobError::WrongKey);
        let newer = text.expose().replace("keyfob1.", "keyfob7.");
        assert_eq!(refused(&newer, &key), BlobError::Newer(7));
        for other in ["", "keyfob", "keyfob1", "keyfobx.AAAA", "keyfob0.AAAA", "{}", "ghp_1.x"] {
            assert_eq!(refused(other, &key), BlobError::NotABlob, "{other}");
        }
    }
}
