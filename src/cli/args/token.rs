//! `token`.

use std::time::Duration;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use super::duration;
use crate::cli::completions::complete_profile;

/// `token`.
#[derive(Debug, Args)]
pub struct Token {
    /// The profile (or KEYFOB_PROFILE)
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profile: Option<String>,
    /// It must live at least that long: 10m, 90s; a bare number is seconds
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub min_ttl: Option<Duration>,
}
