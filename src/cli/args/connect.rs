//! `connect`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};
use clap_complete::engine::ArgValueCompleter;

use super::{Client, FlowChoice, key_value};
use crate::cli::completions::{complete_profile, complete_scope};
use crate::cli::connect;
use crate::cli::patience::patience;

/// `connect`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  keyfob connect shop --provider inkress --client-id inkid_… --scope orders:read\n  keyfob connect gateway --provider inyo --set host=pay.example --client-id …\n  keyfob connect shop            (again, with what it remembers)"
)]
pub struct Connect {
    /// The profile (or KEYFOB_PROFILE)
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profile: Option<String>,
    /// Which client.
    #[command(flatten)]
    pub client: Client,
    /// How keyfob becomes a client.
    #[command(flatten)]
    pub registering: connect::Registering,
    /// A scope to ask for (repeat, or separate by commas or spaces); +SCOPE adds one to those of before, -SCOPE takes one away
    #[arg(long = "scope", value_name = "SCOPE", allow_hyphen_values = true, add = ArgValueCompleter::new(complete_scope))]
    pub scopes: Vec<String>,
    /// How to get the first tokens [default: the provider's]
    #[arg(long)]
    pub flow: Option<FlowChoice>,
    /// Where the browser comes back to, as it is registered
    #[arg(long, value_name = "URI", value_hint = ValueHint::Url)]
    pub redirect_uri: Option<String>,
    /// The loopback port to listen on
    #[arg(long, value_name = "N", conflicts_with = "redirect_uri")]
    pub port: Option<u16>,
    /// What the tokens are for, an absolute URI (repeatable; RFC 8707)
    #[arg(long, value_name = "URI", value_hint = ValueHint::Url)]
    pub resource: Vec<String>,
    /// Rights in detail as a JSON array, `-` for standard input (RFC 9396)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub authorization_details: Option<PathBuf>,
    /// An extra parameter of the authorization request, such as login_hint; without a person, of the token request (empty: leave it out)
    #[arg(long = "param", value_name = "KEY=VALUE", value_parser = key_value)]
    pub params: Vec<(String, String)>,
    /// Bind the tokens to a key that never leaves this machine's store (DPoP)
    #[arg(long, num_args = 0..=1, require_equals = true, value_name = "true|false", default_missing_value = "true")]
    pub dpop: Option<bool>,
    /// Do not start a browser, only print the address
    #[arg(long)]
    pub no_browser: bool,
    /// How long to wait for the person [default: 5m, with a device as long as its code lives]
    #[arg(long, value_name = "DURATION", value_parser = patience)]
    pub timeout: Option<Duration>,
    /// Ask the provider who connected (needs the scope `openid`)
    #[arg(long, num_args = 0..=1, require_equals = true, value_name = "true|false", default_missing_value = "true")]
    pub userinfo: Option<bool>,
    /// Print the redirect URI to register at the vendor, and stop
    #[arg(long)]
    pub print_redirect: bool,
    /// The account owner's name, for `--flow password`
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,
    /// Read the password from a file, `-` for standard input (or a prompt)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub password_file: Option<PathBuf>,
    /// What a signed token brings.
    #[command(flatten)]
    pub exchange: connect::Exchange,
}
