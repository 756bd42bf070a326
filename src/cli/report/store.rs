//! What a person is told about stores and locks.

use std::io::ErrorKind;
use std::path::Path;

use super::super::command_line;
use super::{Exit, Report, Situation, span};
use crate::http::printable::printable;
use crate::store::StoreError;
use crate::store::durable::OTHERS_MAY_WRITE;
use crate::store::key::Opener;
use crate::store::lock::LockError;

/// A store that did not do what it was asked for a profile: what it takes to go on with that one.
pub fn store_of(error: &StoreError, about: &Situation) -> Report {
    let report = store(error);
    let name = command_line::word(&about.profile);
    match error {
        StoreError::Damaged { .. } => Report { next: Vec::new(), ..report }
            .next(format!("keyfob profile remove {name} --yes"))
            .next(about.connect_anew()),
        _ if may_use_files(error) => report.next(about.connect_with(&[("--store", "file")])),
        _ => report,
    }
}

/// Whether sealed files would do what the keychain did not.
fn may_use_files(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::KeychainAbsent { .. }
            | StoreError::KeychainWithoutCollection
            | StoreError::KeychainLocked
            | StoreError::KeychainSilent { .. }
            | StoreError::KeychainEnded { .. }
            | StoreError::KeychainRefused { .. }
            | StoreError::NotKept
    )
}

