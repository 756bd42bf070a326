//! What a person is told about sealed connections, their keys, and commands that save them.

use std::path::Path;

use super::super::command_line;
use super::{Exit, Report, SavingFlags, Situation, store};
use crate::connection::blob::BlobError;
use crate::connection::saving::{NotSaved, WhyNot};
use crate::http::printable::printable;
use crate::provider::Provider;
use crate::provider::schema::Flow;
use crate::store::StoreError;

/// The most lines of a command's own words that are repeated.
const LAST_LINES: usize = 10;

/// A text that is no connection, or does not open.
pub fn blob(error: &BlobError) -> Report {
    let report = |exit, code, message: &str| {
        Report::new(exit, code, message).cause(printable(&error.to_string()))
    };
    match error {
        BlobError::NotABlob => {
            report(Exit::Store, "blob-damaged", "this is no sealed connection")
                .hint("give the line that `keyfob export` printed; nothing was written")
        }
        BlobError::Damaged(_) => {
            report(Exit::Store, "blob-damaged", "the sealed connection is damaged")
                .hint("copy the whole line that `keyfob export` printed; nothing was written")
        }
        BlobError::WrongKey => Report::new(
            Exit::SetUp,
            "blob-key-wrong",
            "the sealed connection does not open with this key",
        )
        .cause("it was sealed under another key or passphrase")
        .hint("give the key it was exported with (--key-file, KEYFOB_BLOB_KEY, KEYFOB_STORE_KEY); nothing was written"),
        BlobError::Newer(_) => {
            report(Exit::Store, "blob-newer", "the sealed connection cannot be read")
                .hint("upgrade keyfob here; nothing was written")
        }
    }
}

/// A key of a sealed connection that is wanting.
pub fn blob_key(error: &StoreError) -> Report {
    let report = |code, message: &str| Report::new(Exit::SetUp, code, message);
    match error {
        StoreError::KeyMissing => {
            report("blob-key-missing", "there is no key for the sealed connection")
                .cause("no --key-file was given, and neither KEYFOB_BLOB_KEY, KEYFOB_STORE_KEY nor KEYFOB_STORE_KEY_FILE is set")
                .hint("make a key once, and keep it on both sides")
                .next("(umask 077 && set -C && openssl rand -base64 32 > keyfob.key)")
        }
        StoreError::KeyTooShort { length } => {
            report("blob-key-short", "the key for the sealed connection is too short")
                .cause(format!("it has {length} bytes; at least 32 are needed"))
                .hint("make one with")
                .next("openssl rand -base64 32")
        }
        StoreError::Damaged { .. } => {
            report("blob-key-missing", "the passphrase cannot be used").hint("nothing was written")
        }
        other => Report { exit: Exit::SetUp, ..store(other) },
    }
}

/// A provider file that came along and is not the one that is here.
pub fn provider_collision(name: &str) -> Report {
    Report::new(Exit::SetUp, "provider-differs", format!("there is another provider `{name}` here"))
        .cause("the sealed connection brings its own provider file, which says something else")
        .hint("compare them; --yes takes the one that came along; nothing was written")
        .next(format!("keyfob provider show {}", command_line::word(name)))
}

/// What went out is spent already.
pub fn rolled_meanwhile(name: &str) -> Report {
    Report::new(
        Exit::TryLater,
        "rolled-meanwhile",
        format!("`{name}` was refreshed while it was exported, and stays here"),
    )
    .cause("what was printed holds a refresh token that is spent")
    .hint("throw it away and export again")
    .next(format!("keyfob export {} --move", command_line::word(name)))
}

