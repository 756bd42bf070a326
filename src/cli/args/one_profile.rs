//! The profile, of a command that takes nothing else.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use crate::cli::completions::complete_profile;

/// A profile that may come from `KEYFOB_PROFILE`.
#[derive(Debug, Args)]
pub struct OneProfile {
    /// The profile (or KEYFOB_PROFILE)
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profile: Option<String>,
}
