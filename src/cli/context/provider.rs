//! The provider that a name or a file means.

use std::path::Path;

use super::Context;
use crate::cli::report::{self, Exit, Report};
use crate::http::printable::printable;
use crate::provider::nearest::nearest;
use crate::provider::{Provider, catalogue, file};
use crate::store::durable::Folder;

impl Context<'_> {
    /// A provider by name or file: the user's own first, then the shipped ones.
    pub fn provider(&self, name: &str) -> Result<Provider, Report> {
        if is_path(name) {
            return read_provider(Path::new(name));
        }
        if let Some(provider) = self.own_provider(name)? {
            return Ok(provider);
        }
        match catalogue::shipped(name) {
            Some(provider) => provider.map_err(|error| report::provider_file(&error)),
            None => Err(self.unknown_provider(name)),
        }
    }

    fn own_provider(&self, name: &str) -> Result<Option<Provider>, Report> {
        if crate::profile::name::check(name).is_err() {
            return Ok(None);
        }
        let folder = self.system.home.providers();
        let Some(opened) = Folder::open(&folder).map_err(|error| report::store(&error))? else {
            return Ok(None);
        };
        let file_name = format!("{name}.toml");
        let text = opened.read(&file_name).map_err(|error| report::store(&error))?;
        let Some(text) = text else {
            return Ok(None);
        };
        let shown = folder.join(&file_name);
        let text = String::from_utf8_lossy(&text);
        file::read(&shown.display().to_string(), &text)
            .map(Some)
            .map_err(|error| report::provider_file(&error))
    }

    fn unknown_provider(&self, name: &str) -> Report {
        let own = self.own_provider_names();
        let mut all: Vec<&str> = catalogue::names().collect();
        all.extend(own.iter().map(String::as_str));
        let report = Report::new(
            Exit::SetUp,
            "unknown-provider",
            format!("there is no provider `{}`", printable(name)),
        );
        let report = match nearest(name, all) {
            Some(nearest) => {
                report.hint(format!("did you mean `--provider {nearest}`? All of them:"))
            }
            None => report.hint(
                "say which with --provider: a shipped one, a provider file, or an issuer URL",
            ),
        };
        report.next("keyfob provider list")
    }

    /// The names of the user's own provider files.
    pub fn own_provider_names(&self) -> Vec<String> {
        let folder = Folder::open(&self.system.home.providers()).ok().flatten();
        let names = folder.and_then(|folder| folder.names().ok()).unwrap_or_default();
        let mut names: Vec<String> =
            names.iter().filter_map(|file| file.strip_suffix(".toml").map(str::to_owned)).collect();
        names.sort();
        names
    }
}

/// Whether a provider is named by its file.
pub fn is_path(name: &str) -> bool {
    name.contains(['/', '\\']) || name.ends_with(".toml")
}

/// Reads a provider file that the user named.
pub fn read_provider(path: &Path) -> Result<Provider, Report> {
    const LARGEST: u64 = 1 << 20;
    let shown = path.display().to_string();
    let unreadable = |why: String| {
        Report::new(Exit::SetUp, "bad-provider-file", format!("{shown} cannot be read"))
            .cause(why)
            .hint("name a provider file that can be read, or one of these")
            .next("keyfob provider list")
    };
    let size = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if size > LARGEST {
        return Err(unreadable("it is larger than a provider file can be".into()));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    file::read(&shown, &text).map_err(|error| report::provider_file(&error))
}
