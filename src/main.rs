//! The program: real arguments, the real outside, an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    #[cfg(unix)]
    if arguments.get(1).is_some_and(|it| it == keyfob::connection::worker::ARGUMENT) {
        return match keyfob::connection::worker::run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let Some(mut system) = keyfob::system::real::system() else {
        return ExitCode::from(keyfob::cli::without_home());
    };
    ExitCode::from(keyfob::cli::run(arguments, &mut system))
}
