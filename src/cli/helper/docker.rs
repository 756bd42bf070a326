//! docker's credential helpers, which podman, skopeo and containerd's tools speak too: one word as
//! argument, text or JSON on standard input, JSON or an error's text on standard output
//! (docker/docker-credential-helpers).

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use serde::Deserialize;
use serde_json::{Map, json};
use url::Position;

use super::super::completions::complete_profile;
use super::super::report::helper::{no_action, no_end, no_password};
use super::{
    Asked, Connected, Context, Exit, Life, Report, answer, not_understood, parted, question,
    with_connected,
};
use crate::secret::Secret;

/// By these words a caller knows that there are no credentials, and goes on without.
const NOT_FOUND: &str = "credentials not found in native keychain";

/// `helper docker`.
#[derive(Debug, Args)]
#[command(
    override_usage = "keyfob helper docker [OPTIONS] [PROFILE] <get|list|store|erase>",
    after_help = "A file `docker-credential-shop` on PATH, executable:\n  #!/bin/sh\n  exec keyfob helper docker shop \"$@\"\n\nIn ~/.docker/config.json, for the provider's own registry:\n  { \"credHelpers\": { \"registry.example.com\": \"shop\" } }\n\nA host beside the API's own is named in the provider file:\n  [api]\n  hosts = [\"https://registry.example.com\"]\n\n`docker login` is not needed, and stores nothing. A registry that wants an\nidentity token takes --username '<token>'."
)]
pub struct Docker {
    /// The profile (or KEYFOB_PROFILE), then docker's own word
    #[arg(value_name = "PROFILE", num_args = 1..=2, required = true, add = ArgValueCompleter::new(complete_profile))]
    words: Vec<String>,
    /// The user name beside the token
    #[arg(long, value_name = "NAME", default_value = "oauth2")]
    username: String,
    #[command(flatten)]
    life: Life,
}

/// What `store` is given.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Login {
    #[serde(rename = "ServerURL")]
    server: String,
    #[serde(with = "crate::secret::stored")]
    secret: Secret,
}

/// `None` where all went well, else the protocol's own words for "there are none".
type Answered = Result<Option<&'static str>, Report>;

/// Answers docker.
pub fn run(context: &Context<'_>, args: &Docker) -> Result<Exit, Report> {
    match act(context, args) {
        Ok(None) => Ok(Exit::Done),
        Ok(Some(text)) => {
            context.output.product(context.system, &format!("{text}\n"))?;
            // The protocol knows no other status than 1 for it.
            Ok(Exit::Unexpected)
        }
        Err(report) => {
            // docker shows what stands on standard output, a person sees both.
            let words: Vec<&str> =
                std::iter::once(&report.message).chain(&report.next).map(String::as_str).collect();
            let text = format!("keyfob: {}\n", words.join("; run "));
            context.output.product(context.system, &text)?;
            Err(report)
        }
    }
}

fn act(context: &Context<'_>, args: &Docker) -> Answered {
    let (profile, words) = parted(&args.words, 1);
    let action = words.first().map(String::as_str).unwrap_or_default();
    if !matches!(action, "get" | "list" | "store" | "erase") {
        return Err(no_action("docker", action, "get, list, store, erase"));
    }
    let given = if action == "list" { Secret::new("") } else { question(context, "docker")? };
    with_connected(context, profile, |connected| match action {
        "get" => get(context, args, connected, given.expose().trim()),
        "list" => list(context, args, connected),
        "store" => store(connected, given.expose()),
        _ => erase(connected, given.expose().trim()),
    })
}

fn get(context: &Context<'_>, args: &Docker, connected: &Connected<'_>, server: &str) -> Answered {
    if server.is_empty() {
        return Ok(Some("no credentials server URL"));
    }
    if !is_own(connected, server) {
        return Ok(Some(NOT_FOUND));
    }
    let credential = connected.credential(args.life.min_ttl)?;
    let document = json!({
        "ServerURL": server,
        "Username": args.username,
        "Secret": credential.token.expose(),
    });
    answer(context, &document)?;
    Ok(None)
}

/// Names the hosts that `get` would answer for.
fn list(context: &Context<'_>, args: &Docker, connected: &Connected<'_>) -> Answered {
    let mut all = Map::new();
    if connected.is_connected {
        for own in connected.hosts.origins() {
            let authority = &own[Position::BeforeHost..Position::AfterPort];
            all.insert(authority.to_owned(), json!(args.username));
        }
    }
    answer(context, &all.into())?;
    Ok(None)
}

/// `docker login` stores what `get` has just given it; anything else cannot be kept.
fn store(connected: &Connected<'_>, login: &str) -> Answered {
    let login: Login = serde_json::from_str(login)
        .map_err(|_| not_understood("docker", "it is no JSON object with ServerURL and Secret"))?;
    match is_own(connected, &login.server) && connected.holds(&login.secret) {
        true => Ok(None),
        false => Err(no_password("docker", connected.profile())),
    }
}

fn erase(connected: &Connected<'_>, server: &str) -> Answered {
    match is_own(connected, server) {
        false => Ok(Some(NOT_FOUND)),
        true => Err(no_end("docker", connected.profile())),
    }
}

/// A registry is named by its host, with or without scheme and path.
fn is_own(connected: &Connected<'_>, server: &str) -> bool {
    if server.contains("://") {
        return server.parse().is_ok_and(|url| connected.is_for(&Asked::Address(&url)));
    }
    let authority = server.split('/').next().unwrap_or_default();
    connected.is_for(&Asked::Server { scheme: None, authority })
}