/// A store that did not do what it was asked.
pub fn store(error: &StoreError) -> Report {
    let report = |code, message: &str| Report::new(Exit::Store, code, message);
    match error {
        StoreError::KeychainAbsent { detail } => with_files(
            report("keychain-absent", "there is no keychain on this machine to keep tokens in")
                .cause(printable(detail)),
            START,
        ),
        StoreError::KeychainWithoutCollection => with_files(
            report(
                "keychain-absent",
                "the keychain service runs, but has no default keyring to keep tokens in",
            )
            .cause("nobody has logged in and unlocked it yet"),
            START,
        ),
        StoreError::KeychainLocked => with_files(
            report("keychain-locked", "the keychain is locked")
                .cause("it can be read once it is unlocked; nothing was changed"),
            UNLOCK,
        ),
        StoreError::KeychainSilent { seconds } => with_files(
            report("keychain-silent", "the keychain does not answer")
                .cause(format!("{seconds} seconds passed; it may wait for a prompt nobody sees")),
            UNLOCK,
        ),
        StoreError::KeychainEnded { detail } => with_files(
            report("keychain-ended", "the keychain's service ended before it answered")
                .cause(printable(detail)),
            AGAIN,
        ),
        StoreError::KeychainRefused { detail } => with_files(
            report("keychain-refused", "the keychain refused").cause(printable(detail)),
            NOTHING,
        ),
        StoreError::KeyMissing => {
            report("store-key-missing", "the sealed file store has no key to open it with")
                .cause(NONE_GIVEN)
                .hint("make a key once, keep it, and name its file")
                .next(MAKE_KEY)
                .next(KEY_FILE)
        }
        StoreError::KeyNotGiven { path, sealed_with } => {
            let report =
                report("store-key-missing", "the sealed file store has no key to open it with");
            match sealed_with {
                Opener::Key => report
                    .cause(format!("{} was sealed with one; {NONE_GIVEN}", path.display()))
                    .hint("name the key that it was sealed with; a new one would not open it")
                    .next(KEY_FILE),
                Opener::Passphrase => report
                    .cause(format!("{} was sealed with a passphrase, and none was typed", path.display()))
                    .hint("run the command on a terminal, without --no-input, and type the passphrase; no key opens it"),
            }
        }
        StoreError::KeyTooShort { length } => {
            report("store-key-short", "the key of the sealed file store is too short")
                .cause(format!("it has {length} bytes; at least 32 are needed"))
                .hint("make one with")
                .next("openssl rand -base64 32")
        }
        StoreError::PassphrasesDiffer => {
            report("store-key-wrong", "the two passphrases of the sealed file store differ")
                .cause("it holds nothing yet, so the first one could be checked against nothing else")
                .hint("nothing was sealed or sent; run the command again")
        }
        StoreError::KeyFileUnsafe { path, .. } if !path.exists() => {
            report("store-key-missing", "the key file does not exist")
                .cause(path.display().to_string())
                .hint("make a key once and keep it, or name the file that holds it")
                .next(format!("(umask 077 && set -C && openssl rand -base64 32 > {})", command_line::path(path)))
        }
        StoreError::KeyFileUnsafe { path, why } => {
            let report = report("store-key-unsafe", "the key file is not safe to use")
                .cause(format!("{} {}", path.display(), printable(why)))
                .hint("it must be a plain file that only you can read");
            match for_me_alone(path) {
                Some(command) => report.next(command),
                None => report,
            }
        }
        StoreError::WrongKey { path, sealed_with, tried } => {
            let report = report(
                "store-key-wrong",
                match tried {
                    Opener::Key => "the sealed file does not open under this key",
                    Opener::Passphrase => "the sealed file does not open with this passphrase",
                },
            );
            let path = path.display();
            match (sealed_with, tried) {
                (Opener::Key, Opener::Key) => report
                    .cause(format!("{path} was sealed under another key"))
                    .hint("set KEYFOB_STORE_KEY or KEYFOB_STORE_KEY_FILE to the key it was sealed with; nothing was changed"),
                (Opener::Key, Opener::Passphrase) => report
                    .cause(format!("{path} was sealed with a key, which no passphrase stands for"))
                    .hint("name the file of the key it was sealed with; nothing was changed")
                    .next(KEY_FILE),
                (Opener::Passphrase, Opener::Key) => report
                    .cause(format!("{path} was sealed with a passphrase, which is asked for where no key is set"))
                    .hint("take the key away and run the command again on a terminal; nothing was changed")
                    .next("unset KEYFOB_STORE_KEY KEYFOB_STORE_KEY_FILE"),
                (Opener::Passphrase, Opener::Passphrase) => report
                    .cause(format!("{path} was sealed with another passphrase"))
                    .hint("run the command again, and type the passphrase it was sealed with; nothing was changed"),
            }
        }
        StoreError::Damaged { detail } => report("store-damaged", "the stored entry is damaged")
            .cause(printable(detail))
            .hint("it was left as it is: restore it from a backup, or remove the profile and connect it again")
            .next("keyfob profile remove … --yes"),
        StoreError::Newer { version } => {
            report("store-newer", "the stored entry was written by a newer keyfob")
                .cause(format!("its version is {version}"))
                .hint("upgrade keyfob; the entry was left as it is")
        }
        StoreError::Unwritable { action, path, source }
            if source.to_string() == OTHERS_MAY_WRITE =>
        {
            let path = command_line::path(path);
            report("store-unwritable", &format!("keyfob cannot {action} {path}"))
                .cause(OTHERS_MAY_WRITE)
                .hint("keyfob believes what stands there, so nobody but you may change it; no token was spent")
                .next(format!("chmod -R go-w {path}"))
        }
        // Links, other people's and what is no folder or file: no room and no mode helps there.
        StoreError::Unwritable { action, path, source } if is_ours(source) => {
            report("store-unwritable", &format!("keyfob cannot {action} {}", path.display()))
                .cause(printable(&source.to_string()))
                .hint("it must be your own, and no link: see what stands there, or give keyfob another folder; no token was spent")
                .next(format!("ls -ld {}", command_line::path(path)))
                .next("export KEYFOB_HOME=DIR")
        }
        StoreError::Unwritable { action, path, source } if is_reading(action) => {
            report("store-unwritable", &format!("keyfob cannot {action} {}", path.display()))
                .cause(printable(&source.to_string()))
                .hint("give yourself access there, then run the command again; no token was spent")
                .next(format!("ls -ld {}", command_line::path(path)))
        }
        StoreError::Unwritable { action, path, source } => {
            report("store-unwritable", &format!("keyfob cannot {action} {}", path.display()))
                .cause(printable(&source.to_string()))
                .hint("make room or give yourself access there, then run the command again; no token was spent")
        }
        StoreError::NotKept => with_files(
            report("store-not-kept", "the store did not keep what was written")
                .cause("reading it back gave something else"),
            ("check the keychain", None),
        ),
    }
}

