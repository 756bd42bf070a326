//! `sandbox`.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use crate::cli::completions::complete_vendor;

/// `sandbox`.
#[derive(Debug, Args)]
pub struct Sandbox {
    /// The vendor
    #[arg(value_name = "VENDOR", add = ArgValueCompleter::new(complete_vendor))]
    pub vendor: String,
    /// The port [default: a free one]
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub port: u16,
}
