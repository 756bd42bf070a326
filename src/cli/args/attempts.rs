//! How often a command tries a call, and how long it waits for the answer.

use std::time::Duration;

use clap::Args;

use crate::cli::patience::patience;
use crate::connection::call::Manner;

/// How often, and how long each time.
#[derive(Debug, Clone, Args)]
pub struct Attempts {
    /// How often to repeat at most
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub retry: u32,
    /// How long to wait for an answer, and between two parts of it
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = patience)]
    pub timeout: Duration,
}

impl Attempts {
    /// How the calls are sent.
    pub fn manner(&self, force: bool) -> Manner {
        Manner { retries: self.retry, timeout: self.timeout, force }
    }
}
