//! How often a command tries a call, and how long it waits for the answer.

use std::time::Duration;

use clap::Args;

use crate::cli::patience::patience;
use crate::connection::call::Manner;

/// The repetitions of a command that names none.
const RETRIES: u32 = 3;
/// The wait of a command that names none.
const TIMEOUT: &str = "30s";

/// How often, and how long each time.
#[derive(Debug, Clone, Args)]
pub struct Attempts {
    /// How often to repeat at most
    #[arg(long, value_name = "N", default_value_t = RETRIES)]
    pub retry: u32,
    /// How long to wait for an answer, and between two parts of it
    #[arg(long, value_name = "DURATION", default_value = TIMEOUT, value_parser = patience)]
    pub timeout: Duration,
}

impl Attempts {
    /// The flags that make another command do the same; none for what it does anyway.
    pub fn flags(&self) -> Vec<String> {
        let retry = (self.retry != RETRIES).then(|| format!("--retry {}", self.retry));
        let millis = self.timeout.as_millis();
        let wait = match millis % 1000 {
            0 => format!("{}s", millis / 1000),
            _ => format!("{millis}ms"),
        };
        let timeout = (patience(TIMEOUT) != Ok(self.timeout)).then(|| format!("--timeout {wait}"));
        retry.into_iter().chain(timeout).collect()
    }

    /// How the calls are sent.
    pub fn manner(&self, force: bool) -> Manner {
        Manner { retries: self.retry, timeout: self.timeout, force }
    }
}
