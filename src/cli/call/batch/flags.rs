//! The flags of many calls.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// The most requests at once; more would not find enough open files everywhere.
const MOST_AT_ONCE: i64 = 256;

/// `--batch`.
#[derive(Debug, Clone, Args)]
pub struct Many {
    /// Make the calls of a file, one JSON object a line (`-` is standard input), and print their answers in the same order
    #[arg(
        long,
        value_name = "FILE|-",
        value_hint = ValueHint::FilePath,
        conflicts_with_all = ["method", "headers", "data", "form", "include", "dry_run", "curl", "idempotency_key", "paginate", "jq", "result"],
    )]
    pub batch: Option<PathBuf>,
    /// With --batch: how many calls at once
    #[arg(
        long,
        value_name = "N",
        default_value_t = 8,
        value_parser = clap::value_parser!(u16).range(1..=MOST_AT_ONCE),
        requires = "batch",
    )]
    pub concurrency: u16,
}
