//! `refresh`.

use std::time::Duration;

use clap::Args;

use super::{Profiles, duration};
use crate::cli::blob_key::KeySource;

/// `refresh`.
#[derive(Debug, Args)]
pub struct Refresh {
    /// Which ones.
    #[command(flatten)]
    pub which: Profiles,
    /// Only where the access token ends within that time
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub within: Option<Duration>,
    /// Give the new sealed connection to this command's standard input (or KEYFOB_SAVE_TO)
    #[arg(long, value_name = "CMD")]
    pub save_to: Option<String>,
    /// Seals it.
    #[command(flatten)]
    pub key: KeySource,
}
