//! What a person is told when another program asks for what a helper cannot give.

use super::super::command_line;
use super::{Exit, Report};
use crate::http::printable::printable;

/// What a program asked is not what its protocol says; `protocol` is the word after `keyfob helper`.
pub fn not_understood(protocol: &str, why: &str) -> Report {
    Report::usage(format!("the question of {protocol} was not understood"))
        .cause(printable(why))
        .hint("this command is for another program to run; how to set that up")
        .next(format!("keyfob helper {protocol} --help"))
}

/// An action that the protocol does not have.
pub fn no_action(protocol: &str, action: &str, actions: &str) -> Report {
    Report::usage(format!("{protocol} has no action `{}`", printable(action)))
        .hint(format!("one of {actions}"))
}

/// A configuration that would send the token to a host that is not the provider's.
pub fn not_own(profile: &str, server: &str, own: &[String]) -> Report {
    let what = format!("`{profile}` is not for {}", printable(server));
    Report::new(Exit::SetUp, "not-own-host", what)
        .cause(format!("its token goes to {} alone", printable(&own.join(", "))))
        .hint("another host that belongs to the provider is named in its file: [api] hosts")
}

/// A password that a program wants to have kept.
pub fn no_password(program: &str, profile: &str) -> Report {
    Report::usage(format!("a password of {program}'s cannot be kept"))
        .cause(format!("keyfob gives it the token of `{profile}`, and renews that itself"))
        .hint("no login is needed; another server needs a helper of its own")
}

/// A program that wants to end what is not its own.
pub fn no_end(program: &str, profile: &str) -> Report {
    Report::usage(format!("{program} cannot end a connection of keyfob's"))
        .hint(format!(
            "take the helper out of {program}'s configuration, or end it for every program"
        ))
        .next(format!("keyfob revoke {}", command_line::word(profile)))
}
