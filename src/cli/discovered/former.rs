//! Provider files of before: what they say of one client becomes that client's own, so that the file can
//! be written anew for all of them.

use std::io;
use std::path::Path;

use crate::cli::context::Context;
use crate::cli::report::{self, Report};
use crate::profile::file::ProfileError;
use crate::profile::{OwnClient, Profile};
use crate::provider::file;
use crate::store::StoreError;

/// How the client of a profile was set up: its own word, else that of the file which was written for it.
pub fn client_of(context: &Context<'_>, profile: &Profile, provider: &str) -> Option<OwnClient> {
    profile.client.or_else(|| OwnClient::of_former_file(&context.provider(provider).ok()?))
}

/// Hands what the text of a file says of one client to the profiles that name the file and say nothing
/// themselves; none of them proves itself otherwise than before. While one of them cannot be told, or
/// cannot be read and may name it, the file has to stay as it is.
pub fn hand_over(context: &Context<'_>, name: &str, text: &[u8]) -> Result<(), Report> {
    let text = String::from_utf8_lossy(text);
    let Ok(provider) = file::read(name, &text) else { return Ok(()) };
    let Some(client) = OwnClient::of_former_file(&provider) else { return Ok(()) };
    let profiles = &context.profiles;
    let folder = &context.system.home.configuration;
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| report::store(&on_disk(error, &path))
    };
    let mut told = Vec::new();
    for other in profiles.names().map_err(failed(folder))? {
        match profiles.find(&other) {
            Ok(Some(profile)) if profile.provider == name && profile.client.is_none() => {
                told.push((other, Profile { client: Some(client), ..profile }));
            }
            Err(error) if may_name(&profiles.path(&other), name) => {
                return Err(in_the_way(&error, &other, name));
            }
            Ok(_) | Err(_) => {}
        }
    }
    for (other, profile) in told {
        profiles.write(&other, &profile).map_err(failed(&profiles.path(&other)))?;
    }
    Ok(())
}

/// Whether a profile that makes no sense may be one of this provider's: its name stands in the file, or
/// nobody can see what does.
fn may_name(path: &Path, provider: &str) -> bool {
    let text = std::fs::read(path);
    text.map_or(true, |text| String::from_utf8_lossy(&text).contains(provider))
}

/// Nobody can tell this profile how its client proves itself, and the file of before still does.
fn in_the_way(error: &ProfileError, profile: &str, provider: &str) -> Report {
    let told = report::profile(error);
    let message = format!(
        "the profile `{profile}` cannot be read, and the file of {provider} may say how its client proves itself"
    );
    Report { message, ..told }
        .cause("that file is written anew once every profile of it has taken this over; nothing was changed")
}

fn on_disk(error: ProfileError, path: &Path) -> StoreError {
    match error {
        ProfileError::Disk(error) => error,
        other => StoreError::unwritable("write", path)(io::Error::other(other.to_string())),
    }
}
