//! Which client a profile is for.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use clap_complete::engine::ArgValueCompleter;

use super::key_value;
use crate::cli::completions::{complete_provider, complete_setting};
use crate::cli::connect;
use crate::provider::schema::ClientAuthentication;

/// Which client, for `connect` and `import`.
#[derive(Debug, Clone, Args)]
pub struct Client {
    /// A provider's name, its file, or an issuer URL [default: the provider named like the profile]
    #[arg(long, value_name = "NAME|FILE|URL", add = ArgValueCompleter::new(complete_provider))]
    pub provider: Option<String>,
    /// The client id that the vendor gave (or KEYFOB_CLIENT_ID)
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// Read the client secret from a file, `-` for standard input (or KEYFOB_CLIENT_SECRET, or a prompt)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub client_secret_file: Option<PathBuf>,
    /// Read the client's private key from a file, `-` for standard input: PEM or JWK (or KEYFOB_CLIENT_KEY_FILE)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub client_key_file: Option<PathBuf>,
    /// Read the certificate chain that goes with the key from a file, for mutual TLS: PEM, the client's own first
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub client_certificate_file: Option<PathBuf>,
    /// How the client proves itself at a server that was found by its URL, where no file given says it
    #[arg(long, value_name = "METHOD", value_parser = connect::proof::method())]
    pub client_authentication: Option<ClientAuthentication>,
    /// A setting of the provider, for instance `host=…`
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value, add = ArgValueCompleter::new(complete_setting))]
    pub settings: Vec<(String, String)>,
    /// Which of an API's authorization servers to use, where --provider is the API's URL
    #[arg(long, value_name = "ISSUER", requires = "provider", value_hint = ValueHint::Url)]
    pub authorization_server: Option<String>,
}
