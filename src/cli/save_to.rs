//! Where a refreshed connection is saved: `--save-to`, else KEYFOB_SAVE_TO, the profile, `config.toml`.

use std::path::Path;

use super::blob_key::{self, KeySource};
use super::context::{Context, is_path};
use crate::connection::blob::Belongings;
use crate::connection::saving::{Saving, copies};
use crate::profile::Profile;
use crate::store::StoreError;
use crate::store::durable::{Folder, LONGEST_FILE};

/// What a command line says about it.
#[derive(Debug, Clone, Default)]
pub struct SaveTo {
    /// The command.
    pub command: Option<String>,
    /// The key to seal with.
    pub key: KeySource,
}

/// The save command with all it needs; `None` where there is none.
pub fn saving(
    context: &Context<'_>,
    name: &str,
    profile: &Profile,
    given: &SaveTo,
) -> Result<Option<Saving>, StoreError> {
    let environment = &context.system.environment;
    let command = given
        .command
        .clone()
        .or_else(|| environment.get("KEYFOB_SAVE_TO").map(str::to_owned))
        .or_else(|| profile.save_to.clone())
        .or_else(|| context.configured_save_to());
    let Some(command) = command.filter(|command| !command.trim().is_empty()) else {
        return Ok(None);
    };
    Ok(Some(Saving {
        command,
        asked: given.command.is_some(),
        folder: std::path::absolute(".").unwrap_or_else(|_| "/".into()),
        key: blob_key::to_save(&given.key, environment)?.encode(),
        belongings: belongings(context, name, profile)?,
        copies: copies(&context.system.home),
    }))
}

/// What goes with the tokens: the profile, and the provider's file where it is the user's own.
pub fn belongings(
    context: &Context<'_>,
    name: &str,
    profile: &Profile,
) -> Result<Belongings, StoreError> {
    let provider_file = match is_path(&profile.provider) {
        true => Some(read(Path::new(&profile.provider))?),
        false => own_file(context, &profile.provider)?,
    };
    Ok(Belongings { name: name.to_owned(), profile: profile.clone(), provider_file })
}

fn own_file(context: &Context<'_>, provider: &str) -> Result<Option<String>, StoreError> {
    if crate::profile::name::check(provider).is_err() {
        return Ok(None);
    }
    let Some(folder) = Folder::open(&context.system.home.providers())? else {
        return Ok(None);
    };
    let text = folder.read(&format!("{provider}.toml"))?;
    Ok(text.map(|text| String::from_utf8_lossy(&text).into_owned()))
}

/// The file was read when the command began; one that grew since is refused all the same.
fn read(path: &Path) -> Result<String, StoreError> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LONGEST_FILE).read_to_string(&mut text))
        .map_err(StoreError::unwritable("read", path))?;
    Ok(text)
}
