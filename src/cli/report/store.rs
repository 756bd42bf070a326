//! What a person is told about stores and locks.

use super::{Exit, Report, span};
use crate::http::printable::printable;
use crate::store::StoreError;
use crate::store::lock::LockError;

/// A store that did not do what it was asked.
pub fn store(error: &StoreError) -> Report {
    let report = |code, message: &str| Report::new(Exit::Store, code, message);
    match error {
        StoreError::KeychainAbsent { detail } => {
            report("keychain-absent", "there is no keychain on this machine to keep tokens in")
                .cause(printable(detail))
                .hint(CHOICES)
                .next(UNLOCK_FOR_SESSION)
                .next(FILE_STORE)
        }
        StoreError::KeychainWithoutCollection => report(
            "keychain-absent",
            "the keychain service runs, but has no default keyring to keep tokens in",
        )
        .cause("nobody has logged in and unlocked it yet")
        .hint(CHOICES)
        .next(UNLOCK_FOR_SESSION)
        .next(FILE_STORE),
        StoreError::KeychainLocked => report("keychain-locked", "the keychain is locked")
            .cause("it can be read once it is unlocked; nothing was changed")
            .hint("unlock it (log in to the desktop, or run the first line), or choose sealed files")
            .next(UNLOCK)
            .next(FILE_STORE),
        StoreError::KeychainSilent { seconds } => {
            report("keychain-silent", "the keychain does not answer")
                .cause(format!("{seconds} seconds passed; it may wait for a prompt nobody sees"))
                .hint(CHOICES)
                .next(UNLOCK)
                .next(FILE_STORE)
        }
        StoreError::KeychainRefused { detail } => {
            report("keychain-refused", "the keychain refused").cause(printable(detail)).hint(CHOICES).next(FILE_STORE)
        }
        StoreError::KeyMissing => {
            report("store-key-missing", "the sealed file store has no key to open it with")
                .cause("neither KEYFOB_STORE_KEY nor KEYFOB_STORE_KEY_FILE is set, and there is no terminal to ask for a passphrase")
                .hint("make a key once, keep it, and name its file")
                .next("(umask 077 && openssl rand -base64 32 > ~/.keyfob.key)")
                .next("export KEYFOB_STORE_KEY_FILE=~/.keyfob.key")
        }
        StoreError::KeyTooShort { length } => {
            report("store-key-short", "the key of the sealed file store is too short")
                .cause(format!("it has {length} bytes; at least 32 are needed"))
                .hint("make one with")
                .next("openssl rand -base64 32")
        }
        StoreError::KeyFileUnsafe { path, why } => {
            report("store-key-unsafe", "the key file is not safe to use")
                .cause(format!("{} {}", path.display(), printable(why)))
                .hint("it must be a plain file that only you can read")
                .next(format!("chmod 600 {}", path.display()))
        }
        StoreError::WrongKey { path } => {
            report("store-key-wrong", "the sealed file does not open under this key")
                .cause(format!("{} was sealed under another key", path.display()))
                .hint("set KEYFOB_STORE_KEY or KEYFOB_STORE_KEY_FILE to the key it was sealed with; nothing was changed")
        }
        StoreError::Damaged { detail } => report("store-damaged", "the stored entry is damaged")
            .cause(printable(detail))
            .hint("it was left as it is; connect again to replace it, or restore it from a backup"),
        StoreError::Newer { version } => {
            report("store-newer", "the stored entry was written by a newer keyfob")
                .cause(format!("its version is {version}"))
                .hint("upgrade keyfob; the entry was left as it is")
        }
        StoreError::Unwritable { action, path, source } => {
            report("store-unwritable", &format!("keyfob cannot {action} {}", path.display()))
                .cause(printable(&source.to_string()))
                .hint("make room or give yourself access there, then run the command again; no token was spent")
        }
        StoreError::NotKept => report("store-not-kept", "the store did not keep what was written")
            .cause("reading it back gave something else")
            .hint("check the keychain, or choose sealed files")
            .next(FILE_STORE),
    }
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

const CHOICES: &str = "start and unlock a keychain for this session, or keep tokens in sealed files: --store file with a key";
const UNLOCK: &str = "gnome-keyring-daemon --unlock";
const UNLOCK_FOR_SESSION: &str =
    "dbus-run-session -- sh -c 'gnome-keyring-daemon --unlock && exec \"$SHELL\"'";
const FILE_STORE: &str = "export KEYFOB_STORE=file KEYFOB_STORE_KEY_FILE=~/.keyfob.key   # openssl rand -base64 32 writes one";
