//! What can be typed. Names here are relied on from outside.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::engine::ArgValueCompleter;

use super::blob_key::KeySource;
use super::call::AnswerFlags;
use super::completions::{
    complete_profile, complete_provider, complete_scope, complete_setting, complete_vendor,
    complete_word,
};
pub use super::exec::Exec;
pub use super::export::Export;
pub use super::helper::Helper;
pub use super::introspect::Introspect;
use super::patience::patience;
pub use super::proxy::Proxy;
pub use super::recipes::Recipes;
pub use super::sealed_import::SealedImport;
pub use super::sync::Sync;
pub use super::webhook::WebhookCommand;
use crate::provider::schema::{ClientAuthentication, Flow};
use crate::store::StoreKind;

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

/// Flags of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Trust these certificates too (PEM)
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub cacert: Option<PathBuf>,
    /// Answer yes to questions
    #[arg(long, global = true)]
    pub yes: bool,
    /// One JSON document on stdout, one on stderr for a failure
    #[arg(long, global = true)]
    pub json: bool,
    /// Say only what is needed
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Show the traffic on stderr, secrets hidden (repeat for more)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Never ask anything
    #[arg(long, global = true)]
    pub no_input: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Where tokens are kept
    #[arg(long, global = true, value_name = "STORE")]
    pub store: Option<StoreChoice>,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A store as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StoreChoice {
    /// The operating system's keychain
    Keychain,
    /// Sealed files under KEYFOB_STORE_KEY or KEYFOB_STORE_KEY_FILE
    File,
    /// This process only
    Memory,
}

impl From<StoreChoice> for StoreKind {
    fn from(choice: StoreChoice) -> Self {
        match choice {
            StoreChoice::Keychain => Self::Keychain,
            StoreChoice::File => Self::File,
            StoreChoice::Memory => Self::Memory,
        }
    }
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

/// A profile that may come from `KEYFOB_PROFILE`.
#[derive(Debug, Args)]
pub struct OneProfile {
    /// The profile (or KEYFOB_PROFILE)
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profile: Option<String>,
}

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
    #[arg(long, value_name = "METHOD", value_parser = super::connect::proof::method())]
    pub client_authentication: Option<ClientAuthentication>,
    /// A setting of the provider, for instance `host=…`
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value, add = ArgValueCompleter::new(complete_setting))]
    pub settings: Vec<(String, String)>,
    /// Which of an API's authorization servers to use, where --provider is the API's URL
    #[arg(long, value_name = "ISSUER", requires = "provider", value_hint = ValueHint::Url)]
    pub authorization_server: Option<String>,
}

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
    pub registering: super::connect::Registering,
    /// A scope to ask for (repeat, or separate by commas or spaces)
    #[arg(long = "scope", value_name = "SCOPE", add = ArgValueCompleter::new(complete_scope))]
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
    /// How long to wait for the person [default: 5m]
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
    pub exchange: super::connect::Exchange,
}

/// A flow as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FlowChoice {
    /// The browser (Authorization Code with PKCE)
    Code,
    /// A code typed on another device
    Device,
    /// The client's own credentials
    ClientCredentials,
    /// The account owner's password, for old applications
    Password,
    /// An assertion that is signed with the client's private key, or a ready one
    JwtBearer,
    /// A token that was made elsewhere, such as a CI runner's
    TokenExchange,
}

impl FlowChoice {
    /// The choice that means a flow; `None` for tokens that are made elsewhere.
    pub fn of(flow: Flow) -> Option<Self> {
        let all = Self::value_variants().iter().copied();
        all.into_iter().find(|choice| choice.flow() == flow)
    }

    /// The flow that is meant.
    pub fn flow(self) -> Flow {
        match self {
            Self::Code => Flow::AuthorizationCode,
            Self::Device => Flow::DeviceCode,
            Self::ClientCredentials => Flow::ClientCredentials,
            Self::Password => Flow::Password,
            Self::JwtBearer => Flow::JwtBearer,
            Self::TokenExchange => Flow::TokenExchange,
        }
    }

