//! What a person is told when a command cannot take keyfob's place.

use std::ffi::OsStr;
use std::io::{Error, ErrorKind};

use super::super::command_line;
use super::{Exit, Report};
use crate::http::printable::printable;

/// A program that was not started; the exit codes are those that shells give for it.
pub fn not_started(program: &OsStr, error: &Error) -> Report {
    let name = command_line::typed(&program.to_string_lossy());
    match error.kind() {
        ErrorKind::NotFound => {
            Report::new(Exit::NotFound, "command-not-found", format!("there is no program {name}"))
                .hint("name one that is on PATH, or its path")
        }
        _ => Report::new(Exit::NotStarted, "command-not-started", format!("{name} cannot be run"))
            .cause(printable(&error.to_string()))
            .hint("it must be a program that you may execute: chmod +x, perhaps"),
    }
}

/// A command without the `--` that parts it from keyfob's own words.
pub fn undivided() -> Report {
    Report::usage("the command to run must follow `--`")
        .hint("what follows it is the command's own, its flags too")
        .next("keyfob exec PROFILE -- CMD ARG…")
}
