//! `sandbox`.

use super::args::Sandbox;
use super::context::Context;
use super::report::{Exit, Report};

/// Runs the command.
pub fn run(_context: &Context<'_>, _args: &Sandbox) -> Result<Exit, Report> {
    Err(Report::unexpected("not written yet"))
}
