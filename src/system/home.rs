//! Where keyfob keeps its files.

use std::path::{Path, PathBuf};

use directories::BaseDirs;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::environment::Environment;

/// The folders of one home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// Profiles, providers, `config.toml`.
    pub configuration: PathBuf,
    /// Locks, journal, cooldowns, sealed files.
    pub state: PathBuf,
    /// Empty for the default home; else it tells this home's keychain entries from others'.
    pub identity: String,
}

impl Home {
    /// Everything under one folder, as `KEYFOB_HOME` asks.
    pub fn under(folder: &Path) -> Self {
        let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let real = real_path(&absolute);
        let digest = Sha256::digest(real.as_os_str().as_encoded_bytes());
        Self {
            state: absolute.join("state"),
            identity: digest[..6].iter().map(|byte| format!("{byte:02x}")).collect(),
            configuration: absolute,
        }
    }

    /// The platform's folders, or `KEYFOB_HOME`; `None` where this user has no home at all.
    pub fn find(environment: &Environment) -> Option<Self> {
        if let Some(folder) = environment.get("KEYFOB_HOME") {
            return Some(Self::under(Path::new(folder)));
        }
        let configuration = match environment.get("XDG_CONFIG_HOME").map(PathBuf::from) {
            Some(folder) if folder.is_absolute() => folder,
            _ => BaseDirs::new()?.config_dir().to_owned(),
        };
        Some(Self {
            configuration: configuration.join("keyfob"),
            state: state_folder()?,
            identity: String::new(),
        })
    }

    /// Where locks are.
    pub fn locks(&self) -> PathBuf {
        self.state.join("locks")
    }

    /// Where answers are kept until they are stored.
    pub fn journal(&self) -> PathBuf {
        self.state.join("journal")
    }

    /// Where cooldowns are.
    pub fn cooldowns(&self) -> PathBuf {
        self.state.join("cooldowns")
    }

    /// Where processes count their requests against a vendor's limits.
    pub fn limits(&self) -> PathBuf {
        self.state.join("limits")
    }

    /// Where the nonces of servers are that want one in each proof.
    pub fn nonces(&self) -> PathBuf {
        self.state.join("nonces")
    }

    /// Where sealed files are.
    pub fn sealed(&self) -> PathBuf {
        self.state.join("store")
    }

    /// Where the user's own provider files are.
    pub fn providers(&self) -> PathBuf {
        self.configuration.join("providers")
    }
}

/// The path without links as far as it exists, so that two spellings of one folder are one home.
fn real_path(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => real_path(parent).join(name),
        _ => path.to_owned(),
    }
}

/// The user's state folder by the user database: a terminal and cron differ in HOME and XDG
/// variables, and one connection must have one lock.
#[cfg(unix)]
fn state_folder() -> Option<PathBuf> {
    let user = nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten();
    let home = match user {
        Some(user) => user.dir,
        // A container may run under a number that no database knows.
        None => BaseDirs::new()?.home_dir().to_owned(),
    };
    let below = if cfg!(target_os = "macos") {
        "Library/Application Support/keyfob/state"
    } else {
        ".local/state/keyfob"
    };
    Some(home.join(below))
}

#[cfg(not(unix))]
fn state_folder() -> Option<PathBuf> {
    Some(BaseDirs::new()?.data_local_dir().join("keyfob").join("state"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One entry of the keychain, one lock: a terminal and cron know different homes and folders.
    #[cfg(unix)]
    #[test] // RF6
    #[expect(clippy::disallowed_methods, reason = "a copy of this test gets another environment")]
    fn the_default_home_has_one_place_for_locks_whatever_home_and_xdg_say() {
        let elsewhere = |folder: &str| {
            let variable = ("XDG_CONFIG_HOME".to_owned(), folder.to_owned());
            Home::find(&Environment::new([variable])).unwrap()
        };
        let (one, two) = (elsewhere("/one"), elsewhere("/two"));
        assert_ne!(one.configuration, two.configuration);
        assert_eq!((&one.state, &one.identity), (&two.state, &two.identity));
        const EXPECTED: &str = "KEYFOB_TEST_STATE_FOLDER";
        if let Some(expected) = std::env::var_os(EXPECTED) {
            assert_eq!(one.state, PathBuf::from(expected));
            return;
        }
        let name = concat!(
            module_path!(),
            "::the_default_home_has_one_place_for_locks_whatever_home_and_xdg_say"
        );
        let name = name.split_once("::").unwrap().1;
        let mut copy = std::process::Command::new(std::env::current_exe().unwrap());
        copy.args(["--exact", name]).env(EXPECTED, &one.state);
        for variable in ["HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"] {
            copy.env(variable, "/another");
        }
        let output = copy.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("1 passed"), "{said}");
    }

    #[test]
    fn two_homes_have_two_identities_and_two_spellings_of_one_have_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let one = Home::under(&folder.path().join("one"));
        let two = Home::under(&folder.path().join("two"));
        assert_ne!(one.identity, two.identity);
        std::fs::create_dir(folder.path().join("one")).unwrap();
        assert_eq!(Home::under(&folder.path().join("one")).identity, one.identity);
        std::os::unix::fs::symlink(folder.path().join("one"), folder.path().join("link")).unwrap();
        assert_eq!(Home::under(&folder.path().join("link")).identity, one.identity);
    }
}
