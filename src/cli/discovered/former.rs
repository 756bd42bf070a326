//! Provider files of before: what they say of one client becomes that client's own, so that the file can
//! be written anew for all of them.

use crate::cli::context::Context;
use crate::profile::{OwnClient, Profile};
use crate::provider::file;

/// How the client of a profile was set up: its own word, else that of the file which was written for it.
pub fn client_of(context: &Context<'_>, profile: &Profile, provider: &str) -> Option<OwnClient> {
    profile.client.or_else(|| OwnClient::of_former_file(&context.provider(provider).ok()?))
}

/// Hands what the text of a file says of one client to the profiles that name the file and say nothing
/// themselves; none of them proves itself otherwise than before.
pub fn hand_over(context: &Context<'_>, name: &str, text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let Ok(provider) = file::read(name, &text) else { return };
    let Some(client) = OwnClient::of_former_file(&provider) else { return };
    for other in context.profiles.names().unwrap_or_default() {
        // What cannot be read says so when it is used.
        let Ok(Some(profile)) = context.profiles.find(&other) else { continue };
        if profile.provider == name && profile.client.is_none() {
            let profile = Profile { client: Some(client), ..profile };
            if context.profiles.write(&other, &profile).is_err() {
                let says = format!("`{other}` could not be written: connect it with its key again");
                context.output.warn(context.system, &says);
            }
        }
    }
}
