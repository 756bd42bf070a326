//! `call`.

use super::args::Call;
use super::context::Context;
use super::report::{Exit, Report};

/// Runs the command.
pub fn run(_context: &Context<'_>, _args: &Call) -> Result<Exit, Report> {
    Err(Report::unexpected("not written yet"))
}
