//! A command of the user's that keeps a connection somewhere else: proved before a refresh token is
//! spent, given the new connection before anything else can happen.
//!
//! Both happen under the connection's lock and with the entry as it is stored at that moment, so
//! that what was saved last is what is in force.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::blob::{Belongings, Blob};
use super::entry::Entry;
use crate::random::Random;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::store::durable::Folder;
use crate::store::key::Key;
use crate::system::Home;
use crate::system::environment::SECRET_VARIABLES;
use crate::system::shell::{self, ShellCommand, ShellError};

/// How long the command may take, each time.
pub const BOUND: Duration = Duration::from_secs(30);
/// What of keyfob's own the command has no need to see.
const HIDDEN: [&str; 6] = {
    let [blob, blob_key, store_key, client_secret, webhook_secret] = SECRET_VARIABLES;
    [blob, blob_key, store_key, client_secret, webhook_secret, "KEYFOB_SAVE_TO"]
};

/// Where a refreshed connection is saved, complete: it travels to the worker with its order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Saving {
    /// For the shell, as the user typed it.
    pub command: String,
    /// Whether this very command asked for it; else only what two holders would end is saved.
    pub asked: bool,
    /// The caller's working folder.
    pub folder: PathBuf,
    /// The key that seals, as [`Key::encode`] writes it.
    #[serde(with = "crate::secret::stored")]
    pub key: Secret,
    /// What goes with the tokens.
    pub belongings: Belongings,
    /// Where a copy is kept that the command did not take.
    pub copies: PathBuf,
}

/// Why the command is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// To prove that it works, with the connection that is still in force.
    Probe,
    /// With the new connection.
    Final,
}

impl Stage {
    /// The value of `KEYFOB_SAVE`.
    fn name(self) -> &'static str {
        match self {
            Self::Probe => "probe",
            Self::Final => "final",
        }
    }
}

/// Why a connection was not saved.
#[derive(Debug, Serialize, Deserialize)]
pub struct NotSaved {
    /// What went wrong.
    pub why: WhyNot,
    /// What the command said, without the secrets it was given.
    pub output: String,
}

/// What went wrong.
#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
pub enum WhyNot {
    /// The command.
    #[error(transparent)]
    Command(ShellError),
    /// There was nothing to give it.
    #[error(transparent)]
    Seal(StoreError),
}

impl From<StoreError> for NotSaved {
    fn from(error: StoreError) -> Self {
        Self { why: WhyNot::Seal(error), output: String::new() }
    }
}

impl Saving {
    /// Seals an entry as the command gets it.
    pub fn blob(
        &self,
        entry: &Entry,
        random: &dyn Random,
        now: Timestamp,
    ) -> Result<Secret, StoreError> {
        let key = Key::decode(&self.key)?;
        Blob::pack(&self.belongings, entry, random, now)?.seal(&key, random)
    }

    /// Gives the command a blob, and what it said back; `entry` names what must not be repeated.
    pub async fn give(
        &self,
        stage: Stage,
        blob: &Secret,
        entry: &Entry,
    ) -> Result<String, NotSaved> {
        let set = [("KEYFOB_SAVE", stage.name()), ("KEYFOB_PROFILE", &self.belongings.name)];
        let command =
            ShellCommand { text: &self.command, folder: &self.folder, set: &set, hidden: &HIDDEN };
        let said = shell::run(command, blob, BOUND).await;
        let output = without_secrets(&said.output, entry.all_secrets().chain([blob, &self.key]));
        match said.outcome {
            Ok(()) => Ok(output),
            Err(error) => Err(NotSaved { why: WhyNot::Command(error), output }),
        }
    }

    /// Keeps a copy until the command has taken the connection; `None` where that cannot be done.
    pub fn keep_copy(&self, blob: &Secret) -> Option<PathBuf> {
        let name = copy_name(&self.belongings.name);
        let kept = Folder::make(&self.copies).and_then(|folder| {
            folder.replace(&name, format!("{}\n", blob.expose()).as_bytes())?;
            Ok(folder.path_of(&name))
        });
        if kept.is_err() {
            // One of the tokens before these would be taken for it.
            self.discard_copy();
        }
        kept.ok()
    }

    /// Lets go of the copy.
    pub fn discard_copy(&self) {
        discard_in(&self.copies, &self.belongings.name);
    }
}

/// Where copies of a home are.
pub fn copies(home: &Home) -> PathBuf {
    home.state.join("unsaved")
}

/// The copy of a connection that its save command has not taken, if there is one.
pub fn waiting_copy(home: &Home, profile: &str) -> Option<PathBuf> {
    let copy = copies(home).join(copy_name(profile));
    copy.is_file().then_some(copy)
}

/// Lets go of the copy of a profile whose tokens are forgotten.
pub fn discard(home: &Home, profile: &str) {
    discard_in(&copies(home), profile);
}

/// Lets go of the copy of a profile in the folder of copies.
pub(super) fn discard_in(folder: &Path, profile: &str) {
    // A copy that stays is sealed, and the next one takes its place.
    if let Ok(Some(folder)) = Folder::open(folder) {
        let _ = folder.remove(&copy_name(profile));
    }
}

fn copy_name(profile: &str) -> String {
    format!("{profile}.keyfob")
}

/// A command that repeats its input is not passed on.
fn without_secrets<'a>(output: &Secret, secrets: impl Iterator<Item = &'a Secret>) -> String {
    secrets
        .filter(|secret| !secret.is_empty())
        .fold(output.expose().to_owned(), |text, secret| text.replace(secret.expose(), "[hidden]"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use crate::random::SystemRandom;

    fn given(command: &str) -> Result<String, NotSaved> {
        let folder = tempfile::tempdir().unwrap();
        let saving = Saving {
            command: command.into(),
            asked: true,
            folder: folder.path().to_owned(),
            key: Key::random(&SystemRandom).encode(),
            belongings: Belongings {
                name: "shop".into(),
                profile: Profile::default(),
                provider_file: None,
            },
            copies: folder.path().join("copies"),
        };
        let mut entry = Entry::empty(&SystemRandom);
        entry.secrets.insert("client_secret".into(), Secret::new("MARKED"));
        let blob = saving.blob(&entry, &SystemRandom, Timestamp::UNIX_EPOCH).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(saving.give(Stage::Final, &blob, &entry))
    }

    #[test]
    fn a_command_is_told_which_profile_and_why_and_its_echo_is_hidden() {
        let said = given("cat; echo \" $KEYFOB_SAVE $KEYFOB_PROFILE MARKED\"").unwrap();
        assert_eq!(said, "[hidden] final shop [hidden]\n");
        let refused = given("cat >&2; exit 4").unwrap_err();
        assert_eq!(refused.output, "[hidden]");
        assert!(matches!(refused.why, WhyNot::Command(ShellError::Status(4))));
    }

    #[test]
    fn a_copy_is_kept_privately_and_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::under(folder.path());
        let saving = Saving {
            command: "true".into(),
            asked: true,
            folder: "/".into(),
            key: Key::random(&SystemRandom).encode(),
            belongings: Belongings {
                name: "shop".into(),
                profile: Profile::default(),
                provider_file: None,
            },
            copies: copies(&home),
        };
        let path = saving.keep_copy(&Secret::new("keyfob1.x")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "keyfob1.x\n");
        let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        discard(&home, "shop");
        assert!(!path.exists());
    }
}
