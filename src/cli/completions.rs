//! `completions`.

use super::args::Completions;
use super::context::Context;
use super::report::{Exit, Report};

/// Runs the command.
pub fn run(_context: &Context<'_>, _args: &Completions) -> Result<Exit, Report> {
    Err(Report::unexpected("not written yet"))
}

use clap_complete::engine::CompletionCandidate;
use std::ffi::OsStr;

/// Profiles.
pub fn complete_profile(_typed: &OsStr) -> Vec<CompletionCandidate> {
    Vec::new()
}
/// Providers.
pub fn complete_provider(_typed: &OsStr) -> Vec<CompletionCandidate> {
    Vec::new()
}
/// Scopes.
pub fn complete_scope(_typed: &OsStr) -> Vec<CompletionCandidate> {
    Vec::new()
}
/// Settings.
pub fn complete_setting(_typed: &OsStr) -> Vec<CompletionCandidate> {
    Vec::new()
}
/// Words of a call.
pub fn complete_word(_typed: &OsStr) -> Vec<CompletionCandidate> {
    Vec::new()
}
