//! The flags of `connect` that are about becoming a client.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// How keyfob becomes a client.
#[derive(Debug, Args)]
pub struct Registering {
    /// Register keyfob as a client at the authorization server, and use the client id it gives
    #[arg(long, conflicts_with = "client_id")]
    pub register: bool,
    /// Read the token that lets a client register, `-` for standard input (or a prompt)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "register")]
    pub initial_access_token_file: Option<PathBuf>,
    /// Print the document to publish where --client-id is its https URL, and stop
    #[arg(long)]
    pub print_client_document: bool,
}
