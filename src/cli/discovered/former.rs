//! Provider files of before: what they say of one client becomes that client's own, so that the file can
//! be written anew for all of them.

use std::io;
use std::path::Path;

use crate::cli::context::Context;
use crate::profile::file::ProfileError;
use crate::profile::{OwnClient, Profile};
use crate::provider::file;
use crate::store::StoreError;

/// How the client of a profile was set up: its own word, else that of the file which was written for it.
pub fn client_of(context: &Context<'_>, profile: &Profile, provider: &str) -> Option<OwnClient> {
    profile.client.or_else(|| OwnClient::of_former_file(&context.provider(provider).ok()?))
}

/// Hands what the text of a file says of one client to the profiles that name the file and say nothing
/// themselves; none of them proves itself otherwise than before. While one of them cannot be told, the
/// file has to stay as it is.
pub fn hand_over(context: &Context<'_>, name: &str, text: &[u8]) -> Result<(), StoreError> {
    let text = String::from_utf8_lossy(text);
    let Ok(provider) = file::read(name, &text) else { return Ok(()) };
    let Some(client) = OwnClient::of_former_file(&provider) else { return Ok(()) };
    let profiles = &context.profiles;
    let folder = &context.system.home.configuration;
    for other in profiles.names().map_err(|error| on_disk(error, folder))? {
        // What cannot be read says so when it is used.
        let Ok(Some(profile)) = profiles.find(&other) else { continue };
        if profile.provider == name && profile.client.is_none() {
            let profile = Profile { client: Some(client), ..profile };
            let written = profiles.write(&other, &profile);
            written.map_err(|error| on_disk(error, &profiles.path(&other)))?;
        }
    }
    Ok(())
}

fn on_disk(error: ProfileError, path: &Path) -> StoreError {
    match error {
        ProfileError::Disk(error) => error,
        other => StoreError::unwritable("write", path)(io::Error::other(other.to_string())),
    }
}
