//! `revoke`.

use clap::Args;

use super::Profiles;

/// `revoke`.
#[derive(Debug, Args)]
pub struct Revoke {
    /// Which ones.
    #[command(flatten)]
    pub which: Profiles,
    /// Forget here without asking the provider
    #[arg(long)]
    pub local_only: bool,
}
