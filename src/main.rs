//! The program: real arguments, the real outside, an exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use keyfob::system::{Home, hardening, real};

fn main() -> ExitCode {
    hardening::keep_memory_private();
    let arguments: Vec<_> = std::env::args_os().collect();
    if real::variable(keyfob::cli::COMPLETION_VARIABLE).is_some_and(|shell| shell != "0") {
        return complete(arguments);
    }
    #[cfg(unix)]
    if arguments.get(1).is_some_and(|it| it == keyfob::connection::worker::ARGUMENT) {
        return match keyfob::connection::worker::run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    ExitCode::from(match real::system() {
        Some(mut system) => keyfob::cli::run(arguments, &mut system),
        None => keyfob::cli::without_home(),
    })
}

/// A shell asks what could be typed next.
fn complete(arguments: Vec<OsString>) -> ExitCode {
    let question = keyfob::cli::Question {
        arguments,
        home: Home::find(&real::environment()),
        folder: std::env::current_dir().ok(),
        variable: real::variable,
    };
    match keyfob::cli::complete(question) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(2),
    }
}
