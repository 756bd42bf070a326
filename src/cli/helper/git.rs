//! git's credential helpers: lines of `key=value` on both streams (gitcredentials(7), git-credential(1)).
//!
//! From git 2.46 on the answer is a whole Authorization header; before, and where the server wants
//! HTTP Basic, a user name and the token as its password.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use super::super::completions::complete_profile;
use super::{Asked, Connected, Context, Exit, Life, Report, parted, question, with_connected};
use crate::resource_server::www_authenticate;
use crate::secret::Secret;

/// `helper git`.
#[derive(Debug, Args)]
#[command(
    override_usage = "keyfob helper git [OPTIONS] [PROFILE] <get|store|erase>",
    after_help = "Set it up for the provider's own host (git adds the last word):\n  git config --global credential.https://git.example.helper \\\n    '!keyfob helper git shop'\n\nA host beside the API's own is named in the provider file:\n  [api]\n  hosts = [\"https://git.example.com\"]\n\nOther hosts get no answer, so that git asks its next helper. What git wants to\nstore is not kept; a token that the server has refused is renewed, and the next\ncommand gets the new one. Where a person must authorise, or anything else fails,\ngit is told to stop; it would ask for a password."
)]
pub struct Git {
    /// The profile (or KEYFOB_PROFILE), then git's own word
    #[arg(value_name = "PROFILE", num_args = 1..=2, required = true, add = ArgValueCompleter::new(complete_profile))]
    words: Vec<String>,
    /// The user name beside the token, where the server wants one
    #[arg(long, value_name = "NAME", default_value = "oauth2", value_parser = one_line)]
    username: String,
    #[command(flatten)]
    life: Life,
}

/// What git says about the request it wants to make.
#[derive(Default)]
struct Request {
    protocol: String,
    host: String,
    username: Option<String>,
    secret: Option<Secret>,
    takes_headers: bool,
    challenges: Vec<String>,
}

/// Answers git.
pub fn run(context: &Context<'_>, args: &Git) -> Result<Exit, Report> {
    let (profile, words) = parted(&args.words, 1);
    let request = || Ok(Request::read(question(context, "git")?.expose()));
    match words.first().map(String::as_str) {
        Some("get") => {
            let credential = request().and_then(|request| get(context, profile, args, &request));
            let credential = credential.inspect_err(|_| stop(context, args))?;
            context.output.product(context.system, &credential)?;
        }
        Some("erase") => erase(context, profile, &request()?)?,
        _ => {}
    }
    Ok(Exit::Done)
}

/// Has git end after a failed question, whoever's host it was about; else it would ask the person for a password.
pub fn stop(context: &Context<'_>, args: &Git) {
    let (_, words) = parted(&args.words, 1);
    if words.first().is_some_and(|action| action == "get") {
        // Where git reads no more there is nobody to stop, and the failure itself is told next.
        let _ = context.output.product(context.system, "quit=1\n");
    }
}

fn erase(context: &Context<'_>, profile: Option<&str>, request: &Request) -> Result<(), Report> {
    with_connected(context, profile, |connected| match &request.secret {
        Some(refused) if connected.is_for(&request.asked()) => connected.renew_refused(refused),
        _ => Ok(()),
    })
}

/// The lines of a credential; none for another host, so that git asks its next helper.
fn get(
    context: &Context<'_>,
    profile: Option<&str>,
    args: &Git,
    request: &Request,
) -> Result<String, Report> {
    with_connected(context, profile, |connected| match connected.is_for(&request.asked()) {
        true => credential(args, request, connected),
        false => Ok(String::new()),
    })
}

fn credential(args: &Git, request: &Request, connected: &Connected<'_>) -> Result<String, Report> {
    let credential = connected.credential(args.life.min_ttl)?;
    let token = credential.token.expose();
    let mut text = match request.wants_header(&credential.scheme) {
        true => format!(
            "capability[]=authtype\nauthtype={}\ncredential={token}\nephemeral=1\n",
            credential.scheme
        ),
        false => {
            let username = request.username.as_deref().unwrap_or(&args.username);
            format!("username={username}\npassword={token}\n")
        }
    };
    if let Some(end) = credential.expires_at {
        text.push_str(&format!("password_expiry_utc={}\n", end.as_second()));
    }
    Ok(text)
}

impl Request {
    /// Reads the lines up to an empty one; what is not known is passed over, as git asks.
    fn read(text: &str) -> Self {
        let mut request = Self::default();
        let pairs = text.lines().take_while(|line| !line.is_empty());
        for (key, value) in pairs.filter_map(|line| line.split_once('=')) {
            match key {
                "protocol" => request.protocol = value.to_owned(),
                "host" => request.host = value.to_owned(),
                "username" => request.username = Some(value.to_owned()),
                "password" | "credential" => request.secret = Some(Secret::new(value)),
                "capability[]" if value == "authtype" => request.takes_headers = true,
                "wwwauth[]" => request.challenges.push(value.to_owned()),
                _ => {}
            }
        }
        request
    }

    fn asked(&self) -> Asked<'_> {
        Asked::Server { scheme: Some(&self.protocol), authority: &self.host }
    }

    /// Whether a header of that scheme would do: git can send it, and the server did not ask for others alone.
    fn wants_header(&self, scheme: &str) -> bool {
        let challenges = www_authenticate::parse(self.challenges.iter().map(String::as_str));
        self.takes_headers
            && (challenges.is_empty() || challenges.iter().any(|challenge| challenge.is(scheme)))
    }
}

fn one_line(text: &str) -> Result<String, String> {
    match text.chars().any(char::is_control) {
        true => Err("a user name has no control characters".into()),
        false => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_ends_at_an_empty_line_and_may_hold_more_than_is_known() {
        let request = Request::read(
            "protocol=https\nhost=git.example\nnonsense\nfuture[]=x\npassword=a=b\n\nhost=evil.example\n",
        );
        assert_eq!((request.protocol.as_str(), request.host.as_str()), ("https", "git.example"));
        assert_eq!(request.secret.unwrap().expose(), "a=b");
    }

    #[test]
    fn a_header_is_given_where_git_and_the_server_take_one() {
        let request = |lines: &str| Request::read(lines);
        let cases = [
            ("", false),
            ("capability[]=authtype\n", true),
            ("capability[]=authtype\nwwwauth[]=Basic realm=\"x\"\n", false),
            ("capability[]=authtype\nwwwauth[]=Basic realm=\"x\"\nwwwauth[]=bearer\n", true),
            ("capability[]=authtype\nwwwauth[]=Basic realm=\"x\", Bearer realm=\"y\"\n", true),
            ("capability[]=state\nwwwauth[]=Bearer\n", false),
        ];
        for (lines, expected) in cases {
            assert_eq!(request(lines).wants_header("Bearer"), expected, "{lines}");
        }
    }
}
