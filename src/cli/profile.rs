//! `profile …`.

use super::args::ProfileCommand;
use super::context::Context;
use super::report::{Exit, Report};

/// Runs the command.
pub fn run(_context: &Context<'_>, _command: &ProfileCommand) -> Result<Exit, Report> {
    Err(Report::unexpected("not written yet"))
}