    /// As it is typed.
    pub fn name(self) -> String {
        self.to_possible_value().map(|it| it.get_name().to_owned()).unwrap_or_default()
    }
}

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

/// `call`.
#[derive(Debug, Clone, Args)]
#[command(
    override_usage = "keyfob call [OPTIONS] [PROFILE] [METHOD] <PATH> [ITEM]...\n       keyfob call [OPTIONS] [PROFILE] --batch <FILE|->",
    after_help = super::call::EXAMPLES
)]
pub struct Call {
    /// Many calls.
    #[command(flatten)]
    pub many: super::call::Many,
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
    #[arg(long, conflicts_with = "dry_run")]
    pub curl: bool,
    /// Send it although the granted scopes do not cover it
    #[arg(long)]
    pub force: bool,
    /// The Idempotency-Key of this write, to repeat an earlier one
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
    /// How often to repeat at most
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub retry: u32,
    /// How long to wait for an answer, and between two parts of it
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = patience)]
    pub timeout: Duration,
    /// A setting of the provider, for this call only
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value, add = ArgValueCompleter::new(complete_setting))]
    pub settings: Vec<(String, String)>,
}

/// `refresh`.
#[derive(Debug, Args)]
pub struct Refresh {
    /// The profiles (or KEYFOB_PROFILE)
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profiles: Vec<String>,
    /// Every connected profile
    #[arg(long, conflicts_with = "profiles")]
    pub all: bool,
    /// Only where the access token ends within that time
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub within: Option<Duration>,
    /// Give the new sealed connection to this command's standard input (or KEYFOB_SAVE_TO)
    #[arg(long, value_name = "CMD")]
    pub save_to: Option<String>,
    /// Seals it.
    #[command(flatten)]
    pub key: KeySource,
}

/// `revoke`.
#[derive(Debug, Args)]
pub struct Revoke {
    /// The profiles (or KEYFOB_PROFILE)
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profiles: Vec<String>,
    /// Every connected profile
    #[arg(long, conflicts_with = "profiles")]
    pub all: bool,
    /// Forget here without asking the provider
    #[arg(long)]
    pub local_only: bool,
}

/// `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Only this profile
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profile: Option<String>,
    /// Exit with 4 when one needs a person
    #[arg(long)]
    pub check: bool,
    /// With --check: or will within that time
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "check")]
    pub within: Option<Duration>,
}

/// `token`.
#[derive(Debug, Args)]
pub struct Token {
    /// The profile (or KEYFOB_PROFILE)
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profile: Option<String>,
    /// It must live at least that long: 10m, 90s; a bare number is seconds
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub min_ttl: Option<Duration>,
}

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

/// `sandbox`.
#[derive(Debug, Args)]
pub struct Sandbox {
    /// The vendor
    #[arg(value_name = "VENDOR", add = ArgValueCompleter::new(complete_vendor))]
    pub vendor: String,
    /// The port [default: a free one]
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub port: u16,
}

/// `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// A shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
    /// elvish
    Elvish,
    /// PowerShell
    Powershell,
}

/// Reads `KEY=VALUE`.
pub fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        _ => Err("write it as KEY=VALUE".into()),
    }
}

/// Reads `500ms`, `30s`, `5m`, `2h`, `7d`, or bare seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| "write it as 30s, 5m, 2h or 7d".to_owned())?;
    let seconds = match unit {
        "ms" => return Ok(Duration::from_millis(number)),
        "" | "s" => Some(number),
        "m" | "min" => number.checked_mul(60),
        "h" => number.checked_mul(3600),
        "d" => number.checked_mul(86_400),
        "w" => number.checked_mul(604_800),
        _ => return Err(format!("`{unit}` is no unit: write it as 30s, 5m, 2h or 7d")),
    };
    seconds.map(Duration::from_secs).ok_or_else(|| "that is too long".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_have_units_and_nonsense_has_an_answer() {
        let cases = [("30", 30), ("30s", 30), ("5m", 300), ("2h", 7200), ("7d", 604_800)];
        for (text, seconds) in cases {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for text in
            ["", "m", "-1s", "5 minutes", "1y", "99999999999999999999", "9999999999999999999d"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