/// A refusal of this program, and not of the system.
fn is_ours(error: &std::io::Error) -> bool {
    error.kind() == ErrorKind::PermissionDenied && error.raw_os_error().is_none()
}

/// Reading takes no room.
fn is_reading(action: &str) -> bool {
    matches!(action, "open" | "read" | "list")
}

/// A lock that was not had.
pub fn lock(error: &LockError, profile: &str) -> Report {
    match error {
        LockError::Held { path, holder, waited } => {
            let who = match holder {
                Some(holder) => {
                    format!("process {} has held it since {}", holder.process, holder.since)
                }
                None => "another process holds it".to_owned(),
            };
            Report::new(
                Exit::Store,
                "lock-held",
                format!("`{profile}` is being refreshed by another keyfob"),
            )
            .cause(format!("{who}; waited {}", span(*waited)))
            .cause(format!("the lock is {}", path.display()))
            .hint("try again when it is done; the lock ends with its process")
        }
        LockError::Unusable { path, source } if source.kind() == ErrorKind::PermissionDenied => {
            Report::new(Exit::Store, "lock-unusable", "keyfob cannot take the lock of its state")
                .cause(format!("{}: {}", path.display(), printable(&source.to_string())))
                .hint("it must be your own and for you alone: see what stands there")
                .next(format!("ls -ld {}", command_line::path(path)))
        }
        LockError::Unusable { path, source } => Report::new(
            Exit::Store,
            "lock-unusable",
            "locks do not work where keyfob keeps its state",
        )
        .cause(format!("{}: {}", path.display(), printable(&source.to_string())))
        .hint("put keyfob's files on a local file system; without a lock no token is spent")
        .next("export KEYFOB_HOME=/path/on/a/local/disk"),
    }
}

/// What may be done about the keychain, and the command that does it here.
type Remedy = (&'static str, Option<&'static str>);

const START: Remedy = (
    "start and unlock a keychain for this session",
    if cfg!(target_os = "linux") {
        Some("dbus-run-session -- sh -c 'gnome-keyring-daemon --unlock && exec \"$SHELL\"'")
    } else {
        None
    },
);
const AGAIN: Remedy = ("run the command again; where it stays away, start and unlock one", START.1);
const UNLOCK: Remedy = (
    if cfg!(any(target_os = "linux", target_os = "macos")) {
        "unlock it (log in to the desktop, or run the first line)"
    } else {
        "unlock it"
    },
    if cfg!(target_os = "linux") {
        Some("gnome-keyring-daemon --unlock")
    } else if cfg!(target_os = "macos") {
        Some("security unlock-keychain")
    } else {
        None
    },
);
const NOTHING: Remedy = ("find out why", None);
const NONE_GIVEN: &str =
    "neither KEYFOB_STORE_KEY nor KEYFOB_STORE_KEY_FILE is set, and no passphrase was typed";
/// A key that is there already is not written over: `set -C`.
const MAKE_KEY: &str = "(umask 077 && set -C && openssl rand -base64 32 > ~/.keyfob.key)";
const KEY_FILE: &str = "export KEYFOB_STORE_KEY_FILE=~/.keyfob.key";

/// The keychain is helped, or a connection is made anew in sealed files: a variable moves none.
fn with_files(report: Report, remedy: Remedy) -> Report {
    let (what, command) = remedy;
    let report = report.hint(format!(
        "{what}; or connect with --store file, which keeps tokens in files sealed with a key"
    ));
    let report = match command {
        Some(command) => report.next(command),
        None => report,
    };
    report.next(MAKE_KEY).next(KEY_FILE)
}

