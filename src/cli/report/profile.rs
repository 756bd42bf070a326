//! What a person is told about profiles, settings and provider files.

use std::path::Path;

use super::super::command_line;
use super::super::context::title;
use super::{Exit, Report, store};
use crate::http::printable::printable;
use crate::profile::client_id::ClientIdError;
use crate::profile::file::ProfileError;
use crate::profile::scopes::ScopeError;
use crate::profile::settings::SettingError;
use crate::provider::file::FileError;
use crate::provider::{Provider, catalogue};

/// What deletes a file, in the shell of this system.
const DELETE: &str = if cfg!(windows) { "del" } else { "rm" };

/// A profile that could not be read or written.
pub fn profile(error: &ProfileError) -> Report {
    match error {
        ProfileError::Name { name, why, nearest } => {
            let report = Report::usage(format!("`{}` is no profile name", printable(name)))
                .cause(why.to_string());
            match nearest {
                Some(nearest) => report.hint(format!("use `{nearest}`")),
                None => report.hint("use a name such as `shop`"),
            }
        }
        ProfileError::Unknown { name, nearest } => {
            let report = Report::new(
                Exit::SetUp,
                "unknown-profile",
                format!("there is no profile `{}`", printable(name)),
            );
            match nearest {
                None if catalogue::names().any(|it| it == name) => {
                    return report
                        .hint("that is a provider; a profile of that name is made so")
                        .next(format!("keyfob connect {name} --client-id …"))
                        .next(format!("keyfob provider show {name}"));
                }
                Some(nearest) => report.hint(format!("did you mean `{nearest}`? All of them:")),
                None => report.hint("these are the profiles; `keyfob connect` makes one"),
            }
            .next("keyfob profile list")
        }
        ProfileError::Unreadable { path, .. } => {
            Report::new(Exit::SetUp, "bad-profile-file", "a file of the profile cannot be read")
                .cause(printable(&error.to_string()))
                .hint("correct that line; or delete the file, and connect again with all its flags")
                .next(format!("{DELETE} {}", command_line::path(path)))
        }
        ProfileError::Disk(error) => store(error),
    }
}

/// A setting that makes no sense.
pub fn setting(error: &SettingError) -> Report {
    let report = Report::usage(printable(&error.to_string()));
    match error {
        SettingError::Unknown { nearest: Some(nearest), .. } => {
            report.hint(format!("did you mean `--set {nearest}=…`?"))
        }
        SettingError::Unknown { known, .. } if known.is_empty() => {
            report.hint("it has none at all")
        }
        SettingError::Unknown { known, .. } => {
            report.hint(format!("its settings are {}", known.join(", ")))
        }
        SettingError::Choice { name, choices } => report
            .hint(format!("use `--set {name}={}`", choices.first().map_or("", String::as_str))),
        SettingError::Digits { name } => report.hint(format!("use `--set {name}=12345`")),
        SettingError::Host { name, .. } => {
            report.hint(format!("use `--set {name}=api.example.com`; plain http only for loopback"))
        }
        SettingError::Control { .. } => report.hint("type it again without control characters"),
    }
}

/// A client id that no application of the vendor has.
pub fn client_id(error: &ClientIdError, provider: &Provider) -> Report {
    match error {
        ClientIdError::Unusable => {
            Report::usage(error.to_string()).hint("give the one that the vendor issued")
        }
        ClientIdError::Form { longest } => Report::usage(format!(
            "this is no client id of {}: letters and digits, at most {longest}",
            title(provider)
        ))
        .hint("give the one that is registered"),
    }
}

/// A scope that makes no sense; `flag` is what stands before one on the command line.
pub fn scope(error: &ScopeError, provider: &Provider, flag: &str) -> Report {
    let name = title(provider);
    match error {
        ScopeError::NotAScope(scope) => {
            Report::usage(format!("`{}` is no scope", printable(scope)))
                .hint("a scope is visible ASCII without quotes")
        }
        ScopeError::Reserved { name: scope, note } => {
            Report::usage(format!("{name} keeps `{scope}` for itself"))
                .cause(note.clone())
                .hint("leave it out")
        }
        ScopeError::Unknown { name: scope, nearest, known } => {
            let report = Report::usage(format!("{name} has no scope `{}`", printable(scope)));
            match nearest {
                Some(nearest) => report.hint(format!("did you mean `{flag}{nearest}`?")),
                None => report.hint(format!("its scopes are {}", known.join(", "))),
            }
        }
        ScopeError::NoneLeft => Report::usage("that leaves no scope to ask for")
            .cause(format!("asked for none, {name} would choose by itself what to grant"))
            .hint(format!(
                "name what it may do with `{flag}SCOPE`, or end the connection with `keyfob revoke`"
            )),
    }
}

/// A provider file that does not pass.
pub fn provider_file(error: &FileError) -> Report {
    Report::new(Exit::SetUp, "bad-provider-file", "the provider file does not pass")
        .cause(printable(&error.to_string()))
        .hint("correct that line, then check it")
        .next(format!("keyfob provider check {}", command_line::path(Path::new(&error.file))))
}
