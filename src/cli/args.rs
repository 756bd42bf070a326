//! What can be typed: the whole command line here, the arguments of each command in a file of its
//! own, here or beside the command. Names here are relied on from outside.

mod attempts;
mod call;
mod client;
mod completions;
mod connect;
mod flow;
mod global;
mod import;
mod one_profile;
mod profile;
mod profiles;
mod provider;
mod refresh;
mod revoke;
mod sandbox;
mod status;
mod token;
mod value;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

pub use super::exec::Exec;
pub use super::export::Export;
pub use super::helper::Helper;
pub use super::introspect::Introspect;
pub use super::proxy::Proxy;
pub use super::recipes::Recipes;
pub use super::sealed_import::SealedImport;
pub use super::sync::Sync;
pub use super::webhook::WebhookCommand;
pub use attempts::Attempts;
pub use call::Call;
pub use client::Client;
pub use completions::{Completions, Shell};
pub use connect::Connect;
pub use flow::FlowChoice;
pub use global::{Color, Global};
pub use import::Import;
pub use one_profile::OneProfile;
pub use profile::{
    ProfileCommand, ProfileRemove, ProfileRename, ProfileSecret, ProfileSet, SecretName,
};
pub use profiles::Profiles;
pub use provider::{ProviderCheck, ProviderCommand, ProviderNew, ProviderShow};
pub use refresh::Refresh;
pub use revoke::Revoke;
pub use sandbox::Sandbox;
pub use status::Status;
pub use token::Token;
pub use value::{duration, key_value};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Connect a terminal or a CI job to an API once, and call it for ever.
#[derive(Debug, Parser)]
#[command(
    name = "keyfob",
    version,
    styles = STYLES,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Try it without an account:\n  keyfob demo\n\nThen:\n  keyfob connect shop --provider inkress --client-id inkid_… --scope orders:read\n  keyfob call shop GET /orders\n\nExit codes: 0 done, 2 command line, 3 set-up, 4 a person must authorise, 5\nrefused, 6 store or lock, 7 try later, 8 the API refused, 9 the API failed, 130\ninterrupted"
)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Authorise a profile: in the browser, or as its provider does it
    Connect(Box<Connect>),
    /// Store tokens that were made elsewhere (JSON on standard input, or prompts)
    Import(Import),
    /// Print a connection as one sealed line, to move it to another machine
    Export(Export),
    /// Call the API with a token that is good now
    Call(Call),
    /// Refresh tokens now
    Refresh(Refresh),
    /// Revoke tokens at the provider, then forget them
    Revoke(Revoke),
    /// Ask the provider what it knows of the stored token
    Introspect(Introspect),
    /// Show profiles and the state of their connections
    Status(Status),
    /// Print a valid access token
    Token(Token),
    /// Print the header lines a request needs, for `curl -H @-`
    Header(OneProfile),
    /// Run a command with a good access token in its environment
    Exec(Exec),
    /// Give credentials to another program, in its own protocol
    #[command(subcommand)]
    Helper(Helper),
    /// Show scopes, what each opens, and which are granted
    Scopes(OneProfile),
    /// List what `call PROFILE @NAME` can run
    Recipes(Recipes),
    /// Print what changed in a list since the last complete run, as JSON lines
    Sync(Sync),
    /// Manage profiles
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Show and check providers
    #[command(subcommand)]
    Provider(ProviderCommand),
    /// Check, make, receive and send signed webhooks
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Let programs on this machine use the API without holding the token
    Proxy(Proxy),
    /// Stand in for a vendor on loopback
    Sandbox(Sandbox),
    /// Run connect, call, refresh and revoke against a sandbox, step by step
    Demo,
    /// Print the completion script of a shell
    Completions(Completions),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