/// The command that takes a file from everybody else; none where there is no such file.
pub fn for_me_alone(path: &Path) -> Option<String> {
    let is_there = cfg!(unix) && std::fs::metadata(path).is_ok_and(|it| it.is_file());
    is_there.then(|| format!("chmod 600 {}", command_line::path(path)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::random::SystemRandom;
    use crate::secret::Secret;
    use crate::store::file::{FileKey, FileStore};
    use crate::store::lock::Lock;
    use crate::store::{EntryName, Store as _};

    #[test]
    fn a_mode_is_changed_only_where_there_is_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a key");
        let error = |path: &Path| StoreError::KeyFileUnsafe { path: path.into(), why: "x".into() };
        assert!(store(&error(&path)).next[0].starts_with("(umask 077"), "it is made, not changed");
        std::fs::write(&path, "k").unwrap();
        let next = store(&error(&path)).next;
        let words: Vec<Vec<String>> = next.iter().filter_map(|it| shlex::split(it)).collect();
        assert_eq!(words.len(), usize::from(cfg!(unix)));
        assert!(words.iter().all(|words| words[2] == path.display().to_string()), "{words:?}");
    }

    /// What is told where an entry was sealed with one of them and is read with the other.
    fn read_with(sealed_with: &FileKey, tried: FileKey) -> String {
        let folder = tempfile::tempdir().unwrap();
        let store = |key| FileStore::new(folder.path().join("sealed"), key, Arc::new(SystemRandom));
        let lock = Lock::try_take(&folder.path().join("lock"), &SystemClock).unwrap().unwrap();
        let name = EntryName { profile: "shop".into(), home: String::new() };
        store(sealed_with.clone()).write(&lock, &name, &Secret::new("entry")).unwrap();
        let report = super::store(&store(tried).read(&name).unwrap_err());
        report.lines(super::super::Paint(false)).join("\n")
    }

    #[test] // ST11, ER4
    fn a_sealed_file_is_told_by_what_it_was_sealed_with() {
        let key = |text: &str| FileKey::Text(Secret::new(text.repeat(40)));
        let passphrase = |text: &str| FileKey::Passphrase(Secret::new(text));
        let cases = [
            (key("a"), key("b"), "sealed under another key", "to the key it was sealed with"),
            (key("a"), passphrase("b"), "sealed with a key", "export KEYFOB_STORE_KEY_FILE="),
            (passphrase("a"), key("b"), "sealed with a passphrase", "unset KEYFOB_STORE_KEY "),
            (passphrase("a"), passphrase("b"), "sealed with another passphrase", "type the"),
            (key("a"), FileKey::None, "no passphrase was typed", "export KEYFOB_STORE_KEY_FILE="),
            (passphrase("a"), FileKey::None, "none was typed", "and type the passphrase"),
        ];
        for (sealed_with, tried, cause, hint) in cases {
            let told = read_with(&sealed_with, tried);
            assert!(told.contains(cause) && told.contains(hint), "{cause}:\n{told}");
            let names_a_key = told.contains("KEYFOB_STORE_KEY_FILE=");
            let opens_with_a_key = !matches!(sealed_with, FileKey::Passphrase(_));
            assert!(opens_with_a_key || !names_a_key, "no key opens it:\n{told}");
        }
    }

    #[test]
    fn a_keychain_s_advice_is_this_system_s_and_names_the_flag_that_moves_a_connection() {
        let about = Situation { profile: "shop".into(), ..Situation::default() };
        let report = store_of(&StoreError::KeychainLocked, &about);
        assert_eq!(
            report.next.iter().any(|it| it.contains("gnome-keyring")),
            cfg!(target_os = "linux")
        );
        assert_eq!(report.next.last().unwrap(), "keyfob connect shop --store file");
    }
}
