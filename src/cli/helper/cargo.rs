//! cargo's credential provider protocol, version 1: one line of JSON each way (The Cargo Book,
//! "Credential Provider Protocol").
//!
//! A failure is told in JSON alone, with exit code 0: cargo would not read the answer otherwise.

use std::io::{BufRead as _, BufReader, Read as _};

use clap::{Args, Command, FromArgMatches as _};
use clap_complete::engine::ArgValueCompleter;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::super::completions::complete_profile;
use super::{Asked, Context, Exit, LONGEST, Life, Report, answer, not_understood, with_connected};

/// The argument that cargo starts every provider with, and no other.
pub const PLUGIN: &str = "--cargo-plugin";

/// `helper cargo`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "In .cargo/config.toml; what follows the first word is the profile and the flags\nof this command:\n  [registries.shop]\n  index = \"sparse+https://crates.example.com/index/\"\n  credential-provider = [\"keyfob\", \"shop\"]\n\nA host beside the API's own is named in the provider file:\n  [api]\n  hosts = [\"https://crates.example.com\"]\n\nThe registry gets `Authorization: Bearer TOKEN`, or the provider's own scheme;\none that takes no scheme wants --bare. `cargo login` is not needed."
)]
pub struct Cargo {
    /// The profile (or KEYFOB_PROFILE)
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    profile: Option<String>,
    /// Give the token alone, without its scheme
    #[arg(long)]
    bare: bool,
    #[command(flatten)]
    life: Life,
    /// What cargo adds
    #[arg(long = "cargo-plugin", hide = true)]
    plugin: bool,
}

/// What cargo asks.
#[derive(Deserialize)]
struct Request {
    v: u32,
    kind: String,
    registry: Registry,
    #[serde(default)]
    args: Vec<String>,
}

/// For which registry.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Registry {
    index_url: String,
}

/// Answers cargo until it says no more.
pub fn run(context: &Context<'_>, args: &Cargo) -> Result<Exit, Report> {
    answer(context, &json!({ "v": [1] }))?;
    while let Some(line) = next_line(context)? {
        let reply = match respond(context, args, &line) {
            Ok(reply) => reply,
            Err(report) => json!({ "Err": told(&report) }),
        };
        answer(context, &reply)?;
    }
    Ok(Exit::Done)
}

/// A line, byte for byte read, so that nothing is taken from the next one; `None` at the end.
fn next_line(context: &Context<'_>) -> Result<Option<String>, Report> {
    let mut stdin = context.system.stdin.borrow_mut();
    let mut line = String::new();
    let read = BufReader::with_capacity(1, stdin.by_ref().take(LONGEST)).read_line(&mut line);
    match read {
        Ok(0) => Ok(None),
        Ok(_) => Ok(Some(line)),
        Err(error) => Err(not_understood("cargo", &error.to_string())),
    }
}

fn respond(context: &Context<'_>, args: &Cargo, line: &str) -> Result<Value, Report> {
    let request: Request = serde_json::from_str(line)
        .map_err(|_| not_understood("cargo", "it is not the JSON of cargo's protocol"))?;
    if request.v != 1 {
        return Err(not_understood("cargo", "it is of another version of the protocol"));
    }
    if request.kind != "get" {
        return Ok(json!({ "Err": { "kind": "operation-not-supported" } }));
    }
    let index = request.registry.index_url.as_str();
    let index: Option<Url> = index.strip_prefix("sparse+").unwrap_or(index).parse().ok();
    let args = args.with(&request.args)?;
    with_connected(context, args.profile.as_deref(), |connected| {
        if !index.is_some_and(|index| connected.is_for(&Asked::Address(&index))) {
            return Ok(json!({ "Err": { "kind": "url-not-supported" } }));
        }
        let credential = connected.credential(args.life.min_ttl)?;
        let token = credential.token.expose();
        let token = match args.bare {
            true => token.to_owned(),
            false => format!("{} {token}", credential.scheme),
        };
        let mut reply = json!({
            "kind": "get",
            "token": token,
            "cache": "session",
            "operation_independent": true,
        });
        if let Some(end) = credential.expires_at {
            reply["cache"] = json!("expires");
            reply["expiration"] = json!(end.as_second());
        }
        Ok(json!({ "Ok": reply }))
    })
}

impl Cargo {
    /// The flags together with those of cargo's configuration, which come in the request.
    fn with(&self, words: &[String]) -> Result<Self, Report> {
        let command = Self::augment_args(Command::new("keyfob").no_binary_name(true));
        let read = command.try_get_matches_from(words).and_then(|it| Self::from_arg_matches(&it));
        let more = read.map_err(|error| {
            let text = error.render().to_string();
            let line = text.lines().next().unwrap_or_default();
            not_understood("cargo", line)
        })?;
        Ok(Self {
            profile: more.profile.or_else(|| self.profile.clone()),
            bare: more.bare || self.bare,
            life: Life { min_ttl: more.life.min_ttl.or(self.life.min_ttl) },
            plugin: true,
        })
    }
}

/// A failure as cargo shows it: the message, then its causes one below the other.
fn told(report: &Report) -> Value {
    let steps = report.hint.iter().chain(&report.next);
    let causes: Vec<&String> = report.causes.iter().chain(steps).collect();
    json!({ "kind": "other", "message": report.message, "caused-by": causes })
}
