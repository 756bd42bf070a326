//! The key of a sealed connection: a file, the environment, or a passphrase from a terminal. Never a flag's value.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::context::Context;
use super::report::{self, Exit, Report};
use crate::secret::Secret;
use crate::store::StoreError;
use crate::store::file::key_from_file;
use crate::store::key::{Key, Origin};
use crate::system::Environment;

/// Where the key comes from.
#[derive(Debug, Clone, Default, Args)]
pub struct KeySource {
    /// The key is in this file, which only you can read (or KEYFOB_BLOB_KEY, or else the file store's key)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub key_file: Option<PathBuf>,
}

/// Where a key is; the first of these that there is gives it.
enum Place<'a> {
    /// A file that was named on the command line.
    File(&'a Path),
    /// A variable that holds it.
    Variable(&'static str, &'a str),
    /// The file of the store's key, which a variable names.
    StoreKeyFile(&'a Path),
}

impl<'a> Place<'a> {
    fn find(file: Option<&'a Path>, environment: &'a Environment) -> Option<Self> {
        let variable = |name| environment.get(name).map(|text| Self::Variable(name, text));
        let store_key_file = || environment.get("KEYFOB_STORE_KEY_FILE").map(Path::new);
        file.map(Self::File)
            .or_else(|| variable("KEYFOB_BLOB_KEY"))
            .or_else(|| variable("KEYFOB_STORE_KEY"))
            .or_else(|| store_key_file().map(Self::StoreKeyFile))
    }

    fn key(&self) -> Result<Key, StoreError> {
        match self {
            Self::File(path) | Self::StoreKeyFile(path) => key_from_file(path),
            Self::Variable(_, text) => Key::from_secret_text(&Secret::new(*text)),
        }
    }

    /// Where it is, for people: never the key.
    fn said(&self) -> String {
        match self {
            Self::File(path) => format!("the key in {}", path.display()),
            Self::Variable(name, _) => format!("the key in {name}"),
            Self::StoreKeyFile(path) => {
                format!("the key in {} (KEYFOB_STORE_KEY_FILE)", path.display())
            }
        }
    }
}

/// The key that a file or the environment gives; `None` where neither does.
fn given(file: Option<&Path>, environment: &Environment) -> Option<Result<Key, StoreError>> {
    Place::find(file, environment).map(|place| place.key())
}

/// The key to seal with, and which one it is; a person is asked twice, since nobody opens what a slip
/// has sealed.
pub fn to_seal(
    context: &Context<'_>,
    source: &KeySource,
    passphrase: bool,
) -> Result<(Key, String), Report> {
    let environment = &context.system.environment;
    if !passphrase && let Some(place) = Place::find(source.key_file.as_deref(), environment) {
        let key = place.key().map_err(|error| report::blob_key(&error))?;
        return Ok((key, place.said()));
    }
    let missing = || match passphrase {
        true => Report::new(
            Exit::SetUp,
            "blob-key-missing",
            "a passphrase is asked for on a terminal, and nobody can be asked here",
        )
        .hint("leave --passphrase out and make a key once, which is kept on both sides")
        .next("(umask 077 && set -C && openssl rand -base64 32 > keyfob.key)"),
        false => report::blob_key(&StoreError::KeyMissing),
    };
    let first = context.ask_secret("Passphrase for the sealed connection (not shown)")?;
    let first = first.ok_or_else(missing)?;
    let again = context.ask_secret("The same again")?.ok_or_else(missing)?;
    if first != again {
        return Err(Report::usage("the two passphrases differ").hint("nothing was exported"));
    }
    let key = Key::from_new_passphrase(&first, &*context.system.random)
        .map_err(|error| report::blob_key(&error))?;
    Ok((key, "the passphrase".into()))
}

/// The key to open with: the blob says whether it is a passphrase, and `again` is the command for a terminal.
pub fn to_open(
    context: &Context<'_>,
    source: &KeySource,
    origin: Origin,
    again: impl FnOnce() -> String,
) -> Result<Key, Report> {
    let wrong = |error| report::blob_key(&error);
    let Origin::Passphrase { salt, cost } = origin else {
        let key = given(source.key_file.as_deref(), &context.system.environment);
        return key.unwrap_or(Err(StoreError::KeyMissing)).map_err(wrong);
    };
    let passphrase = context.ask_secret("Passphrase of the sealed connection (not shown)")?;
    let passphrase = passphrase.ok_or_else(|| {
        Report::new(
            Exit::SetUp,
            "blob-key-missing",
            "the sealed connection opens with a passphrase, and nobody can be asked for it",
        )
        .cause("a passphrase is asked for on a terminal, which standard input must be")
        .hint("name the file on a terminal, or export it again with --key-file")
        .next(again())
    })?;
    Key::from_passphrase(&passphrase, salt, cost).map_err(wrong)
}

/// The same key for a save command, as facts; a passphrase would be asked for at every refresh.
pub fn to_save(source: &KeySource, environment: &Environment) -> Result<Key, StoreError> {
    given(source.key_file.as_deref(), environment).unwrap_or(Err(StoreError::KeyMissing))
}
