//! The profile's file: TOML in the configuration folder, fit to be kept with dotfiles.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::name::{self, NameError};
use super::{OwnClient, Registered};
use crate::provider::schema::Flow;
use crate::store::durable::Folder;
use crate::store::{StoreError, StoreKind};

/// What a user said about one use of a provider.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// A provider's name, or the path of its file.
    pub provider: String,
    /// Public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// What `connect` asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// What it does not ask for, though the provider's file would.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_scopes: Vec<String>,
    /// How `connect` gets the first tokens, where it is not the provider's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<Flow>,
    /// Where the browser is sent back to, where it is not the provider's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// Where the tokens are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreKind>,
    /// A command that keeps a refreshed connection somewhere else, on its standard input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save_to: Option<String>,
    /// Whether tokens are bound to a key, also where the provider does not ask for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dpop: bool,
    /// What the tokens are for, where it is not the provider's default (RFC 8707).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// Rights in detail as JSON, where they are not the provider's default (RFC 9396).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_details: Option<String>,
    /// Whether `connect` asks the userinfo endpoint who connected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub userinfo: bool,
    /// The provider's settings.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// Extra parameters of the request that asks for tokens; an empty one leaves out the provider's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
    /// How its client proves itself, where the provider leaves a choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<OwnClient>,
    /// The registration that keyfob made for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<Registered>,
}

/// Why a profile could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// No profile may have that name.
    #[error("`{name}` is no profile name: {why}")]
    Name {
        /// As typed.
        name: String,
        /// The rule it breaks.
        why: NameError,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// There is no such profile.
    #[error("there is no profile `{name}`")]
    Unknown {
        /// As typed.
        name: String,
        /// An existing one that is like it.
        nearest: Option<String>,
    },
    /// The file is not what keyfob writes.
    #[error("{}{}: {message}", path.display(), line.map(|it| format!(":{it}")).unwrap_or_default())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: Option<usize>,
        /// What is wrong.
        message: String,
    },
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] StoreError),
}

/// The folder of the profiles.
#[derive(Debug, Clone)]
pub struct Profiles {
    folder: PathBuf,
}

impl Profiles {
    /// Profiles below a configuration folder.
    pub fn new(configuration: &Path) -> Self {
        Self { folder: configuration.join("profiles") }
    }

    /// Where the file of a profile is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.toml"))
    }

    /// Where the record of a profile is.
    pub fn record_path(&self, name: &str) -> PathBuf {
        self.folder.join(record_file(name))
    }

    /// Reads a profile; `None` where there is none.
    pub fn find(&self, name: &str) -> Result<Option<Profile>, ProfileError> {
        check_name(name)?;
        let path = self.path(name);
        let Some(text) = self.read_file(&format!("{name}.toml"))? else {
            return Ok(None);
        };
        let unreadable =
            |line, message| ProfileError::Unreadable { path: path.clone(), line, message };
        let text = String::from_utf8(text)
            .map_err(|_| unreadable(None, "this is not UTF-8 text".into()))?;
        let profile = toml::from_str(&text).map_err(|error: toml::de::Error| {
            let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
            unreadable(line, error.message().to_owned())
        })?;
        Ok(Some(profile))
    }

    /// Reads a profile that must be there.
    pub fn read(&self, name: &str) -> Result<Profile, ProfileError> {
        match self.find(name)? {
            Some(profile) => Ok(profile),
            None => {
                let names = self.names()?;
                let near =
                    crate::provider::nearest::nearest(name, names.iter().map(String::as_str));
                Err(ProfileError::Unknown {
                    name: name.to_owned(),
                    nearest: near.map(str::to_owned),
                })
            }
        }
    }

    /// Writes a profile, whole or not at all.
    pub fn write(&self, name: &str, profile: &Profile) -> Result<(), ProfileError> {
        check_name(name)?;
        let text = toml::to_string(profile).map_err(|error| ProfileError::Unreadable {
            path: self.path(name),
            line: None,
            message: error.to_string(),
        })?;
        self.write_file(&format!("{name}.toml"), text.as_bytes())
    }

    /// Removes a profile and its record.
    pub fn remove(&self, name: &str) -> Result<(), ProfileError> {
        check_name(name)?;
        if let Some(folder) = Folder::open(&self.folder)? {
            folder.remove(&record_file(name))?;
            folder.remove(&format!("{name}.toml"))?;
        }
        Ok(())
    }

    /// Reads a file beside the profiles; `None` where there is none.
    pub(super) fn read_file(&self, file: &str) -> Result<Option<Vec<u8>>, ProfileError> {
        match Folder::open(&self.folder)? {
            Some(folder) => Ok(folder.read(file)?.map(|text| text.to_vec())),
            None => Ok(None),
        }
    }

    /// Writes a file beside the profiles, whole or not at all.
    pub(super) fn write_file(&self, file: &str, text: &[u8]) -> Result<(), ProfileError> {
        Ok(Folder::make(&self.folder)?.replace(file, text)?)
    }

    /// The names of all profiles, sorted.
    pub fn names(&self) -> Result<Vec<String>, ProfileError> {
        let Some(folder) = Folder::open(&self.folder)? else {
            return Ok(Vec::new());
        };
        let mut names: Vec<String> = folder
            .names()?
            .iter()
            .filter_map(|file| file.strip_suffix(".toml").map(str::to_owned))
            .filter(|name| name::check(name).is_ok())
            .collect();
        names.sort();
        Ok(names)
    }
}

/// The file of a profile's record.
pub(super) fn record_file(name: &str) -> String {
    format!("{name}.record.json")
}

/// Checks a name and says what was probably meant.
pub fn check_name(name: &str) -> Result<(), ProfileError> {
    name::check(name).map_err(|why| ProfileError::Name {
        name: name.to_owned(),
        why,
        nearest: name::nearest(name),
    })
}
