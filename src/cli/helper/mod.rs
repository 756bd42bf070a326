//! `helper`: credentials for other programs, each in its own protocol.
//!
//! `connected` is the one implementation: profile, hosts, fresh token. A file for each protocol
//! reads what its program asks and writes what it expects. No person is ever asked, no browser is
//! opened; standard input and standard output belong to the protocol. A host that is not the
//! provider's own gets nothing, in the protocol's own words.

mod bazel;
pub mod cargo;
mod connected;
mod docker;
mod git;
mod kubectl;
mod mcp;
mod terraform;

use std::io::Read as _;
use std::time::Duration;

use clap::{Args, Command, Subcommand};
use serde_json::Value;

use super::args::duration;
use super::context::Context;
use super::report::helper::not_understood;
use super::report::{Exit, Report};
use crate::secret::Secret;
use connected::{Asked, Connected, with_connected};

/// The longest question that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// The protocols.
#[derive(Debug, Subcommand)]
#[command(
    after_help = "The lines to paste into a program's configuration:\n  keyfob helper git --help\n\nA helper never asks and never opens a browser. The token goes to the provider's\nown hosts alone; a host beside the API's own is named in the provider file,\nunder [api] hosts."
)]
pub enum Helper {
    /// git: a header or a password for its own hosts, `credential.helper`
    Git(git::Git),
    /// kubectl: ExecCredential, the `exec` of a kubeconfig user
    Kubectl(kubectl::Kubectl),
    /// docker, podman, skopeo: a `docker-credential-…` program
    Docker(docker::Docker),
    /// cargo: a registry's `credential-provider`
    Cargo(cargo::Cargo),
    /// terraform, tofu: a `credentials_helper`
    Terraform(terraform::Terraform),
    /// bazel and other build tools: `--credential_helper`
    Bazel(bazel::Bazel),
    /// MCP hosts: the `headersHelper` of a server
    Mcp(mcp::Mcp),
}

/// Flags of every protocol.
#[derive(Debug, Clone, Default, Args)]
pub struct Life {
    /// The token must live at least that long: 10m, 90s; a bare number is seconds
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    min_ttl: Option<Duration>,
}

/// The command line of one protocol, which takes less to build than all of them.
pub fn command_of(protocol: &str) -> Option<Command> {
    let command = match protocol {
        "git" => git::Git::augment_args(Command::new("git")),
        "kubectl" => kubectl::Kubectl::augment_args(Command::new("kubectl")),
        "docker" => docker::Docker::augment_args(Command::new("docker")),
        "cargo" => cargo::Cargo::augment_args(Command::new("cargo")),
        "terraform" => terraform::Terraform::augment_args(Command::new("terraform")),
        "bazel" => bazel::Bazel::augment_args(Command::new("bazel")),
        "mcp" => mcp::Mcp::augment_args(Command::new("mcp")),
        _ => return None,
    };
    Some(Command::new("helper").subcommand(command))
}

/// Answers one question of a program.
pub fn run(context: &Context<'_>, helper: &Helper) -> Result<Exit, Report> {
    match helper {
        Helper::Git(args) => git::run(context, args),
        Helper::Kubectl(args) => kubectl::run(context, args),
        Helper::Docker(args) => docker::run(context, args),
        Helper::Cargo(args) => cargo::run(context, args),
        Helper::Terraform(args) => terraform::run(context, args),
        Helper::Bazel(args) => bazel::run(context, args),
        Helper::Mcp(args) => mcp::run(context, args),
    }
}

/// Answers where nothing can be judged: what every command needs has failed already.
pub fn failed_before(context: &Context<'_>, helper: &Helper) {
    if let Helper::Git(args) = helper {
        git::stop(context, args);
    }
}

/// Parts a PROFILE that may be left out from the words of the protocol, of which there are `own`.
fn parted(words: &[String], own: usize) -> (Option<&str>, &[String]) {
    match words {
        [profile, rest @ ..] if rest.len() >= own => (Some(profile), rest),
        _ => (None, words),
    }
}

/// Reads the whole question from standard input.
fn question(context: &Context<'_>, protocol: &str) -> Result<Secret, Report> {
    let mut text = zeroize::Zeroizing::new(String::new());
    let mut stdin = context.system.stdin.borrow_mut();
    let read = stdin.by_ref().take(LONGEST + 1).read_to_string(&mut text);
    match read {
        Ok(length) if length as u64 <= LONGEST => Ok(Secret::new(text.as_str())),
        Ok(_) => Err(not_understood(protocol, "it is longer than 1 MiB")),
        Err(error) => Err(not_understood(protocol, &error.to_string())),
    }
}

/// Writes a JSON document on one line.
fn answer(context: &Context<'_>, document: &Value) -> Result<(), Report> {
    context.output.product(context.system, &format!("{document}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_are_the_protocol_s() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parted(&words("get"), 1), (None, &words("get")[..]));
        assert_eq!(parted(&words("shop get"), 1), (Some("shop"), &words("get")[..]));
        assert_eq!(parted(&words("get get"), 1), (Some("get"), &words("get")[..]));
        assert_eq!(parted(&words("get host"), 2), (None, &words("get host")[..]));
        assert_eq!(parted(&words("shop get host"), 2), (Some("shop"), &words("get host")[..]));
    }
}
