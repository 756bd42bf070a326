//! `call`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use clap_complete::engine::ArgValueCompleter;

use super::{Attempts, key_value};
use crate::cli::call::{AnswerFlags, EXAMPLES, Many};
use crate::cli::completions::{complete_setting, complete_word};

/// `call`.
#[derive(Debug, Clone, Args)]
#[command(
    override_usage = "keyfob call [OPTIONS] [PROFILE] [METHOD] <PATH> [ITEM]...\n       keyfob call [OPTIONS] [PROFILE] --batch <FILE|->",
    after_help = EXAMPLES
)]
pub struct Call {
    /// Many calls.
    #[command(flatten)]
    pub many: Many,
    /// [PROFILE] [METHOD] PATH [ITEM]...
    #[arg(value_name = "PATH", required_unless_present = "batch", num_args = 1.., add = ArgValueCompleter::new(complete_word))]
    pub words: Vec<String>,
    /// The method, as with curl
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    pub method: Option<String>,
    /// A header line, as with curl
    #[arg(short = 'H', long = "header", value_name = "LINE")]
    pub headers: Vec<String>,
    /// The body as it is: text, @FILE, or @- for standard input
    #[arg(short = 'd', long = "data", value_name = "DATA|@FILE|@-", allow_hyphen_values = true)]
    pub data: Option<String>,
    /// Send the items as a form
    #[arg(long, conflicts_with = "data")]
    pub form: bool,
    /// Print status and headers too
    #[arg(short = 'i', long = "include")]
    pub include: bool,
    /// Write the body to a file, whole or not at all
    #[arg(short = 'o', long = "output", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// What becomes of the answer.
    #[command(flatten)]
    pub answer: AnswerFlags,
    /// Print the request with the token hidden, and send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print an equal curl command that holds no secret, and send nothing
    #[arg(long, conflicts_with_all = ["dry_run", "include", "output", "jq", "result"])]
    pub curl: bool,
    /// Send it although the granted scopes do not cover it
    #[arg(long)]
    pub force: bool,
    /// The Idempotency-Key of this write, to repeat an earlier one
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
    /// How often, and how long.
    #[command(flatten)]
    pub attempts: Attempts,
    /// A setting of the provider, for this call only
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value, add = ArgValueCompleter::new(complete_setting))]
    pub settings: Vec<(String, String)>,
}
