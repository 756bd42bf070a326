//! `profile …`: what the user said about each use of a provider, shown and changed.

mod asking;
mod keep;
mod set;
mod show;
mod unregister;

use super::args::ProfileCommand;
use super::context::Context;
use super::report::{Exit, Report};
pub use set::KEYS;

/// Runs one of them.
pub fn run(context: &Context<'_>, command: &ProfileCommand) -> Result<Exit, Report> {
    match command {
        ProfileCommand::List => show::list(context),
        ProfileCommand::Show(args) => show::one(context, args),
        ProfileCommand::Set(args) => set::run(context, args),
        ProfileCommand::Rename(args) => keep::rename(context, args),
        ProfileCommand::Remove(args) => keep::remove(context, args),
        ProfileCommand::Secret(args) => keep::secret(context, args),
    }
}
