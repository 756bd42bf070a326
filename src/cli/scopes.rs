//! `scopes`.

use super::args::OneProfile;
use super::context::Context;
use super::report::{Exit, Report};

/// Runs the command.
pub fn run(_context: &Context<'_>, _args: &OneProfile) -> Result<Exit, Report> {
    Err(Report::unexpected("not written yet"))
}
