//! `status`.

use std::time::Duration;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use super::duration;
use crate::cli::completions::complete_profile;

/// `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Only this profile
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profile: Option<String>,
    /// Exit with 4 when one needs a person
    #[arg(long)]
    pub check: bool,
    /// With --check: or will within that time
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "check")]
    pub within: Option<Duration>,
}
