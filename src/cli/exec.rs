//! `exec`: another program with a good access token in its environment, in this one's place.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use super::args::duration;
use super::completions::complete_profile;
use super::context::Context;
use super::report::{self, Report, span};
use super::token::{good, warn_bound, warn_short};
use crate::clock::seconds_until;
use crate::connection::Wanted;
use crate::system::environment::SECRET_VARIABLES;
use crate::system::successor::Successor;
use crate::token_set::TokenSet;

/// The variable of the token where none is named.
const VARIABLE: &str = "KEYFOB_ACCESS_TOKEN";
/// A token that ends sooner deserves a word: the program cannot renew it.
const SHORT: Duration = Duration::from_secs(300);

/// `exec`.
#[derive(Debug, Args)]
#[command(
    override_usage = "keyfob exec [OPTIONS] [PROFILE] -- CMD [ARG]...",
    after_help = after_help()
)]
pub struct Exec {
    /// The profile (or KEYFOB_PROFILE)
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profile: Option<String>,
    /// The variable that holds the token (repeatable) [default: KEYFOB_ACCESS_TOKEN]
    #[arg(long = "env", value_name = "NAME", value_parser = variable)]
    pub variables: Vec<String>,
    /// It must live at least that long when the command starts: 30m, 90s; a bare number is seconds
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub min_ttl: Option<Duration>,
    /// Pass keyfob's own secrets on too, for a command that runs keyfob itself
    #[arg(long)]
    pub keep_secrets: bool,
    /// The command and its arguments
    #[arg(value_name = "CMD", last = true, required = true)]
    pub command: Vec<OsString>,
}

fn after_help() -> String {
    let [others @ .., last] = SECRET_VARIABLES;
    let others = others.join(", ");
    format!(
        "The command takes keyfob's place: its exit code is the command's own, and
signals and the terminal are its alone. 127 says that it was not found, 126
that it could not be started.
The token is good when the command starts and is not renewed after that.
{others}
and {last} are not passed on.

Examples:
  keyfob exec shop -- npm publish    (.npmrc: _authToken=${{KEYFOB_ACCESS_TOKEN}})
  keyfob exec forge --env GH_TOKEN --min-ttl 30m -- gh pr list
  KEYFOB_PROFILE=shop keyfob exec -- ./nightly-import"
    )
}

/// Becomes the command; where the system has no such thing, runs it and gives its exit code.
pub fn run(context: &Context<'_>, args: &Exec) -> Result<u8, Report> {
    let successor = successor(context, args)?;
    let program = successor.program.clone();
    successor.take_over().map_err(|error| report::exec::not_started(&program, &error))
}

fn successor(context: &Context<'_>, args: &Exec) -> Result<Successor, Report> {
    let [program, arguments @ ..] = args.command.as_slice() else {
        return Err(Report::usage("no command was named"));
    };
    let chosen = context.chosen(args.profile.as_deref())?;
    let about = chosen.situation(context.system);
    context.with_connection(chosen, None, |connection| {
        let entry = good(context, connection, &Wanted::Good(args.min_ttl), &about)?;
        let Some(tokens) = &entry.tokens else {
            return Err(Report::unexpected("a connection without tokens"));
        };
        match args.min_ttl {
            Some(least) => warn_short(context, tokens, least),
            None => warn_soon(context, tokens),
        }
        warn_bound(context, connection);
        let token = |name: &str| (name.to_owned(), tokens.access_token.clone());
        let secrets = match args.variables.as_slice() {
            [] => vec![token(VARIABLE)],
            names => names.iter().map(|name| token(name)).collect(),
        };
        let without: &[&str] = if args.keep_secrets { &[] } else { &SECRET_VARIABLES };
        let (program, arguments) = (program.clone(), arguments.to_vec());
        Ok(Successor { program, arguments, secrets, without })
    })
}

/// A command that runs for long should hear that its token does not.
fn warn_soon(context: &Context<'_>, tokens: &TokenSet) {
    let now = context.system.clock.now();
    if let Some(end) = tokens.access_expires_at
        && !tokens.access_lives_for(now, SHORT)
    {
        let left = span(seconds_until(now, end));
        let text = format!(
            "the token ends in {left} and is not renewed for the command: --min-ttl 30m gets one that lives longer"
        );
        context.output.warn(context.system, &text);
    }
}

/// What to say where the command stands without the `--` that parts it from keyfob's own words.
pub fn undivided(typed: &[String]) -> Option<Report> {
    let is_exec = typed.get(1).is_some_and(|word| word == "exec");
    (is_exec && !typed.iter().any(|word| word == "--")).then(report::exec::undivided)
}

/// Reads the name of an environment variable.
fn variable(text: &str) -> Result<String, String> {
    let fits = !text.is_empty()
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match fits {
        true => Ok(text.to_owned()),
        false => Err("a variable's name has letters, digits and `_`, as GH_TOKEN".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_variable_that_is_not_passed_on() {
        let help = after_help();
        for name in SECRET_VARIABLES {
            assert!(help.contains(name), "{name}: {help}");
        }
        assert!(help.lines().all(|line| line.len() <= 100), "{help}");
    }
}
