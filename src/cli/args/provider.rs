//! `provider …`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use clap_complete::engine::ArgValueCompleter;

use crate::cli::completions::complete_provider;

/// `provider …`.
#[derive(Debug, Subcommand)]
pub enum ProviderCommand {
    /// List the shipped providers and your own
    List,
    /// Show a provider: how to register, scopes, endpoints, limits
    Show(ProviderShow),
    /// Check a provider file
    Check(ProviderCheck),
    /// Write a provider file of your own from what a server says of itself
    New(ProviderNew),
}

/// `provider show`.
#[derive(Debug, Args)]
pub struct ProviderShow {
    /// The provider, or the URL of one that is not kept yet
    #[arg(value_name = "NAME|FILE|URL", add = ArgValueCompleter::new(complete_provider))]
    pub provider: String,
}

/// `provider check`.
#[derive(Debug, Args)]
pub struct ProviderCheck {
    /// The file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}

/// `provider new`.
#[derive(Debug, Args)]
pub struct ProviderNew {
    /// What the provider is to be called
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The issuer, or an API that names its authorization server (RFC 8414, RFC 9728)
    #[arg(long, value_name = "ISSUER-URL|API-URL", value_hint = ValueHint::Url)]
    pub from: String,
    /// Which of the API's authorization servers
    #[arg(long, value_name = "ISSUER-URL", value_hint = ValueHint::Url)]
    pub authorization_server: Option<String>,
    /// Print the file and write nothing
    #[arg(long)]
    pub print: bool,
}
