//! `profile …`.

use clap::{Args, Subcommand, ValueEnum};
use clap_complete::engine::ArgValueCompleter;

use super::{OneProfile, key_value};
use crate::cli::completions::{complete_profile, complete_setting};

/// `profile …`.
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// List profiles
    List,
    /// Show what a profile says
    Show(OneProfile),
    /// Change settings of a profile: KEY=VALUE, an empty value unsets
    Set(ProfileSet),
    /// Give a profile another name, its connection included
    Rename(ProfileRename),
    /// Remove a profile and its connection
    Remove(ProfileRemove),
    /// Keep a secret of a profile in the store (prompt or standard input)
    Secret(ProfileSecret),
}

/// `profile set`.
#[derive(Debug, Args)]
pub struct ProfileSet {
    /// The profile
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profile: String,
    /// A provider's setting, or client_id, scopes, redirect_uri, store, save_to, flow, dpop, userinfo, resource
    #[arg(value_name = "KEY=VALUE", required = true, value_parser = key_value, add = ArgValueCompleter::new(complete_setting))]
    pub settings: Vec<(String, String)>,
}

/// `profile rename`.
#[derive(Debug, Args)]
pub struct ProfileRename {
    /// The name it has
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profile: String,
    /// The name it gets
    #[arg(value_name = "NEW")]
    pub new: String,
}

/// `profile remove`.
#[derive(Debug, Args)]
pub struct ProfileRemove {
    /// The profile
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profile: String,
    /// End the client at the authorization server first, where keyfob registered it
    #[arg(long)]
    pub unregister: bool,
}

/// `profile secret`.
#[derive(Debug, Args)]
pub struct ProfileSecret {
    /// The profile
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profile: String,
    /// Which secret
    #[arg(value_name = "NAME")]
    pub name: SecretName,
}

/// A secret of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum SecretName {
    /// Proves who the client is
    ClientSecret,
    /// Signs the vendor's webhooks
    WebhookSecret,
    /// Signs what the client says of itself: PEM or JWK
    PrivateKey,
    /// Goes with the private key to servers that want a certificate: a PEM chain
    ClientCertificate,
}
