//! Which profiles, of a command that takes several.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use crate::cli::completions::complete_profile;

/// Named ones, or every connected one.
#[derive(Debug, Args)]
pub struct Profiles {
    /// The profiles (or KEYFOB_PROFILE)
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profiles: Vec<String>,
    /// Every connected profile
    #[arg(long, conflicts_with = "profiles")]
    pub all: bool,
}
