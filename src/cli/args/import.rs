//! `import`.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use super::{Client, SealedImport};
use crate::cli::completions::complete_profile;

/// `import`.
#[derive(Debug, Args)]
#[command(
    after_help = "Standard input holds a token response:\n  {\"access_token\":…,\"refresh_token\":…,\"expires_in\":…,\n   \"client_id\":…,\"client_secret\":…}\nOn a terminal each is asked for.\n\nWith --sealed it holds the line that `keyfob export` printed, or KEYFOB_BLOB\ndoes."
)]
pub struct Import {
    /// The profile (or KEYFOB_PROFILE)
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profile: Option<String>,
    /// Which client.
    #[command(flatten)]
    pub client: Client,
    /// A sealed one.
    #[command(flatten)]
    pub sealed: SealedImport,
}