/// A CI job's copy that has no place to save to.
pub fn borrowed(provider: &Provider, about: &Situation) -> Report {
    let profile = command_line::word(&about.profile);
    let report = Report::new(
        Exit::SetUp,
        "no-place-to-save",
        format!("`{}` is a CI job's copy, and is not refreshed without a place to save it to", about.profile),
    )
    .cause(format!(
        "{} replaces the refresh token at every refresh; the new one would be lost with the job, and the old one is spent",
        about.provider
    ))
    .hint("nothing was sent; do one of three: save what comes back where the job found it, let one job refresh and hand on access tokens only, or use credentials that need no refresh token")
    .next(format!("keyfob refresh {profile} --save-to 'gh secret set KEYFOB_BLOB'"));
    let report = match provider.client.certificate_bound_access_tokens {
        true => report,
        false => report.next(format!("keyfob export {profile} --access-token-only")),
    };
    match provider.flows.contains(&Flow::ClientCredentials) {
        true => report.next(format!(
            "keyfob connect {profile}-ci --provider {} --flow client-credentials",
            command_line::word(&provider.name)
        )),
        false => report,
    }
}

/// Only an access token was handed over, and another one is wanted.
pub fn access_token_only(about: &Situation) -> Report {
    Report::new(
        Exit::AuthorizationNeeded,
        "cannot-renew",
        format!("nothing here can renew the access token of `{}`", about.profile),
    )
    .cause("it was exported with --access-token-only: what renews it stayed where it was exported")
    .hint("export it again there, and import that here")
    .next(format!("keyfob import {} --sealed", command_line::word(&about.profile)))
}

/// An access token that is of no use without what makes new ones.
pub fn needs_certificate(about: &Situation) -> Report {
    let profile = command_line::word(&about.profile);
    Report::new(
        Exit::SetUp,
        "certificate-needed",
        format!("the access token of `{}` is of no use alone", about.profile),
    )
    .cause("it is bound to the client's certificate (RFC 8705), whose key is not handed on with an access token: it makes new ones")
    .hint("move the whole connection, or let other programs use it through the proxy")
    .next(format!("keyfob export {profile}"))
    .next(format!("keyfob proxy {profile}"))
}

/// The key is wanting under which a refreshed connection is saved.
pub fn save_key(error: &StoreError) -> Report {
    blob_key(error)
        .cause("nothing was sent: a refreshed connection is saved sealed, and could not be")
}

/// The save command did not pass its proof.
pub fn not_proved(error: &NotSaved, about: &Situation) -> Report {
    why(
        Report::new(
            Exit::Store,
            "save-not-proved",
            format!("`{}` was not refreshed: the save command does not work", about.profile),
        ),
        error,
    )
    .hint("nothing was sent, and the refresh token is not spent; mend the command, which gets the sealed connection on its standard input")
}

/// The save command did not take the new tokens.
pub fn unsaved(error: &NotSaved, copy: Option<&Path>, about: &Situation) -> Report {
    let report = why(
        Report::new(
            Exit::Store,
            "unsaved",
            format!("the new tokens of `{}` are stored here, but were not saved", about.profile),
        ),
        error,
    )
    .cause("what was saved before is spent: until this is mended, the connection lives here alone");
    let profile = command_line::word(&about.profile);
    let report = match copy {
        Some(path) => report.cause(format!("a sealed copy is in {}", command_line::path(path))),
        None => report.cause("no copy could be written either"),
    };
    let report = report.hint(
        "nothing is lost: mend the command and say it again; it is proved first, and gets the newest connection",
    );
    let report = match &about.saving {
        SavingFlags::None => report.next(format!("keyfob refresh {profile}")),
        SavingFlags::Given(flags) => report.next(format!("keyfob refresh {profile}{flags}")),
        SavingFlags::OnLines => report,
    };
    match copy {
        Some(_) => report,
        None => report.next(format!("keyfob export {profile}")),
    }
}

fn why(report: Report, error: &NotSaved) -> Report {
    let report = match &error.why {
        WhyNot::Command(error) => report.cause(printable(&error.to_string())),
        WhyNot::Seal(error) => report.cause(printable(&error.to_string())),
    };
    let lines: Vec<&str> = error.output.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.iter().skip(lines.len().saturating_sub(LAST_LINES));
    last.fold(report, |report, line| report.cause(format!("\"{}\"", printable(line))))
}
